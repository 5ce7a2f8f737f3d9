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
    if kind == "bfloat16":
        return np.zeros(shape, pytest.importorskip("ml_dtypes").bfloat16), None
    x = np.zeros(shape, {"float16": np.float16, "int8": np.int8, "big endian": ">f4"}.get(kind, np.float32))
    if kind == "strided":
        x = np.zeros((shape[0], 2 * shape[1]), np.float32)[:, ::2]
    if kind == "transposed":
        x = np.zeros(shape[::-1], np.float32).T
    where = {"masked": np.ones(shape, bool), "row mask": np.ones(shape[1], bool)}.get(kind)
    return x, where


KINDS = ("float32", "float16", "bfloat16", "int8", "big endian", "masked", "row mask", "strided", "transposed")


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
    fastgumbel.gumbel((8, 4000), rng=0, dtype=dtype)
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
@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16", "masked"])
def test_the_peak_of_a_process_is_small(kind):
    assert int(python(PEAK.format(kind=kind))) < 16 * 1024


LONG, SHORT, MIDDLE = (16, 131_072), (200_000, 5), (1000, 1000)
# What the performance page says of each: bytes a category of a row (of one thread), and whether results come once more.
NEEDS = {
    "gumbel": (lambda x, f, **o: fastgumbel.gumbel(x.shape, noise=f, dtype=x.dtype), 0, False),
    "gumbel_max": (lambda x, f, **o: fastgumbel.gumbel_max(x, noise=f, return_max=True), 0, False),
    "gumbel_top_k": (lambda x, f, **o: fastgumbel.gumbel_top_k(x, 3, noise=f), 0, False),
    "gumbel_top_k, out": (lambda x, f, out: fastgumbel.gumbel_top_k(x, 3, noise=f, out=out), 0, False),
    "gumbel_top_k, threshold": (
        lambda x, f, **o: fastgumbel.gumbel_top_k(x, 3, noise=f, return_threshold=True),
        0,
        True,
    ),
    "gumbel_above": (lambda x, f, **o: fastgumbel.gumbel_above(x, 6.0, noise=f), 0, True),
    "gumbel_softmax": (lambda x, f, **o: fastgumbel.gumbel_softmax(x, 0.5, noise=f), 0, False),
    "gumbel_softmax, axis": (lambda x, f, **o: fastgumbel.gumbel_softmax(x.T, 0.5, axis=0, noise=f), 0, False),
    "gumbel_softmax, log": (lambda x, f, **o: fastgumbel.gumbel_softmax(x, 0.5, log=True, noise=f), 8, False),
    "gumbel_softmax_jvp": (lambda x, f, **o: fastgumbel.gumbel_softmax_jvp((x, 0.5), (x, 1.0), noise=f), 8, False),
    "gumbel_softmax_vjp": (lambda x, f, **o: fastgumbel.gumbel_softmax_vjp((x, 0.5), x, noise=f), 24, False),
    "gumbel_given_choice": (lambda x, f, **o: fastgumbel.gumbel_given_choice(x, ZEROS[: len(x)], noise=f), 8, False),
    "categorical": (lambda x, f, **o: fastgumbel.categorical(x, noise=f), 8, False),
    "perturb": (lambda x, f, **o: fastgumbel.perturb(x, "exponential", noise=f), 0, False),
    "diagnose": (lambda x, f, **o: fastgumbel.diagnose(x), 0, False),
}
ZEROS = np.zeros(SHORT[0], np.intp)


def size_of(result):
    """Return the bytes of arrays in tuples."""
    return sum(map(size_of, result)) if isinstance(result, tuple) else np.asarray(result).nbytes


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("shape", [LONG, SHORT, MIDDLE], ids=str)
def test_what_each_function_needs(name, shape):
    """Half a MiB a thread, some bytes for each row, and what the performance page says."""
    call, a_category, again = NEEDS[name]
    x, field, threads = np.zeros(shape, np.float32), fastgumbel.NoiseField(1), fastgumbel.get_num_threads()
    out = np.empty((len(x), 3), np.intp), np.empty((len(x), 3))
    fastgumbel.set_num_threads(1)
    try:
        call(x, field, out=out)
        tracemalloc.start()
        result = call(x, field, out=out)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        fastgumbel.set_num_threads(threads)
    own = 0 if "out" in name else size_of(result)
    assert peak < own * (2 if again else 1) + MIB // 2 + a_category * x.shape[-1] + 20 * len(x)
