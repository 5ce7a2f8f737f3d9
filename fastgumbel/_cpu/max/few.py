"""Gumbel-max of one short row, or of a few."""

import numpy as np

from fastgumbel._cpu.one.max import best_of_row, index_of_row
from fastgumbel._cpu.parameters import Coordinates, Field, Window
from fastgumbel._cpu.stage import coordinates_at
from fastgumbel._law.reduce import LIMIT, NOTHING, put
from fastgumbel._numba.compile import kernel, stage


@kernel
def max_one(x, key, draw, start, temperature):
    """Index of the sample of row 0; -1 if the row is invalid."""
    return index_of_row(x, None, None, Coordinates(key, np.uint64(0), np.uint64(draw), np.uint64(start), temperature))


@kernel
def max_few(x, key, draw, start, temperature, index):
    """Write the index of the sample of each row; whether all rows are valid."""
    for row in range(len(x)):
        coordinates = Coordinates(key, np.uint64(row), np.uint64(draw), np.uint64(start), temperature)
        index[row] = index_of_row(x[row], None, None, coordinates)
        if index[row] < 0:
            return False
    return True


@stage
def _nothing_or_nan(x):
    """What a row without a sample is combined with others as: NaN if it is invalid by itself."""
    for v in x:
        if not np.float64(v) < LIMIT:
            return np.nan
    return NOTHING


@kernel
def max_each(x, field, index, value, window):
    """Gumbel-max of each row of x by itself: for so few rows and draws that they would leave vector slots empty.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with.
    """
    field, window = Field(*field), Window(*window)
    for r in range(len(x)):
        for s in range(window.first_draw, window.last_draw):
            coordinates = coordinates_at(field, r, s)
            if value.size:
                best, arg = best_of_row(x[r], None, None, coordinates)
                if arg < 0:
                    best = _nothing_or_nan(x[r])
                elif coordinates.temperature == 0:
                    # The largest log-potential as it stands: a sum with 0 could change the sign of a zero.
                    best = np.float64(x[r, arg])
            else:
                best, arg = 0.0, index_of_row(x[r], None, None, coordinates)
            put(best, arg, index, value, s, window.row + r, window.column)
