"""Lanes of several races that may win, decided exactly, a stage at a time."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.max.races import BEST, COLUMN, HEAT, INDEX, ITEM, QUAD, RACE, index_at
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, padded
from fastgumbel._law.field import LOW_WORDS, block_exponential, join, winner_lane, word_of
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, gumbel64
from fastgumbel._law.reduce import LIMIT, beats
from fastgumbel._numba.compile import maker, scalar, stage

# Planes of integers: rows and draws stand behind the indices. Of a lane: the place of its block, and its number there.
_PLACE = 3 * STAGE
_LANE = 4 * STAGE
# Planes of halves of words: low and high one of the block, high one of the lane.
_BLOCK_LOW = 0
_BLOCK_HIGH = STAGE
_HIGH = 2 * STAGE
# Planes of reals.
_MINIMUM = 0
_NOISE = STAGE
_VALUE = 2 * STAGE
_POTENTIAL = 3 * STAGE
_HEAT = 4 * STAGE

_PAIR = np.uint64(STAGE - 1)
# So few are decided one by one, as vector loops would take longer.
_FEW = 6


class Contenders(NamedTuple):
    """Lanes that wait; words, halves of words, and reals of those at hand."""

    integers: Any
    words: Any
    halves: Any
    reals: Any


@maker
def new_contenders():
    """None waits."""
    return Contenders(
        np.zeros(5 * STAGE, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.zeros(3 * STAGE, np.uint32),
        np.ones(5 * STAGE),
    )


@scalar
def enter_contender(contenders, n, place, lane, high):
    """Let a lane of the block at a place wait behind n others; `high` is its high word, unless it wins its block."""
    contenders.integers[_PLACE + n] = place
    contenders.integers[_LANE + n] = lane
    contenders.halves[_HIGH + n] = high


@stage
def _look_up(contenders, n, races, flat):
    own, _, halves, reals = contenders
    for i in range(n):
        place, lane = own[_PLACE + i], own[_LANE + i]
        pair = place & _PAIR
        own[i] = LOW_WORDS | (races.integers[QUAD + place] + (lane >> np.uint64(2)))
        own[ROW + i] = races.counters[ROW + pair]
        own[DRAW + i] = races.counters[DRAW + pair]
        # The words of an odd block stand two planes behind those of the even one.
        drawn = place + (place - pair)
        halves[_BLOCK_LOW + i] = races.words[drawn]
        halves[_BLOCK_HIGH + i] = races.words[STAGE + drawn]
        reals[_POTENTIAL + i] = flat[races.integers[ITEM + place] + lane]
        reals[_HEAT + i] = races.reals[HEAT + pair]


@stage
def _enter_minima(reals, halves, n):
    for i in range(n):
        reals[_MINIMUM + i] = block_exponential(
            join(np.uint64(halves[_BLOCK_HIGH + i]), np.uint64(halves[_BLOCK_LOW + i]))
        )


@stage
def _enter_values(reals, own, halves, words, n):
    for i in range(n):
        lane = own[_LANE + i]
        low = word_of(words[i], words[STAGE + i], words[2 * STAGE + i], words[3 * STAGE + i], lane)
        e = exponential64(join(np.uint64(halves[_HIGH + i]), np.uint64(low)))
        wins = winner_lane(np.uint64(halves[_BLOCK_LOW + i])) == lane
        reals[_NOISE + i] = reals[_MINIMUM + i] + (np.float64(0) if wins else e)
    for i in range(n):
        reals[_VALUE + i] = fma(reals[_HEAT + i], gumbel64(reals[_NOISE + i]), reals[_POTENTIAL + i])


@stage
def decide(contenders, n, races, flat):
    """Let the first n lanes that wait, at most STAGE, take part in their races."""
    own, words, halves, reals = contenders
    _look_up(contenders, n, races, flat)
    lanes = n if n <= _FEW else padded(n)
    draw_words(words, own, lanes, races.key)
    _enter_minima(reals, halves, lanes)
    _enter_values(reals, own, halves, words, lanes)
    for i in range(n):
        place = own[_PLACE + i]
        race = races.integers[RACE + (place & _PAIR)]
        column, item = races.integers[COLUMN + place] + own[_LANE + i], races.integers[ITEM + place] + own[_LANE + i]
        index = index_at(races, item, np.int64(column))
        value, other = reals[_VALUE + i], np.int64(races.integers[INDEX + race])
        if beats(value, index, races.reals[BEST + race], other) and reals[_POTENTIAL + i] > -LIMIT:
            races.reals[BEST + race], races.integers[INDEX + race] = value, np.uint64(index)
