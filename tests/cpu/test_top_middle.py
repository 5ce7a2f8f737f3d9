"""Rows around the limits of `top_middle` have the k best of the definition, on noise that is written out."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel, gumbel_top_k
from fastgumbel._cpu.top.every import sort_tops
from fastgumbel._cpu.top.middle import top_middle
from tests.cpu.test_middle import LIMITS, LONG, TEMPERATURES, crafted

KINDS = [np.float32, np.float64]


def check(rng, rows, n, dtype):
    """One problem: rows, places, draws, coordinates and temperatures at random."""
    x = crafted(rng, rows, n, dtype)
    start = int(rng.choice([0, 0, 1, 3, 63, 64, 100, 127, 2**31 - 1]))
    field = NoiseField(int(rng.integers(2**63))).at(draw=int(rng.integers(2**20)), start=start)
    if rng.random() < 0.5:
        field = field.at(rows=rng.integers(2**63, size=rows))
    draws = int(rng.choice([1, 1, 1, 2, 5]))
    k = int(rng.integers(1, max(n // rng.choice([64, 128, 150]), 1) + 1))
    options = {
        "size": draws,
        "temperature": 1.0 if rng.random() < 0.5 else rng.choice(TEMPERATURES, size=rows),
        "return_threshold": bool(rng.random() < 0.3),
        "invalid": "mark",
    }
    noise = np.stack([gumbel(x.shape, noise=field.at(draw=field.draw + s)) for s in range(draws)])
    expected = gumbel_top_k(x, k, noise=noise, **options)
    for own, other in zip(gumbel_top_k(x, k, noise=field, **options), expected, strict=True):
        np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("n", LIMITS + LONG)
def test_equals_the_definition(n, dtype):
    check(np.random.default_rng((n, dtype().itemsize)), 300 * 256 // max(n, 256) + 5, n, dtype)


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", [np.float16, *KINDS])
def test_a_million_rows_equal_the_definition(dtype):
    rng = np.random.default_rng(dtype().itemsize)
    done = 0
    while done < 350_000:
        n = int(rng.choice(LIMITS + LONG, p=[0.05] * len(LIMITS) + [0.05 / len(LONG)] * len(LONG)))
        rows = int(rng.integers(1, 3000 * 64 // n + 300))
        check(rng, rows, n, dtype)
        done += rows


@pytest.mark.parametrize(("n", "k"), [(193, 1), (1000, 5), (4097, 30)])
def test_invalid_rows_harm_no_other(n, k):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(70, n))
    expected = gumbel_top_k(x, k, rng=1, size=3)
    bad = [0, 13, 14]
    x[0, 5], x[13, n - 1], x[14, 64], x[69] = np.nan, np.inf, 2.0**46, -np.inf
    index, value = gumbel_top_k(x, k, rng=1, size=3, invalid="mark")
    assert (index[:, [*bad, 69]] == -1).all()
    assert np.isnan(value[:, bad]).all()
    assert (value[:, 69] == -np.inf).all()
    np.testing.assert_array_equal(index[:, 15:69], expected[0][:, 15:69])
    np.testing.assert_array_equal(value[:, 1:13], expected[1][:, 1:13])
    with pytest.raises(ValueError, match="row 0"):
        gumbel_top_k(x, k, rng=1)


def test_words_that_tell_too_little():
    """In 2^18 blocks about one has a high word that leaves its Gumbel open; equal rows would show a wrong one."""
    x = np.ones((16_000, 1024), np.float32)
    field = NoiseField(5)
    for first in range(0, len(x), 2000):
        own = field.at(rows=np.arange(first, first + 2000))
        noise = gumbel((2000, 1024), noise=own)
        index, _ = gumbel_top_k(x[:2000], 3, noise=own)
        np.testing.assert_array_equal(index, gumbel_top_k(x[:2000], 3, noise=noise)[0])


@pytest.mark.parametrize("temperature", [3e-309, 5e-309, 1e-300, 1e300])
def test_temperatures_at_the_limits(temperature):
    x = np.random.default_rng(0).integers(0, 10, size=(300, 1000)) * min(temperature, 1)
    noise = gumbel(x.shape, rng=3)
    expected = gumbel_top_k(x, 4, noise=noise, temperature=temperature)
    index, value = gumbel_top_k(x, 4, rng=3, temperature=temperature)
    np.testing.assert_array_equal(index, expected[0])
    np.testing.assert_array_equal(value, expected[1])


@pytest.mark.parametrize("level", [2.0**45, -(2.0**45)])
def test_of_equal_values_the_first_come_first(level):
    """Beside such log-potentials, noise is rounded so coarsely that most values are equal."""
    x = np.full((200, 1000), level)
    noise = gumbel(x.shape, rng=3)
    index, value = gumbel_top_k(x, 8, rng=3)
    order = np.argsort(-(x + noise), axis=-1, kind="stable")[:, :8]
    np.testing.assert_array_equal(index, order)
    np.testing.assert_array_equal(value, np.take_along_axis(x + noise, order, -1))


@pytest.mark.parametrize(("n", "k"), [(1000, 8), (8000, 80)])
@pytest.mark.parametrize("dtype", KINDS)
def test_rows_in_which_most_lanes_seem_to_matter(n, k, dtype):
    """Log-potentials that rise from block to block, or lie in few blocks, let more lanes wait than have room."""
    rng = np.random.default_rng(n)
    x = np.linspace(-1, 1, n) * rng.choice([30, 1e4], size=(60, 1))
    x[::3] = np.where(rng.random((20, n)) < 0.97, -50, x[::3])
    x = x.astype(dtype)
    expected = gumbel_top_k(x, k, noise=gumbel(x.shape, rng=2))
    index, value = gumbel_top_k(x, k, rng=2)
    np.testing.assert_array_equal(index, expected[0])
    np.testing.assert_array_equal(value, expected[1])


@pytest.mark.parametrize("k", [1, 4, 30])
def test_heaps_that_have_results_take_in_what_is_better(k):
    """Two halves of rows, one after the other, give what whole rows do; an invalid heap stays so."""
    x = np.random.default_rng(0).normal(size=(50, 1000)) * 2
    x[7, 3] = np.nan
    expected = gumbel_top_k(x, k, rng=5, invalid="mark")
    index, value = np.full((1, 50, k), -1, np.intp), np.full((1, 50, k), -np.inf)
    none = np.empty(0, np.uint64)
    for first, last in [(0, 400), (400, 1000)]:
        part = np.ascontiguousarray(x[:, first:last])
        part.flags.writeable = False
        field = (none, NoiseField(5).key, np.uint64(0), np.uint64(0), np.uint64(first), none, np.empty(0))
        top_middle(part, field, index, value, (0, 1, 0, first))
    sort_tops(index, value)
    np.testing.assert_array_equal(index[0], expected[0])
    np.testing.assert_array_equal(value[0], expected[1])
