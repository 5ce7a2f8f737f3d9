"""Bounds from high words hold for every low word, and are as close as they say."""

import numba
import numpy as np

from fastgumbel._law.bounds import LEAST, SLACK, at_least, at_most, block_ceiling, block_floor, lane_ceiling, lane_floor
from fastgumbel._law.field import block_exponential
from fastgumbel._law.race import VAGUE_FROM
from fastgumbel._law.real import exponential64, gumbel64


@numba.njit(error_model="numpy")
def gaps(blocks, lanes, d, out):
    """How far bounds of a block's winner and of a lane are above and below d + G."""
    for i in range(blocks.size):
        e = block_exponential(blocks[i])
        high, lane = np.uint32(blocks[i] >> np.uint64(32)), np.uint32(lanes[i] >> np.uint64(32))
        floor, ceiling = block_floor(high), block_ceiling(high)
        x = np.float64(d[i])
        winner, other = x + gumbel64(e), x + gumbel64(e + exponential64(lanes[i]))
        out[0, i] = np.float64(at_most(d[i], floor)) - winner
        out[1, i] = winner - np.float64(at_least(d[i], ceiling))
        out[2, i] = np.float64(at_most(d[i], lane_floor(lane, floor))) - other
        out[3, i] = other - np.float64(at_least(d[i], lane_ceiling(lane, ceiling)))


@numba.njit
def noise(block, lane):
    """Noise of a lane that is not the winner, from two words."""
    return gumbel64(block_exponential(block) + exponential64(lane))


def words(rng, n):
    """Words whose high halves are at both ends, around powers of two, and anywhere; low halves at both ends too."""
    ends = np.concatenate([np.arange(2**10), 2**32 - 1 - np.arange(2**18, step=2**6), [int(VAGUE_FROM) - 1]])
    powers = (2 ** np.arange(1, 32)[:, None] + np.arange(-3, 4)).ravel()
    high = np.resize(np.concatenate([ends, powers, rng.integers(2**32, size=2**14)]), n).astype(np.uint64)
    low = rng.choice(np.array([0, 2**32 - 1], np.uint64), size=n)
    low[::3] = rng.integers(2**32, size=len(low[::3]), dtype=np.uint64)
    return rng.permutation(high) << np.uint64(32) | low


def measured(offset):
    """Return gaps of many words, at distances down to an offset, and the words of the lanes."""
    rng, n = np.random.default_rng(1), 2**18
    blocks, lanes, out = words(rng, n), words(rng, n), np.empty((4, n))
    gaps(blocks, lanes, (rng.uniform(offset, 0, size=n)).astype(np.float32), out)
    return out, blocks, lanes


def test_bounds_hold():
    for offset in (0, -1, -90):
        out, _, _ = measured(offset)
        assert out.min() > -SLACK / 2


def test_bounds_are_close():
    out, blocks, lanes = measured(0)
    far = np.uint64(2**20) << np.uint64(32)
    vague = np.uint64(VAGUE_FROM) << np.uint64(32)
    inside = (blocks > far) & (blocks < np.uint64(2**29) << np.uint64(32))
    assert out[0][inside].max() < 0.07
    assert out[1][inside].max() < 1e-5
    assert out[2][inside & (lanes < np.uint64(2**29) << np.uint64(32))].max() < 0.07
    assert out[3][inside & (lanes > far) & (lanes < vague)].max() < 1e-5


def test_no_gumbel_is_below_the_least():
    last = np.array([2**64 - 1], np.uint64)
    out = np.empty((4, 1))
    gaps(last, last, np.zeros(1, np.float32), out)
    assert noise(last[0], last[0]) > LEAST
    assert out.min() > -SLACK
