"""Imports run downwards only, the CPU path knows no GPU, and importing the package is light."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fastgumbel
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
    from fastgumbel import *
print(len(compiled.buffer))
"""
    assert python(code) == "0"


def test_importing_loads_what_is_used_alone():
    """Neither the compiler nor a kernel before a name is used, and then those of one operation."""
    code = """
import sys
import fastgumbel as fg
print("numba" in sys.modules, any(m.startswith("fastgumbel._") and m != "fastgumbel._version" for m in sys.modules))
fg.gumbel_max
print("fastgumbel._cpu.max.short" in sys.modules, "fastgumbel._cpu.top.long" in sys.modules)
"""
    assert python(code) == "False False\nTrue False"


def test_names_are_loaded_from_where_type_checkers_find_them():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    read = {a.name: n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    homes = {name: f"fastgumbel.{home}" for name, home in fastgumbel._HOMES.items()}
    assert {name: read[name] for name in homes} == homes
    assert {*homes, "anneal"} == set(fastgumbel.__all__)
    assert fastgumbel.__all__ == sorted(fastgumbel.__all__)


def test_all_names_are_listed_and_no_other_is_found():
    code = """
import fastgumbel
print(set(fastgumbel.__all__) <= set(dir(fastgumbel)), hasattr(fastgumbel, "gumbel_min"))
from fastgumbel import *
from fastgumbel import anneal as schedules
print(gumbel_max is fastgumbel.gumbel_max, anneal is schedules, anneal.linear.__module__)
print("fastgumbel.jit" in __import__("sys").modules, "jit" in dir(fastgumbel), fastgumbel.jit.gumbel_max.__module__)
"""
    assert python(code) == "True False\nTrue True fastgumbel.anneal\nFalse True fastgumbel.jit"
    with pytest.raises(AttributeError, match=r"module 'fastgumbel' has no attribute 'gumbel_min'"):
        _ = fastgumbel.gumbel_min


def test_dask_is_imported_by_name():
    code = """
import fastgumbel
try:
    fastgumbel.dask
except AttributeError as error:
    print(error)
"""
    assert python(code) == "module 'fastgumbel' has no attribute 'dask': import fastgumbel.dask, which needs dask"


def test_threads_that_use_names_at_once_get_the_same():
    code = """
import sys, threading
import fastgumbel as fg
sys.setswitchinterval(1e-6)
found, start = [], threading.Barrier(8)
def use(i):
    start.wait()
    names = fg.__all__[::-1] if i % 2 else fg.__all__
    found.append({name: id(getattr(fg, name)) for name in names})
threads = [threading.Thread(target=use, args=(i,)) for i in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), all(names == found[0] for names in found))
"""
    assert python(code) == "8 True"


def test_importing_loads_nothing_heavy():
    """Beyond what Numba loads by itself."""
    heavy = "m.split('.')[0] in ('scipy', 'tqdm', 'cupy', 'dask', 'distributed') or 'cuda' in m"
    listing = f"import sys; print(*sorted(m for m in sys.modules if {heavy}))"
    assert python(f"from fastgumbel import *; {listing}") == python(f"import numba, numba.extending; {listing}")


def test_all_public_names_exist():
    assert all(hasattr(fastgumbel, name) for name in fastgumbel.__all__)
