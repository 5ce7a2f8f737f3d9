"""The values of ``gumbel``: the reference on every path, float32 within its bound, and the ends of the range."""

import math

import numpy as np
import pytest

import fastgumbel
from tests.oracle import crafted, reference
from tests.oracle.vectorised import U64, Field, float32_bound

KEY = 0x9E3779B97F4A7C15
LENGTHS = (1, 2, 63, 64, 65, 127, 128, 129, 2047, 2048, 2049)
STARTS = (0, 1, 63, 64, 65, 127, 1000, 2**31 - 5, 2**32 - 2049)


def field(**coordinates):
    return fastgumbel.NoiseField.from_key(KEY).at(**coordinates)


def assert_float64_close(values, twin):
    """Two libraries' logarithms: a few units in the last place, at the scale of the noise, which is at least 1."""
    assert values.dtype == np.float64
    np.testing.assert_array_less(abs(values - twin), 4 * np.spacing(np.maximum(abs(twin), 1)))


def assert_float32_close(values, twin):
    """Check the documented bound of float32 noise."""
    assert values.dtype == np.float32
    assert (abs(values - twin) <= float32_bound(twin)).all()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("n", LENGTHS)
def test_every_length_and_start_agrees_with_the_contract(n, start):
    twin = Field(KEY).gumbel(np.arange(3)[:, None], 0, start + np.arange(n))
    assert_float64_close(fastgumbel.gumbel((3, n), noise=field(start=start)), twin)
    assert_float32_close(fastgumbel.gumbel((3, n), noise=field(start=start), dtype=np.float32), twin)


@pytest.mark.parametrize("n", [1, 5, 64, 200])
def test_every_row_and_draw_agrees_with_the_contract(n):
    rows = np.array([0, 1, 2**31, 2**32 - 1, 2**32, 2**40 + 3, 2**63, 2**64 - 1], dtype=U64)
    for draw in (0, 1, 2**16, 2**31, 2**32 - 1):
        twin = Field(KEY).gumbel(rows[:, None], draw, np.arange(n))
        noise = field(rows=rows, draw=draw)
        assert_float64_close(fastgumbel.gumbel((8, n), noise=noise), twin)
        assert_float32_close(fastgumbel.gumbel((8, n), noise=noise, dtype=np.float32), twin)


def test_the_plain_reference_itself():
    values = fastgumbel.gumbel((2, 3, 70), noise=field(draw=9, start=60))
    for i in range(2):
        for j in range(3):
            for c in range(70):
                exact = reference.gumbel(KEY, 3 * i + j, 9, 60 + c)
                assert abs(values[i, j, c] - exact) <= 4 * math.ulp(max(abs(exact), 1))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", LENGTHS)
def test_a_part_has_the_bits_of_the_whole(n, dtype):
    whole = fastgumbel.gumbel((4, 5000), noise=field(draw=2), dtype=dtype)
    for start in (0, 1, 31, 64, 777, 5000 - n):
        part = fastgumbel.gumbel((4, n), noise=field(draw=2, start=start), dtype=dtype)
        np.testing.assert_array_equal(part, whole[:, start : start + n])
    one = fastgumbel.gumbel(n, noise=field(draw=2, rows=3), dtype=dtype)
    np.testing.assert_array_equal(one, whole[3, :n])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 127, 128, 129, 700])
def test_any_number_of_short_rows_has_the_bits_of_long_rows(count, dtype):
    rng = np.random.default_rng(count)
    whole = fastgumbel.gumbel((count, 3000), noise=field(draw=3), dtype=dtype)
    for n in range(1, 130):
        start = int(rng.integers(3000 - n))
        part = fastgumbel.gumbel((count, n), noise=field(draw=3, start=start), dtype=dtype)
        np.testing.assert_array_equal(part, whole[:, start : start + n])


def values_at(row, draw, first, n, dtype):
    """Return a few values from one corner of the field on."""
    return fastgumbel.gumbel(n, noise=field(rows=int(row), draw=int(draw), start=int(first)), dtype=dtype)


@pytest.mark.parametrize("lane", [0, 1, 31, 62, 63])
def test_the_largest_attainable_noise(lane):
    """A block word of zeros but for the lane: E is 2^-59, its noise 59 ln 2."""
    rng = np.random.default_rng(lane)
    found = crafted.even_blocks(np.full(3000, lane, U64), KEY, rng)
    assert len(found[0]) > 5
    for row, draw, block, _ in zip(*found, strict=True):
        values = values_at(row, draw, block * U64(64), 64, np.float64)
        assert values.argmax() == lane
        assert values[lane] == pytest.approx(59 * math.log(2), rel=4e-16)
        single = values_at(row, draw, block * U64(64), 64, np.float32)
        assert np.isfinite(single).all()
        assert single[lane] == pytest.approx(59 * math.log(2), rel=1e-6)
        x = np.zeros(64)
        x[lane] = -40
        options = {"noise": field(rows=int(row), draw=int(draw), start=int(block) * 64)}
        assert fastgumbel.gumbel_max(x, **options) == (x + values).argmax()


def test_the_largest_attainable_block_minimum():
    """A block word of ones: its minimum is 0.574, and no noise of the block is above 0.555."""
    rng = np.random.default_rng(9)
    found = crafted.even_blocks(np.full(3000, 2**64 - 1, U64), KEY, rng)
    assert len(found[0]) > 5
    for row, draw, block, _ in zip(*found, strict=True):
        values = values_at(row, draw, block * U64(64), 64, np.float64)
        single = values_at(row, draw, block * U64(64), 64, np.float32)
        assert values.argmax() == 63
        assert values[63] == pytest.approx(-math.log(53 * math.log(2) / 64), rel=1e-14)
        assert_float32_close(single, values)


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("high", [0, 1, 2**31, 2**32 - 2, 2**32 - 1])
def test_the_ends_of_a_lane(high, position):
    """High words of zeros or ones: a lane almost level with the best of its block, and one as low as there is."""
    rng = np.random.default_rng([high, position])
    found = crafted.lanes(np.full(200, high, U64), position, KEY, rng)
    assert len(found[0]) > 5
    for row, draw, category, _ in zip(*found, strict=True):
        twin = Field(KEY).gumbel(row, draw, category)[None]
        assert_float64_close(values_at(row, draw, category, 1, np.float64), twin)
        assert_float32_close(values_at(row, draw, category, 1, np.float32), twin)
        assert -3.63 < twin[0] < 41


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_everything_is_finite_and_in_range(dtype):
    values = fastgumbel.gumbel((100, 20_000), rng=6, dtype=dtype)
    assert np.isfinite(values).all()
    assert -3.63 < values.min() < -2.4
    assert 11 < values.max() < 40.9
