"""Many draws of a row, or draws of a long one: running sums of integer weights, and a guide into them.

The guide cuts the range of targets into equal buckets and knows the first category that each can name. There are
several buckets a category, so a step from there is rare, and the expected number of steps is below one whatever the
weights.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.categorical.targets import targets_of
from fastgumbel._cpu.parameters import Coordinates, Field, Window
from fastgumbel._cpu.row import largest_of
from fastgumbel._cpu.stage import STAGE, coordinates_at, draw_next_words, padded, temperature_of
from fastgumbel._law.reduce import LIMIT, NO_INDEX
from fastgumbel._law.weights import DRAW_WORDS, bisect, bit_length, cumulate
from fastgumbel._numba.compile import kernel, maker, stage
from fastgumbel._numba.memory import empty, zeros

# With more categories than so many a draw, it costs less to bisect than to make a guide.
GUIDED = 4
# Buckets of the guide for a category, at least, and where the guide outgrows the cache.
BUCKETS = 4
BUCKETS_LONG = 2
LONG = 2**14

_1 = np.uint64(1)


@stage
def _shift(total, guide):
    """How far a target is shifted to give its bucket; the guide has a power of two of them."""
    return bit_length(total) + _1 - bit_length(np.uint64(guide.size))


@stage
def _guide(guide, sums, total):
    """First category of each bucket that has a target."""
    shift = _shift(total, guide)
    c = np.uint64(0)
    for b in range(np.int64((total - _1) >> shift) + 1):
        while sums[c] <= np.uint64(b) << shift:
            c += _1
        guide[b] = c


@stage
def _build(x, at, n, temperature, sums, guide):
    """Running sums of a row, and the guide if there is room for one; their total, 0 if the row is invalid."""
    largest = np.float64(largest_of(x, at, n))
    if not -LIMIT < largest < LIMIT:
        return np.uint64(0)
    total = cumulate(sums, x, at, n, largest, temperature)
    if guide.size:
        _guide(guide, sums, total)
    return total


@stage
def _look_up(found, targets, n, sums, guide, shift):
    """Categories of n pairs of targets, in the order of the draws."""
    for i in range(n):
        for j in range(2):
            t = targets[np.uint64(j * STAGE) + np.uint64(i)]
            c = np.uint64(guide[t >> shift])
            # Without a branch, as nobody can predict it.
            c += np.uint64(sums[c] <= t)
            while sums[c] <= t:
                c += _1
            found[np.uint64(2) * np.uint64(i) + np.uint64(j)] = c


@stage
def _bisect_all(found, targets, n, sums):
    """As `_look_up`, without a guide."""
    for i in range(n):
        for j in range(2):
            found[2 * i + j] = bisect(sums, sums.size, targets[j * STAGE + i])


class _Table(NamedTuple):
    """Running sums of a row, their guide, which may be empty, and their total, 0 if the row is invalid."""

    sums: Any
    guide: Any
    total: Any


class _Scratch(NamedTuple):
    """Of a stage of pairs of draws: words, targets, categories."""

    words: Any
    targets: Any
    found: Any


@maker
def _scratch():
    return _Scratch(zeros(4 * STAGE, np.uint32), zeros(2 * STAGE, np.uint64), zeros(2 * STAGE, np.int64))


@stage
def _draw(table, coordinates, index, window, scratch):
    """Draws of one row, to index[s, window.row] for the draws of the window; draw 0 is that of the coordinates."""
    sums, guide, total = table
    words, targets, found = scratch
    first_draw, last_draw, to_row, _ = window
    if total == 0:
        for s in range(first_draw, last_draw):
            index[s, to_row] = NO_INDEX
        return
    key, row, draw, start, temperature = coordinates
    begin = draw + np.uint64(first_draw)
    skipped = np.int64(begin & _1)
    shift = _shift(total, guide) if guide.size else np.uint64(0)
    for s in range(first_draw - skipped, last_draw, 2 * STAGE):
        pairs = min(STAGE, (last_draw - s + 1) // 2)
        lanes = padded(pairs)
        pair = Coordinates(key, row, (draw + np.uint64(s)) >> _1, start, temperature)
        draw_next_words(words, lanes, pair, DRAW_WORDS)
        targets_of(targets, words, lanes, total)
        if guide.size:
            _look_up(found, targets, pairs, sums, guide, shift)
        else:
            _bisect_all(found, targets, pairs, sums)
        for i in range(max(first_draw - s, 0), min(last_draw - s, 2 * STAGE)):
            index[s + i, to_row] = found[i]


@kernel
def build(x, field, sums, guide):
    """Running sums and guide of the only row of x, whose `Field` is given; the total, 0 if the row is invalid."""
    temperature = temperature_of(Field(*field).temperatures, 0)
    return _build(x.reshape(x.size), 0, x.size, temperature, sums, guide)


@kernel
def draw_built(table, field, index, window):
    """Draws of one row from its table, (sums, guide, total), to index[s, r].

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of
    `index`.
    """
    _draw(_Table(*table), coordinates_at(Field(*field), 0, 0), index, Window(*window), _scratch())


@kernel
def draw_rows(x, field, index, window, buckets):
    """Draws of each row of x, to index[s, r].

    `x` is a C-contiguous matrix, float32 or float64. `field` is a `Field`; `window` is (first_draw, last_draw, row,
    column), a `Window` of `index`. `buckets` are those of the guide, a power of two, or 0 for none.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    sums, guide = empty(n, np.uint64), empty(buckets, np.uint32)
    scratch = _scratch()
    for r in range(n_rows):
        coordinates = coordinates_at(field, r, 0)
        table = _Table(sums, guide, _build(flat, r * n, n, coordinates.temperature, sums, guide))
        here = Window(window.first_draw, window.last_draw, window.row + r, window.column)
        _draw(table, coordinates, index, here, scratch)
