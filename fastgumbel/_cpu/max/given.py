"""Gumbel-max with noise that the caller computed, and combining results that were found apart."""

import numpy as np

from fastgumbel._cpu.parameters import Window
from fastgumbel._cpu.stage import temperature_of
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, put
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.masks import lowest_bit, part_at_least64
from fastgumbel._numba.vector import max_part64

# Perturbed values that are held at a time; and of so many categories each is looked at by itself.
_ROOM = 1024
_FEW = 16


@stage
def _perturb(values, to, x, noise, at, n, temperature):
    """Perturbed values of n items from place `at` on, to values[to:]; how many items of noise are NaN or +inf.

    They are -inf where a place is excluded, and NaN where its log-potential is invalid.
    """
    wrong = 0
    for i in range(n):
        place = np.uint64(at) + np.uint64(i)
        potential, g = np.float64(x[place]), np.float64(noise[place])
        value = fma(temperature, g, potential)
        value = value if potential > -LIMIT else NOTHING
        value = value if potential < LIMIT else np.nan
        values[np.uint64(to) + np.uint64(i)] = value if g > -np.inf else NOTHING
        wrong += not g < np.inf
    return wrong


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


@stage
def _first_wrong(noise, at):
    """The first place from `at` on where noise is NaN or +inf, of which there is one."""
    while noise[at] < np.inf:
        at += 1
    return at


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
    values = np.empty(_ROOM)
    together, width = max(1, _ROOM // n), min(n, _ROOM)
    for first in range(0, n_rows, together):
        rows = min(together, n_rows - first)
        for column in range(0, n, width):
            at, count = first * n + column, min(width, n - column)
            wrong = 0
            if temperatures.size > 1:
                for i in range(rows):
                    temperature = temperatures[first + i]
                    wrong += _perturb(values, i * n, potentials, noises, at + i * n, count, temperature)
            else:
                wrong = _perturb(values, 0, potentials, noises, at, rows * count, temperature_of(temperatures, 0))
            if wrong:
                return _first_wrong(noises, at)
            for i in range(rows):
                best, arg = _best_of(values, i * n, count)
                to_column = window.column + column
                put(best, arg, index, value, window.first_draw, window.row + first + i, to_column)
    return -1


@kernel
def merge_results(index, value, other_index, other_value, draw, row):
    """Combine results of a few draws (axis 0) of one row into those from [draw, row] on."""
    for s in range(other_index.shape[0]):
        put(other_value[s, 0], other_index[s, 0], index, value, draw + s, row, 0)
