"""The k best of long rows: the pruned search.

The winner lane of each block has the block's largest noise, and most of the k best sit on such lanes. So all of them
are offered first; then the others of a block are looked at only where its largest log-potential plus its largest noise
reaches the k-th best so far. Where a quick bound shows that this is so for few blocks at all, only those are drawn.
"""

import numpy as np

from fastgumbel._kernels.blocks import CHUNK, block_bounds, block_maxima, lane_bounds
from fastgumbel._kernels.compiling import kernel, scalar, stage
from fastgumbel._kernels.field import (
    BLOCK_SHIFT,
    BLOCK_WORDS,
    HIGH_WORDS,
    LOW_WORDS,
    block_exponential,
    block_word,
    join,
    lane_half,
    winner_lane,
)
from fastgumbel._kernels.heap import offer, spoil
from fastgumbel._kernels.real import exp64, exponential64, gumbel64
from fastgumbel._kernels.reduce import NOTHING
from fastgumbel._kernels.simd import at_least64, count_bits, least_of_planes, lowest_bit
from fastgumbel._kernels.stage import STAGE, draw_listed_words, draw_row_words, fill, row_id

# One block that is drawn alone takes the time of so many that are drawn in a row.
_ALONE = 8

# Blocks whose lanes are drawn together: 16 quads each.
_QUEUED = STAGE // 16

_1 = np.uint64(1)
_ROUNDING = np.float64(2.0**-50)
_SLACK = np.float64(2.0**-30)
_WORDS = np.float64(2.0**32)
_EVERY = np.uint64(2**32)
_SPARE = np.float64(2)


@stage
def _winners_of_plane(minima, noise, lanes, to, words, low, n):
    """Smallest exponential, its Gumbel and its lane, of n blocks."""
    for i in range(n):
        j = np.uint64(i)
        e = block_exponential(join(np.uint64(words[np.uint64(low + STAGE) + j]), np.uint64(words[np.uint64(low) + j])))
        minima[np.uint64(to) + j] = e
        noise[np.uint64(to) + j] = gumbel64(e)
        lanes[np.uint64(to) + j] = winner_lane(np.uint64(words[np.uint64(low) + j]))


@scalar
def _reach_of_words(largest, e_block, root):
    """The largest high word with which a lane of a block may reach the root.

    It must wait e <= exp(largest - root) - E_b, and a uniform number is below its exponential one. The exponent has
    all that rounding may add; from 0 on it says nothing.
    """
    exponent = largest - root + ((abs(largest) + abs(root)) * _ROUNDING + _SLACK)
    if not exponent < 0:
        return _EVERY
    reach = (exp64(exponent) - e_block) * _WORDS + _SPARE
    return np.uint64(min(max(reach, np.float64(0)), _WORDS))


@stage
def _queue(queue, queued, block, winner, e_block, largest):
    """Queue a block that may have more than its winner among the best; how many are queued."""
    blocks, winners, minima, tops, _, _, _ = queue
    blocks[queued], winners[queued], minima[queued], tops[queued] = block, winner, e_block, largest
    return queued + 1


@stage
def _open_queued(x, queued, queue, start, coordinates, column, values, indices, at, k):
    """Draw the lanes of the queued blocks and offer those that may be among the best.

    The winners are not among them. Others lie below its Gumbel, and their high words alone rule nearly all of them out.
    """
    key, row, draw = coordinates
    blocks, winners, minima, tops, counters, words, bounds = queue
    for q in range(queued):
        for i in range(16):
            counters[np.uint64(16 * q + i)] = HIGH_WORDS | (blocks[q] << np.uint64(4)) | np.uint64(i)
    draw_listed_words(words, 16 * queued, key, row, draw, counters)
    for q in range(queued):
        block, e_block, largest, root = blocks[q], minima[q], tops[q], values[at]
        if np.uint64(least_of_planes(words, 16 * q, STAGE)) > _reach_of_words(largest, e_block, root):
            continue
        lane_bounds(bounds, words, 16 * q, e_block)
        offset = np.int64(block << BLOCK_SHIFT) - np.int64(start)
        places = at_least64(bounds, 0, root - largest - (abs(root) + abs(largest)) * _ROUNDING)
        while places:
            place = lowest_bit(places)
            places &= places - _1
            quad, word = place & 15, place >> 4
            lane = np.uint64(4 * quad + word)
            j = offset + np.int64(lane)
            if lane != winners[q] and 0 <= j < x.size:
                potential = np.float64(x[j])
                if potential > NOTHING and potential + bounds[place] >= values[at]:
                    low = lane_half(key, row, draw, LOW_WORDS, (block << BLOCK_SHIFT) | lane)
                    high = np.uint64(words[word * STAGE + 16 * q + quad])
                    value = potential + gumbel64(e_block + exponential64(join(high, low)))
                    offer(values, indices, at, k, value, column + j)


@stage
def _search_few(x, start, first_pair, groups, maxima, plane, coordinates, column, values, indices, at, k, scratch):
    """Offer what may be among the best of the blocks whose bounds reach the k-th best; False if that is too many."""
    key, row, draw = coordinates
    bounds, queue = scratch[3:]
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
                largest = maxima[odd * plane + pair]
                if largest + (g + abs(g) * _ROUNDING) >= values[at]:
                    queued = _queue(queue, queued, block, winner_lane(w), e, largest)
                    if queued == _QUEUED:
                        _open_queued(x, queued, queue, start, coordinates, column, values, indices, at, k)
                        queued = 0
    _open_queued(x, queued, queue, start, coordinates, column, values, indices, at, k)
    return True


@stage
def _search_chunk(x, start, first_pair, pairs, maxima, plane, coordinates, column, values, indices, at, k, scratch):
    """Offer what may be among the best of `pairs` pairs of blocks from `first_pair` on."""
    key, row, draw = coordinates
    minima, noise, lanes, bounds, queue = scratch
    words = queue[5]
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
                    pair = place - odd * CHUNK
                    block = ((first_pair + np.uint64(pair)) << _1) | np.uint64(odd)
                    queued = _queue(queue, queued, block, lanes[place], minima[place], maxima[odd * plane + pair])
                    if queued == _QUEUED:
                        _open_queued(x, queued, queue, start, coordinates, column, values, indices, at, k)
                        queued = 0
    _open_queued(x, queued, queue, start, coordinates, column, values, indices, at, k)


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
    # Blocks with their winners, smallest exponentials and largest log-potentials; counters, words and bounds of lanes.
    queue = (
        np.empty(_QUEUED, np.uint64),
        np.empty(_QUEUED, np.uint64),
        np.empty(_QUEUED),
        np.empty(_QUEUED),
        np.zeros(STAGE, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.empty(64),
    )
    # Of a chunk's blocks: smallest exponentials, their Gumbels and lanes, bounds of perturbed values.
    scratch = np.empty(2 * CHUNK), np.empty(2 * CHUNK), np.empty(2 * CHUNK, np.uint64), np.empty(2 * CHUNK), queue
    for r in range(n_rows):
        line = x[r]
        row = row_id(rows, first_row, r)
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
                    _search_chunk(
                        line, start, pair, count, maxima, plane, coordinates, column, values, indices, at, k, scratch
                    )
