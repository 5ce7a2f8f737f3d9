"""The package in a zip, and in frozen applications, which have bytecode and no sources: the same draws."""

import compileall
import shutil
import zipfile

import numpy as np
import pytest

import fastgumbel
import fastgumbel.jit
from tests.subprocesses import ROOT, python

PROGRAM = """
import contextlib, io
import numpy as np

with contextlib.redirect_stderr(io.StringIO()) as told:
    import fastgumbel
    import fastgumbel.jit
    drawn = fastgumbel.gumbel_max(np.zeros(9), noise=fastgumbel.NoiseField(1))
    drawn = drawn, fastgumbel.jit.gumbel(1, 2, 3, 4)
print(*drawn)
print(fastgumbel.__file__)
print(sum(fastgumbel.jit.gumbel.stats.cache_hits.values()))
print(told.getvalue() or "nothing was said")
"""
FROZEN = "import sys; sys.frozen = True"
# As the archives in executables are: a finder of bytecode, whose modules have paths at which there is nothing.
IN_MEMORY = """
import importlib.abc, importlib.machinery, importlib.util, marshal, sys, zipfile

class Archive(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    codes = {}

    def find_spec(self, name, path=None, target=None):
        package = name + ".__init__" in self.codes
        if not package and name not in self.codes:
            return None
        origin = "/nowhere/" + name.replace(".", "/") + ("/__init__" if package else "") + ".pyc"
        spec = importlib.machinery.ModuleSpec(name, self, origin=origin, is_package=package)
        spec.has_location = True
        return spec

    def exec_module(self, module):
        name = module.__name__
        exec(self.codes.get(name) or self.codes[name + ".__init__"], module.__dict__)

with zipfile.ZipFile("application.zip") as archive:
    for file in archive.namelist():
        Archive.codes[file.removesuffix(".pyc").replace("/", ".")] = marshal.loads(archive.read(file)[16:])
sys.meta_path.insert(0, Archive())
"""


def expected():
    drawn = fastgumbel.gumbel_max(np.zeros(9), noise=fastgumbel.NoiseField(1))
    return f"{drawn} {fastgumbel.jit.gumbel(1, 2, 3, 4)}"


@pytest.fixture
def run(tmp_path):
    """Give a function that runs the program and returns its lines; what Numba keeps for a user is in a new folder."""
    home = str(tmp_path / "home")
    elsewhere = {"XDG_CACHE_HOME": home, "LOCALAPPDATA": home, "HOME": home}

    def run(archive, prologue=""):
        code = f"import sys; sys.path.insert(0, {str(tmp_path / archive)!r})\n{prologue}\n{PROGRAM}"
        return python(code, root=tmp_path, NUMBA_CACHE_DIR=None, **elsewhere).split("\n", 3)

    return run


def pack(archive, ending, folder=ROOT):
    """Put the files of the package with this ending into a zip."""
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted((folder / "fastgumbel").rglob(f"*{ending}")):
            if "__pycache__" not in file.parts:
                packed.write(file, file.relative_to(folder))


@pytest.fixture
def bytecode(tmp_path):
    """Give a folder in which the package is bytecode alone, compiled at a place that is gone."""
    folder = tmp_path / "build"
    shutil.copytree(ROOT / "fastgumbel", folder / "fastgumbel", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(folder / "fastgumbel", quiet=1, legacy=True, stripdir=str(folder))
    for source in folder.rglob("*.py"):
        source.unlink()
    return folder


def test_in_a_zip(tmp_path, run):
    pack(tmp_path / "application.zip", ".py")
    for hits in (0, 1):
        drawn, file, found, told = run("application.zip")
        assert drawn == expected()
        assert "application.zip" in file
        assert (int(found), told) == (hits, "nothing was said"), "Numba keeps machine code of what a zip holds"


def test_in_a_zip_of_another_name(tmp_path, run):
    """Numba has no place for machine code of what does not lie in a file or in a `.zip`."""
    pack(tmp_path / "application.whl", ".py")
    drawn, file, _, told = run("application.whl")
    assert drawn == expected()
    assert "application.whl" in file
    assert told.count("kernels are compiled in every process") == 1


def test_a_frozen_application_with_files_of_bytecode(bytecode, run):
    for hits in (0, 1):
        drawn, file, found, told = run("build", FROZEN)
        assert drawn == expected()
        assert file.endswith(".pyc")
        assert (int(found), told) == (hits, "nothing was said")


def test_a_frozen_application_with_bytecode_in_a_zip(tmp_path, bytecode, run):
    pack(tmp_path / "application.zip", ".pyc", bytecode)
    for hits in (0, 1):
        drawn, file, found, told = run("application.zip", FROZEN)
        assert drawn == expected()
        assert "application.zip" in file
        assert (int(found), told) == (hits, "nothing was said")


@pytest.mark.parametrize("mark", [FROZEN, ""])
def test_bytecode_that_lies_in_no_file(tmp_path, bytecode, run, mark):
    pack(tmp_path / "application.zip", ".pyc", bytecode)
    drawn, file, _, told = run("elsewhere", IN_MEMORY + mark)
    assert drawn == expected()
    assert file.startswith("/nowhere/")
    assert told.count("kernels are compiled in every process, as they cannot be kept on disk: their sources") == 1
