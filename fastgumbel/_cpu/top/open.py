"""The k best of long rows: opening the blocks that may have more than their winner among the best.

Others of a block lie below its winner's Gumbel, and few reach the k-th best: of some thousand that could, only three.
So what is asked of each comes in the order of its price. A lane can only reach the k-th best where its log-potential
plus the winner's Gumbel does; the others are not drawn, but for those that share their Philox call. And the high word
of a lane alone tells that nearly every one of those waits too long.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.blocks import CHUNK, block_at, reaching
from fastgumbel._cpu.stage import STAGE, draw_listed_words, padded
from fastgumbel._cpu.top.heap import offer
from fastgumbel._cpu.word_limits import word_limit
from fastgumbel._law.field import BLOCK_SHIFT, HIGH_WORDS, LOW_WORDS, join, lane_half
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._law.reduce import LIMIT, floor_of, slack_of
from fastgumbel._numba.compile import maker, stage
from fastgumbel._numba.masks import any_at_most64, lowest_bit
from fastgumbel._numba.memory import empty, zeros
from fastgumbel._numba.vector import prefetch64

# The log-potentials of so many blocks are asked for ahead.
_AHEAD = 8

_1 = np.uint64(1)
_QUADS = np.uint64(0x1111111111111111)


class TopScratch(NamedTuple):
    """Scratch of the search for the k best.

    Of the blocks of a chunk, even ones first: largest log-potentials, smallest exponentials, their Gumbels and lanes,
    bounds of all perturbed values, perturbed values of the winners, and places that are listed. Of queued quads of
    lanes: indices, places of their blocks, and largest high words that matter. Words of whatever is drawn.
    """

    maxima: Any
    minima: Any
    noise: Any
    lanes: Any
    bounds: Any
    results: Any
    listed: Any
    quads: Any
    owners: Any
    limits: Any
    words: Any


@maker
def top_scratch():
    """Scratch for chunks of CHUNK pairs of blocks."""
    return TopScratch(
        empty(2 * CHUNK, np.float64),
        empty(2 * CHUNK, np.float64),
        empty(2 * CHUNK, np.float64),
        empty(2 * CHUNK, np.uint64),
        empty(2 * CHUNK, np.float64),
        empty(2 * CHUNK, np.float64),
        empty(2 * CHUNK, np.int64),
        zeros(STAGE, np.uint64),
        empty(STAGE, np.int64),
        zeros(STAGE, np.uint32),
        zeros(4 * STAGE, np.uint32),
    )


@stage
def _try_quads(x, n, coordinates, column, heap, scratch):
    """Draw n queued quads of lanes together and offer those lanes that may be among the best."""
    key, row, draw, start, temperature = coordinates
    minima, lanes = scratch.minima, scratch.lanes
    quads, owners, limits, words = scratch.quads, scratch.owners, scratch.limits, scratch.words
    values, at = heap.values, heap.at
    draw_listed_words(words, padded(n), coordinates, quads)
    for first in range(0, n, 64):
        mask = any_at_most64(words, first, STAGE, limits)
        if n - first < 64:
            mask &= (_1 << np.uint64(n - first)) - _1
        while mask:
            i = first + lowest_bit(mask)
            mask &= mask - _1
            owner = owners[i]
            for word in range(4):
                high = words[word * STAGE + i]
                if high > limits[i]:
                    continue
                category = ((quads[i] ^ HIGH_WORDS) << np.uint64(2)) | np.uint64(word)
                j = np.int64(category) - np.int64(start)
                if 0 <= j < x.size and category & np.uint64(63) != lanes[owner]:
                    potential = np.float64(x[j])
                    bound = gumbel_bound(minima[owner] + exponential_floor(np.uint64(high)))
                    if potential > -LIMIT and fma(temperature, bound, potential) >= values[at]:
                        low = lane_half(key, row, draw, LOW_WORDS, category)
                        e = minima[owner] + exponential64(join(np.uint64(high), low))
                        offer(heap, fma(temperature, gumbel64(e), potential), column + j)


@stage
def open_blocks(x, n, first_pair, coordinates, column, heap, scratch):
    """Offer what the first n listed blocks have besides their winners; indices count from `column`."""
    maxima, minima, noise, lanes, bounds = scratch.maxima, scratch.minima, scratch.noise, scratch.lanes, scratch.bounds
    blocks, quads, owners, limits = scratch.listed, scratch.quads, scratch.owners, scratch.limits
    start, temperature = coordinates.start, coordinates.temperature
    values, at = heap.values, heap.at
    floor = floor_of(temperature)
    queued = 0
    for b in range(n):
        later = block_at(blocks[min(b + _AHEAD, n - 1)], first_pair)
        prefetch64(x, np.int64(later << BLOCK_SHIFT) - np.int64(start))
        place = blocks[b]
        # The root may have risen since the block was listed.
        root = max(values[at], floor)
        if bounds[place] < root:
            continue
        block = block_at(place, first_pair)
        gap = (maxima[place] - root + slack_of(maxima[place], root)) / temperature
        limit = word_limit(np.float32(gap), np.float32(minima[place]))
        scaled = temperature * noise[place]
        threshold = root - scaled - slack_of(root, scaled)
        mask = reaching(x, np.int64(block << BLOCK_SHIFT) - np.int64(start), threshold) & ~(_1 << lanes[place])
        mask |= mask >> np.uint64(2)
        mask = (mask | mask >> _1) & _QUADS
        while mask:
            quads[queued] = HIGH_WORDS | (block << np.uint64(4)) | np.uint64(lowest_bit(mask) >> 2)
            owners[queued], limits[queued] = place, limit
            mask &= mask - _1
            queued += 1
        if queued > STAGE - 16:
            _try_quads(x, queued, coordinates, column, heap, scratch)
            queued = 0
    _try_quads(x, queued, coordinates, column, heap, scratch)
