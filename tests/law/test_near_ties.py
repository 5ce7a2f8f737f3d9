"""Two categories within a hair of each other where the noise is at an end of its range.

A filter in float32 knows the noise of these coordinates worst, and random rows hardly ever meet them: one in 10^8 rows
has a lane as low as the lowest here. Philox run backwards finds them.
"""

import numpy as np
import pytest

import fastgumbel
from tests.oracle import crafted
from tests.oracle.vectorised import U64, Field

KEY = 77
HAIRS = (0.0, *(sign * 10.0**k for k in range(-15, 0) for sign in (1, -1)))


def duels(n, category, rival, noise):
    """Return rows where category and rival differ by every hair in turn, and nobody else has a chance."""
    x = np.full((len(HAIRS), n), -np.inf)
    x[:, rival] = 0.0
    x[:, category] = noise[rival] - noise[category] + np.array(HAIRS)
    return x


def assert_exact(row, draw, category, rival, n):
    """Check all hairs, far from zero and with other categories about, against the definition."""
    start = min(int(category) // 64 * 64, 2**32 - n)
    field = fastgumbel.NoiseField.from_key(KEY).at(rows=int(row), draw=int(draw), start=start)
    noise = fastgumbel.gumbel(n, noise=field)
    x = duels(n, int(category) - start, rival, noise)
    for rows in (x, x + 1000.0, np.where(x == -np.inf, -50.0, x), x.astype(np.float32)):
        expected = (rows.astype(np.float64) + noise).argmax(-1)
        np.testing.assert_array_equal(fastgumbel.gumbel_max(rows, noise=field), expected)


@pytest.mark.parametrize("n", [64, 200])
@pytest.mark.parametrize("high", [2**32 - 1, 2**32 - 2, 2**32 - 100, 2**32 - 10_000, 2**32 - 10**6, 1, 0])
def test_a_lane_at_the_end_of_its_range(high, n):
    rng = np.random.default_rng([high, n])
    found = crafted.lanes(np.full(80, high, U64), 2, KEY, rng)
    assert len(found[0]) > 5
    for row, draw, category, _ in zip(*found, strict=True):
        assert_exact(row, draw, category, (int(category) + 7) % 64, n)


@pytest.mark.parametrize("n", [64, 200])
@pytest.mark.parametrize("word", [0, 2**13, 2**40, 2**64 - 2**12, 2**64 - 2**40])
def test_a_block_at_the_end_of_its_range(word, n):
    rng = np.random.default_rng([word, n])
    found = crafted.even_blocks(np.full(3000, word, U64), KEY, rng)
    assert len(found[0]) > 5
    for row, draw, block, _ in zip(*found, strict=True):
        assert_exact(row, draw, int(block) * 64 + word % 64, 13, n)
        assert_exact(row, draw, int(block) * 64 + 50, word % 64, n)


def test_a_low_lane_in_a_low_block():
    """Two small exponentials in a block: the high word of the lane is nearly nothing, its low word counts."""
    words = np.full(2_500_000, 2**30 + 17, U64)
    row, draw, block, _ = crafted.even_blocks(words, KEY, np.random.default_rng(1))
    category = block[:, None] * U64(64) + np.arange(64, dtype=U64)
    low = Field(KEY).gumbel(row[:, None], draw[:, None], category) > 12
    low[:, 17] = False
    assert np.count_nonzero(low) > 5
    for i, lane in np.argwhere(low):
        assert_exact(row[i], draw[i], category[i, 17], int(lane), 64)
        assert_exact(row[i], draw[i], category[i, 17], int(lane), 200)
