"""Gumbel-max with noise that the caller computed, and combining results that were found apart."""

import numpy as np

from fastgumbel._cpu.parameters import Window
from fastgumbel._cpu.stage import temperature_of
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, put
from fastgumbel._numba.compile import kernel


@kernel
def max_given(x, noise, index, value, window, temperatures):
    """Gumbel-max of each row of x on the noise beside it, one draw.

    `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, which are combined with; it has
    one draw. `temperatures` scale the noise, as those of a `Field`. An item of noise that is -inf excludes its place.
    Returns the place in `noise`, counted through its rows, of the first one that is NaN or +inf; -1 if there is none.
    """
    window = Window(*window)
    for r in range(x.shape[0]):
        temperature = temperature_of(temperatures, r)
        best, arg = NOTHING, NO_INDEX
        for j in range(x.shape[1]):
            g = np.float64(noise[r, j])
            if not g < np.inf:
                return r * x.shape[1] + j
            potential = np.float64(x[r, j]) if g > -np.inf else NOTHING
            if not potential < LIMIT:
                best, arg = np.nan, NO_INDEX
            elif best == best and potential > -LIMIT:
                perturbed = fma(temperature, g, potential)
                if arg == NO_INDEX or beats(perturbed, j, best, arg):
                    best, arg = perturbed, j
        put(best, arg, index, value, window.first_draw, window.row + r, window.column)
    return -1


@kernel
def merge_results(index, value, other_index, other_value, draw, row):
    """Combine results of a few draws (axis 0) of one row into those from [draw, row] on."""
    for s in range(other_index.shape[0]):
        put(other_value[s, 0], other_index[s, 0], index, value, draw + s, row, 0)
