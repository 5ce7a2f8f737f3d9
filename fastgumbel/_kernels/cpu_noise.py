"""The field written out in float64 or float32: long rows by quads, short ones as vector lanes."""

import numpy as np

from fastgumbel._kernels.compiling import kernel, stage
from fastgumbel._kernels.field import BLOCK_WORDS, HIGH_WORDS, LOW_WORDS, block_exponential, join, winner_lane
from fastgumbel._kernels.lanes import noise_planes, turn_back
from fastgumbel._kernels.stage import (
    DRAW,
    ROW,
    STAGE,
    count_up,
    draw_words,
    fill,
    gumbels,
    lane_exponentials,
    raise_by,
    row_id,
)

_1 = np.uint64(1)
_4 = np.uint64(4)


@stage
def _interleave(out, n, planes):
    for i in range(n):
        out[4 * i] = planes[i]
        out[4 * i + 1] = planes[STAGE + i]
        out[4 * i + 2] = planes[2 * STAGE + i]
        out[4 * i + 3] = planes[3 * STAGE + i]


@stage
def _copy(out, to, n, values, start):
    for i in range(n):
        out[np.uint64(to) + np.uint64(i)] = values[np.uint64(start) + np.uint64(i)]


@kernel
def fill_short(out, rows, field):
    """Write G(key, row, draw, start + j) to out[r, j], for short rows; `rows` and `field` as in `max_long`."""
    key, first_row, draw, start = field
    n_rows, n = out.shape
    flat = out.reshape(n_rows * n)
    noise = np.empty((n + 7) * STAGE, out.dtype)
    state = np.ones(2 * STAGE, out.dtype)
    counters = np.zeros(3 * STAGE, np.uint64)
    high = np.zeros(4 * STAGE, np.uint32)
    low = np.zeros(4 * STAGE, np.uint32)
    fill(counters, DRAW, STAGE, draw)
    for r in range(0, n_rows, STAGE):
        lanes = min(STAGE, n_rows - r)
        for i in range(lanes):
            counters[ROW + i] = row_id(rows, first_row, r + i)
        noise_planes(noise, state, high, low, counters, n, lanes, start, key)
        turn_back(flat, r * n, noise, n, lanes)


@kernel
def fill_long(out, rows, field):
    """Write G(key, row, draw, start + j) to out[r, j], as `fill_short`.

    A quad is the four lanes of one Philox call. Quads of consecutive rows are staged together, so that short rows
    fill the vectors as long ones do.
    """
    key, first_row, draw, start = field
    n = out.shape[1]
    flat = out.reshape(out.size)
    first_quad = start >> np.uint64(2)
    before_first = np.int64(start & np.uint64(3))
    quads_in_row = np.int64(((start + np.uint64(n - 1)) >> np.uint64(2)) - first_quad) + 1
    counters = np.zeros(3 * STAGE, np.uint64)
    block_counters = np.zeros(3 * STAGE, np.uint64)
    fill(counters, DRAW, STAGE, draw)
    fill(block_counters, DRAW, STAGE, draw)
    high = np.zeros(4 * STAGE, np.uint32)
    low = np.zeros(4 * STAGE, np.uint32)
    block_of_quad = np.zeros(STAGE, np.int64)
    block = np.zeros(STAGE, np.uint64)
    place_of_block = np.zeros(STAGE, np.int64)
    minimum = np.ones(STAGE, out.dtype)
    minimum_of_quad = np.ones(STAGE, out.dtype)
    noise = np.ones(4 * STAGE, out.dtype)
    lanes = np.zeros(4 * STAGE, out.dtype)

    r, done = 0, 0  # next row, and how many of its quads are written
    while r < out.shape[0]:
        begin_r, begin_done = r, done
        n_quads, n_blocks = 0, 0
        while n_quads < STAGE and r < out.shape[0]:
            take = min(STAGE - n_quads, quads_in_row - done)
            row = row_id(rows, first_row, r)
            quad = first_quad + np.uint64(done)
            count_up(counters, n_quads, take, quad)
            fill(counters, ROW + n_quads, take, row)
            # place_of_block is where the block's first quad would stand; it may lie before the stage.
            for b in range(quad >> _4, ((quad + np.uint64(take - 1)) >> _4) + _1):
                block[n_blocks] = b
                block_counters[n_blocks] = BLOCK_WORDS | (np.uint64(b) >> _1)
                block_counters[ROW + n_blocks] = row
                place = n_quads + np.int64(np.uint64(b) << _4) - np.int64(quad)
                place_of_block[n_blocks] = place
                for i in range(max(place, n_quads), min(place + 16, n_quads + take)):
                    block_of_quad[i] = n_blocks
                n_blocks += 1
            n_quads += take
            done += take
            if done == quads_in_row:
                r, done = r + 1, 0

        draw_words(high, block_counters, n_blocks, key)
        for i in range(n_blocks):
            odd = np.int64(block[i] & _1) * 2
            low[i] = high[odd * STAGE + i]
            low[STAGE + i] = high[(odd + 1) * STAGE + i]
        for i in range(n_blocks):
            minimum[i] = block_exponential(join(np.uint64(low[STAGE + i]), np.uint64(low[i])))
        for i in range(n_blocks):
            block[i] = winner_lane(np.uint64(low[i]))
        for i in range(n_quads):
            minimum_of_quad[i] = minimum[block_of_quad[i]]

        for i in range(n_quads):
            counters[i] |= HIGH_WORDS
        draw_words(high, counters, n_quads, key)
        if noise.itemsize == 8:
            for i in range(n_quads):
                counters[i] |= LOW_WORDS
            draw_words(low, counters, n_quads, key)
        lane_exponentials(noise, 4 * STAGE, high, low)
        for b in range(n_blocks):
            lane = np.int64(block[b])
            i = place_of_block[b] + (lane >> 2)
            if 0 <= i < n_quads and block_of_quad[i] == b:
                noise[(lane & 3) * STAGE + i] = 0
        raise_by(noise, STAGE, minimum_of_quad)
        gumbels(noise, 4 * STAGE)

        _interleave(lanes, n_quads, noise)
        place = 0
        while place < n_quads:
            take = min(n_quads - place, quads_in_row - begin_done)
            # The first and the last quad of a row may reach over its ends.
            column = 4 * begin_done - before_first
            first, last = max(column, 0), min(column + 4 * take, n)
            _copy(flat, begin_r * n + first, last - first, lanes, 4 * place + first - column)
            place += take
            begin_r, begin_done = begin_r + 1, 0
