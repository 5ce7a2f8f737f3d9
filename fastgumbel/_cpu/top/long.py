"""The k best of long rows: the pruned search.

The winner lane of each block has the block's largest noise, and most of the k best sit on such lanes. So all of them
are looked at first; then the others of a block only where its largest log-potential plus its largest noise reaches the
k-th best so far. Where a quick bound shows that this is so for few blocks at all, only those are drawn.
"""

import numpy as np

from fastgumbel._cpu.blocks import CHUNK, block_at, block_bounds, block_maxima, reaching
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.stage import STAGE, coordinates_at, draw_row_words, fill, temperature_of
from fastgumbel._cpu.top.heap import Heap, offer, spoil
from fastgumbel._cpu.top.open import open_blocks, top_scratch
from fastgumbel._cpu.top.threshold import count_reaching, threshold_of
from fastgumbel._law.field import BLOCK_SHIFT, BLOCK_WORDS, block_exponential, block_word, join, winner_lane
from fastgumbel._law.ops import fma
from fastgumbel._law.real import gumbel64
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import kernel, scalar, stage
from fastgumbel._numba.masks import at_least64, lowest_bit

# One block that is drawn alone takes the time of so many that are drawn in a row.
_ALONE = 8

_1 = np.uint64(1)
_ROUNDING = np.float64(2.0**-50)


@scalar
def _bound(largest, g, temperature):
    """Upper bound of a block's perturbed values; others may have a rounding error more noise than the winner."""
    return fma(temperature, g + abs(g) * _ROUNDING, largest)


@stage
def _winners_of_plane(minima, noise, lanes, to, words, low, n):
    """Smallest exponential, its Gumbel and its lane, of n blocks."""
    for i in range(n):
        j = np.uint64(i)
        e = block_exponential(join(np.uint64(words[np.uint64(low + STAGE) + j]), np.uint64(words[np.uint64(low) + j])))
        minima[np.uint64(to) + j] = e
        noise[np.uint64(to) + j] = gumbel64(e)
        lanes[np.uint64(to) + j] = winner_lane(np.uint64(words[np.uint64(low) + j]))


@stage
def _list_reaching(listed, results, groups, threshold):
    """List the places of two halves of results that reach a threshold; how many do."""
    n = 0
    for odd in range(2):
        for i in range(odd * CHUNK, odd * CHUNK + groups, 64):
            mask = at_least64(results, i, threshold)
            while mask:
                listed[n] = i + lowest_bit(mask)
                mask &= mask - _1
                n += 1
    return n


@stage
def _draw_all(scratch, first_pair, pairs, coordinates):
    """Draw `pairs` pairs of blocks: their winners, and upper bounds of their perturbed values."""
    minima, noise, lanes, words = scratch.minima, scratch.noise, scratch.lanes, scratch.words
    for i in range(0, pairs, STAGE):
        n = min(STAGE, pairs - i)
        draw_row_words(words, n, coordinates, BLOCK_WORDS | (first_pair + np.uint64(i)), _1)
        _winners_of_plane(minima, noise, lanes, i, words, 0, n)
        _winners_of_plane(minima, noise, lanes, CHUNK + i, words, 2 * STAGE, n)
    maxima, bounds = scratch.maxima, scratch.bounds
    for odd in range(2):
        to = odd * CHUNK
        for i in range(pairs):
            bounds[to + i] = _bound(maxima[to + i], noise[to + i], coordinates.temperature)


@stage
def _winning_values(results, x, first, pairs, temperature, scratch):
    """Perturbed values of the winners; -inf where they are excluded, or outside of the row."""
    noise, lanes = scratch.noise, scratch.lanes
    for odd in range(2):
        to = odd * CHUNK
        for i in range(pairs):
            j = first + 128 * i + 64 * odd + np.int64(lanes[to + i])
            inside = 0 <= j < x.size
            potential = np.float64(x[np.uint64(j if inside else 0)])
            value = fma(temperature, noise[to + i], potential)
            results[to + i] = value if inside and potential > -LIMIT else NOTHING


