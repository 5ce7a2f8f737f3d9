"""Finishing times of short rows are at least the true ones, and at most RATIO or SHARP_RATIO times them."""

import numba
import numpy as np
import pytest

from fastgumbel._cpu.max.times import (
    LATEST,
    LEAST,
    PLANES,
    RATIO,
    SHARP_RATIO,
    UNKNOWN,
    begin,
    enter_block,
    enter_rates,
    race,
    sharpen,
    weigh,
)
from fastgumbel._cpu.slots import MINIMUM, WINNER
from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.field import block_exponential
from fastgumbel._law.real import exponential64
from tests.contract.test_bounds import words

# What roundings and low words take, which a ratio has beside the two chords.
SLACK = 1e-3


@numba.njit(error_model="numpy")
def stage_of(times, potentials, state, high, lows, sharp):
    """Times of a stage of one category, of lanes whose largest log-potential is 0."""
    rates, largest = np.ones(STAGE, potentials.dtype), np.zeros(STAGE, potentials.dtype)
    enter_rates(rates, np.ones(STAGE), STAGE)
    begin(state)
    enter_block(state, lows, np.uint64(0), STAGE)
    weigh(times, largest, rates, potentials, 1, STAGE)
    if sharp:
        sharpen(times, 1, STAGE)
    race(times, state, high, 0, 64, 0, STAGE)


@numba.njit(error_model="numpy")
def exact(blocks, lanes, out):
    """Exponentials of lanes that are not the winner, from whole words."""
    for i in range(blocks.size):
        out[i] = block_exponential(blocks[i]) + exponential64(lanes[i])


@pytest.mark.parametrize(("sharp", "most"), [(False, RATIO), (True, SHARP_RATIO)])
def test_bounds_hold_and_are_close(sharp, most):
    rng = np.random.default_rng(3)
    loose = 0
    for dtype in (np.float32, np.float64):
        blocks, lanes = words(rng, 2**16), words(rng, 2**16)
        truth = np.empty(len(blocks))
        exact(blocks, lanes, truth)
        state, times = np.ones(PLANES * STAGE, np.float32), np.empty(STAGE, np.float32)
        for at in range(0, len(blocks), STAGE):
            here = slice(at, at + STAGE)
            x = -rng.uniform(0, rng.choice([1e-3, 1, 70]), STAGE).astype(dtype)
            pair = np.zeros(4 * STAGE, np.uint32)
            pair[:STAGE], pair[STAGE : 2 * STAGE] = blocks[here] & 0xFFFFFFFF, blocks[here] >> 32
            high = np.zeros(4 * STAGE, np.uint32)
            high[:STAGE] = lanes[here] >> 32
            stage_of(times, x, state, high, pair, sharp)
            assert (state[WINNER : WINNER + STAGE] < 64).all()
            assert (state[MINIMUM : MINIMUM + STAGE] >= 0).all()
            np.testing.assert_array_equal(state[LEAST : LEAST + STAGE], times)
            ratio = times / (truth[here] * np.exp(-x.astype(np.float64)))
            early = truth[here] < LATEST
            known = (state[UNKNOWN : UNKNOWN + STAGE] == 0) & early
            assert (ratio[known] > 1 - SLACK / 2).all()
            assert (ratio[known] < most - SLACK / 2).all()
            loose = max(loose, ratio[known].max())
    assert loose > most - 0.02
