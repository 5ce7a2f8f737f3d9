"""Quads of several races that may hold a lane that matters, drawn together.

A quad is the four lanes of one Philox call. Rows leave few quads each, so they wait in one queue until vector registers
are full. Whether a lane may matter is asked of its high word, as an integer: of an exponential that is small enough.
"""

import numpy as np

from fastgumbel._cpu.blocks import reaching
from fastgumbel._cpu.middle.planes import (
    COLUMN,
    DIFFER,
    EXPONENTIAL,
    GAP,
    HIGH_WORD,
    ITEM,
    LEAST,
    LINE,
    PAIR_COUNTER,
    PLACE,
    QUAD,
    QUAD_COUNTER,
    QUADS,
    QUEUED,
    QUEUED_EXPONENTIAL,
    QUEUED_GAP,
    RACE,
    RATE,
    REACH,
    THRESHOLD,
    WINNER,
    WORD_LIMIT,
)
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_full_words, fill, padded
from fastgumbel._cpu.word_limits import word_limit
from fastgumbel._law.philox import LOW
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.masks import at_least64, count_bits, lowest_bit, reach16
from fastgumbel._numba.vector import fill8, sums8

# So many quads wait at most. As eight are written at a time, what stands behind their planes is written over: it is
# known again when they are drawn.
ROOM = STAGE
# Between these, gaps are finite and known in float32.
_LEAST_RATE, _MOST_RATE = np.float64(2.0**-100), np.float64(2.0**100)

# The numbers of the bits of a byte that are set, a byte each, the first lowest.
_NUMBERS = np.array(
    [sum(bit << 8 * i for i, bit in enumerate(b for b in range(8) if n >> b & 1)) for n in range(256)], np.uint64
)
_EIGHTS = np.uint64(0x0808080808080808)

_1, _2, _3, _8, _32 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(8), np.uint64(32)
_4 = np.uint32(4)
_BYTE, _PAIR = np.uint64(255), np.uint64(STAGE - 1)


@scalar
def _quads_of(lanes):
    """Which quads have any of 64 lanes: bits of bits."""
    m = lanes | lanes >> _1
    m = (m | m >> _2) & np.uint64(0x1111111111111111)
    m = (m | m >> _3) & np.uint64(0x0303030303030303)
    m = (m | m >> np.uint64(6)) & np.uint64(0x000F000F000F000F)
    m = (m | m >> np.uint64(12)) & np.uint64(0x000000FF000000FF)
    return (m | m >> np.uint64(24)) & np.uint64(0xFFFF)


@stage
def list_blocks(races, x, flat):
    """List the blocks of which other lanes than the winner may matter, with their quads; how many they are."""
    reals, integers, singles, n = races.reals, races.integers, races.singles, x.shape[1]
    count = 0
    for group in range(0, 2 * STAGE, 64):
        left = at_least64(reals, REACH + group, 0.0)
        while left:
            place = np.uint64(group + lowest_bit(left))
            left &= left - _1
            pair = place & _PAIR
            column, item = np.int64(integers[COLUMN + place]), np.int64(integers[ITEM + place])
            threshold, rate = reals[THRESHOLD + place], reals[RATE + pair]
            integers[PLACE + count] = place
            if 0 <= column <= n - 64 and _LEAST_RATE <= rate <= _MOST_RATE:
                least = reals[LEAST + pair]
                some = reach16(flat, item, flat.dtype.type(threshold), singles, GAP + 16 * count, least, rate)
            else:
                lanes = reaching(x[integers[LINE + integers[RACE + pair]]], column, threshold)
                some = _quads_of(lanes & ~(_1 << integers[WINNER + place]))
                fill(singles, GAP + 16 * count, 16, np.float32(np.inf))
            integers[QUADS + count] = some
            count += 1
    return count


@scalar
def _enter_eight(races, n, i, counter, minimum, numbers):
    """Let the quads of up to eight numbers, a byte each, of the i-th listed block wait behind n others."""
    sums8(races.words, QUEUED + n, np.uint32(16 * i), numbers)
    sums8(races.integers, QUAD_COUNTER + n, counter, numbers)
    fill8(races.singles, QUEUED_EXPONENTIAL + n, minimum)


@scalar
def _enter_quads(races, n, i):
    """Let the quads of the i-th listed block wait behind n others; how many they are.

    No branch depends on the lanes, as it would be mispredicted.
    """
    integers = races.integers
    place, wanted = integers[PLACE + i], integers[QUADS + i]
    # The low half of the row's id stands above the index, as another store would take longer.
    counter = integers[QUAD + place] | integers[PAIR_COUNTER + ROW + (place & _PAIR)] << _32
    minimum = races.singles[EXPONENTIAL + place]
    low, high = wanted & _BYTE, wanted >> _8
    _enter_eight(races, n, i, counter, minimum, _NUMBERS[low])
    n += count_bits(low)
    _enter_eight(races, n, i, counter, minimum, _NUMBERS[high] + _EIGHTS)
    return n + count_bits(high)


@stage
def queue_blocks(races, begin, end):
    """Let the quads of listed blocks wait, of as many as there is room for.

    Returns the block to go on with, and how many quads wait.
    """
    waiting = np.int64(0)
    for i in range(begin, end):
        if waiting + count_bits(races.integers[QUADS + i]) > ROOM:
            return i, waiting
        waiting = _enter_quads(races, waiting, i)
    return end, waiting


@stage
def _enter_coordinates(integers, words, n):
    """Rows and draws of n quads that wait; what stands above their indices does not count when words are drawn."""
    if integers[DIFFER]:
        for i in range(n):
            place = integers[np.uint64(PLACE) + np.uint64(words[QUEUED + i] >> _4)]
            pair = np.uint64(PAIR_COUNTER) + (place & _PAIR)
            integers[QUAD_COUNTER + ROW + i] = integers[np.uint64(ROW) + pair]
            integers[QUAD_COUNTER + DRAW + i] = integers[np.uint64(DRAW) + pair]
    else:
        high, draw = integers[PAIR_COUNTER + ROW] & ~LOW, integers[PAIR_COUNTER + DRAW]
        for i in range(n):
            integers[QUAD_COUNTER + ROW + i] = high | integers[QUAD_COUNTER + i] >> _32
            integers[QUAD_COUNTER + DRAW + i] = draw


@stage
def draw_quads(races, n):
    """Draw the high words of the n quads that wait, and find up to which they matter."""
    integers, singles, words = races.integers, races.singles, races.words
    for i in range(n):
        singles[QUEUED_GAP + i] = singles[np.uint64(GAP) + np.uint64(words[QUEUED + i])]
    lanes = padded(n)
    _enter_coordinates(integers, words, n)
    draw_full_words(words[HIGH_WORD:], integers[QUAD_COUNTER:], lanes, races.key)
    for i in range(lanes):
        words[WORD_LIMIT + i] = word_limit(singles[QUEUED_GAP + i], singles[QUEUED_EXPONENTIAL + i])
