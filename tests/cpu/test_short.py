"""Short rows of every kind and length equal the definition, on noise that is written out."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel, gumbel_max
from tests.cpu.test_middle import check

# Quads, blocks and pairs of blocks begin and end here.
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 10, 30, 61, 63, 64, 65, 67, 100, 127, 128, 129, 190, 192)
DTYPES = (np.float16, np.float32, np.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
def test_equals_the_definition(n, dtype):
    rng = np.random.default_rng((n, dtype().itemsize))
    # Lanes are 128: a part of them, all, and some more; few rows have several draws in them.
    for rows in (33, 128, 300):
        check(rng, rows, n, dtype)


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_million_rows_equal_the_definition(dtype):
    rng = np.random.default_rng(dtype().itemsize)
    done = 0
    while done < 350_000:
        rows = int(rng.integers(1, 3000))
        check(rng, rows, int(rng.integers(1, 261)), dtype)
        done += rows


@pytest.mark.parametrize("draws", [{}, {"draw": np.arange(40)}, {"rows": np.arange(40) * 2**30}])
def test_lanes_that_share_no_rounds(draws):
    """Lanes with rows beyond 2^32, or draws of their own, draw their words one by one."""
    x = np.random.default_rng(1).normal(size=(40, 70))
    field = NoiseField(2).at(**draws)
    expected = (x + gumbel(x.shape, noise=field)).argmax(-1)
    np.testing.assert_array_equal(gumbel_max(x, noise=field), expected)


@pytest.mark.parametrize("n", [5, 70])
def test_invalid_rows_harm_no_other(n):
    x = np.random.default_rng(n).normal(size=(200, n))
    expected = gumbel_max(x, rng=1, size=3, return_max=True)
    bad = [0, 13, 150, 199]
    x[0, 2], x[13, n - 1], x[150, 0], x[199] = np.nan, np.inf, 2.0**46, -np.inf
    index, value = gumbel_max(x, rng=1, size=3, return_max=True, invalid="mark")
    assert (index[:, bad] == -1).all()
    assert np.isnan(value[:, bad]).all()
    good = np.setdiff1d(np.arange(200), bad)
    np.testing.assert_array_equal(index[:, good], expected[0][:, good])
    np.testing.assert_array_equal(value[:, good], expected[1][:, good])
    np.testing.assert_array_equal(gumbel_max(x, rng=1, size=3, invalid="mark"), index)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.0, 1.0, 1e14, 1e300])
@pytest.mark.parametrize("n", [3, 100])
def test_what_is_at_most_minus_the_limit_is_never_chosen(n, temperature, dtype):
    """Also where the best of its row is hardly above it, or noise is much larger."""
    rng = np.random.default_rng(n)
    excluded = rng.random((300, n)) < 0.5
    excluded[7] = True
    x = np.where(excluded, dtype(-(2.0**46)), np.nextafter(dtype(-(2.0**46)), dtype(0)))
    index = gumbel_max(x, rng=1, temperature=temperature, invalid="mark")
    valid = ~excluded.all(-1)
    np.testing.assert_array_equal(index >= 0, valid)
    assert not excluded[valid, index[valid]].any()
    np.testing.assert_array_equal(
        index, gumbel_max(np.where(excluded, -np.inf, x), rng=1, temperature=temperature, invalid="mark")
    )
