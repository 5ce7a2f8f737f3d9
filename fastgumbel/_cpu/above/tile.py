"""A tile of pairs of blocks: of one long row, or of several short ones, so that vectors are full.

A pair, an even block and the odd one after it, shares a Philox call. Rows lie one after the other in a flat array.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_words, fill, first_draw, padded, row_id, temperature_of
from fastgumbel._law.field import BLOCK_RATE, BLOCK_WORDS
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential_floor, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.memory import zeros
from fastgumbel._numba.vector import max64

# Pairs of blocks in a tile.
TILE = 64

# Where a tile has even and odd blocks, and their high words; literals would compile a function anew.
_EVEN, _ODD = np.int64(0), np.int64(TILE)
_EVEN_WORDS, _ODD_WORDS = np.int64(STAGE), np.int64(3 * STAGE)


class Tile(NamedTuple):
    """TILE pairs of blocks, a place each: counters and words; rows, and where in the flat array the first lanes are.

    Temperatures and thresholds are those of the rows; `reached` tells, even blocks first, then odd ones, by 1 or 0
    whether a block may reach its threshold.
    """

    counters: Any
    words: Any
    rows: Any
    firsts: Any
    temperatures: Any
    thresholds: Any
    reached: Any


@maker
def new_tile():
    """A tile, empty."""
    return Tile(
        zeros(3 * STAGE, np.uint64),
        zeros(4 * STAGE, np.uint32),
        zeros(TILE, np.int64),
        zeros(TILE, np.int64),
        zeros(TILE, np.float64),
        zeros(TILE, np.float64),
        zeros(2 * TILE, np.float64),
    )


@stage
def enter_pairs(tile, first, count, shape, field, thresholds, s):
    """Enter `count` pairs from `first` on, counted through the rows of a piece, in draw s of the result.

    `shape` is that of the piece.
    """
    n = shape[1]
    first_pair = field.start >> np.uint64(7)
    pairs = np.int64(((field.start + np.uint64(n - 1)) >> np.uint64(7)) - first_pair) + 1
    skipped = np.int64(field.start & np.uint64(127))
    done = 0
    while done < count:
        r = (first + done) // pairs
        p = first + done - r * pairs
        run = min(count - done, pairs - p)
        fill(tile.counters, ROW + done, run, row_id(field.ids, field.row, r))
        fill(tile.counters, DRAW + done, run, first_draw(field, r) + np.uint64(s))
        fill(tile.rows, done, run, r)
        fill(tile.temperatures, done, run, temperature_of(field.temperatures, r))
        fill(tile.thresholds, done, run, thresholds[min(s, thresholds.shape[0] - 1), min(r, thresholds.shape[1] - 1)])
        index, lane = BLOCK_WORDS | (first_pair + np.uint64(p)), r * n + 128 * p - skipped
        for i in range(run):
            tile.counters[np.uint64(done) + np.uint64(i)] = index + np.uint64(i)
            tile.firsts[np.uint64(done) + np.uint64(i)] = lane + 128 * i
        done += run


@scalar
def _largest(flat, first, begin, end):
    """At least the largest of the 64 items from flat[first] on that are in a row, and of no item outside of it.

    -inf if none is in it, NaN if any is NaN.
    """
    if first + 64 <= begin or first >= end:
        return NOTHING
    if end - begin >= 64:
        # At an end of the row, items of the next block make up the number.
        return np.float64(max64(flat, min(max(first, begin), end - 64)))
    largest = NOTHING
    for j in range(begin, end):
        v = np.float64(flat[j])
        if not v <= largest:
            largest = v
            if v != v:
                return v
    return largest


@stage
def enter_maxima(maxima, at, plane, flat, n, tile, count, faulty):
    """Largest log-potentials of the blocks of a tile: of even ones from maxima[at] on, of odd ones a plane later.

    faulty[:, r] becomes 1 where one is NaN or not below LIMIT.
    """
    i = 0
    while i < count:
        first, begin = tile.firsts[i], tile.rows[i] * n
        end = begin + n
        good = True
        whole = min((end - first) // 128, count - i) if first >= begin else 0
        for j in range(i, i + whole):
            # Stored before the next block is read, as in `block_maxima`.
            even = np.float64(max64(flat, first))
            maxima[at + j] = even
            odd = np.float64(max64(flat, first + 64))
            maxima[plane + at + j] = odd
            good &= even < LIMIT and odd < LIMIT
            first += 128
        if whole == 0:
            even, odd = _largest(flat, first, begin, end), _largest(flat, first + 64, begin, end)
            good = even < LIMIT and odd < LIMIT
            maxima[at + i], maxima[plane + at + i] = even, odd
        if not good:
            faulty[:, tile.rows[i]] = 1
        i += max(whole, 1)


@stage
def _reach(tile, to, maxima, at, high, n):
    """Whether upper bounds of the perturbed values in n blocks are above their thresholds."""
    for i in range(n):
        j = np.uint64(i)
        e = exponential_floor(np.uint64(tile.words[np.uint64(high) + j])) * BLOCK_RATE
        bound = fma(tile.temperatures[j], gumbel_bound(e), maxima[np.uint64(at) + j])
        tile.reached[np.uint64(to) + j] = np.float64(1) if bound > tile.thresholds[j] else np.float64(0)


@stage
def draw_reaching(tile, maxima, at, plane, count, key):
    """Draw the blocks of a tile and tell which may reach their thresholds."""
    draw_words(tile.words, tile.counters, padded(count), key)
    _reach(tile, _EVEN, maxima, at, _EVEN_WORDS, count)
    _reach(tile, _ODD, maxima, plane + at, _ODD_WORDS, count)
    fill(tile.reached, count, TILE - count, 0.0)
    fill(tile.reached, TILE + count, TILE - count, 0.0)
