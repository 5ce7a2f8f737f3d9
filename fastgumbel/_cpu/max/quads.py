"""Quads of several races that may hold a winner, drawn together.

A quad is the four lanes of one Philox call. Rows leave few quads each, so they wait in one queue until vector registers
are full. Whether a lane can win is asked of its high word, as an integer: that of an exponential that is small enough.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.max.races import EXPONENTIAL, ITEM, LEAST, QUAD, RATE
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, fill, padded
from fastgumbel._law.real import exp32
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.vector import count_bits, fill8, gaps16, put8, sums8

# So many quads wait at most, as eight are written at a time.
ROOM = STAGE - 8
# Planes of waiting quads: their numbers in the block, and the places of the block.
NUMBER = 0
PLACE = STAGE
# Planes of the state: how far the log-potential is from the best, E_b, and what `draw_quads` finds.
_GAP = 0
_MINIMUM = STAGE
MARGIN = 2 * STAGE

# The numbers of the bits of a byte that are set, a byte each, the first lowest.
_NUMBERS = np.array(
    [sum(bit << 8 * i for i, bit in enumerate(b for b in range(8) if n >> b & 1)) for n in range(256)], np.uint64
)
_EIGHTS, _BYTES = np.uint64(0x0808080808080808), np.uint64(0x0101010101010101)

_1, _2, _3, _8 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(8)
_BYTE, _PAIR = np.uint64(255), np.uint64(STAGE - 1)

_ABOVE = np.float32(1 + 2.0**-12)  # more than exp32, its argument and E_b err by
_COLDEST, _HOTTEST = np.float32(-80), np.float32(2)
_STEPS = np.float32(2.0**31)


class Quads(NamedTuple):
    """Of waiting quads their names, counters and state; their words; how far the quads of a block are from the best."""

    waiting: Any
    counters: Any
    words: Any
    state: Any
    gaps: Any


@maker
def new_quads():
    """An empty queue."""
    return Quads(
        np.zeros(2 * STAGE, np.uint8),
        np.zeros(3 * STAGE, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.zeros(3 * STAGE, np.float32),
        np.zeros(16, np.float32),
    )


@scalar
def quads_of(lanes):
    """Which quads have any of 64 lanes: bits of bits."""
    m = lanes | lanes >> _1
    m = (m | m >> _2) & np.uint64(0x1111111111111111)
    m = (m | m >> _3) & np.uint64(0x0303030303030303)
    m = (m | m >> np.uint64(6)) & np.uint64(0x000F000F000F000F)
    m = (m | m >> np.uint64(12)) & np.uint64(0x000000FF000000FF)
    return (m | m >> np.uint64(24)) & np.uint64(0xFFFF)


@scalar
def _enter_eight(quads, n, place, numbers, races):
    """Let the quads of up to eight numbers, a byte each, wait behind n others; what else is written is no matter."""
    waiting, counters, _, state, gaps = quads
    pair = place & _PAIR
    put8(waiting, NUMBER + n, numbers)
    put8(waiting, PLACE + n, place * _BYTES)
    sums8(counters, n, races.integers[QUAD + place], numbers)
    fill8(counters, ROW + n, races.counters[ROW + pair])
    fill8(counters, DRAW + n, races.counters[DRAW + pair])
    fill8(state, _MINIMUM + n, races.singles[EXPONENTIAL + place])
    for i in range(8):
        state[np.uint64(_GAP + n) + np.uint64(i)] = gaps[numbers >> np.uint64(8 * i) & _BYTE]


@scalar
def enter_quads(quads, n, place, wanted, whole, races, flat):
    """Let some quads (a mask) of the block at a place wait behind n others; how many they are.

    `whole` tells whether all of the block is in the row. No branch depends on the lanes, as it would be foretold
    wrongly.
    """
    pair = place & _PAIR
    # The inverse of a subnormal temperature may be infinite, and nothing is known then.
    rate = races.reals[RATE + pair]
    if whole and rate < np.inf:
        gaps16(quads.gaps, flat, np.int64(races.integers[ITEM + place]), races.reals[LEAST + pair], rate)
    else:
        fill(quads.gaps, 0, 16, np.float32(np.inf))
    low, high = wanted & _BYTE, wanted >> _8
    _enter_eight(quads, n, place, _NUMBERS[low], races)
    n += count_bits(low)
    _enter_eight(quads, n, place, _NUMBERS[high] + _EIGHTS, races)
    return n + count_bits(high)


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
def draw_quads(quads, n, key):
    """Draw the high words of the n quads that wait; what stands at MARGIN is at least 0 where a lane may win."""
    lanes = padded(n)
    draw_words(quads.words, quads.counters, lanes, key)
    _enter_margins(quads.state, quads.words, lanes)
    for i in range(n, STAGE):
        quads.state[MARGIN + i] = -1
