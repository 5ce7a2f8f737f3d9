"""Short rows as vector slots: STAGE slots, each a row and a draw, go through the categories together.

A table of slots has one plane of STAGE places for each category.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.stage import STAGE, draw_words, exponentials, fill
from fastgumbel._law.field import BLOCK_WORDS, HIGH_WORDS, LOW_WORDS, block_exponential, join, winner_lane
from fastgumbel._law.real import log
from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import SCALAR_OPTIONS, STAGE_OPTIONS, maker, stage
from fastgumbel._numba.memory import empty
from fastgumbel._numba.vector import turn8

MINIMUM = 0
WINNER = STAGE

_1 = np.uint64(1)


class SlotScratch(NamedTuple):
    """Scratch of all slots.

    `state` has two planes, in the type of the noise: E_b of the block at hand, and its winner lane. `counters` are rows
    and draws, besides an index; `high` and `low` are the words of a quad.
    """

    state: Any
    counters: Any
    high: Any
    low: Any


@maker
def slot_scratch(like):
    """Scratch for noise of the type of an array, of as many slots as are written to it."""
    return SlotScratch(
        empty(2 * STAGE, like.dtype),
        empty(3 * STAGE, np.uint64),
        empty(4 * STAGE, np.uint32),
        empty(4 * STAGE, np.uint32),
    )


@stage
def turn(planes, x, base, n, rows):
    """Rows of x, from place `base` of the flat array on, as planes; `planes` has 7 to spare."""
    done = 0
    # Tiles of eight rows reach over their ends into the rows after them, so long as there are such.
    while done + 8 <= rows and base + (done + 8) * n + 7 <= x.size:
        done += 8
    # Eight planes at a time, so that they stay in cache until they are full.
    for j in range(0, n, 8):
        for i in range(0, done, 8):
            turn8(planes, j * STAGE + i, STAGE, x, base + i * n + j, n)
    for i in range(done, rows):
        for j in range(n):
            planes[j * STAGE + i] = x[base + i * n + j]


@stage
def repeat(planes, n, rows, copies):
    """Repeat the first `rows` slots of n planes so that they stand there `copies` times."""
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows * (copies - 1)):
            planes[at + np.uint64(rows) + np.uint64(i)] = planes[at + np.uint64(i)]


@stage
def enter_temperatures(temperatures, by_row, r, rows):
    """Temperatures of rows from r on, of which there is one a row, or one for all."""
    if by_row.size == 1:
        fill(temperatures, 0, rows, by_row[0])
    else:
        for i in range(rows):
            temperatures[i] = by_row[np.uint64(r) + np.uint64(i)]


@stage
def survey(largest, x, n, rows):
    """Largest log-potential of each row; +inf where one is NaN or not below LIMIT."""
    kind = x.dtype.type
    infinite, limit = kind(np.inf), kind(LIMIT)
    for i in range(rows):
        first = x[np.uint64(i)]
        largest[i] = first if first < limit else infinite
    # Two at a time, as the largest costs more to read and write than to compare.
    for j in range(1, n - 1, 2):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            v, w = x[at + np.uint64(i)], x[at + np.uint64(STAGE) + np.uint64(i)]
            top = largest[i]
            top = v if v > top else top
            top = w if w > top else top
            largest[i] = top if (v < limit) & (w < limit) else infinite
    if n % 2 == 0:
        at = np.uint64((n - 1) * STAGE)
        for i in range(rows):
            v = x[at + np.uint64(i)]
            top = largest[i]
            top = v if v > top else top
            largest[i] = top if v < limit else infinite


@stage
def survey_valid(largest, x, n, rows):
    """As `survey`, but NaN where the row is invalid, be it that nothing is left."""
    survey(largest, x, n, rows)
    limit, none = x.dtype.type(LIMIT), x.dtype.type(np.nan)
    for i in range(rows):
        largest[i] = largest[i] if -limit < largest[i] < limit else none


@stage
def turn_back(out, base, planes, slot, n, rows):
    """Slots from `slot` on as rows of `out`, from place `base` of the flat array on; `planes` has 7 to spare."""
    done = 0
    # The last tile comes first: what it writes beyond the ends of its rows is then overwritten. Nothing may be written
    # beyond these rows, as others may have been there already.
    while (done + 8) * n + 7 <= rows * n:
        for j in range((n - 1) // 8 * 8, -1, -8):
            turn8(out, base + done * n + j, n, planes, j * STAGE + slot + done, STAGE)
        done += 8
    for i in range(done, rows):
        for j in range(n):
            out[base + i * n + j] = planes[j * STAGE + slot + i]


@stage
def _enter_block(state, n, words, odd):
    """Minimum and winner lane of a block from the words of its pair."""
    if odd:
        for i in range(n):
            low = np.uint64(words[2 * STAGE + i])
            state[MINIMUM + i] = block_exponential(join(np.uint64(words[3 * STAGE + i]), low))
            state[WINNER + i] = np.float32(np.int32(winner_lane(low)))
    else:
        for i in range(n):
            low = np.uint64(words[i])
            state[MINIMUM + i] = block_exponential(join(np.uint64(words[STAGE + i]), low))
            state[WINNER + i] = np.float32(np.int32(winner_lane(low)))


@stage
def draw_quad(state, high, counters, slots, quad, first, key):
    """High words of a quad in all slots, and before them its block's planes of `state`; whether a block began.

    `first` says that no block was drawn before.
    """
    begins = first or quad & np.uint64(15) == 0
    if begins:
        block = quad >> np.uint64(4)
        fill(counters, 0, slots, BLOCK_WORDS | (block >> _1))
        draw_words(high, counters, slots, key)
        _enter_block(state, slots, high, block & _1)
    fill(counters, 0, slots, HIGH_WORDS | quad)
    draw_words(high, counters, slots, key)
    return begins


@stage
def noise_plane(noise, column, scratch, slots, lane, word):
    """Noise of one category, `lane` of its block, from its words of a quad."""
    state, high, low = scratch.state, scratch.high, scratch.low
    # Two loops, as one has more constants than the processor has registers.
    exponentials(noise, column * STAGE, slots, high, low, word * STAGE)
    to, here, nothing = np.uint64(column * STAGE), state.dtype.type(lane), state.dtype.type(0)
    for i in range(slots):
        e = nothing if state[WINNER + i] == here else noise[to + np.uint64(i)]
        noise[to + np.uint64(i)] = -log(state[MINIMUM + i] + e)


def _next_plane(noise, column, scratch, slots, lane, word):
    """As `noise_plane`."""
    raise NotImplementedError("compiled only")


# The constants of float32 stay in registers from plane to plane if the loops are inlined; those of float64 would not.
@overload(_next_plane, jit_options=SCALAR_OPTIONS)
def _next_plane32(noise, column, scratch, slots, lane, word):
    return noise_plane.py_func if noise.dtype == types.float32 else None


@overload(_next_plane, jit_options=STAGE_OPTIONS)
def _next_plane64(noise, column, scratch, slots, lane, word):
    return noise_plane.py_func if noise.dtype == types.float64 else None


@stage
def noise_planes(noise, scratch, n, slots, start, key):
    """The field at n categories from `start` on, in the rows and draws of the counters."""
    state, counters, high, low = scratch
    first_quad = start >> np.uint64(2)
    skipped = np.int64(start & np.uint64(3))
    for q in range((skipped + n + 3) // 4):
        quad = first_quad + np.uint64(q)
        draw_quad(state, high, counters, slots, quad, q == 0, key)
        if noise.itemsize == 8:
            fill(counters, 0, slots, LOW_WORDS | quad)
            draw_words(low, counters, slots, key)
        for word in range(4):
            j = 4 * q + word - skipped
            if 0 <= j < n:
                lane = 4 * np.int64(quad & np.uint64(15)) + word
                _next_plane(noise, j, scratch, slots, lane, word)
