"""The frozen bits, and those of every function, on processors with other vector registers than this one's.

Code for AVX-512 cannot run where there is none; the suite itself runs on whatever there is.
"""

import platform

import pytest

from tests.faults.mixed import digest
from tests.subprocesses import python

GOLDEN = """
import numpy as np
from tests import golden

lines = list(golden.read())
for lead, n in [(0, 1), (64, 200)]:
    for (key, row, draw, category), double, single in lines:
        first = min(max(category - lead, 0), 2**32 - n)
        for dtype, frozen in ((np.float64, double), (np.float32, single)):
            assert golden.noise(key, row, draw, first, n, dtype)[category - first] == frozen
print(len(lines))
"""
EVERY = "from tests.faults.mixed import digest; print(digest())"
CONFIG = "import fastgumbel; cpu = fastgumbel.show_config('dicts')['cpu']; print(cpu['name'], cpu['vector_bits'])"

on_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="needs an x86-64 processor")


def least(directory):
    """Return the environment of a processor with nothing that is not in all of its kind: of SSE2, without FMA."""
    return {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(directory)}


def avx2(directory):
    return {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(directory)}


def has_avx2():
    with open("/proc/cpuinfo") as file:
        return " avx2 " in file.read()


@on_x86
def test_the_frozen_bits_without_vectors_of_more_than_two(tmp_path):
    assert python(f"{CONFIG}\n{GOLDEN}", **least(tmp_path)).split("\n")[0] == "generic 128"


@on_x86
@pytest.mark.heavy
def test_every_function_without_vectors_of_more_than_two(tmp_path):
    assert python(EVERY, **least(tmp_path)) == digest()


@on_x86
@pytest.mark.heavy
def test_the_frozen_bits_and_every_function_with_avx2(tmp_path):
    if not has_avx2():
        pytest.skip("no AVX2")
    assert python(f"{GOLDEN}\n{EVERY}", **avx2(tmp_path)).split("\n")[1] == digest()
