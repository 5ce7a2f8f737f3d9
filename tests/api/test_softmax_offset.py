"""A common offset of the log-potentials changes relaxed samples no more than it rounds the log-potentials."""

import numpy as np
import pytest

import fastgumbel
from tests.api.test_softmax_simplex import assert_largest_is_the_hard_sample

FIELD = fastgumbel.NoiseField(5)
LENGTHS = (2, 10, 96, 97, 200, 1000)
# In float32 some dozen items are left where these are added, and in float64 all bits of float32.
OFFSETS = {"float32": (2.0**16, -(2.0**17)), "float64": (2.0**40, -(2.0**42))}


def eighths(n, dtype, rows=20):
    """Return multiples of 1/8 of at most 8, to which the offsets can be added without rounding."""
    return np.random.default_rng(n).integers(-64, 65, size=(rows, n)).astype(dtype) / 8


@pytest.mark.parametrize("dtype", OFFSETS)
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", LENGTHS)
def test_an_exact_offset_changes_no_bit(n, log, dtype):
    x = eighths(n, dtype)
    x[:, 1::3] = -np.inf
    ids = FIELD.at(categories=np.random.default_rng(1).integers(2**31 - 4, size=n))
    noise = fastgumbel.gumbel((3, *x.shape), rng=2, dtype=dtype)
    steps = np.sin(np.arange(x.size)).reshape(x.shape).astype(dtype)
    for offset in OFFSETS[dtype]:
        far = x + x.dtype.type(offset)
        assert (far - x.dtype.type(offset) == x).all()
        for options in ({"noise": FIELD}, {"noise": FIELD.at(start=61), "size": 3}, {"noise": ids}, {"noise": noise}):
            options = {**options, "log": log, "size": options.get("size", 3 if options["noise"] is noise else None)}
            y = fastgumbel.gumbel_softmax(x, 0.7, **options)
            np.testing.assert_array_equal(fastgumbel.gumbel_softmax(far, 0.7, **options), y)
            pairs = [fastgumbel.gumbel_softmax_jvp((p, 0.7), (steps, 1.0), **options) for p in (x, far)]
            np.testing.assert_array_equal(pairs[0][0], y)
            for a, b in zip(*pairs, strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["int64", "uint32", "float16"])
def test_other_types(kind):
    """Integers are float64 before anything is taken off."""
    x = np.random.default_rng(1).integers(0, 9, size=(50, 30))
    offset = 1000 if kind == "float16" else 2**31
    expected = fastgumbel.gumbel_softmax(x.astype("float32" if kind == "float16" else "float64"), 0.5, noise=FIELD)
    np.testing.assert_array_equal(fastgumbel.gumbel_softmax((x + offset).astype(kind), 0.5, noise=FIELD), expected)


@pytest.mark.parametrize("offset", [1e6, 1e7, -1e7])
@pytest.mark.parametrize(("n", "rows"), [(10, 30_000), (96, 3000), (97, 3000), (1000, 1000)])
def test_the_largest_item_at_an_offset(n, rows, offset):
    """It is the hard sample of the same rounded log-potentials.

    The contract leaves open only rows whose two best perturbed values are closer than some 1e-5. Their distance is
    exponential, so these are one in 10^5; of 30,000 rows more than 4 are there once in 10^4.
    """
    x = (np.random.default_rng(n).normal(size=(rows, n)) + offset).astype(np.float32)
    y = fastgumbel.gumbel_softmax(x, 0.7, rng=4)
    assert assert_largest_is_the_hard_sample(y, x, 0.7, 4) * rows <= 4
    assert (y.argmax(-1) != fastgumbel.gumbel_max(x, rng=4)).sum() <= 4


@pytest.mark.parametrize("n", [10, 200])
def test_gumbel_rao_at_an_offset(n):
    x = eighths(n, "float32")
    for offset in OFFSETS["float32"]:
        pairs = [
            fastgumbel.gumbel_softmax_jvp((p, 0.7), (np.cos(x), None), rao=3, noise=FIELD)
            for p in (x, x + np.float32(offset))
        ]
        for a, b in zip(*pairs, strict=True):
            np.testing.assert_array_equal(a, b)
