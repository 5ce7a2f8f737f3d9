"""Lanes of several races that may matter, and what they are exactly.

They wait in a queue, from whose end a stage at a time is evaluated, in any order.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.middle.quads import PLACE, draw_quads
from fastgumbel._cpu.middle.races import (
    COLUMN,
    EXPONENTIAL,
    HEAT,
    ITEM,
    LEAST,
    NEAR,
    QUAD,
    RACE,
    WINNER,
    index_at,
)
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, padded
from fastgumbel._law.field import LOW_WORDS, block_exponential, join, winner_lane, word_of
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import any_at_most64, at_least64, lowest_bit

# A flush adds up to four lanes of each quad of a full queue to less than a stage.
_ROOM = 5 * STAGE
# Planes of integers: rows and draws stand behind the indices. Of a lane that waits: the place of its block, and its
# number there.
_PLACE = 3 * STAGE
_LANE = _PLACE + _ROOM
_INTEGERS = _LANE + _ROOM
# Planes of halves of words: low and high one of the block, and of a lane that waits the high one.
_BLOCK_LOW = 0
_BLOCK_HIGH = STAGE
_HIGH = 2 * STAGE
_HALVES = _HIGH + _ROOM
# Planes of reals.
_MINIMUM = 0
_NOISE = STAGE
VALUE = 2 * STAGE
POTENTIAL = 3 * STAGE
_HEAT = 4 * STAGE

_1 = np.uint64(1)
_PAIR = np.uint64(STAGE - 1)
# So few are evaluated one by one, as vector loops would take longer.
_FEW = 6
# E_b in float32, less what it errs by, is at most the true one.
_BELOW = np.float64(1 - 2.0**-13)


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
        np.zeros(_INTEGERS, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.zeros(_HALVES, np.uint32),
        np.ones(5 * STAGE),
    )


@scalar
def _enter(contenders, n, place, lane, high):
    """Let a lane of the block at a place wait behind n others; `high` is its high word, unless it wins its block."""
    contenders.integers[_PLACE + n] = place
    contenders.integers[_LANE + n] = lane
    contenders.halves[_HIGH + n] = high


@stage
def enter_winners(contenders, races):
    """Let the winner lanes that may matter wait, where none does; how many they are."""
    n = 0
    for group in range(0, 2 * STAGE, 64):
        blocks = at_least64(races.reals, NEAR + group, 0.0)
        while blocks:
            place = np.uint64(group + lowest_bit(blocks))
            blocks &= blocks - _1
            _enter(contenders, n, place, races.integers[WINNER + place], np.uint32(0))
            n += 1
    return n


@scalar
def _enter_lanes(contenders, n, i, quads, races, flat, width):
    """Let the lanes of a drawn quad, the i-th of the queue, that may matter wait behind n others; how many they are."""
    integers, waiting = races.integers, np.uint64(quads.waiting[i])
    place, first = quads.blocks[PLACE + (waiting >> np.uint64(4))], np.uint64(4) * (waiting & np.uint64(15))
    pair = place & _PAIR
    heat, least, e_block = races.reals[HEAT + pair], races.reals[LEAST + pair], races.singles[EXPONENTIAL + place]
    low = np.uint64(0)
    for word in range(4):
        low |= np.uint64(quads.words[np.uint64(word * STAGE) + i] <= quads.limits[i]) << np.uint64(word)
    while low:
        word = np.uint64(lowest_bit(low))
        low &= low - _1
        lane = first + word
        high = quads.words[word * np.uint64(STAGE) + i]
        column = np.int64(integers[COLUMN + place] + lane)
        inside = (column >= 0) & (column < width)
        potential = np.float64(flat[integers[ITEM + place] + lane if inside else np.uint64(0)])
        e = np.float64(e_block) * _BELOW + exponential_floor(np.uint64(high))
        # No branch, as it would be foretold wrongly: what does not matter is written over.
        _enter(contenders, n, place, lane, high)
        matters = fma(heat, gumbel_bound(e), potential) >= least
        n += np.int64(matters & inside & (lane != integers[WINNER + place]))
    return n


@stage
def flush(contenders, waiting, quads, n, races, flat, width):
    """Draw the n quads of the queue, and let their lanes that may matter wait behind others; how many they are."""
    draw_quads(quads, n, races.key)
    for group in range(0, n, 64):
        hits = any_at_most64(quads.words, group, STAGE, quads.limits)
        hits &= ~np.uint64(0) >> np.uint64(max(group + 64 - n, 0))
        while hits:
            i = np.uint64(group + lowest_bit(hits))
            hits &= hits - _1
            waiting = _enter_lanes(contenders, waiting, i, quads, races, flat, width)
    return waiting


@stage
def _look_up(contenders, first, n, races, flat):
    own, _, halves, reals = contenders
    for i in range(n):
        place, lane = own[_PLACE + first + i], own[_LANE + first + i]
        pair = place & _PAIR
        own[i] = LOW_WORDS | (races.integers[QUAD + place] + (lane >> np.uint64(2)))
        own[ROW + i] = races.counters[ROW + pair]
        own[DRAW + i] = races.counters[DRAW + pair]
        # The words of an odd block stand two planes behind those of the even one.
        drawn = place + (place - pair)
        halves[_BLOCK_LOW + i] = races.words[drawn]
        halves[_BLOCK_HIGH + i] = races.words[STAGE + drawn]
        reals[POTENTIAL + i] = flat[races.integers[ITEM + place] + lane]
        reals[_HEAT + i] = races.reals[HEAT + pair]


@stage
def _enter_minima(reals, halves, n):
    for i in range(n):
        reals[_MINIMUM + i] = block_exponential(
            join(np.uint64(halves[_BLOCK_HIGH + i]), np.uint64(halves[_BLOCK_LOW + i]))
        )


@stage
def _enter_values(reals, own, halves, words, first, n):
    for i in range(n):
        lane = own[_LANE + first + i]
        low = word_of(words[i], words[STAGE + i], words[2 * STAGE + i], words[3 * STAGE + i], lane)
        e = exponential64(join(np.uint64(halves[_HIGH + first + i]), np.uint64(low)))
        wins = winner_lane(np.uint64(halves[_BLOCK_LOW + i])) == lane
        reals[_NOISE + i] = reals[_MINIMUM + i] + (np.float64(0) if wins else e)
    for i in range(n):
        reals[VALUE + i] = fma(reals[_HEAT + i], gumbel64(reals[_NOISE + i]), reals[POTENTIAL + i])


@stage
def evaluate(contenders, first, n, races, flat):
    """Perturbed values, and log-potentials as float64, of n lanes of the queue, at most STAGE, from one on."""
    own, words, halves, reals = contenders
    _look_up(contenders, first, n, races, flat)
    lanes = n if n <= _FEW else padded(n)
    draw_words(words, own, lanes, races.key)
    _enter_minima(reals, halves, lanes)
    _enter_values(reals, own, halves, words, first, lanes)


@scalar
def race_of(contenders, i, races):
    """The race of a lane of the queue."""
    return races.integers[RACE + (contenders.integers[_PLACE + i] & _PAIR)]


@scalar
def index_of(contenders, i, races):
    """The index of a lane of the queue."""
    place, lane = contenders.integers[_PLACE + i], contenders.integers[_LANE + i]
    column, item = races.integers[COLUMN + place] + lane, races.integers[ITEM + place] + lane
    return index_at(races, item, np.int64(column))
