"""Machine code that cannot be kept on disk, is damaged there, or is for another processor: never a wrong result.

The kernels here are of one line, so that they compile in no time; `test_golden_processors.py` compiles real ones.
"""

import errno
import os
import warnings

import numpy as np
import pytest
from numba import config

from fastgumbel._numba import cache, machine
from fastgumbel._numba import compile as _compile
from tests.subprocesses import python


def one_more(x):
    return x + 1


def one_less(x):
    return x - 1


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """Give an empty directory, which is the one for machine code; nothing has been said about it yet."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "_complained", False)
    return tmp_path


def compiled(kernel):
    """Return how many of a kernel's types were compiled, and not found on disk."""
    return sum(kernel.stats.cache_misses.values())


def files(directory, ending):
    return sorted(directory.rglob(f"*.{ending}"))


def test_machine_code_is_kept(directory):
    for misses in (1, 0):
        kernel = _compile.kernel(one_more)
        assert kernel(1.0) == 2.0
        assert compiled(kernel) == misses


replace = os.replace


def full(source, target):
    """Move a file as long as it is an index, as if there were no room for machine code."""
    if target.endswith(".nbc"):
        raise OSError(errno.ENOSPC, "No space left on device", target)
    replace(source, target)


def test_a_full_disk_is_mentioned_once(directory, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.warns(RuntimeWarning, match=r"No space left on device.*NUMBA_CACHE_DIR"):
            assert _compile.kernel(one_more)(1.0) == 2.0
        with warnings.catch_warnings(record=True) as told:
            assert _compile.kernel(one_less)(1.0) == 0.0
        assert not told
    assert files(directory, "nbi"), "the index is there, and the data are not"
    for misses in (1, 0):
        kernel = _compile.kernel(one_more)
        assert kernel(1.0) == 2.0
        assert compiled(kernel) == misses


def test_a_full_disk_leaves_no_code_of_another_text(directory, monkeypatch):
    """The index is new, but the data are still those of the text before it."""
    monkeypatch.setattr(cache, "_digest_of_sources", lambda: "before")
    assert _compile.kernel(one_more)(1.0) == 2.0
    monkeypatch.setattr(cache, "_digest_of_sources", lambda: "after")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.warns(RuntimeWarning):
            _compile.kernel(one_more)(1.0)
    kernel = _compile.kernel(one_more)
    kernel(1.0)
    assert compiled(kernel) == 1


def swap(one, other):
    one_text, other_text = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_text)
    other.write_bytes(one_text)


def test_processors_do_not_take_each_others_code(directory, monkeypatch):
    """Each has its own, and an index that two of them wrote at once does not mix them up."""
    names = ("this processor", "another one")
    for misses in (1, 0):
        for name in names:
            with monkeypatch.context() as patch:
                patch.setattr(machine, "target", lambda name=name: ("machine", name, ""))
                kernel = _compile.kernel(one_more)
                assert kernel(1.0) == 2.0
                assert compiled(kernel) == misses
    swap(*files(directory, "nbc"))
    monkeypatch.setattr(machine, "target", lambda: ("machine", names[0], ""))
    kernel = _compile.kernel(one_more)
    assert kernel(1.0) == 2.0
    assert compiled(kernel) == 1


def test_types_do_not_take_each_others_code(directory):
    """Each has a file of its own, and an index that two processes wrote at once can mix them up."""
    kernel = _compile.kernel(one_more)
    assert (kernel(1.0), kernel(1)) == (2.0, 2)
    swap(*files(directory, "nbc"))
    kernel = _compile.kernel(one_more)
    assert (kernel(1.0), kernel(1)) == (2.0, 2)
    assert compiled(kernel) == 2


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("keep", [0, 40, 200])
def test_damaged_files_are_made_anew(directory, ending, keep):
    assert _compile.kernel(one_more)(1.0) == 2.0
    (file,) = files(directory, ending)
    file.write_bytes(file.read_bytes()[:keep])
    for misses in (1, 0):
        kernel = _compile.kernel(one_more)
        with warnings.catch_warnings(record=True) as told:
            assert kernel(1.0) == 2.0
        assert not told
        assert compiled(kernel) == misses


NOWHERE = """
import warnings
import numpy as np
import fastgumbel as fg

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    drawn = [fg.gumbel_max(np.zeros(99, kind), noise=fg.NoiseField(1)) for kind in ("f", "d")]
print(*drawn, fg.show_config("dicts")["cache"]["directory"], *(f"{w.category.__name__}: {w.message}" for w in told))
"""


def test_without_any_directory_that_can_be_written():
    """A process of its own, all of which is compiled in memory: it says so once, and draws the same."""
    import fastgumbel

    nowhere = {"NUMBA_CACHE_DIR": "/dev/null/nowhere", "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    printed = python(NOWHERE, **nowhere)
    drawn = fastgumbel.gumbel_max(np.zeros(99), noise=fastgumbel.NoiseField(1))
    assert printed.startswith(f"{drawn} {drawn} None RuntimeWarning: kernels are compiled in every process")
    assert printed.count("Warning") == 1
    assert "NUMBA_CACHE_DIR" in printed


STRICT = """
import contextlib, io
import numpy as np
import fastgumbel as fg

with contextlib.redirect_stderr(io.StringIO()) as told:
    drawn = fg.gumbel_max(np.zeros(9), noise=fg.NoiseField(1))
print(drawn, "kernels are compiled in every process" in told.getvalue())
"""


def test_where_warnings_are_errors_the_call_still_returns():
    """It is shown once, as a warning, and not raised."""
    import fastgumbel

    nowhere = {"NUMBA_CACHE_DIR": "/dev/null/nowhere", "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    drawn = fastgumbel.gumbel_max(np.zeros(9), noise=fastgumbel.NoiseField(1))
    assert python(STRICT, **nowhere) == f"{drawn} True"