@stage
def _draw_listed(x, n, first_pair, coordinates, column, heap, scratch):
    """Draw the first n listed blocks, tighten their bounds and offer their winners."""
    key, row, draw, start, temperature = coordinates
    minima, noise, lanes = scratch.minima, scratch.noise, scratch.lanes
    maxima, bounds, listed = scratch.maxima, scratch.bounds, scratch.listed
    for i in range(n):
        place = listed[i]
        block = block_at(place, first_pair)
        w = block_word(key, row, draw, block)
        e = block_exponential(w)
        g = gumbel64(e)
        minima[place], noise[place], lanes[place] = e, g, winner_lane(w)
        bounds[place] = _bound(maxima[place], g, temperature)
        j = np.int64((block << BLOCK_SHIFT) | lanes[place]) - np.int64(start)
        if 0 <= j < x.size:
            potential = np.float64(x[j])
            if potential > -LIMIT:
                offer(heap, fma(temperature, g, potential), column + j)


@stage
def _search_chunk(x, first_pair, pairs, coordinates, column, heap, scratch):
    """Offer what may be among the best of `pairs` pairs of blocks from `first_pair` on; indices count from `column`."""
    maxima, lanes, bounds = scratch.maxima, scratch.lanes, scratch.bounds
    results, listed, words = scratch.results, scratch.listed, scratch.words
    start, temperature = coordinates.start, coordinates.temperature
    values, at, k = heap.values, heap.at, heap.k
    groups = (pairs + 63) // 64 * 64
    few = False
    if values[at] > NOTHING:
        block_bounds(bounds, maxima, 0, CHUNK, first_pair, pairs, coordinates, words)
        few = count_reaching(bounds, 0, groups, 2, values[at]) * _ALONE <= 2 * groups
    if few:
        n = _list_reaching(listed, bounds, groups, values[at])
        _draw_listed(x, n, first_pair, coordinates, column, heap, scratch)
    else:
        _draw_all(scratch, first_pair, pairs, coordinates)
        _winning_values(results, x, np.int64(first_pair << np.uint64(7)) - np.int64(start), pairs, temperature, scratch)
        for odd in range(2):
            fill(bounds, odd * CHUNK + pairs, groups - pairs, NOTHING)
            fill(results, odd * CHUNK + pairs, groups - pairs, NOTHING)
        threshold = threshold_of(results, 0, groups, 2, k, values[at], temperature)
        n = _list_reaching(listed, results, groups, threshold)
        for i in range(n):
            place = listed[i]
            value = results[place]
            if value > NOTHING:
                j = np.int64((block_at(place, first_pair) << BLOCK_SHIFT) | lanes[place]) - np.int64(start)
                offer(heap, value, column + j)
        n = _list_reaching(listed, bounds, groups, values[at])
    open_blocks(x, n, first_pair, coordinates, column, heap, scratch)


@stage
def _offer_without_noise(x, offset, pairs, column, heap, scratch):
    """Offer the log-potentials of `pairs` pairs of blocks from x[offset] on; indices count from `column`."""
    for i in range(pairs):
        for odd in range(2):
            root = max(heap.values[heap.at], -LIMIT)
            if scratch.maxima[odd * CHUNK + i] >= root:
                first = offset + 128 * i + 64 * odd
                mask = reaching(x, first, root)
                while mask:
                    j = first + lowest_bit(mask)
                    mask &= mask - _1
                    potential = np.float64(x[j])
                    if potential > -LIMIT:
                        offer(heap, potential, column + j)


@kernel
def top_long(x, field, index, value, window):
    """Offer the rows of x to the heaps index[s, r, :] and value[s, r, :].

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of the heaps.
    """
    field, window = Field(*field), Window(*window)
    start = field.start
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    values, indices = value.reshape(value.size), index.reshape(index.size)
    first_pair = start >> np.uint64(7)
    pairs = np.int64(((start + np.uint64(n - 1)) >> np.uint64(7)) - first_pair) + 1
    scratch = top_scratch()
    for r in range(n_rows):
        line = x[r]
        temperature = temperature_of(field.temperatures, r)
        for done in range(0, pairs, CHUNK):
            count = min(CHUNK, pairs - done)
            pair = first_pair + np.uint64(done)
            offset = np.int64(pair << np.uint64(7)) - np.int64(start)
            good = block_maxima(scratch.maxima, 0, CHUNK, line, offset, count)
            for s in range(window.first_draw, window.last_draw):
                heap = Heap(values, indices, (s * all_rows + window.row + r) * k, k)
                if not good:
                    spoil(heap)
                elif values[heap.at] == values[heap.at] and temperature == 0:
                    _offer_without_noise(line, offset, count, window.column, heap, scratch)
                elif values[heap.at] == values[heap.at]:
                    coordinates = coordinates_at(field, r, s)
                    _search_chunk(line, pair, count, coordinates, window.column, heap, scratch)
