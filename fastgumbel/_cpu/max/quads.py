"""Quads of several races that may hold a winner, drawn together.

A quad is the four lanes of one Philox call. Rows leave few quads each, so they wait in one queue until vector registers
are full. Whether a lane can win is asked of its high word, as an integer: that of an exponential that is small enough.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.max.races import COLUMN, EXPONENTIAL, ITEM, LEAST, QUAD, RATE
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, padded
from fastgumbel._law.real import exp32
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.vector import count_bits, max4, put8

# Planes of waiting quads: their numbers in the block, and the places of the block. A block fits in behind those that
# are drawn next, and eight numbers are written at a time.
_ROOM = STAGE + 32
NUMBER = 0
PLACE = _ROOM
# Planes of the state: how far the log-potential is from the best, E_b, and what `draw_quads` finds.
_GAP = 0
_MINIMUM = STAGE
MARGIN = 2 * STAGE

# The numbers of the bits of a byte that are set, a byte each, the first lowest.
_NUMBERS = np.array(
    [sum(bit << 8 * i for i, bit in enumerate(b for b in range(8) if n >> b & 1)) for n in range(256)], np.uint64
)
_EIGHTS, _BYTES = np.uint64(0x0808080808080808), np.uint64(0x0101010101010101)

_1, _2, _3, _4, _8 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4), np.uint64(8)
_BYTE, _PAIR = np.uint64(255), np.uint64(STAGE - 1)

_ABOVE = np.float32(1 + 2.0**-12)  # more than exp32, its argument and E_b err by
_COLDEST, _HOTTEST = np.float32(-80), np.float32(2)
_STEPS = np.float32(2.0**31)


class Quads(NamedTuple):
    """Waiting quads; and of those that are drawn counters, words and state."""

    waiting: Any
    counters: Any
    words: Any
    state: Any


@maker
def new_quads():
    """An empty queue."""
    return Quads(
        np.zeros(2 * _ROOM, np.uint8),
        np.zeros(3 * STAGE, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.zeros(3 * STAGE, np.float32),
    )


@scalar
def _quads_of(lanes):
    """Which quads have any of 64 lanes: bits of bits."""
    m = lanes | lanes >> _1
    m = (m | m >> _2) & np.uint64(0x1111111111111111)
    m = (m | m >> _3) & np.uint64(0x0303030303030303)
    m = (m | m >> np.uint64(6)) & np.uint64(0x000F000F000F000F)
    m = (m | m >> np.uint64(12)) & np.uint64(0x000000FF000000FF)
    return (m | m >> np.uint64(24)) & np.uint64(0xFFFF)


@scalar
def enter_quads(waiting, n, place, lanes):
    """Let the quads with any of some lanes (a mask) of the block at a place wait behind n others; how many they are.

    No branch depends on the lanes, as it would be foretold wrongly.
    """
    quads = _quads_of(lanes)
    low, high = quads & _BYTE, quads >> _8
    put8(waiting, PLACE + n, np.uint64(place) * _BYTES)
    put8(waiting, PLACE + n + 8, np.uint64(place) * _BYTES)
    put8(waiting, NUMBER + n, _NUMBERS[low])
    n += count_bits(low)
    put8(waiting, NUMBER + n, _NUMBERS[high] + _EIGHTS)
    return n + count_bits(high)


@stage
def _look_up(quads, n, races, flat, width):
    """Of n quads the counters of their high words, E_b, and how far their log-potentials are from the best."""
    waiting, counters, _, state = quads
    reals, singles, integers, drawn = races.reals, races.singles, races.integers, races.counters
    for i in range(n):
        block, number = np.uint64(waiting[PLACE + i]), np.uint64(waiting[NUMBER + i])
        pair = block & _PAIR
        counters[i] = integers[QUAD + block] + number
        counters[ROW + i] = drawn[ROW + pair]
        counters[DRAW + i] = drawn[DRAW + pair]
        state[_MINIMUM + i] = singles[EXPONENTIAL + block]
        inside = 0 <= np.int64(integers[COLUMN + block] + _4 * number) <= width - 4
        x = np.float64(max4(flat, np.int64(integers[ITEM + block] + _4 * number))) if inside else np.inf
        # The inverse of a subnormal temperature may be infinite, and nothing is known then.
        rate = reals[RATE + pair]
        state[_GAP + i] = (x - reals[LEAST + pair]) * rate if rate < np.inf else np.inf


@stage
def _enter_margins(state, words, n):
    """By how many steps of 2^-31 the least high word of each of n quads is below all that cannot win.

    A lane wins at most where E_b + e < exp((x - best) / T), and e is at least its high word times 2^-32.
    """
    for i in range(n):
        a = words[i] if words[i] < words[STAGE + i] else words[STAGE + i]
        b = words[2 * STAGE + i] if words[2 * STAGE + i] < words[3 * STAGE + i] else words[3 * STAGE + i]
        least = np.float32(np.int32(np.uint32((a if a < b else b) >> np.uint32(1))))
        gap = state[_GAP + i] if state[_GAP + i] > _COLDEST else _COLDEST
        gap = gap if gap < _HOTTEST else _HOTTEST
        state[MARGIN + i] = (exp32(gap) * _ABOVE - state[_MINIMUM + i]) * _STEPS - least


@stage
def draw_quads(quads, n, races, x):
    """Draw the high words of the first n quads; what stands at MARGIN is at least 0 where a lane may win."""
    lanes = padded(n)
    _look_up(quads, n, races, x.reshape(x.size), x.shape[1])
    draw_words(quads.words, quads.counters, lanes, races.key)
    _enter_margins(quads.state, quads.words, lanes)
    for i in range(n, STAGE):
        quads.state[MARGIN + i] = -1


@scalar
def drop_quads(waiting, n):
    """Move what waits behind the first STAGE of n quads to the front; how many they are."""
    for i in range(32):
        waiting[NUMBER + i] = waiting[NUMBER + STAGE + i]
        waiting[PLACE + i] = waiting[PLACE + STAGE + i]
    return max(n - STAGE, 0)
