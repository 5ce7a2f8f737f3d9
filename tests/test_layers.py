"""Imports run downwards only, the CPU path knows no GPU, and importing the package is light."""

import ast
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.subprocesses import python

PACKAGE = Path(__file__).parents[1] / "fastgumbel"

# From the top down. A module may import from lines below its own, never from its own line or above; the command
# line is free within itself.
ORDER = (
    ("__main__",),
    ("_choose.*",),
    ("__init__",),
    ("dask",),
    ("_dask_soft",),
    ("_dask_max", "_dask_categorical"),
    ("_dask_graph",),
    (
        "sampling",
        "ranking",
        "reservoir",
        "relatives",
        "relaxed",
        "conditional",
        "independent",
        "anneal",
        "jit",
        "_config",
    ),
    ("_device_soft", "_device_top", "_device_categorical", "_perturb"),
    ("_search", "_write", "_relax", "_categorical", "_device_write", "_device_max", "_device_relax"),
    ("_device_ids",),
    ("_device_rows",),
    ("_arrays",),
    ("noise", "_threads"),
    ("_checks",),
    ("_rows", "_device", "_dask_extra", "_version"),
    ("_kernels.cpu_*", "_kernels.cuda_noise", "_kernels.cuda_max_*", "_kernels.cuda_relax_*"),
    ("_kernels.cuda_top_*", "_kernels.cuda_categorical*"),
    ("_kernels.cuda_condition", "_kernels.cuda_ids", "_kernels.cuda_move", "_kernels.one_draw", "_kernels.one_relaxed"),
    ("_kernels.cuda_softmax", "_kernels.cuda_survey"),
    ("_kernels.cuda_max", "_kernels.cuda_top"),
    ("_kernels.ids", "_kernels.top_open"),
    ("_kernels.blocks", "_kernels.heap", "_kernels.lanes", "_kernels.noise_row", "_kernels.row", "_kernels.weights"),
    ("_kernels.one_max",),
    ("_kernels.cuda_field", "_kernels.cuda_rows"),
    ("_kernels.stage", "_kernels.bounds"),
    ("_kernels.race",),
    ("_kernels.field", "_kernels.reduce", "_kernels.inside"),
    ("_kernels.real", "_kernels.philox"),
    ("_kernels.cuda",),
    ("_kernels.ops", "_kernels.simd", "_kernels.local"),
    ("_kernels.compiling",),
    ("_kernels.cache",),
    ("_kernels.borrowing", "_kernels.machine"),
)
SOURCES = sorted(PACKAGE.rglob("*.py"))


def name(path):
    """Return the dotted name of a source below the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports(path):
    """Yield the absolute names of all modules and members that a source imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = path.relative_to(PACKAGE.parent).parts[: -node.level] if node.level else ()
            module = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def level(module):
    """Return the line of ``ORDER`` of a module, or None where it has no place."""
    for line, patterns in enumerate(ORDER):
        if any(fnmatchcase(module, pattern) for pattern in patterns):
            return line
    return None


def inner(imported):
    """Return the module that something imported from the package lives in, or None if it is from elsewhere."""
    head, _, rest = imported.partition(".")
    if head != "fastgumbel":
        return None
    parents = [rest, rest.rpartition(".")[0]]
    return next((module for module in parents if (PACKAGE / (module.replace(".", "/") + ".py")).exists()), "__init__")


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_run_downwards(path):
    module = name(path)
    if path.name == "__init__.py" and path.parent != PACKAGE:
        assert not list(imports(path))
        return
    assert level(module) is not None, f"{module} has no place in the order"
    for imported in imports(path):
        target = inner(imported)
        if target is not None and not (module.startswith("_choose") and target.startswith("_choose")):
            assert level(target) > level(module), f"{module} imports {imported}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_module_of_the_cpu_path_imports_cuda(path):
    if not name(path).startswith("_kernels.cuda"):
        assert not [i for i in imports(path) if "cuda" in i.lower()]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_one_module_knows_numba_cuda(path):
    if name(path) != "_kernels.cuda":
        assert not [i for i in imports(path) if i.startswith(("numba.cuda", "cuda"))]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_kernels_know_numba(path):
    if not name(path).startswith("_kernels"):
        assert not [i for i in imports(path) if i.split(".")[0] in ("numba", "llvmlite")]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_pointers_have_no_types(path):
    """Later versions of llvmlite know none."""
    if not name(path).startswith("_kernels.cuda"):
        assert not re.search(r"\bas_pointer\b|\bpointee\b", path.read_text())


def test_importing_compiles_nothing():
    code = """
from numba.core import event
with event.install_recorder("numba:compile") as compiled:
    import fastgumbel.jit
print(len(compiled.buffer))
"""
    assert python(code) == "0"


def test_importing_loads_nothing_heavy():
    """Beyond what Numba loads by itself."""
    heavy = "m.split('.')[0] in ('scipy', 'tqdm', 'cupy', 'dask', 'distributed') or 'cuda' in m"
    listing = f"import sys; print(*sorted(m for m in sys.modules if {heavy}))"
    assert python(f"import fastgumbel; {listing}") == python(f"import numba, numba.extending; {listing}")


def test_the_public_names():
    import fastgumbel

    names = {"NoiseField", "Reservoir", "anneal", "categorical", "get_num_threads", "gumbel", "gumbel_given_choice"}
    names |= {"gumbel_max", "gumbel_softmax", "gumbel_softmax_jvp", "gumbel_top_k", "log_partition", "perturb"}
    names |= {"set_num_threads", "show_config"}
    assert names <= set(fastgumbel.__all__)
    assert all(hasattr(fastgumbel, name) for name in fastgumbel.__all__)
