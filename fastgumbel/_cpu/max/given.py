"""Gumbel-max with noise that the caller computed, and combining results that were found apart."""

import numpy as np

from fastgumbel._cpu.parameters import Window
from fastgumbel._cpu.precomputed import ROOM, first_wrong, perturb
from fastgumbel._law.reduce import NO_INDEX, NOTHING, put
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.masks import lowest_bit, part_at_least64
from fastgumbel._numba.memory import empty
from fastgumbel._numba.vector import max_part64

# Of so many categories each is looked at by itself.
_FEW = 16


@stage
def _best_of(values, at, n):
    """The first largest of n values from place `at` on, and its index; NaN if any is NaN."""
    best, arg = NOTHING, NO_INDEX
    if n < _FEW:
        for j in range(n):
            value = values[at + j]
            if value != value:
                return value, NO_INDEX
            if value > best:
                best, arg = value, j
        return best, arg
    for j in range(0, n, 64):
        largest = max_part64(values, at + j, 0, min(n - j, 64))
        if largest != largest:
            return largest, NO_INDEX
        if largest > best:
            best, arg = largest, j
    if arg != NO_INDEX:
        arg += lowest_bit(part_at_least64(values, at + arg, 0, min(n - arg, 64), best))
    return best, arg


@kernel
def max_given(x, noise, index, value, window, temperatures):
    """Gumbel-max of each row of x on the noise beside it, one draw.

    `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, which are combined with; it has
    one draw. `temperatures` scale the noise, as those of a `Field`. An item of noise that is -inf excludes its place.
    Returns the place in `noise`, counted through its rows, of the first one that is NaN or +inf; -1 if there is none.
    """
    window = Window(*window)
    n_rows, n = x.shape
    potentials, noises = x.reshape(x.size), noise.reshape(noise.size)
    # Rows go together, or one in parts.
    values = empty(ROOM, np.float64)
    together, width = max(1, ROOM // n), min(n, ROOM)
    for first in range(0, n_rows, together):
        rows = min(together, n_rows - first)
        for column in range(0, n, width):
            at, count = first * n + column, min(width, n - column)
            if perturb(values, potentials, noises, at, rows, count, temperatures, first):
                return first_wrong(noises, at)
            for i in range(rows):
                best, arg = _best_of(values, i * count, count)
                put(best, arg, index, value, window.first_draw, window.row + first + i, window.column + column)
    return -1


@kernel
def merge_results(index, value, other_index, other_value, draw, row):
    """Combine results of a few draws (axis 0) of one row into those from [draw, row] on."""
    for s in range(other_index.shape[0]):
        put(other_value[s, 0], other_index[s, 0], index, value, draw + s, row, 0)
