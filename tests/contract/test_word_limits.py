"""No lane that may reach a threshold has a high word above its limit, and few others have one below."""

import numba
import numpy as np

from fastgumbel._cpu.word_limits import word_limit
from fastgumbel._law.field import block_exponential
from fastgumbel._law.real import exponential64
from tests.contract.test_bounds import words

ERROR = 2.0**-12


@numba.njit(error_model="numpy")
def limits_of(gaps, minima, out):
    for i in range(gaps.size):
        out[i] = word_limit(gaps[i], minima[i])


@numba.njit(error_model="numpy")
def exponentials(blocks, lanes, minima, own):
    for i in range(blocks.size):
        minima[i], own[i] = block_exponential(blocks[i]), exponential64(lanes[i])


def limits(gaps, minima):
    out = np.empty(gaps.size, np.uint32)
    limits_of(gaps.astype(np.float32), minima.astype(np.float32), out)
    return out


def test_limits_hold_and_are_close():
    rng = np.random.default_rng(4)
    blocks, lanes = words(rng, 2**17), words(rng, 2**17)
    minima, own = np.empty(blocks.size), np.empty(blocks.size)
    exponentials(blocks, lanes, minima, own)
    high, gaps = (lanes >> np.uint64(32)).astype(np.uint32), np.log(minima + own)
    assert (high <= limits(gaps - ERROR, minima * (1 + ERROR))).all()
    # The chord is at most 0.06 too high, a uniform number at most log(4) times as small as its exponential up to 1/2.
    small = (own < np.log(2)) & (own > 1e-6) & (own > minima)
    assert small.sum() > 1000
    assert (high > limits(gaps - 0.12 - np.log(np.log(4)), minima))[small].all()


def test_ends():
    gaps = np.array([-np.inf, -1e30, 0.0, 1e30, np.inf])
    assert limits(gaps, np.full(5, 0.01)).tolist()[:2] == [1, 1]
    assert limits(gaps, np.full(5, 0.01)).tolist()[3:] == [2**32 - 1] * 2
