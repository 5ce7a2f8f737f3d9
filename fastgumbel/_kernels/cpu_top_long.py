"""The k best of long rows: the pruned search.

The winner lane of each block has the block's largest noise, and most of the k best sit on such lanes. So all of them
are offered first; then the others of a block are looked at only where its largest log-potential plus its largest noise
reaches the k-th best so far. Where a quick bound shows that this is so for few blocks at all, only those are drawn.
"""

import numpy as np

from fastgumbel._kernels.blocks import CHUNK, block_bounds, block_maxima, reaching
from fastgumbel._kernels.compiling import kernel, stage
from fastgumbel._kernels.field import (
    BLOCK_SHIFT,
    BLOCK_WORDS,
    HIGH_WORDS,
    block_exponential,
    block_word,
    join,
    lane_exponential,
    winner_lane,
)
from fastgumbel._kernels.heap import offer, spoil
from fastgumbel._kernels.real import exponential_floor, gumbel64, gumbel_bound
from fastgumbel._kernels.reduce import NOTHING
from fastgumbel._kernels.simd import at_least64, count_bits, lowest_bit
from fastgumbel._kernels.stage import DRAW, ROW, STAGE, draw_row_words, draw_words, fill, padded, row_id

# One block that is drawn alone takes the time of so many that are drawn in a row.
_ALONE = 8

_1 = np.uint64(1)
_ROUNDING = np.float64(2.0**-50)


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
def _offer_queued(n, queue, start, coordinates, column, values, indices, at, k):
    """Draw the first n queued lanes together and offer those that may be among the best."""
    counters, words, places, potentials, minima, bounds = queue
    key, row, draw = coordinates
    for i in range(n):
        counters[np.uint64(i)] = HIGH_WORDS | ((start + np.uint64(places[np.uint64(i)])) >> np.uint64(2))
    draw_words(words, counters, padded(n), key)
    # Of the four words of each the one that counts goes to the front, so that the rest is vector code.
    for i in range(n):
        word = (start + np.uint64(places[np.uint64(i)])) & np.uint64(3)
        words[np.uint64(i)] = words[word * np.uint64(STAGE) + np.uint64(i)]
    for i in range(n):
        e = minima[np.uint64(i)] + exponential_floor(np.uint64(words[np.uint64(i)]))
        bounds[np.uint64(i)] = potentials[np.uint64(i)] + gumbel_bound(e)
    fill(bounds, n, STAGE - n, NOTHING)
    for first in range(0, n, 64):
        mask = at_least64(bounds, first, values[at])
        while mask:
            i = first + lowest_bit(mask)
            mask &= mask - _1
            if bounds[i] > NOTHING:
                category = start + np.uint64(places[i])
                value = potentials[i] + gumbel64(minima[i] + lane_exponential(key, row, draw, category))
                offer(values, indices, at, k, value, column + places[i])


@stage
def _queue_rest(x, offset, opened, queued, queue, start, coordinates, column, values, indices, at, k):
    """Queue the lanes of one block, which begins at x[offset], that may be among the best; how many are queued.

    The winner is not among them. Others lie below its Gumbel, and few of them reach the k-th best when they are drawn.
    """
    winner, e_block, g_block = opened
    _, _, places, potentials, minima, _ = queue
    threshold = values[at] - g_block
    threshold -= (abs(values[at]) + abs(g_block)) * _ROUNDING
    candidates = reaching(x, offset, threshold) & ~(_1 << winner)
    while candidates:
        j = np.uint64(offset + lowest_bit(candidates))
        candidates &= candidates - _1
        i = np.uint64(queued)
        places[i], potentials[i], minima[i] = j, x[j], e_block
        queued += 1
        if queued == STAGE:
            _offer_queued(queued, queue, start, coordinates, column, values, indices, at, k)
            queued = 0
    return queued


@stage
def _search_few(x, start, first_pair, groups, maxima, plane, coordinates, column, values, indices, at, k, scratch):
    """Offer what may be among the best of the blocks whose bounds reach the k-th best; False if that is too many."""
    key, row, draw = coordinates
    bounds, queue = scratch[3], scratch[4]
    count = 0
    for odd in range(2):
        for i in range(odd * CHUNK, odd * CHUNK + groups, 64):
            count += count_bits(at_least64(bounds, i, values[at]))
    if count * _ALONE > 2 * groups:
        return False
    queued = 0
    for odd in range(2):
        for i in range(odd * CHUNK, odd * CHUNK + groups, 64):
            mask = at_least64(bounds, i, values[at])
            while mask:
                pair = i - odd * CHUNK + lowest_bit(mask)
                mask &= mask - _1
                block = ((first_pair + np.uint64(pair)) << _1) | np.uint64(odd)
                w = block_word(key, row, draw, block)
                e = block_exponential(w)
                g = gumbel64(e)
                offset = np.int64(block << BLOCK_SHIFT) - np.int64(start)
                j = offset + np.int64(winner_lane(w))
                if 0 <= j < x.size:
                    value = np.float64(x[j]) + g
                    if value > NOTHING:
                        offer(values, indices, at, k, value, column + j)
                # Others of the block may have a rounding error more noise.
                if maxima[odd * plane + pair] + (g + abs(g) * _ROUNDING) >= values[at]:
                    opened = winner_lane(w), e, g
                    queued = _queue_rest(
                        x, offset, opened, queued, queue, start, coordinates, column, values, indices, at, k
                    )
    _offer_queued(queued, queue, start, coordinates, column, values, indices, at, k)
    return True


