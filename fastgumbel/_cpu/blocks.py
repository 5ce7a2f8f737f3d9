"""What the pruned searches share: of each block of 64 categories the largest log-potential and a bound; its lanes."""

import numpy as np

from fastgumbel._cpu.stage import STAGE, draw_row_words, fill
from fastgumbel._law.field import BLOCK_RATE, BLOCK_WORDS
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential_floor, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.masks import at_least64, part_at_least64
from fastgumbel._numba.vector import max64, max_part64

# Pairs of blocks (an even block and the odd one after it share a Philox call) that are searched at a time.
CHUNK = 1024
# An opened block with at most so many candidate lanes draws them one by one.
FEW = 6

_1 = np.uint64(1)


@scalar
def _partial_max(x, offset):
    """Largest of 64 items from x[offset] on, clipped to the row; -inf if none is in it, NaN if any is NaN."""
    return np.float64(max_part64(x, offset, max(-offset, 0), min(x.size - offset, 64)))


@stage
def block_maxima(out, at, plane, x, offset, pairs):
    """Maxima of even blocks to out[at:], of odd ones a plane later; False if any is NaN or not below LIMIT.

    The first even block begins at x[offset]; blocks may reach over the ends of the row.
    """
    good = True
    for i in range(pairs):
        first = offset + 128 * i
        whole = first >= 0 and first + 128 <= x.size
        # Stored before the next block is read: where blocks are read in another order, processors read ahead badly.
        even = np.float64(max64(x, first)) if whole else _partial_max(x, first)
        out[at + i] = even
        odd = np.float64(max64(x, first + 64)) if whole else _partial_max(x, first + 64)
        out[at + plane + i] = odd
        good &= even < LIMIT and odd < LIMIT
    return good


@scalar
def block_at(place, first_pair):
    """The block at a place of two halves: even blocks from `first_pair` on, odd ones from CHUNK on."""
    odd = place // CHUNK
    return ((first_pair + np.uint64(place - odd * CHUNK)) << _1) | np.uint64(odd)


@stage
def _bounds_of_plane(bounds, to, maxima, at, words, high, n, temperature):
    """Upper bounds of perturbed values: block maximum plus a bound of the Gumbel on its high word, scaled."""
    for i in range(n):
        j = np.uint64(i)
        e = exponential_floor(np.uint64(words[np.uint64(high) + j])) * BLOCK_RATE
        bounds[np.uint64(to) + j] = fma(temperature, gumbel_bound(e), maxima[np.uint64(at) + j])


@stage
def block_bounds(bounds, maxima, at, plane, first_pair, pairs, coordinates, words):
    """Upper bounds of the perturbed values in `pairs` pairs of blocks: even ones first, odd ones from CHUNK on.

    The maxima lie at maxima[at] and, of odd ones, a plane later. Returns `pairs` rounded up to groups of 64, as which
    both halves are filled up with -inf.
    """
    temperature = coordinates.temperature
    for i in range(0, pairs, STAGE):
        n = min(STAGE, pairs - i)
        draw_row_words(words, n, coordinates, BLOCK_WORDS | (first_pair + np.uint64(i)), _1)
        _bounds_of_plane(bounds, i, maxima, at + i, words, STAGE, n, temperature)
        _bounds_of_plane(bounds, CHUNK + i, maxima, plane + at + i, words, 3 * STAGE, n, temperature)
    groups = (pairs + 63) // 64 * 64
    fill(bounds, pairs, groups - pairs, NOTHING)
    fill(bounds, CHUNK + pairs, groups - pairs, NOTHING)
    return groups


@stage
def reaching(x, offset, threshold):
    """Which of 64 items from x[offset] on, clipped to the row, reach a threshold: a mask, first item lowest."""
    if offset >= 0 and offset + 64 <= x.size:
        return at_least64(x, offset, x.dtype.type(threshold))
    first, last = max(-offset, 0), min(x.size - offset, 64)
    return part_at_least64(x, offset, first, last, x.dtype.type(threshold))


@stage
def lane_bounds(out, words, e_block):
    """Bounds of the Gumbels of a block's lanes from the high words of its 16 quads; lane 4 i + j in place 16 j + i."""
    for j in range(4):
        for i in range(16):
            out[16 * j + i] = gumbel_bound(e_block + exponential_floor(np.uint64(words[STAGE * j + i])))
