"""Gumbel-max over long rows: the pruned search.

A block of 64 cannot win where its largest log-potential plus the Gumbel of its smallest exponential stays below the
best value so far. So a row costs one pass for the block maxima, one Philox call for two blocks, and a few opened
blocks. Bounds are float64, above the truth by 0 to 0.06; every decision is made on the exact float64 value.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.blocks import CHUNK, FEW, block_at, block_bounds, block_maxima, lane_bounds, reaching
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.stage import STAGE, coordinates_at, draw_row_words, temperature_of
from fastgumbel._law.field import (
    BLOCK_SHIFT,
    HIGH_WORDS,
    LOW_WORDS,
    block_exponential,
    block_word,
    join,
    lane_half,
    winner_lane,
)
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, floor_of, put, slack_of
from fastgumbel._numba.compile import kernel, scalar, stage
from fastgumbel._numba.masks import at_least64, count_bits, lowest_bit
from fastgumbel._numba.memory import empty, zeros
from fastgumbel._numba.vector import max64

_1 = np.uint64(1)


class _Scratch(NamedTuple):
    """Maxima of the even blocks at hand, and from half on of the odd ones.

    Of a chunk: bounds of its blocks' perturbed values, words, and bounds of the noise of an opened block's lanes.
    """

    maxima: Any
    bounds: Any
    words: Any
    lanes: Any


@scalar
def _try_lane(x, j, best, index, coordinates, category, high, e_block):
    """The better of (best, index) and lane j of the row, exactly; `high` is its high word."""
    low = lane_half(coordinates.key, coordinates.row, coordinates.draw, LOW_WORDS, category)
    potential = np.float64(x[j])
    value = fma(coordinates.temperature, gumbel64(e_block + exponential64(join(high, low))), potential)
    if beats(value, j, best, index) and potential > -LIMIT:
        return value, np.int64(j)
    return best, index


@stage
def _open_block(x, offset, block, largest, best, index, coordinates, scratch):
    """The better of (best, index) and the best of one block, which begins at x[offset]."""
    key, row, draw, _, temperature = coordinates
    words, bounds = scratch.words, scratch.lanes
    w = block_word(key, row, draw, block)
    e_block = block_exponential(w)
    g_block = gumbel64(e_block)
    winner = np.int64(winner_lane(w))
    j = offset + winner
    if 0 <= j < x.size:
        potential = np.float64(x[j])
        value = fma(temperature, g_block, potential)
        if beats(value, j, best, index) and potential > -LIMIT:
            best, index = value, j

    # Other lanes lie below the winner's Gumbel.
    noise = temperature * g_block
    threshold = best - noise - slack_of(best, noise)
    candidates = reaching(x, offset, threshold) & ~(_1 << np.uint64(winner))

    if count_bits(candidates) <= FEW:
        while candidates:
            lane = lowest_bit(candidates)
            candidates &= candidates - _1
            j = offset + lane
            category = (block << BLOCK_SHIFT) | np.uint64(lane)
            high = lane_half(key, row, draw, HIGH_WORDS, category)
            if fma(temperature, gumbel_bound(e_block + exponential_floor(high)), np.float64(x[j])) >= best:
                best, index = _try_lane(x, j, best, index, coordinates, category, high, e_block)
        return best, index

    draw_row_words(words, 16, coordinates, HIGH_WORDS | (block << np.uint64(4)), _1)
    lane_bounds(bounds, words, e_block)
    places = at_least64(bounds, 0, (best - largest - slack_of(best, largest)) / temperature)
    while places:
        place = lowest_bit(places)
        places &= places - _1
        quad, word = place & 15, place >> 4
        lane = np.uint64(4 * quad + word)
        j = offset + np.int64(lane)
        if candidates >> lane & _1 and fma(temperature, bounds[place], np.float64(x[j])) >= best:
            category = (block << BLOCK_SHIFT) | lane
            high = np.uint64(words[word * STAGE + quad])
            best, index = _try_lane(x, j, best, index, coordinates, category, high, e_block)
    return best, index


@stage
def _search_chunk(x, first_pair, pairs, at, best, index, coordinates, scratch):
    """The better of (best, index) and the best of `pairs` pairs of blocks from `first_pair` on.

    Maxima of even blocks lie in the scratch from the place `at` on.
    """
    maxima, bounds, words, _ = scratch
    plane = maxima.size // 2
    padded = block_bounds(bounds, maxima, at, plane, first_pair, pairs, coordinates, words)

    top, top_at = NOTHING, 0
    for parity in range(2):
        for i in range(parity * CHUNK, parity * CHUNK + padded, 64):
            value = max64(bounds, i)
            if value > top:
                top, top_at = value, i
    if top == NOTHING or top < best:
        return best, index
    top_at += lowest_bit(at_least64(bounds, top_at, top))

    place = top_at
    group, parity, mask = 0, 0, np.uint64(0)
    while True:
        odd = place // CHUNK
        pair = place - odd * CHUNK
        block = block_at(place, first_pair)
        offset = np.int64(block << BLOCK_SHIFT) - np.int64(coordinates.start)
        largest = maxima[at + odd * plane + pair]
        best, index = _open_block(x, offset, block, largest, best, index, coordinates, scratch)
        bounds[place] = NOTHING
        # The next block whose bound still reaches the best value.
        mask &= at_least64(bounds, parity * CHUNK + group - 64, best) if group else np.uint64(0)
        while not mask and parity < 2:
            if group == padded:
                group, parity = 0, parity + 1
                continue
            mask = at_least64(bounds, parity * CHUNK + group, best)
            group += 64
        if not mask:
            return best, index
        place = parity * CHUNK + group - 64 + lowest_bit(mask)


@stage
def _first_largest(x, offset, pairs, best, index, scratch):
    """The better of (best, index) and the first largest log-potential in `pairs` pairs of blocks from x[offset] on.

    Without noise, that is the sample.
    """
    maxima = scratch.maxima
    plane = maxima.size // 2
    largest, pair = NOTHING, 0
    for i in range(pairs):
        here = max(maxima[i], maxima[plane + i])
        if here > largest:
            largest, pair = here, i
    if not (largest > -LIMIT and largest > best):
        return best, index
    first = offset + 128 * pair
    mask = reaching(x, first, largest)
    if not mask:
        first += 64
        mask = reaching(x, first, largest)
    return largest, first + lowest_bit(mask)


@kernel
def max_long(x, field, index, value, window):
    """Gumbel-max of each row of x, for long rows.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with.
    """
    field, window = Field(*field), Window(*window)
    start = field.start
    n_rows, n = x.shape
    first_pair = start >> np.uint64(7)
    pairs = np.int64(((start + np.uint64(n - 1)) >> np.uint64(7)) - first_pair) + 1
    # One draw needs the maxima of one chunk at a time; many draws share those of the whole row.
    span = pairs if window.last_draw - window.first_draw > 1 else min(pairs, CHUNK)
    maxima = empty(2 * span, np.float64)
    scratch = _Scratch(maxima, empty(2 * CHUNK, np.float64), zeros(4 * STAGE, np.uint32), empty(64, np.float64))
    for r in range(n_rows):
        line = x[r]
        temperature = temperature_of(field.temperatures, r)
        floor = floor_of(temperature)
        best, arg = floor, NO_INDEX
        for first in range(0, pairs, span):
            here = min(span, pairs - first)
            offset = np.int64((first_pair + np.uint64(first)) << np.uint64(7)) - np.int64(start)
            good = block_maxima(maxima, 0, span, line, offset, here)
            for s in range(window.first_draw, window.last_draw):
                if first == 0:
                    best, arg = floor, NO_INDEX
                if good and temperature == 0:
                    best, arg = _first_largest(line, offset, here, best, arg, scratch)
                elif good:
                    coordinates = coordinates_at(field, r, s)
                    for at in range(0, here, CHUNK):
                        chunk = min(CHUNK, here - at)
                        pair = first_pair + np.uint64(first + at)
                        best, arg = _search_chunk(line, pair, chunk, at, best, arg, coordinates, scratch)
                else:
                    best, arg = np.nan, NO_INDEX
                if first + span >= pairs or not good:
                    put(best, arg, index, value, s, window.row + r, window.column)
            if not good:
                break
