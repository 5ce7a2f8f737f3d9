"""The field along one row, a stage of quads at a time; a quad is the four lanes of one Philox call."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.stage import STAGE, draw_row_words, fill, gumbels, lane_exponentials, padded
from fastgumbel._law.field import BLOCK_WORDS, HIGH_WORDS, LOW_WORDS, OTHER_WORDS, block_exponential, join, winner_lane
from fastgumbel._numba.compile import maker, once, stage
from fastgumbel._numba.memory import zeros
from fastgumbel._numba.vector import fill16

_1 = np.uint64(1)
_2 = np.uint64(2)
_4 = np.uint64(4)


@stage
def _enter_blocks(minima, winners, n, words):
    """Minima and winner lanes of n pairs of blocks from their words: even blocks, and a plane later the odd ones."""
    for i in range(n):
        low, odd_low = np.uint64(words[i]), np.uint64(words[2 * STAGE + i])
        minima[i] = block_exponential(join(np.uint64(words[STAGE + i]), low))
        minima[STAGE + i] = block_exponential(join(np.uint64(words[3 * STAGE + i]), odd_low))
        winners[i] = winner_lane(low)
        winners[STAGE + i] = winner_lane(odd_low)


@stage
def _spread(minimum, first, value):
    """One block's minimum to the quads of the stage that it covers; `minimum` has 16 places to spare."""
    if first >= 0:
        fill16(minimum, first, value)
    else:
        fill(minimum, 0, 16 + first, value)


@stage
def interleave(out, to, planes, n):
    """Four planes of quads to places `to` and up of `out`, lane by lane."""
    for i in range(n):
        at = np.uint64(to) + np.uint64(4) * np.uint64(i)
        out[at] = planes[i]
        out[at + np.uint64(1)] = planes[STAGE + i]
        out[at + np.uint64(2)] = planes[2 * STAGE + i]
        out[at + np.uint64(3)] = planes[3 * STAGE + i]


@stage
def _put_edge(out, to, n, column, planes, i):
    """One quad, without what lies outside the row."""
    for j in range(4):
        if 0 <= column + 4 * i + j < n:
            out[to + column + 4 * i + j] = planes[j * STAGE + i]


@stage
def _put(out, to, n, column, planes, count):
    """Quads from a column on to a row of n at out[to:]; the first and the last may reach over its ends."""
    begin, end = 0, count
    while begin < end and column + 4 * begin < 0:
        _put_edge(out, to, n, column, planes, begin)
        begin += 1
    while end > begin and column + 4 * end > n:
        end -= 1
        _put_edge(out, to, n, column, planes, end)
    if begin == 0:
        interleave(out, to + column, planes, end)
    else:
        for i in range(begin, end):
            _put_edge(out, to, n, column, planes, i)


class RowScratch(NamedTuple):
    """Scratch of one stage.

    Words of quads, minima and winner lanes of pairs of blocks, the minimum of each quad's block, and noise of quads.
    """

    high: Any
    low: Any
    minima: Any
    winners: Any
    minimum: Any
    noise: Any


@maker
def row_scratch(like):
    """Scratch for numbers of the type of an array."""
    return RowScratch(
        zeros(4 * STAGE, np.uint32),
        zeros(4 * STAGE, np.uint32),
        zeros(2 * STAGE, like.dtype),
        zeros(2 * STAGE, np.uint64),
        zeros(STAGE + 16, like.dtype),
        zeros(4 * STAGE, like.dtype),
    )


@once
def noise_row(out, to, n, coordinates, scratch):
    """Write G(key, row, draw, start + j) to out[to + j] for j < n."""
    high, low, minima, winners, minimum, noise = scratch
    start = coordinates.start
    first_quad = start >> _2
    quads = np.int64(((start + np.uint64(n - 1)) >> _2) - first_quad) + 1
    first_pair = np.uint64(0)
    known = 0  # pairs of blocks whose minima are at hand, from first_pair on
    done = 0
    while done < quads:
        quad = first_quad + np.uint64(done)
        # Later stages begin with a block.
        skipped = np.int64(quad & np.uint64(15))
        count = min(STAGE - skipped, quads - done)
        first_block = quad >> _4
        last_block = (quad + np.uint64(count - 1)) >> _4
        if known == 0 or np.int64((last_block >> _1) - first_pair) >= known:
            first_pair = first_block >> _1
            known = min(STAGE, np.int64(((first_quad + np.uint64(quads - 1)) >> np.uint64(5)) - first_pair) + 1)
            lanes = padded(known, 8)
            draw_row_words(high, lanes, coordinates, BLOCK_WORDS | first_pair, _1)
            _enter_blocks(minima, winners, lanes, high)

        # Short rows pay for each slot.
        lanes = padded(count, 16)
        draw_row_words(high, lanes, coordinates, HIGH_WORDS | quad, _1)
        if noise.itemsize == 8:
            draw_row_words(low, lanes, coordinates, LOW_WORDS | quad, _1)
        lane_exponentials(noise, lanes, high, low)
        for b in range(np.int64(last_block - first_block) + 1):
            block = first_block + np.uint64(b)
            place = np.int64((block >> _1) - first_pair) + np.int64(block & _1) * STAGE
            _spread(minimum, 16 * b - skipped, minima[place])
            lane = np.int64(winners[place])
            i = 16 * b - skipped + (lane >> 2)
            if 0 <= i < count:
                noise[(lane & 3) * STAGE + i] = 0
        gumbels(noise, minimum, lanes)
        _put(out, to, n, 4 * done - np.int64(start & np.uint64(3)), noise, count)
        done += count


@stage
def exponential_row(out, to, n, coordinates, scratch):
    """Write Exp(1) numbers that the field does not use to out[to + j] for j < n.

    They are words of the fourth domain: quad q has its high halves at index 2 q and its low ones at 2 q + 1. The
    last quad must not be among them: its indices are `KEY_WORDS` and `DRAW_WORDS`.
    """
    high, low, _, _, _, fresh = scratch
    start = coordinates.start
    first_quad = start >> _2
    quads = np.int64(((start + np.uint64(n - 1)) >> _2) - first_quad) + 1
    for done in range(0, quads, STAGE):
        count = min(STAGE, quads - done)
        lanes = padded(count, 16)
        first = OTHER_WORDS | ((first_quad + np.uint64(done)) << _1)
        draw_row_words(high, lanes, coordinates, first, _2)
        if fresh.itemsize == 8:
            draw_row_words(low, lanes, coordinates, first | _1, _2)
        lane_exponentials(fresh, lanes, high, low)
        _put(out, to, n, 4 * done - np.int64(start & np.uint64(3)), fresh, count)
