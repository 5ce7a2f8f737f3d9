"""Category ids that stand twice in a row: they name one alternative, that of the largest log-potential."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import kernel, maker, scalar
from fastgumbel._numba.memory import empty

# Multiplier of the hash: 2^64 over the golden ratio.
_HASH = np.uint64(0x9E3779B97F4A7C15)
# From here on, ids are those of empty places.
_EMPTY = np.uint64(2**63)


class _Table(NamedTuple):
    """An open hash table of places by id, of a power of two entries; those of other rows count as free.

    `marks` are the rows that entered last, `places` what they entered.
    """

    marks: Any
    places: Any
    shift: Any


@maker
def _table(n):
    """A table for rows of n places, at most half full."""
    bits = 1
    while 1 << bits < 2 * n:
        bits += 1
    return _Table(np.full(1 << bits, -1), empty(1 << bits, np.int64), np.uint64(64 - bits))


@scalar
def _place_of(table, ids, row, mark, j):
    """The place that the id of place j of a row was entered with, or j, which is then entered."""
    own = ids[row, j]
    slot = np.int64((own * _HASH) >> table.shift)
    while table.marks[slot] == mark:
        other = table.places[slot]
        if ids[row, other] == own:
            return other
        slot = (slot + 1) & (table.marks.size - 1)
    table.marks[slot], table.places[slot] = mark, j
    return np.int64(j)


@kernel
def first_repeat(ids):
    """The first place, counted through the rows, whose id (uint64) its row has before; -1 if there is none."""
    n_rows, n = ids.shape
    table = _table(n)
    for r in range(n_rows):
        ascending = True
        for j in range(1, n):
            ascending &= ids[r, j] > ids[r, j - 1]
        if not ascending:
            for j in range(n):
                if ids[r, j] < _EMPTY and _place_of(table, ids, r, r, j) != j:
                    return r * n + j
    return -1


@kernel
def representatives(x, ids, out):
    """Of each place of x, write to out[row, place] which place of its row stands for its id.

    That is the first with the largest log-potential; a place that is empty, NaN or not below the limit stands for
    itself. `ids` have
    one row for all, or each.
    """
    n_rows, n = x.shape
    table = _table(n)
    for r in range(n_rows):
        own = r if ids.shape[0] > 1 else 0
        for j in range(n):
            out[r, j] = j
            if ids[own, j] < _EMPTY and x[r, j] < LIMIT:
                first = _place_of(table, ids, own, r, j)
                best = out[r, first]
                if x[r, j] > x[r, best]:
                    out[r, first] = j
        for j in range(n):
            if ids[own, j] < _EMPTY and x[r, j] < LIMIT:
                out[r, j] = out[r, _place_of(table, ids, own, r, j)]


@kernel
def any_repeated(ids, index, rows):
    """Whether the id of any of the places index[draw, row] stands twice in its row, for rows from a first to a last.

    `ids` are those of the rows, or of all.
    """
    first_row, last_row = rows
    n_rows, n = ids.shape
    for s in range(index.shape[0]):
        for row in range(first_row, last_row):
            own, c = row - first_row if n_rows > 1 else 0, index[s, row]
            if c >= 0:
                wanted, count = ids[own, c], 0
                for j in range(n):
                    count += ids[own, j] == wanted
                if count > 1:
                    return True
    return False


@kernel
def settle(x, ids, index, first_row):
    """Replace the places index[draw, first_row + r] of x[r, :] by those that stand for their ids."""
    n_rows, n = x.shape
    for r in range(n_rows):
        own = r if ids.shape[0] > 1 else 0
        for s in range(index.shape[0]):
            c = index[s, first_row + r]
            if c >= 0:
                best = -1
                for j in range(n):
                    if ids[own, j] == ids[own, c] and (best < 0 or x[r, j] > x[r, best]):
                        best = j
                index[s, first_row + r] = best
