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
from fastgumbel._law.bounds import at_least, lane_ceiling
from fastgumbel._law.field import LOW_WORDS, block_exponential, join, winner_lane, word_of
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import any_at_most64, at_least64, lowest_bit

# So many lanes may wait, of which a flush adds up to ADDED.
WAITING = 16 * STAGE
ADDED = 4 * STAGE
# Planes of integers: rows and draws stand behind the indices. Of a lane that waits: the place of its block, and its
# number there.
_PLACE = 3 * STAGE
_LANE = _PLACE + WAITING + 1
_INTEGERS = _LANE + WAITING + 1
# Planes of halves of words: low and high one of the block, and of a lane that waits the high one.
_BLOCK_LOW = 0
_BLOCK_HIGH = STAGE
_HIGH = 2 * STAGE
_HALVES = _HIGH + WAITING + 1
# Planes of reals.
_MINIMUM = 0
_NOISE = STAGE
VALUE = 2 * STAGE
POTENTIAL = 3 * STAGE
_HEAT = 4 * STAGE
_1 = np.uint64(1)
_PAIR = np.uint64(STAGE - 1)
_STAGE_BITS = np.uint64(7)
# So few are evaluated one by one, as vector loops would take longer.
_FEW = 6
# E_b in float32, less what it errs by, is at most the true one.
_BELOW = np.float64(1 - 2.0**-13)
_ABOVE = np.float32(1 + 2.0**-13)
_0 = np.float32(0)


class Contenders(NamedTuple):
    """Lanes that wait; words, halves of words, and reals of those at hand."""

    integers: Any
    words: Any
    halves: Any
    reals: Any
    hits: Any


@maker
def new_contenders():
    """None waits."""
    return Contenders(
        np.empty(_INTEGERS, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.empty(_HALVES, np.uint32),
        np.ones(5 * STAGE),
        np.empty(ADDED + 1, np.uint16),
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


@stage
def _list_hits(contenders, quads, n):
    """List the lanes of the n drawn quads whose high words are small enough; how many they are."""
    hits, count = contenders.hits, 0
    for group in range(0, n, 64):
        left = any_at_most64(quads.words, group, STAGE, quads.limits)
        left &= ~np.uint64(0) >> np.uint64(max(group + 64 - n, 0))
        while left:
            i = np.uint64(group + lowest_bit(left))
            left &= left - _1
            # No branch depends on the lanes, as it would be foretold wrongly: what does not hit is written over.
            for word in range(0, 4 * STAGE, STAGE):
                hits[count] = np.uint16(np.uint64(word) + i)
                count += np.int64(quads.words[np.uint64(word) + i] <= quads.limits[i])
    return count


@stage
def flush(contenders, waiting, quads, n, races, flat, width):
    """Draw the n quads of the queue, and let their lanes that may matter wait behind others; how many they are."""
    draw_quads(quads, n, races.key)
    integers = races.integers
    for j in range(_list_hits(contenders, quads, n)):
        hit = np.uint64(contenders.hits[j])
        quad, high = np.uint64(quads.waiting[hit & _PAIR]), quads.words[hit]
        place = quads.blocks[PLACE + (quad >> np.uint64(4))]
        lane, pair = np.uint64(4) * (quad & np.uint64(15)) + (hit >> _STAGE_BITS), place & _PAIR
        column = np.int64(integers[COLUMN + place] + lane)
        left = (column >= 0) & (column < width) & (lane != integers[WINNER + place])
        potential = np.float64(flat[integers[ITEM + place] + lane if left else np.uint64(0)])
        e = np.float64(races.singles[EXPONENTIAL + place]) * _BELOW + exponential_floor(np.uint64(high))
        matters = fma(races.reals[HEAT + pair], gumbel_bound(e), potential) >= races.reals[LEAST + pair]
        # No branch, as it would be foretold wrongly: what does not matter is written over.
        _enter(contenders, waiting, place, lane, high)
        waiting += np.int64(matters & left)
    return waiting


@stage
def bound_all(contenders, n, races, flat, bounds):
    """Bounds of the perturbed values of the first n lanes that wait; those that are excluded have no lower one."""
    own, halves = contenders.integers, contenders.halves
    for i in range(n):
        place = own[_PLACE + i]
        bounds.potentials[i] = flat[races.integers[ITEM + place] + own[_LANE + i]]
        bounds.heats[i] = races.reals[HEAT + (place & _PAIR)]
        bounds.minima[i] = races.singles[EXPONENTIAL + place]
    for i in range(n):
        high, heat, potential = halves[_HIGH + i], bounds.heats[i], bounds.potentials[i]
        e = np.float64(bounds.minima[i]) * _BELOW + exponential_floor(np.uint64(high))
        bounds.upper[i] = fma(heat, gumbel_bound(e), potential)
    for i in range(n):
        high, heat, potential = halves[_HIGH + i], bounds.heats[i], bounds.potentials[i]
        g = at_least(_0, lane_ceiling(high, bounds.minima[i] * _ABOVE))
        bounds.lower[i] = fma(heat, np.float64(g), potential) if potential > -LIMIT else NOTHING


@stage
def keep(contenders, n, races, upper):
    """Let only those of the first n lanes wait whose upper bounds reach what matters; how many they are."""
    own, halves, left = contenders.integers, contenders.halves, 0
    for i in range(n):
        place, lane, high = own[_PLACE + i], own[_LANE + i], halves[_HIGH + i]
        _enter(contenders, left, place, lane, high)
        left += np.int64(upper[i] >= races.reals[LEAST + (place & _PAIR)])
    return left


@stage
def _look_up(contenders, first, n, races, flat):
    own, _, halves, reals, _ = contenders
    places, lanes = np.uint64(_PLACE + first), np.uint64(_LANE + first)
    for i in range(n):
        place, lane = own[places + np.uint64(i)], own[lanes + np.uint64(i)]
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
    lanes, highs = np.uint64(_LANE + first), np.uint64(_HIGH + first)
    for i in range(n):
        lane = own[lanes + np.uint64(i)]
        low = word_of(words[i], words[STAGE + i], words[2 * STAGE + i], words[3 * STAGE + i], lane)
        e = exponential64(join(np.uint64(halves[highs + np.uint64(i)]), np.uint64(low)))
        wins = winner_lane(np.uint64(halves[_BLOCK_LOW + i])) == lane
        reals[_NOISE + i] = reals[_MINIMUM + i] + (np.float64(0) if wins else e)
    for i in range(n):
        reals[VALUE + i] = fma(reals[_HEAT + i], gumbel64(reals[_NOISE + i]), reals[POTENTIAL + i])


@stage
def evaluate(contenders, first, n, races, flat):
    """Perturbed values, and log-potentials as float64, of n lanes of the queue, at most STAGE, from one on."""
    own, words, halves, reals, _ = contenders
    _look_up(contenders, first, n, races, flat)
    lanes = n if n <= _FEW else padded(n)
    draw_words(words, own, lanes, races.key)
    _enter_minima(reals, halves, lanes)
    _enter_values(reals, own, halves, words, first, lanes)


@scalar
def race_of(contenders, i, races):
    """The race of a lane that waits."""
    return races.integers[RACE + (contenders.integers[np.uint64(_PLACE + i)] & _PAIR)]


@scalar
def index_of(contenders, i, races):
    """The index of a lane that waits."""
    place, lane = contenders.integers[np.uint64(_PLACE + i)], contenders.integers[np.uint64(_LANE + i)]
    column, item = races.integers[COLUMN + place] + lane, races.integers[ITEM + place] + lane
    return index_at(races, item, np.int64(column))
