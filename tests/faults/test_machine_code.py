"""Machine code that cannot be kept on disk, is damaged there, or is for another processor: never a wrong result.

The kernels here are of one line, so that they compile in no time; `test_golden_processors.py` compiles real ones.
"""

import errno
import warnings

import numpy as np
import pytest
from numba.core import config
from numba.core.codegen import JITCPUCodegen

from fastgumbel._kernels import compiling
from tests.subprocesses import python


def one_more(x):
    return x + 1


def one_less(x):
    return x - 1


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """Give an empty directory, which is the one for machine code; nothing has been said about it yet."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "_complained", False)
    return tmp_path


def compiled(kernel):
    """Return how many of a kernel's types were compiled, and not found on disk."""
    return sum(kernel.stats.cache_misses.values())


def files(directory, ending):
    return sorted(directory.rglob(f"*.{ending}"))


def test_machine_code_is_kept(directory):
    for misses in (1, 0):
        kernel = compiling.kernel(one_more)
        assert kernel(1.0) == 2.0
        assert compiled(kernel) == misses


def full(path, *args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_full_disk_is_mentioned_once(directory, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(compiling._StampedFile, "_save_data", full)
        with pytest.warns(RuntimeWarning, match=r"No space left on device.*NUMBA_CACHE_DIR"):
            compiling.kernel(one_more)(1.0)
        assert compiling.kernel(one_less)(1.0) == 0.0, "and no other warning, which would be an error"
    assert files(directory, "nbi"), "the index is there, and the data are not"
    for misses in (1, 0):
        kernel = compiling.kernel(one_more)
        assert kernel(1.0) == 2.0
        assert compiled(kernel) == misses


def test_a_full_disk_leaves_no_code_of_another_text(directory, monkeypatch):
    """The index is new, but the data are still those of the text before it."""
    monkeypatch.setattr(compiling, "DIGEST", "before")
    assert compiling.kernel(one_more)(1.0) == 2.0
    monkeypatch.setattr(compiling, "DIGEST", "after")
    with monkeypatch.context() as patch:
        patch.setattr(compiling._StampedFile, "_save_data", full)
        with pytest.warns(RuntimeWarning):
            compiling.kernel(one_more)(1.0)
    kernel = compiling.kernel(one_more)
    kernel(1.0)
    assert compiled(kernel) == 1


def test_processors_do_not_take_each_others_code(directory, monkeypatch):
    """Each has its own, and an index that two of them wrote at once does not mix them up."""
    names = ("this processor", "another one")
    for misses in (1, 0):
        for name in names:
            with monkeypatch.context() as patch:
                patch.setattr(JITCPUCodegen, "magic_tuple", lambda self, name=name: ("machine", name, ""))
                kernel = compiling.kernel(one_more)
                assert kernel(1.0) == 2.0
                assert compiled(kernel) == misses
    one, other = files(directory, "nbc")
    one_text, other_text = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_text)
    other.write_bytes(one_text)
    monkeypatch.setattr(JITCPUCodegen, "magic_tuple", lambda self: ("machine", names[0], ""))
    kernel = compiling.kernel(one_more)
    assert kernel(1.0) == 2.0
    assert compiled(kernel) == 1


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("keep", [0, 40, 200])
def test_damaged_files_are_made_anew(directory, ending, keep):
    assert compiling.kernel(one_more)(1.0) == 2.0
    (file,) = files(directory, ending)
    file.write_bytes(file.read_bytes()[:keep])
    for least in (1, 0, 0):
        kernel = compiling.kernel(one_more)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert kernel(1.0) == 2.0
        assert compiled(kernel) >= least
    assert compiled(kernel) == 0


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
