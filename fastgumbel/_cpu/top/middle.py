"""The k best of rows of some hundred to some thousand categories: the pruned search, several rows at a time.

As in `max_middle`, but a race begins with the k-th best of its blocks, and lanes that may reach it wait until they are
narrowed down by rough values. Those that are left are decided exactly and offered to a heap.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.blocks import reaching
from fastgumbel._cpu.middle.contenders import (
    enter_winners,
    evaluate,
    flush,
    index_of,
    race_of,
)
from fastgumbel._cpu.middle.planes import (
    ADDED,
    COLUMN,
    LINE,
    MAXIMUM,
    POTENTIAL,
    RESULT_INTEGER,
    SURE,
    TEMPERATURE,
    VALUE,
    WAITING,
)
from fastgumbel._cpu.middle.quads import list_blocks, queue_blocks
from fastgumbel._cpu.middle.races import (
    draw_winners,
    enter_least,
    enter_race_draws,
    enter_reaches,
    enter_rows,
    new_races,
    raise_least,
)
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.stage import STAGE
from fastgumbel._cpu.top.heap import Heap, offer, push, spoil
from fastgumbel._cpu.top.narrow import kth_largest, narrow, new_bounds
from fastgumbel._law.reduce import LIMIT, beats, floor_of
from fastgumbel._numba.compile import kernel, once, stage
from fastgumbel._numba.masks import lowest_bit
from fastgumbel._numba.memory import empty

# Of a race: where its heap lies.
_HEAP = RESULT_INTEGER

# A literal would compile a function anew.
_NONE = np.int64(0)
_1 = np.uint64(1)


class _Heaps(NamedTuple):
    """Heaps of k places each, and what indices of columns count from."""

    values: Any
    indices: Any
    k: Any
    column: Any


@stage
def _begin(races, count, heaps, bounds):
    """Let the first races begin with the k-th best of their blocks, or with the roots of their heaps."""
    reals, room, pairs = races.reals, bounds.by_race, races.pairs
    for race in range(count):
        for i in range(pairs):
            room[i] = reals[np.uint64(SURE + race * pairs) + np.uint64(i)]
            room[pairs + i] = reals[np.uint64(SURE + STAGE + race * pairs) + np.uint64(i)]
        value = max(kth_largest(room, 0, 2 * pairs, heaps.k), floor_of(reals[TEMPERATURE + race]))
        root = heaps.values[races.integers[_HEAP + race]]
        enter_least(reals, race, pairs, root if root > value else value)


@stage
def _raise_roots(races, count, heaps):
    """Raise what matters in the first races to the roots of their heaps."""
    for race in range(count):
        raise_least(races.reals, race, races.pairs, heaps.values[races.integers[_HEAP + race]])


@stage
def _decide(races, first, n, flat, heaps):
    """Offer n lanes that wait from the first on, at most STAGE, to the heaps of their races."""
    values, indices, k, column = heaps
    evaluate(races, first, n, flat)
    for i in range(n):
        at = np.int64(races.integers[_HEAP + race_of(races, first + i)])
        value, index = races.reals[VALUE + i], column + index_of(races, first + i)
        if beats(value, index, values[at], indices[at]) and races.reals[POTENTIAL + i] > -LIMIT:
            push(Heap(values, indices, at, k), value, index)


@stage
def _settle(races, n, count, flat, heaps, bounds):
    """Decide those of n lanes that wait that may be among the best."""
    if 2 * n > 3 * heaps.k * count:
        n = narrow(races, n, count, flat, heaps.k, bounds)
    for first in range(0, n, STAGE):
        _decide(races, first, min(n - first, STAGE), flat, heaps)


@stage
def _make_room(races, n, count, flat, heaps, bounds):
    """Decide n lanes that wait if there is no room for those of another flush; how many wait then."""
    if n <= WAITING - ADDED:
        return n
    _settle(races, n, count, flat, heaps, bounds)
    _raise_roots(races, count, heaps)
    return _NONE


@stage
def _offer_without_noise(x, races, race, heaps):
    """Without noise, the largest log-potentials are the best."""
    values, indices, k, first = heaps
    line, at = x[races.integers[LINE + race]], np.int64(races.integers[_HEAP + race])
    for plane in range(0, 2 * STAGE, STAGE):
        for place in range(plane + race * races.pairs, plane + (race + 1) * races.pairs):
            least = max(values[at], -LIMIT)
            if races.reals[MAXIMUM + place] >= least:
                column = np.int64(races.integers[COLUMN + place])
                mask = reaching(line, column, least)
                while mask:
                    j = column + lowest_bit(mask)
                    mask &= mask - _1
                    if np.float64(line[j]) > -LIMIT:
                        offer(Heap(values, indices, at, k), np.float64(line[j]), first + j)


@once
def _run(x, flat, races, count, heaps, bounds):
    """Offer what may be among the best of each of the first races."""
    n = x.shape[1]
    draw_winners(races, count, flat, n)
    _begin(races, count, heaps, bounds)
    enter_reaches(races, count)
    undecided = enter_winners(races)
    block, blocks = _NONE, list_blocks(races, x, flat)
    while block < blocks:
        block, waiting = queue_blocks(races, block, blocks)
        undecided = _make_room(races, undecided, count, flat, heaps, bounds)
        undecided = flush(races, undecided, waiting, flat, n)
    _settle(races, undecided, count, flat, heaps, bounds)
    for race in range(count):
        temperature = races.reals[TEMPERATURE + race]
        if temperature == 0:
            _offer_without_noise(x, races, race, heaps)
        elif temperature != temperature:
            spoil(Heap(heaps.values, heaps.indices, np.int64(races.integers[_HEAP + race]), heaps.k))


@kernel
def top_middle(x, field, index, value, window):
    """Offer the rows of x, of at most STAGE pairs of blocks each, to the heaps index[s, r, :] and value[s, r, :].

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of the heaps.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat = x.reshape(x.size)
    races = new_races(field.key, field.start, n, empty(0, np.int32))
    heaps = _Heaps(value.reshape(value.size), index.reshape(index.size), k, window.column)
    bounds = new_bounds()
    room = STAGE // races.pairs
    together = min(n_rows, room)
    at_once = min(room // together, window.last_draw - window.first_draw)
    moved = False
    for r in range(0, n_rows, together):
        rows = min(together, n_rows - r)
        moved = enter_rows(races, x, field, r, rows, at_once, moved and rows == together)
        for s in range(window.first_draw, window.last_draw, at_once):
            draws = min(at_once, window.last_draw - s)
            enter_race_draws(races, field, r, rows, s, draws)
            for d in range(draws):
                for i in range(rows):
                    races.integers[_HEAP + d * rows + i] = ((s + d) * all_rows + window.row + r + i) * k
            _run(x, flat, races, draws * rows, heaps, bounds)
