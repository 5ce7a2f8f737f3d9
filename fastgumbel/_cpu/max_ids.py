"""Gumbel-max over rows whose categories have ids in any order, of which none is far from all others.

A row is written out with each log-potential at its id, so that blocks can be drawn once and pruned. Of the places of an
id the first of the largest stands for it, and the others do not appear.
"""

import numpy as np

from fastgumbel._cpu.max_middle import new_search, rows_together, search_rows
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.stage import STAGE, rows_of_field
from fastgumbel._law.reduce import NO_INDEX, put
from fastgumbel._numba.compile import kernel, stage

# A row is written out to so many times its length at most, as each block takes the time of some ids.
_SPARSEST = 8
# From here on, ids are those of empty places.
_EMPTY = np.uint64(2**63)
_1 = np.uint64(1)


@stage
def _ascending(ids):
    """How many ids a row has before the empty places at its end, if they ascend; -1 if they do not."""
    n = ids.size
    while n and ids[n - 1] >= _EMPTY:
        n -= 1
    # Its sign tells whether any step was below 1: ids are below 2^32, but for those of empty places.
    signs = np.int64(0)
    for j in range(n - 1):
        signs |= np.int64(ids[j + 1] - ids[j]) - 1
    return n if signs >= 0 else -1


@stage
def _span(ids, counts):
    """The least id, and how many there are from it to the largest, 0 if there is none; and to `counts` what ascends."""
    least, most = _EMPTY, np.uint64(0)
    for r in range(ids.shape[0]):
        own = ids[r]
        counts[r] = n = _ascending(own)
        if n > 0:
            least, most = min(least, own[0]), max(most, own[n - 1])
        elif n < 0:
            for j in range(own.size):
                least = min(least, own[j])
                most = max(most, own[j]) if own[j] < _EMPTY else most
    return least, np.int64(most - least) + 1 if least < _EMPTY else 0


@stage
def _clear(line):
    for j in range(line.size):
        line[j] = -np.inf


@stage
def _write_ascending(line, x, ids, n, first):
    """Write log-potentials of a row to where its n ids, which ascend, are from `first` on."""
    _clear(line)
    for j in range(n):
        line[ids[j] - first] = x[j]


@stage
def _write_any(line, home, x, ids, first):
    """Write log-potentials of a row to where their ids are, from `first` on, and to `home` whose they are."""
    _clear(line)
    for j in range(x.size):
        if ids[j] < _EMPTY:
            at = ids[j] - first
            # Also where it is NaN, which makes the row invalid.
            if not x[j] <= line[at]:
                line[at], home[at] = x[j], j


@stage
def _place_of(ids, n, id_):
    """The place of one of n ids that ascend."""
    at = 0
    while n > 1:
        half = n // 2
        at += half if ids[at + half] <= id_ else 0
        n -= half
    return at


@kernel
def max_ids(x, field, index, value, window, ids):
    """Gumbel-max of each row of x, whose categories have ids: one row of them for all, or each.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with. False, and
    nothing written, if the ids are too far apart.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    counts = np.empty(ids.shape[0], np.int64)
    first, span = _span(ids, counts)
    if not 0 < span <= min(_SPARSEST * n, 128 * STAGE - 128):
        return False
    draw, n_draws = field.draw + np.uint64(window.first_draw), window.last_draw - window.first_draw
    field = Field(field.ids, field.key, field.row, draw, first, field.draws, field.temperatures)
    step, ascending = min(rows_together(first, span), n_rows), counts.min() >= 0
    lines, homes = np.empty((step, span), x.dtype), np.empty((0 if ascending else step, span), np.int32)
    search = new_search(field.key, first, span, homes.reshape(homes.size))
    indices, values = np.empty((n_draws, step), np.int64), np.empty((n_draws, step))
    for r in range(0, n_rows, step):
        rows = min(step, n_rows - r)
        for i in range(rows):
            own = min(r + i, ids.shape[0] - 1)
            if ascending:
                _write_ascending(lines[i], x[r + i], ids[own], counts[own], first)
            else:
                _write_any(lines[i], homes[i], x[r + i], ids[own], first)
        indices[:], values[:] = NO_INDEX, -np.inf
        search_rows(lines[:rows], rows_of_field(field, r, r + rows), indices, values, Window(0, n_draws, 0, 0), search)
        for s in range(n_draws):
            for i in range(rows):
                arg, own = indices[s, i], min(r + i, ids.shape[0] - 1)
                if arg >= 0 and ascending:
                    arg = _place_of(ids[own], counts[own], first + np.uint64(arg))
                put(values[s, i], arg, index, value, window.first_draw + s, window.row + r + i, window.column)
    return True
