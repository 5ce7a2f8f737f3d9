"""Quads of several races that may hold a lane that matters, drawn together.

A quad is the four lanes of one Philox call. Rows leave few quads each, so they wait in one queue until vector registers
are full. Whether a lane may matter is asked of its high word, as an integer: of an exponential that is small enough.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.blocks import reaching
from fastgumbel._cpu.middle.races import (
    COLUMN,
    EXPONENTIAL,
    ITEM,
    LEAST,
    LINE,
    QUAD,
    RACE,
    RATE,
    REACH,
    THRESHOLD,
    WINNER,
)
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_full_words, fill, padded
from fastgumbel._cpu.word_limits import word_limit
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import at_least64, count_bits, lowest_bit, reach16
from fastgumbel._numba.vector import fill8, sums8

# So many quads wait at most, as eight are written at a time.
_ROOM = STAGE - 8
# Planes of listed blocks: their places, and which of their quads may matter, a mask.
PLACE = 0
_QUADS = 2 * STAGE

# The numbers of the bits of a byte that are set, a byte each, the first lowest.
_NUMBERS = np.array(
    [sum(bit << 8 * i for i, bit in enumerate(b for b in range(8) if n >> b & 1)) for n in range(256)], np.uint64
)
_EIGHTS = np.uint64(0x0808080808080808)

_1, _2, _3, _8 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(8)
_BYTE, _PAIR = np.uint64(255), np.uint64(STAGE - 1)


class Quads(NamedTuple):
    """Listed blocks, and how far all their quads are from what matters.

    Of those that wait: which they are, counters and E_b; and, when they are drawn, how far they are from what
    matters, their words, and up to which high word a lane may.
    """

    blocks: Any
    gaps: Any
    waiting: Any
    counters: Any
    minima: Any
    now: Any
    words: Any
    limits: Any


@maker
def new_quads():
    """None waits."""
    return Quads(
        np.zeros(4 * STAGE, np.uint64),
        np.zeros(32 * STAGE, np.float32),
        np.zeros(STAGE, np.uint32),
        np.zeros(3 * STAGE, np.uint64),
        np.zeros(STAGE, np.float32),
        np.zeros(STAGE, np.float32),
        np.zeros(4 * STAGE, np.uint32),
        np.zeros(STAGE, np.uint32),
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


@stage
def list_blocks(quads, races, x, flat):
    """List the blocks of which other lanes than the winner may matter, with their quads; how many they are."""
    blocks, gaps = quads.blocks, quads.gaps
    reals, integers, n = races.reals, races.integers, x.shape[1]
    count = 0
    for group in range(0, 2 * STAGE, 64):
        left = at_least64(reals, REACH + group, 0.0)
        while left:
            place = np.uint64(group + lowest_bit(left))
            left &= left - _1
            pair = place & _PAIR
            column, item = np.int64(integers[COLUMN + place]), np.int64(integers[ITEM + place])
            threshold, rate = reals[THRESHOLD + place], reals[RATE + pair]
            blocks[PLACE + count] = place
            # The inverse of a subnormal temperature may be infinite, and nothing is known then.
            if 0 <= column <= n - 64 and rate < np.inf:
                least = reals[LEAST + pair]
                some = reach16(flat, item, flat.dtype.type(threshold), gaps, 16 * count, least, rate)
            else:
                lanes = reaching(x[integers[LINE + integers[RACE + pair]]], column, threshold)
                some = _quads_of(lanes & ~(_1 << integers[WINNER + place]))
                fill(gaps, 16 * count, 16, np.float32(np.inf))
            blocks[_QUADS + count] = some
            count += 1
    return count


@scalar
def _enter_eight(quads, n, i, numbers, races):
    """Let the quads of up to eight numbers, a byte each, of a listed block wait behind n others."""
    place, counters = quads.blocks[PLACE + i], quads.counters
    pair = place & _PAIR
    sums8(quads.waiting, n, np.uint32(16 * i), numbers)
    sums8(counters, n, races.integers[QUAD + place], numbers)
    fill8(counters, ROW + n, races.counters[ROW + pair])
    fill8(counters, DRAW + n, races.counters[DRAW + pair])
    fill8(quads.minima, n, races.singles[EXPONENTIAL + place])


@scalar
def _enter_quads(quads, n, i, races):
    """Let the quads of the i-th listed block wait behind n others; how many they are.

    No branch depends on the lanes, as it would be foretold wrongly.
    """
    wanted = quads.blocks[_QUADS + i]
    low, high = wanted & _BYTE, wanted >> _8
    _enter_eight(quads, n, i, _NUMBERS[low], races)
    n += count_bits(low)
    _enter_eight(quads, n, i, _NUMBERS[high] + _EIGHTS, races)
    return n + count_bits(high)


@stage
def queue_blocks(quads, done, listed, races):
    """Let the quads of listed blocks wait, from one on, while there is room; the next block, and how many they are."""
    waiting = np.int64(0)
    while done < listed and waiting + count_bits(quads.blocks[_QUADS + done]) <= _ROOM:
        waiting = _enter_quads(quads, waiting, done, races)
        done += 1
    return done, waiting


@stage
def draw_quads(quads, n, key):
    """Draw the high words of the n quads that wait, and find up to which they matter."""
    for i in range(n):
        quads.now[i] = quads.gaps[quads.waiting[i]]
    lanes = padded(n)
    draw_full_words(quads.words, quads.counters, lanes, key)
    for i in range(lanes):
        quads.limits[i] = word_limit(quads.now[i], quads.minima[i])
