"""``gumbel_max`` needs little memory beside its input and its result: no noise, no converted copy is ever stored.

Python and NumPy memory is traced; that of compiled code is seen as the peak of a process of its own.
"""

import sys
import tracemalloc

import numpy as np
import pytest

import fastgumbel
from tests.subprocesses import python

MIB = 2**20
SHAPE = (4096, 8192)


def arguments(kind, shape):
    """Return log-potentials and a mask of one kind."""
    x = np.zeros(shape, {"float16": np.float16, "int8": np.int8, "big endian": ">f4"}.get(kind, np.float32))
    if kind == "strided":
        x = np.zeros((shape[0], 2 * shape[1]), np.float32)[:, ::2]
    if kind == "transposed":
        x = np.zeros(shape[::-1], np.float32).T
    where = {"masked": np.ones(shape, bool), "row mask": np.ones(shape[1], bool)}.get(kind)
    return x, where


KINDS = ("float32", "float16", "int8", "big endian", "masked", "row mask", "strided", "transposed")


@pytest.mark.parametrize("kind", KINDS)
def test_extra_memory_is_small(kind):
    x, where = arguments(kind, SHAPE)
    fastgumbel.gumbel_max(x[:64], where=where if where is None or where.ndim == 1 else where[:64], rng=0)
    tracemalloc.start()
    try:
        result = fastgumbel.gumbel_max(x, where=where, rng=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < result.nbytes + 4 * MIB


def test_many_draws_need_only_their_result():
    x = np.zeros(8192, np.float32)
    fastgumbel.gumbel_max(x, size=8, rng=0)
    tracemalloc.start()
    try:
        result = fastgumbel.gumbel_max(x, size=20_000, rng=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < result.nbytes + 4 * MIB


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_field_needs_only_its_result(dtype):
    fastgumbel.gumbel((64, 100), rng=0, dtype=dtype)
    tracemalloc.start()
    try:
        result = fastgumbel.gumbel((1000, 4000), rng=0, dtype=dtype)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < result.nbytes + 4 * MIB


PEAK = """
import resource
import fastgumbel
from tests.api.test_memory import SHAPE, arguments

x, where = arguments({kind!r}, SHAPE)
x[...] = 1
small = where if where is None or where.ndim == 1 else where[:64]
fastgumbel.gumbel_max(x[:64], where=small, rng=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fastgumbel.gumbel_max(x, where=where, rng=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is in kilobytes on Linux only")
@pytest.mark.parametrize("kind", ["float32", "float16", "masked"])
def test_the_peak_of_a_process_is_small(kind):
    assert int(python(PEAK.format(kind=kind))) < 16 * 1024
