"""Rows around the limits of every kernel of `gumbel_max` equal the definition, on noise that is written out."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel, gumbel_max

# Quads, blocks, pairs of blocks, what vector loops are padded to, and where another kernel takes over.
LIMITS = (63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2000)
LONG = (4095, 4096, 4097, 8191, 8192, 8193, 12_287, 12_288, 12_289)
FEWEST = 300
TEMPERATURES = (0.0, 1e-3, 0.3, 1.0, 7.0, 1e6)


def crafted(rng, rows, n, dtype):
    """Rows of every kind at random: equal, normal, far apart, few values, masked, with one that is far above."""
    scale = rng.choice([0, 0.1, 1, 2, 5, 50, 1e4], size=(rows, 1))
    x = rng.normal(size=(rows, n)) * scale + rng.choice([0, 0, 3, -700, 2.0**20], size=(rows, 1))
    x = np.where(rng.random((rows, 1)) < 0.2, np.round(x), x)
    x[rng.random((rows, 1))[:, 0] < 0.1] *= np.linspace(-1, 1, n)
    spiked = rng.random(rows) < 0.1
    x[spiked, rng.integers(n, size=spiked.sum())] += 12
    share = rng.choice([0, 0, 0, 0.1, 0.5, 0.95, 0.999], size=(rows, 1))
    x = np.where(rng.random((rows, n)) < share, -np.inf, x)
    x[:, -1] = np.where((x == -np.inf).all(-1), 0, x[:, -1])
    most = np.finfo(dtype).max
    return np.where(x > -np.inf, x.clip(-most, most), x).astype(dtype)


def check(rng, rows, n, dtype):
    """One problem: rows, draws, coordinates and temperatures at random."""
    x = crafted(rng, rows, n, dtype)
    start = int(rng.choice([0, 0, 1, 3, 63, 64, 100, 127, 2**31 - 1]))
    field = NoiseField(int(rng.integers(2**63))).at(draw=int(rng.integers(2**20)), start=start)
    if rng.random() < 0.5:
        field = field.at(rows=rng.integers(2**63, size=rows))
    draws = int(rng.choice([1, 1, 1, 2, 5]))
    temperature = 1.0 if rng.random() < 0.5 else rng.choice(TEMPERATURES, size=rows)
    noise = np.stack([gumbel(x.shape, noise=field.at(draw=field.draw + s)) for s in range(draws)])
    expected = gumbel_max(x, size=draws, noise=noise, temperature=temperature, return_max=True)
    result = gumbel_max(x, size=draws, noise=field, temperature=temperature, return_max=True)
    np.testing.assert_array_equal(result[0], expected[0])
    np.testing.assert_array_equal(result[1], expected[1])
    np.testing.assert_array_equal(gumbel_max(x, size=draws, noise=field, temperature=temperature), expected[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", LIMITS + LONG)
def test_equals_the_definition(n, dtype):
    check(np.random.default_rng((n, dtype().itemsize)), FEWEST * 256 // max(n, 256) + 3, n, dtype)


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_million_rows_equal_the_definition(dtype):
    rng = np.random.default_rng(dtype().itemsize)
    done = 0
    while done < 350_000:
        n = int(rng.choice(LIMITS + LONG, p=[0.05] * len(LIMITS) + [0.05 / len(LONG)] * len(LONG)))
        rows = int(rng.integers(1, 3000 * 64 // n + 300))
        check(rng, rows, n, dtype)
        done += rows


@pytest.mark.parametrize("n", [193, 1000, 4097])
def test_invalid_rows_harm_no_other(n):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(70, n))
    expected = gumbel_max(x, rng=1, size=3, return_max=True)
    bad = [0, 13, 14, 69]
    x[0, 5], x[13, n - 1], x[14, 64], x[69] = np.nan, np.inf, 2.0**46, -np.inf
    index, value = gumbel_max(x, rng=1, size=3, return_max=True, invalid="mark")
    assert (index[:, bad] == -1).all()
    assert np.isnan(value[:, bad]).all()
    good = np.setdiff1d(np.arange(70), bad)
    np.testing.assert_array_equal(index[:, good], expected[0][:, good])
    np.testing.assert_array_equal(value[:, good], expected[1][:, good])
    with pytest.raises(ValueError, match=r"row 0.*category 5|row 0"):
        gumbel_max(x, rng=1)


def test_words_that_tell_too_little():
    """In 2^18 blocks about one has a high word that leaves its Gumbel open; equal rows would show a wrong one."""
    x = np.zeros((16_000, 1024), np.float32)
    field = NoiseField(5)
    for first in range(0, len(x), 2000):
        rows = np.arange(first, first + 2000)
        noise = gumbel((2000, 1024), noise=field.at(rows=rows))
        np.testing.assert_array_equal(gumbel_max(x[rows], noise=field.at(rows=rows)), noise.argmax(-1))


@pytest.mark.parametrize("temperature", [3e-309, 5e-309, 1e-300])
def test_temperatures_whose_inverse_is_not_a_number(temperature):
    x = np.random.default_rng(0).integers(0, 10, size=(300, 1000)) * temperature
    noise = gumbel(x.shape, rng=3)
    expected = gumbel_max(x, noise=noise, temperature=temperature)
    np.testing.assert_array_equal(gumbel_max(x, rng=3, temperature=temperature), expected)


@pytest.mark.parametrize("draws", [1, 3])
def test_coordinates_move_on_from_rows_to_rows(draws):
    """Rows are searched some at a time: those that count move on, also after an invalid one, and others are read."""
    x = np.random.default_rng(0).normal(size=(301, 500))
    bad = [40, 41, 150]
    x[bad, 7] = np.nan
    field = NoiseField(3)
    noise = np.stack([gumbel(x.shape, noise=field.at(draw=s)) for s in range(draws)])
    expected = gumbel_max(x, size=draws, noise=noise, return_max=True, invalid="mark")
    assert (expected[0][:, bad] == -1).all()
    for own in (field, field.at(rows=np.arange(301))):
        result = gumbel_max(x, size=draws, noise=own, return_max=True, invalid="mark")
        np.testing.assert_array_equal(result[0], expected[0])
        np.testing.assert_array_equal(result[1], expected[1])


@pytest.mark.parametrize(("row", "category"), [(16926, 122), (24856, 884), (45209, 477), (50531, 1020)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_least_noise_wins_where_nothing_else_may(row, category, dtype):
    """Lanes whose high words are among the largest, as about one in 10^7 is, win where they are far above others."""
    field = NoiseField(5).at(rows=np.arange(row, row + 1))
    assert gumbel((1, 1024), noise=field)[0, category] < -2.8
    x = np.zeros((1, 1024), dtype)
    x[0, category] = 100
    assert gumbel_max(x, noise=field) == category
