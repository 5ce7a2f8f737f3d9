"""Lanes of several races that may matter, and what they are exactly.

They wait in a queue, from whose end a stage at a time is evaluated, in any order.
"""

import numpy as np

from fastgumbel._cpu.middle.planes import (
    BLOCK_HIGH,
    BLOCK_LOW,
    COLUMN,
    EXPONENTIAL,
    HIGH_WORD,
    HIT,
    ITEM,
    LANE,
    LANE_COUNTER,
    LANE_HIGH,
    LANE_PLACE,
    LANE_TEMPERATURE,
    LEAST,
    LOW_WORD,
    LOWER,
    MINIMUM,
    NEAR,
    NOISE,
    PAIR_COUNTER,
    PAIR_TEMPERATURE,
    PAIR_WORD,
    PLACE,
    POTENTIAL,
    QUAD,
    QUEUED,
    RACE,
    UPPER,
    VALUE,
    WAITING_EXPONENTIAL,
    WAITING_POTENTIAL,
    WAITING_TEMPERATURE,
    WINNER,
    WORD_LIMIT,
)
from fastgumbel._cpu.middle.quads import draw_quads
from fastgumbel._cpu.middle.races import index_at
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, padded
from fastgumbel._law.bounds import at_least, lane_ceiling
from fastgumbel._law.field import LOW_WORDS, block_exponential, join, winner_lane, word_of
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.masks import any_at_most64, at_least64, lowest_bit

_1 = np.uint64(1)
_PAIR = np.uint64(STAGE - 1)
_STAGE_BITS = np.uint64(7)
# So few are evaluated one by one, as vector loops would take longer.
_FEW = 6
# E_b in float32, less what it errs by, is at most the true one.
_BELOW = np.float64(1 - 2.0**-13)
_ABOVE = np.float32(1 + 2.0**-13)
_0 = np.float32(0)


@scalar
def enter(races, n, place, lane, high):
    """Let a lane of the block at a place wait behind n others; `high` is its high word, unless it wins its block."""
    at = np.uint64(n)
    races.integers[np.uint64(LANE_PLACE) + at] = place
    races.integers[np.uint64(LANE) + at] = lane
    races.words[np.uint64(LANE_HIGH) + at] = high


@stage
def enter_winners(races):
    """Let the winner lanes that may matter wait, where none does; how many they are."""
    n = 0
    for group in range(0, 2 * STAGE, 64):
        blocks = at_least64(races.reals, NEAR + group, 0.0)
        while blocks:
            place = np.uint64(group + lowest_bit(blocks))
            blocks &= blocks - _1
            enter(races, n, place, races.integers[WINNER + place], np.uint32(0))
            n += 1
    return n


@stage
def _list_hits(words, n):
    """List the lanes of the n drawn quads whose high words are small enough; how many they are."""
    count = 0
    for group in range(0, n, 64):
        left = any_at_most64(words[HIGH_WORD:], group, STAGE, words[WORD_LIMIT:])
        left &= ~np.uint64(0) >> np.uint64(max(group + 64 - n, 0))
        while left:
            i = np.uint64(group + lowest_bit(left))
            left &= left - _1
            # No branch depends on the lanes, as it would be mispredicted: what does not hit is written over.
            for word in range(0, 4 * STAGE, STAGE):
                words[np.uint64(HIT) + np.uint64(count)] = np.uint32(np.uint64(word) + i)
                count += np.int64(words[np.uint64(HIGH_WORD + word) + i] <= words[np.uint64(WORD_LIMIT) + i])
    return count


@stage
def flush(races, waiting, n, flat, width):
    """Draw the n quads of the queue, and let their lanes that may matter wait behind others; how many they are."""
    draw_quads(races, n)
    reals, integers, words = races.reals, races.integers, races.words
    for j in range(_list_hits(words, n)):
        hit = np.uint64(words[HIT + j])
        quad, high = np.uint64(words[np.uint64(QUEUED) + (hit & _PAIR)]), words[np.uint64(HIGH_WORD) + hit]
        place = integers[np.uint64(PLACE) + (quad >> np.uint64(4))]
        lane, pair = np.uint64(4) * (quad & np.uint64(15)) + (hit >> _STAGE_BITS), place & _PAIR
        column = np.int64(integers[np.uint64(COLUMN) + place] + lane)
        left = (column >= 0) & (column < width) & (lane != integers[np.uint64(WINNER) + place])
        potential = np.float64(flat[integers[np.uint64(ITEM) + place] + lane if left else np.uint64(0)])
        e = np.float64(races.singles[np.uint64(EXPONENTIAL) + place]) * _BELOW + exponential_floor(np.uint64(high))
        bound = fma(reals[np.uint64(PAIR_TEMPERATURE) + pair], gumbel_bound(e), potential)
        # No branch, as it would be mispredicted: what does not matter is written over.
        enter(races, waiting, place, lane, high)
        waiting += np.int64((bound >= reals[np.uint64(LEAST) + pair]) & left)
    return waiting


@stage
def _gather(reals, singles, integers, n, flat):
    """Log-potentials, temperatures and E_b of the first n lanes that wait."""
    for i in range(n):
        at = np.uint64(i)
        place = integers[np.uint64(LANE_PLACE) + at]
        item = integers[np.uint64(ITEM) + place] + integers[np.uint64(LANE) + at]
        reals[np.uint64(WAITING_POTENTIAL) + at] = flat[item]
        reals[np.uint64(WAITING_TEMPERATURE) + at] = reals[np.uint64(PAIR_TEMPERATURE) + (place & _PAIR)]
        singles[np.uint64(WAITING_EXPONENTIAL) + at] = singles[np.uint64(EXPONENTIAL) + place]


