"""Machine code on disk is used again, and never after the text of any kernel has changed.

Numba alone looks only at the file of the outermost function, and there only at its size and time.
"""

import os
import re
import shutil

import pytest

from tests.subprocesses import ROOT, python

# What is run, and what is changed in a file so that other numbers come: neither its size nor its time.
CASES = {
    "_law/philox.py": (
        "import fastgumbel; print(fastgumbel.gumbel((3, 5), rng=1).sum())",
        r"(0x[0-9A-Fa-f_]{7,})[0-9A-Fa-f]",
        r"\g<1>1",
    ),
    "jit.py": (
        "import fastgumbel.jit; print(fastgumbel.jit.gumbel(1, 2, 3, 4))",
        r"return _field.gumbel\(k, r, d, c\)",
        "return _field.gumbel(k, c, d, r)",
    ),
}


@pytest.fixture
def copy(tmp_path):
    """Give a copy of the package without compiled Python: that, too, would be trusted by size and time."""
    shutil.copytree(ROOT / "fastgumbel", tmp_path / "fastgumbel", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def run(copy):
    """Give a function that runs code with the copied package in a new process."""

    def run(code):
        return python(code, root=copy, NUMBA_CACHE_DIR=str(copy / "machine code"), PYTHONDONTWRITEBYTECODE="1")

    return run


def machine_code(copy):
    """Return all files of machine code below the copy, with their times."""
    return {path: path.stat().st_mtime_ns for path in copy.rglob("*.nbc")}


def edit(path, pattern, replacement):
    """Change one place of a file, and neither its size nor its time."""
    before, text = path.stat(), path.read_text()
    changed = re.sub(pattern, replacement, text, count=1)
    assert changed != text
    path.write_text(changed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("name", CASES)
def test_machine_code_is_used_again_but_never_of_another_text(copy, run, name):
    code, *change = CASES[name]
    file = copy / "fastgumbel" / name
    original = file.read_text()
    first = run(code)
    files = machine_code(copy)
    assert files
    assert all(path.is_relative_to(copy / "machine code") for path in files), "NUMBA_CACHE_DIR is the user's choice"

    assert run(code) == first
    assert machine_code(copy) == files, "compiled again without need"

    edit(file, *change)
    assert run(code) != first

    file.write_text(original)
    assert run(code) == first
