"""The race of one row in compiled code: what it tells is the sample, and what it says that noise reaches holds."""

import numba
import numpy as np
import pytest

import fastgumbel.jit as fgj
from fastgumbel import NoiseField, gumbel_max
from fastgumbel._cpu.one.race import _tells, race
from fastgumbel._cpu.parameters import Coordinates
from fastgumbel._law.bounds import SLACK
from fastgumbel._law.field import BLOCK_RATE, block_exponential
from fastgumbel._law.real import exponential32, exponential64, gumbel32, gumbel64
from tests.contract.test_bounds import words

FIELD = NoiseField(33)
KEY = FIELD.key
LENGTHS = (*range(1, 11), 31, 32, 33, 63, 64, 65, 130)


@numba.njit
def sample(x, start, temperature, mask, out):
    """Samples and perturbed values of the rows of x, of every third place."""
    for r in range(len(x)):
        out[0, r], out[1, r] = fgj.gumbel_max_value(x[r, ::3], KEY, r, 7, temperature, start, mask)


@numba.njit
def races(x, key, temperature, told, reached):
    """What the race of each row of x tells: an index or -1, and what the sample reaches."""
    for r in range(len(x)):
        coordinates = Coordinates(key, np.uint64(r), np.uint64(0), np.uint64(0), temperature)
        index, reach, known = race(x[r], None, coordinates)
        told[r] = index if known else -1
        reached[r] = reach


@numba.njit(error_model="numpy")
def errors(blocks, lanes, out):
    """Errors of noise from high words of winners and of others; NaN where these do not tell it."""
    for i in range(blocks.size):
        block, lane = np.uint32(blocks[i] >> np.uint64(32)), np.uint32(lanes[i] >> np.uint64(32))
        minimum, e = exponential32(block) * np.float32(BLOCK_RATE), block_exponential(blocks[i])
        known = _tells(block)
        out[0, i] = np.float64(gumbel32(minimum)) - gumbel64(e) if known else np.nan
        known = known and _tells(lane)
        other = np.float64(gumbel32(minimum + exponential32(lane))) - gumbel64(e + exponential64(lanes[i]))
        out[1, i] = other if known else np.nan


def potentials(n, rng, count=200):
    """Return rows of some spread, with ties, in every third place; a tenth is excluded."""
    x = rng.normal(size=(count, 3 * n)).round(1) * rng.choice([0, 0.1, 1, 10], size=(count, 1))
    x[rng.random(x.shape) < 0.1] = -np.inf
    x[::50, 0] = rng.choice([np.nan, np.inf, 2.0**46, -(2.0**46)])
    return x


def test_samples_of_short_rows():
    rng = np.random.default_rng(1)
    for n in LENGTHS:
        for start in (0, 1, 2, 3, 31, 32, 63, 2**32 - n):
            x, temperature = potentials(n, rng), rng.choice([0.0, 1e-310, 0.4, 1.0, 50.0, 1e300])
            mask = rng.random(n) < (0.8 if start & 1 else 1)
            out = np.empty((2, len(x)))
            sample(x, start, temperature, mask, out)
            field = FIELD.at(draw=7, start=start)
            options = {"where": mask, "temperature": temperature, "return_max": True, "invalid": "mark"}
            np.testing.assert_array_equal(out, gumbel_max(x[:, ::3], noise=field, **options))


@pytest.mark.parametrize(("spread", "temperature"), [(0.0, 1.0), (2.0, 1.0), (1e-4, 1e-4), (1e9, 1.0), (1.0, 0.0)])
def test_what_the_race_tells(spread, temperature):
    """It leaves a few rows undecided: about 1e-4 are so near a tie, and as many have a word that tells too little."""
    for n in (10, 64):
        x = np.random.default_rng(n).normal(size=(50_000, n)) * spread
        told, reached = np.empty(len(x), np.int64), np.empty(len(x))
        races(x, KEY, temperature, told, reached)
        index, value = gumbel_max(x, noise=FIELD, temperature=temperature, return_max=True)
        known = told >= 0
        np.testing.assert_array_equal(told[known], index[known])
        assert (reached < value).all()
        assert 0 < (~known).sum() < 500 or temperature == 0 or spread == 1e9


def test_noise_from_high_words():
    rng, out = np.random.default_rng(2), np.empty((2, 2**19))
    errors(words(rng, 2**19), words(rng, 2**19), out)
    assert np.isfinite(out).sum(1).min() > 2**17
    assert np.nanmax(np.abs(out)) < 0.75 * SLACK
