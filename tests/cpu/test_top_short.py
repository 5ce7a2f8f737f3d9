"""The k best of short rows of every kind equal the definition: a stable sort of perturbed values, written out."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel, gumbel_top_k
from tests.cpu.test_middle import crafted
from tests.oracle import naive

# Quads, blocks and pairs of blocks begin and end here; and what is ranked at once, and where other kernels take over.
LENGTHS = (1, 2, 3, 5, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 192, 300, 513)
DTYPES = (np.float16, np.float32, np.float64)
TEMPERATURES = (0.0, 1e-3, 0.05, 0.3, 1.0, 7.0, 1e6)


def expected(x, noise, k, temperature):
    """Return indices and values of the k best: ties by index, -1 and -inf where no category is left."""
    x = x.astype(np.float64)
    draws = [naive.perturbed(x, g, temperature) for g in noise]
    values = np.where(x > -naive.LIMIT, np.stack(draws), -np.inf)
    order = np.argsort(-values, axis=-1, kind="stable")[..., :k]
    values = np.take_along_axis(values, order, -1)
    return np.where(values > -np.inf, order, -1), values


def check(rng, rows, n, dtype):
    """One problem: rows, k, draws, coordinates and temperatures at random."""
    x = crafted(rng, rows, n, dtype)
    k = int(min(n, rng.choice([1, 2, 3, 5, 10, 30, 64, 65, 200, n // 2 + 1, n])))
    start = int(rng.choice([0, 0, 1, 3, 63, 64, 100, 127, 2**31 - 1]))
    field = NoiseField(int(rng.integers(2**63))).at(draw=int(rng.integers(2**20)), start=start)
    if rng.random() < 0.5:
        field = field.at(rows=rng.integers(2**63, size=rows))
    draws = int(rng.choice([1, 1, 1, 2, 5]))
    temperature = 1.0 if rng.random() < 0.5 else rng.choice(TEMPERATURES, size=rows)
    noise = np.stack([gumbel(x.shape, noise=field.at(draw=field.draw + s)) for s in range(draws)])
    own = naive.by_row(temperature, x.shape)
    wanted = expected(x, noise, k + 1, own)
    options = {"size": draws, "temperature": temperature, "invalid": "mark", "return_threshold": True}
    for given in (field, noise):
        index, value, threshold = gumbel_top_k(x, k, noise=given, **options)
        message = f"{rows=} {n=} {k=} {draws=} {start=}"
        np.testing.assert_array_equal(index, wanted[0][..., :k], err_msg=message)
        np.testing.assert_array_equal(value, wanted[1][..., :k], err_msg=message)
        if k < n:
            np.testing.assert_array_equal(threshold, wanted[1][..., k], err_msg=message)
        else:
            assert (threshold == -np.inf).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
def test_equals_the_definition(n, dtype):
    rng = np.random.default_rng((n, dtype().itemsize))
    # Lanes are 128: a part of them, all, and some more; few rows have several draws in them.
    for rows in (1, 33, 128, 300):
        check(rng, rows, n, dtype)


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_million_rows_equal_the_definition(dtype):
    rng = np.random.default_rng(dtype().itemsize)
    done = 0
    while done < 350_000:
        n = int(rng.integers(1, 261)) if rng.random() < 0.9 else int(rng.integers(261, 2100))
        rows = int(rng.integers(1, 200_000 // n + 2))
        check(rng, rows, n, dtype)
        done += rows


@pytest.mark.parametrize("draws", [{}, {"draw": np.arange(40)}, {"rows": np.arange(40) * 2**30}])
def test_lanes_that_share_no_rounds(draws):
    """Lanes with rows beyond 2^32, or draws of their own, draw their words one by one."""
    x = np.random.default_rng(1).normal(size=(40, 70))
    field = NoiseField(2).at(**draws)
    wanted = expected(x, gumbel(x.shape, noise=field)[np.newaxis], 5, 1.0)
    for a, b in zip(gumbel_top_k(x, 5, noise=field), wanted, strict=True):
        np.testing.assert_array_equal(a, b[0])


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("n", [5, 70])
def test_invalid_rows_harm_no_other(n, k):
    x = np.random.default_rng(n).normal(size=(200, n))
    wanted = gumbel_top_k(x, k, rng=1, size=3)
    bad = [0, 13, 150]
    x[0, 2], x[13, n - 1], x[150, 0], x[199] = np.nan, np.inf, 2.0**46, -np.inf
    index, value = gumbel_top_k(x, k, rng=1, size=3, invalid="mark")
    assert (index[:, [*bad, 199]] == -1).all()
    assert np.isnan(value[:, bad]).all()
    assert (value[:, 199] == -np.inf).all()
    good = np.setdiff1d(np.arange(199), bad)
    np.testing.assert_array_equal(index[:, good], wanted[0][:, good])
    np.testing.assert_array_equal(value[:, good], wanted[1][:, good])


def test_words_that_tell_too_little():
    """In 2^16 rows some have a block whose high word leaves its exponential open; equal rows would show a wrong one."""
    x = np.zeros((2**14, 64), np.float32)
    field = NoiseField(5)
    for first in range(0, 2**17, len(x)):
        place = field.at(rows=np.arange(first, first + len(x)))
        noise = gumbel(x.shape, noise=place)
        order = np.argsort(-noise, axis=-1, kind="stable")[:, :3]
        np.testing.assert_array_equal(gumbel_top_k(x, 3, noise=place)[0], order)


@pytest.mark.parametrize("k", [1, 3, 20])
def test_far_beyond_the_largest(k):
    """Most of the k best finish too late for float32 to tell them apart."""
    x = np.tile(np.linspace(0, -3000, 60), (50, 1))
    wanted = expected(x, gumbel(x.shape, rng=7)[np.newaxis], k, 1.0)
    for a, b in zip(gumbel_top_k(x, k, rng=7), wanted, strict=True):
        np.testing.assert_array_equal(a, b[0])


@pytest.mark.parametrize("n", [40, 300, 3000])
@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1e3, 1e12])
def test_noise_of_any_scale(n, scale):
    """Also where a threshold for the k best is hard to find."""
    rng = np.random.default_rng(n)
    x = np.zeros((20, n))
    noise = rng.standard_cauchy((1, 20, n)) * scale
    noise[0, 3], noise[0, 4] = 1.0, np.round(noise[0, 4] / scale)
    for k in (1, 5, 39):
        for a, b in zip(gumbel_top_k(x, k, noise=noise[0]), expected(x, noise, k, 1.0), strict=True):
            np.testing.assert_array_equal(a, b[0])


@pytest.mark.parametrize("n", [6, 50])
def test_noise_far_below_all_is_no_mask(n):
    noise = np.full((3, n), -np.inf)
    noise[:, 2:5] = -1e307, -1.7e308, -1e307
    index, value = gumbel_top_k(np.zeros((3, n)), 4, noise=noise, invalid="mark")
    assert (index == [2, 4, 3, -1]).all()
    assert (value == [-1e307, -1e307, -1.7e308, -np.inf]).all()
