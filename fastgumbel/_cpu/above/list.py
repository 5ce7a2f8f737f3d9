"""Blocks that may have something above their thresholds, listed until there are enough to open them together."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.above.tile import TILE
from fastgumbel._cpu.stage import DRAW, ROW, STAGE
from fastgumbel._law.field import BLOCK_WORDS, LANE_MASK, block_exponential, join
from fastgumbel._law.ops import fma
from fastgumbel._law.real import gumbel64
from fastgumbel._law.reduce import LIMIT, slack_of
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import at_least64, lowest_bit
from fastgumbel._numba.memory import empty

# So many blocks are opened together, or up to a tile more.
ENOUGH = 128
PLACES = ENOUGH + 2 * TILE

# Of a pair of blocks; literals would compile a function anew.
_EVEN, _ODD = np.int64(0), np.int64(1)
_1 = np.uint64(1)


class Listed(NamedTuple):
    """Listed blocks, a place each.

    Where the block is: its number, row id and draw; rows of the piece, and where in the flat array its lanes begin.
    Words, smallest exponentials, and the Gumbels of these; temperatures, thresholds and largest log-potentials; the
    least log-potential that may be above the threshold; which lanes beside the winner may be, and which lanes are; and
    from 64 times the place on, the values of these.
    """

    blocks: Any
    ids: Any
    draws: Any
    rows: Any
    steps: Any
    firsts: Any
    words: Any
    minima: Any
    noise: Any
    temperatures: Any
    thresholds: Any
    maxima: Any
    least: Any
    candidates: Any
    above: Any
    values: Any


@maker
def new_list():
    """An empty list."""
    return Listed(
        empty(PLACES, np.uint64),
        empty(PLACES, np.uint64),
        empty(PLACES, np.uint64),
        empty(PLACES, np.int64),
        empty(PLACES, np.int64),
        empty(PLACES, np.int64),
        empty(PLACES, np.uint64),
        empty(PLACES, np.float64),
        empty(PLACES, np.float64),
        empty(PLACES, np.float64),
        empty(PLACES, np.float64),
        empty(PLACES, np.float64),
        empty(PLACES, np.float64),
        empty(PLACES, np.uint64),
        empty(PLACES, np.uint64),
        empty(64 * PLACES, np.float64),
    )


@scalar
def _enter(listed, n, tile, i, odd, s):
    """Enter a block of pair i of a tile, but for its maximum, at place n."""
    low = i + 2 * STAGE * odd
    listed.words[n] = join(np.uint64(tile.words[low + STAGE]), np.uint64(tile.words[low]))
    listed.blocks[n] = ((tile.counters[i] ^ BLOCK_WORDS) << _1) | np.uint64(odd)
    listed.ids[n], listed.draws[n] = tile.counters[ROW + i], tile.counters[DRAW + i]
    listed.rows[n], listed.steps[n], listed.firsts[n] = tile.rows[i], s, tile.firsts[i] + 64 * odd
    listed.temperatures[n], listed.thresholds[n] = tile.temperatures[i], tile.thresholds[i]


@stage
def list_reaching(listed, n, tile, maxima, at, plane, s):
    """List the blocks of a tile, in draw s of the result, that may reach their thresholds; how many are then listed."""
    even, odd = at_least64(tile.reached, 0, 1.0), at_least64(tile.reached, TILE, 1.0)
    both = even | odd
    while both:
        i = lowest_bit(both)
        both &= both - _1
        if even >> np.uint64(i) & _1:
            _enter(listed, n, tile, i, _EVEN, s)
            listed.maxima[n] = maxima[at + i]
            n += 1
        if odd >> np.uint64(i) & _1:
            _enter(listed, n, tile, i, _ODD, s)
            listed.maxima[n] = maxima[plane + at + i]
            n += 1
    return n


@stage
def _draw_minima(listed, n):
    """Smallest exponentials and Gumbels of n listed blocks, and the least log-potentials that may be above.

    No lane has more noise than the winner, but for a rounding.
    """
    for k in range(n):
        listed.minima[k] = block_exponential(listed.words[k])
    for k in range(n):
        listed.noise[k] = gumbel64(listed.minima[k])
    for k in range(n):
        threshold, scaled = listed.thresholds[k], listed.temperatures[k] * listed.noise[k]
        listed.least[k] = threshold - scaled - slack_of(threshold, scaled)


@scalar
def _lanes_reaching(flat, first, begin, end, least):
    """Which of the 64 items from flat[first] on that are in a row reach `least`: a mask, first item lowest."""
    least = flat.dtype.type(least)
    if first >= begin and first + 64 <= end:
        return at_least64(flat, first, least)
    mask = np.uint64(0)
    at = min(max(first, 0), flat.size - 64)
    if at >= 0:
        mask = at_least64(flat, at, least)
        mask = mask >> np.uint64(first - at) if first >= at else mask << np.uint64(at - first)
        if first < begin:
            mask &= ~np.uint64(0) << np.uint64(begin - first)
        if first + 64 > end:
            mask &= (_1 << np.uint64(end - first)) - _1
        return mask
    for j in range(max(first, begin), min(first + 64, end)):
        if flat[j] >= least:
            mask |= _1 << np.uint64(j - first)
    return mask


@stage
def decide_winners(flat, n_categories, listed, n):
    """Decide the winner lanes of n listed blocks, and find the other lanes that may be above."""
    _draw_minima(listed, n)
    for k in range(n):
        first, begin = listed.firsts[k], listed.rows[k] * n_categories
        lane = listed.words[k] & LANE_MASK
        mask = _lanes_reaching(flat, first, begin, begin + n_categories, listed.least[k])
        listed.candidates[k] = mask & ~(_1 << lane)
        listed.above[k] = 0
        if mask >> lane & _1:
            potential = np.float64(flat[first + np.int64(lane)])
            value = fma(listed.temperatures[k], listed.noise[k], potential)
            if value > listed.thresholds[k] and potential > -LIMIT:
                listed.above[k] = _1 << lane
                listed.values[64 * k + np.int64(lane)] = value
