"""The frozen bits, and those of every function, on processors with other vector registers than this one's.

Code for AVX-512 cannot run where there is none; the suite itself runs on whatever there is.
"""

import platform

import pytest

from tests.faults.mixed import TASKS, digest
from tests.subprocesses import program

on_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="needs an x86-64 processor")


def run(cpu, directory, *every):
    """Return the lines of the program, compiled for a processor with what all of its kind have, and no more."""
    own = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(directory)}
    return program("faults.frozen", *every, **own)


def has_avx2():
    with open("/proc/cpuinfo") as file:
        return " avx2 " in file.read()


@on_x86
def test_the_frozen_bits_without_avx_and_fused_instructions(tmp_path):
    """SSE2 alone, where a fused multiply-add is a call of the C library."""
    assert run("generic", tmp_path) == ["generic 128", "frozen bits", "frozen bits"]


@on_x86
@pytest.mark.heavy
@pytest.mark.parametrize("cpu", ["generic", "haswell"])
def test_every_function(cpu, tmp_path):
    if cpu == "haswell" and not has_avx2():
        pytest.skip("no AVX2")
    _, *frozen = run(cpu, tmp_path, "every")
    assert frozen[:2] == ["frozen bits"] * 2
    assert [line.split()[0] for line in frozen[2:]] == [digest([task]) for task in TASKS]