@stage
def _bound(reals, singles, words, n):
    """Bounds of the perturbed values of the first n lanes that wait; those that are excluded have no lower one."""
    for i in range(n):
        high, temperature, potential = (
            words[LANE_HIGH + i],
            reals[WAITING_TEMPERATURE + i],
            reals[WAITING_POTENTIAL + i],
        )
        e = np.float64(singles[WAITING_EXPONENTIAL + i]) * _BELOW + exponential_floor(np.uint64(high))
        reals[UPPER + i] = fma(temperature, gumbel_bound(e), potential)
    for i in range(n):
        high, temperature, potential = (
            words[LANE_HIGH + i],
            reals[WAITING_TEMPERATURE + i],
            reals[WAITING_POTENTIAL + i],
        )
        g = at_least(_0, lane_ceiling(high, singles[WAITING_EXPONENTIAL + i] * _ABOVE))
        reals[LOWER + i] = fma(temperature, np.float64(g), potential) if potential > -LIMIT else NOTHING


@stage
def bound_all(races, n, flat):
    """Find bounds of the perturbed values of the first n lanes that wait."""
    _gather(races.reals, races.singles, races.integers, n, flat)
    _bound(races.reals, races.singles, races.words, n)


@stage
def keep(races, n):
    """Let only those of the first n lanes wait whose upper bounds reach what matters; how many they are."""
    reals, integers, left = races.reals, races.integers, 0
    for i in range(n):
        at = np.uint64(i)
        place, lane = integers[np.uint64(LANE_PLACE) + at], integers[np.uint64(LANE) + at]
        enter(races, left, place, lane, races.words[np.uint64(LANE_HIGH) + at])
        left += np.int64(reals[np.uint64(UPPER) + at] >= reals[np.uint64(LEAST) + (place & _PAIR)])
    return left


@stage
def _look_up(races, first, n, flat):
    reals, integers, words = races.reals, races.integers, races.words
    places, lanes = np.uint64(LANE_PLACE + first), np.uint64(LANE + first)
    for i in range(n):
        place, lane = integers[places + np.uint64(i)], integers[lanes + np.uint64(i)]
        pair = place & _PAIR
        integers[LANE_COUNTER + i] = LOW_WORDS | (integers[QUAD + place] + (lane >> np.uint64(2)))
        integers[LANE_COUNTER + ROW + i] = integers[PAIR_COUNTER + ROW + pair]
        integers[LANE_COUNTER + DRAW + i] = integers[PAIR_COUNTER + DRAW + pair]
        # The words of an odd block stand two planes behind those of the even one.
        drawn = PAIR_WORD + place + (place - pair)
        words[BLOCK_LOW + i] = words[drawn]
        words[BLOCK_HIGH + i] = words[STAGE + drawn]
        reals[POTENTIAL + i] = flat[integers[ITEM + place] + lane]
        reals[LANE_TEMPERATURE + i] = reals[PAIR_TEMPERATURE + pair]


@stage
def _enter_minima(reals, words, n):
    for i in range(n):
        reals[MINIMUM + i] = block_exponential(join(np.uint64(words[BLOCK_HIGH + i]), np.uint64(words[BLOCK_LOW + i])))


@stage
def _enter_values(reals, integers, words, first, n):
    lanes, highs = np.uint64(LANE + first), np.uint64(LANE_HIGH + first)
    for i in range(n):
        lane, place = integers[lanes + np.uint64(i)], LOW_WORD + i
        low = word_of(words[place], words[STAGE + place], words[2 * STAGE + place], words[3 * STAGE + place], lane)
        e = exponential64(join(np.uint64(words[highs + np.uint64(i)]), np.uint64(low)))
        wins = winner_lane(np.uint64(words[BLOCK_LOW + i])) == lane
        reals[NOISE + i] = reals[MINIMUM + i] + (np.float64(0) if wins else e)
    for i in range(n):
        reals[VALUE + i] = fma(reals[LANE_TEMPERATURE + i], gumbel64(reals[NOISE + i]), reals[POTENTIAL + i])


@stage
def evaluate(races, first, n, flat):
    """Perturbed values, and log-potentials as float64, of n lanes of the queue, at most STAGE, from one on."""
    reals, integers, words = races.reals, races.integers, races.words
    _look_up(races, first, n, flat)
    lanes = n if n <= _FEW else padded(n)
    draw_words(words[LOW_WORD:], integers[LANE_COUNTER:], lanes, races.key)
    _enter_minima(reals, words, lanes)
    _enter_values(reals, integers, words, first, lanes)


@scalar
def race_of(races, i):
    """The race of a lane that waits."""
    return races.integers[RACE + (races.integers[np.uint64(LANE_PLACE + i)] & _PAIR)]


@scalar
def index_of(races, i):
    """The index of a lane that waits."""
    place, lane = races.integers[np.uint64(LANE_PLACE + i)], races.integers[np.uint64(LANE + i)]
    column, item = races.integers[COLUMN + place] + lane, races.integers[ITEM + place] + lane
    return index_at(races, item, np.int64(column))
