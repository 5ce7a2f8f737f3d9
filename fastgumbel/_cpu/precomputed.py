"""Perturbed values on noise that the caller computed, which stands beside the log-potentials."""

import numpy as np

from fastgumbel._cpu.stage import temperature_of
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import stage

# Values that are held at a time: rows together, or part of a row.
ROOM = 1024


@stage
def _perturb(values, to, x, noise, at, n, temperature):
    """As `perturb`, of n items of one temperature, to values[to:]."""
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
def perturb(values, x, noise, at, rows, n, temperatures, r):
    """Perturbed values of n items of each of some rows, from row r and place `at` of x and of the noise on.

    `temperatures` scale the noise, as those of a `Field`. Values are -inf where a place is excluded, be it by noise of
    -inf, and NaN where its log-potential is invalid. Returns how many items of noise are NaN or +inf.
    """
    if temperatures.size <= 1:
        return _perturb(values, 0, x, noise, at, rows * n, temperature_of(temperatures, r))
    wrong = 0
    for i in range(rows):
        wrong += _perturb(values, i * n, x, noise, at + i * n, n, temperature_of(temperatures, r + i))
    return wrong


@stage
def any_wrong(noise, n):
    """Whether one of the first n items of noise is NaN or +inf."""
    wrong = np.uint64(0)
    for i in range(n):
        wrong |= np.uint64(not noise[np.uint64(i)] < np.inf)
    return wrong != np.uint64(0)


@stage
def first_wrong(noise, at):
    """The first place from `at` on where noise is NaN or +inf, of which there is one."""
    while noise[at] < np.inf:
        at += 1
    return at


@stage
def any_invalid(values, at, n):
    """Whether any of n values from place `at` on is NaN."""
    invalid = 0
    for i in range(n):
        value = values[np.uint64(at) + np.uint64(i)]
        invalid += value != value
    return invalid > 0