@stage
def _search_chunk(x, start, first_pair, pairs, maxima, plane, coordinates, column, values, indices, at, k, scratch):
    """Offer what may be among the best of `pairs` pairs of blocks from `first_pair` on."""
    key, row, draw = coordinates
    minima, noise, lanes, bounds, queue = scratch
    words = queue[1]
    if values[at] > NOTHING:
        groups = block_bounds(bounds, maxima, 0, plane, first_pair, pairs, coordinates, words)
        if _search_few(
            x, start, first_pair, groups, maxima, plane, coordinates, column, values, indices, at, k, scratch
        ):
            return
    for i in range(0, pairs, STAGE):
        n = min(STAGE, pairs - i)
        draw_row_words(words, n, key, row, draw, BLOCK_WORDS | (first_pair + np.uint64(i)), _1)
        _winners_of_plane(minima, noise, lanes, i, words, 0, n)
        _winners_of_plane(minima, noise, lanes, CHUNK + i, words, 2 * STAGE, n)
    groups = (pairs + 63) // 64 * 64
    for odd in range(2):
        to = odd * CHUNK
        for i in range(pairs):
            # Others of the block may have a rounding error more noise.
            bounds[to + i] = maxima[odd * plane + i] + (noise[to + i] + abs(noise[to + i]) * _ROUNDING)
        fill(bounds, to + pairs, groups - pairs, NOTHING)
    first = np.int64(first_pair << np.uint64(7)) - np.int64(start)

    for odd in range(2):
        for i in range(odd * CHUNK, odd * CHUNK + groups, 64):
            mask = at_least64(bounds, i, values[at])
            while mask:
                place = i + lowest_bit(mask)
                mask &= mask - _1
                # While the root is empty, places reach it that are no blocks.
                if bounds[place] == NOTHING:
                    continue
                j = first + 128 * (place - odd * CHUNK) + 64 * odd + np.int64(lanes[place])
                if 0 <= j < x.size:
                    value = np.float64(x[j]) + noise[place]
                    if value > NOTHING:
                        offer(values, indices, at, k, value, column + j)

    queued = 0
    for odd in range(2):
        for i in range(odd * CHUNK, odd * CHUNK + groups, 64):
            mask = at_least64(bounds, i, values[at])
            while mask:
                place = i + lowest_bit(mask)
                mask &= mask - _1
                # The root may have risen since the mask was made.
                if bounds[place] > NOTHING and bounds[place] >= values[at]:
                    offset = first + 128 * (place - odd * CHUNK) + 64 * odd
                    opened = lanes[place], minima[place], noise[place]
                    queued = _queue_rest(
                        x, offset, opened, queued, queue, start, coordinates, column, values, indices, at, k
                    )
    _offer_queued(queued, queue, start, coordinates, column, values, indices, at, k)


@kernel
def top_long(x, rows, field, index, value, place):
    """Offer the rows of x to the heaps index[s, r, :] and value[s, r, :]; arguments as in `max_long`."""
    key, first_row, draw, start = field
    first_draw, last_draw, to_row, column = place
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    values, indices = value.reshape(value.size), index.reshape(index.size)
    first_pair = start >> np.uint64(7)
    pairs = np.int64(((start + np.uint64(n - 1)) >> np.uint64(7)) - first_pair) + 1
    maxima = np.empty(2 * min(pairs, CHUNK))
    plane = maxima.size // 2
    queue = (
        np.zeros(3 * STAGE, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.zeros(STAGE, np.int64),
        np.zeros(STAGE),
        np.zeros(STAGE),
        np.zeros(STAGE),
    )
    # Of a chunk's blocks: smallest exponentials, their Gumbels and lanes, bounds of perturbed values.
    scratch = np.empty(2 * CHUNK), np.empty(2 * CHUNK), np.empty(2 * CHUNK, np.uint64), np.empty(2 * CHUNK), queue
    for r in range(n_rows):
        line = x[r]
        row = row_id(rows, first_row, r)
        fill(queue[0], ROW, STAGE, row)
        for done in range(0, pairs, CHUNK):
            count = min(CHUNK, pairs - done)
            pair = first_pair + np.uint64(done)
            good = block_maxima(maxima, plane, line, np.int64(pair << np.uint64(7)) - np.int64(start), count)
            for s in range(first_draw, last_draw):
                at = (s * all_rows + to_row + r) * k
                if not good:
                    spoil(values, indices, at, k)
                elif values[at] == values[at]:
                    coordinates = key, row, draw + np.uint64(s)
                    fill(queue[0], DRAW, STAGE, draw + np.uint64(s))
                    _search_chunk(
                        line, start, pair, count, maxima, plane, coordinates, column, values, indices, at, k, scratch
                    )
