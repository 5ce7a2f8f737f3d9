"""Imports run downwards only, the CPU path knows no GPU, and importing the package is light."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.subprocesses import python

PACKAGE = Path(__file__).parents[2] / "fastgumbel"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# From the top down. A module may import from lines below its own and from its own package; what shares a line is apart.
ORDER = ("__main__", "_cli", "__init__", "dask", "_dask", "_api anneal", "_host _cuda jit", "_cpu _request", "_law")
ORDER = {name: line for line, names in enumerate((*ORDER, "_numba _version")) for name in names.split()}


def name(path):
    """Return the dotted name of a source below the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(path):
    """Yield the absolute names of all modules and members that a source imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = path.relative_to(PACKAGE.parent).parts[: -node.level] if node.level else ()
            module = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


NAMES = set(map(name, SOURCES))


def inner(path):
    """Return the modules of the package that a source imports from."""
    found = (i.removeprefix("fastgumbel").lstrip(".") for i in imports(path) if i.split(".")[0] == "fastgumbel")
    return {i if i in NAMES else i.rpartition(".")[0] or "__init__" for i in found}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_run_downwards(path):
    own = name(path).split(".")[0]
    for target in inner(path):
        other = target.split(".")[0]
        assert other == own or ORDER[other] > ORDER[own], f"{name(path)} imports {target}"


def test_no_modules_import_each_other():
    TopologicalSorter({name(path): inner(path) for path in SOURCES}).prepare()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_module_of_the_cpu_path_imports_cuda(path):
    if not name(path).startswith("_cuda"):
        assert not [i for i in imports(path) if "cuda" in i.lower()]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_one_module_knows_numba_cuda(path):
    if name(path) != "_cuda.seam":
        assert not [i for i in imports(path) if i.startswith(("numba.cuda", "cuda"))]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_kernels_know_numba(path):
    if not name(path).startswith(("_cpu", "_law", "_numba", "_cuda.kernels", "_cuda.seam")):
        assert not [i for i in imports(path) if i.split(".")[0] in ("numba", "llvmlite")]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_pointers_have_no_types(path):
    """Later versions of llvmlite know none."""
    if not name(path).startswith("_cuda"):
        assert not re.search(r"\bas_pointer\b|\bpointee\b", path.read_text())


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if name(path).startswith(("_cpu", "_law", "_cuda.kernels"))], ids=name
)
def test_no_kernel_takes_more_than_eight_arguments(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            assert len(node.args.args) <= 8, node.name


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
    names |= {"LogPartition", "gumbel_nested", "set_num_threads", "show_config"}
    assert names <= set(fastgumbel.__all__)
    assert all(hasattr(fastgumbel, name) for name in fastgumbel.__all__)
