"""Many threads, other processes, signals, little memory, odd environments: the same bits, or a clean error."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastgumbel
from tests.faults.mixed import TASKS, digest, results
from tests.subprocesses import program, python

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX processes")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")


def test_every_function_in_sixteen_threads_at_once():
    expected = [results(*task) for task in TASKS]
    order = [np.random.default_rng(i).permutation(len(TASKS)) for i in range(16)]

    def work(i):
        return [(t, results(*TASKS[t])) for t in order[i]]

    with ThreadPoolExecutor(16) as pool:
        for found in pool.map(work, range(16)):
            for t, arrays in found:
                for array, same in zip(arrays, expected[t], strict=True):
                    assert array.tobytes() == same.tobytes(), TASKS[t]


@posix
def test_children_that_are_forked_in_the_midst_of_work_or_spawned():
    assert program("faults.children") == [
        "forked beside a call: same",
        "forked beside the compiler: same",
        "spawned: same",
    ]


@posix
@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupt_ends_every_function(threads):
    lines = program("faults.interrupts", str(threads))
    assert len(lines) == 13
    assert all(line.endswith(": interrupted, same") for line in lines), lines


@linux
def test_out_of_memory_is_an_error_and_no_end():
    lines = program("faults.little_memory")
    assert lines == [f"{name}: MemoryError, same" for name in ("result", "scratch", "scratch of a thread")]


ENVIRONMENT = """
import locale
import numba
import fastgumbel
from tests.faults.mixed import digest

locale.setlocale(locale.LC_ALL, "")
print(digest())
print(numba.njit(digest) is digest, fastgumbel.NoiseField(3).at(start=7))
try:
    fastgumbel.gumbel_max([[0.5, float("nan")]], rng=1)
except ValueError as error:
    print(error)
"""


def test_an_odd_environment_changes_nothing():
    """No just-in-time compiler for the user, another hash seed, another locale, and no assertions."""
    printed = python(
        ENVIRONMENT,
        NUMBA_DISABLE_JIT="1",
        PYTHONHASHSEED="4321",
        LC_ALL=a_locale_with_commas(),
        PYTHONOPTIMIZE="1",
    ).split("\n")
    assert printed == [
        digest(),
        f"True {fastgumbel.NoiseField(3).at(start=7)}",
        "log_potentials: row 0 has nan at category 1; expected real numbers or -inf",
    ]


def a_locale_with_commas():
    """Return one that is installed, or the plainest."""
    listed = subprocess.run(["locale", "-a"], capture_output=True, text=True).stdout if os.name == "posix" else ""
    return next((name for name in listed.split() if name.startswith(("de_", "fr_", "ru_"))), "C")
