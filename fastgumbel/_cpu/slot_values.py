"""Exact perturbed values of short rows as vector slots."""

import numpy as np

from fastgumbel._cpu.slots import enter_temperatures, repeat
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import stage


@stage
def temper(temperatures, by_row, r, rows, copies):
    """Temperatures of rows from r on, in all their slots; planes of 1 stay as they are where `by_row` is empty."""
    if by_row.size:
        enter_temperatures(temperatures, by_row, r, rows)
        repeat(temperatures, 1, rows, copies)


@stage
def perturb_plane(values, to, faults, temperatures, potentials, noise, at, slots):
    """Perturbed values of a category, whose plane begins at `at`, to values[to:]; -inf where it is excluded.

    faults[i] becomes NaN where the log-potential of slot i is invalid. Noise of -inf excludes.
    """
    for i in range(slots):
        place = np.uint64(at) + np.uint64(i)
        potential, g = np.float64(potentials[place]), np.float64(noise[place])
        counts = g > NOTHING
        value = fma(temperatures[i], g, potential)
        values[np.uint64(to) + np.uint64(i)] = value if counts & (potential > -LIMIT) else NOTHING
        faults[i] = faults[i] if (potential < LIMIT) | ~counts else np.nan
