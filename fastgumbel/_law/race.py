"""What a race in exponential space in float32, from high words alone, can decide.

The largest x_c - log(E_c) is the smallest finishing time E_c exp(-x_c). Where winner and runner-up are closer than
float32 can tell, a row is undecided.
"""

import numpy as np

from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import scalar

# A finishing time errs relatively by the roundings and by 2^-24 times the potential's distance from the row's largest,
# which is below 45 for all that can win; and absolutely, before its weight, by 2^-33, as it reads no low words.
_RELATIVE = np.float64(1 + 2.0**-16)
# From this high word on, the complement of a uniform is known within 2^-17 at best.
VAGUE_FROM = np.uint32(2**32 - 2**16)

_FAR, _ROUNDING = np.float64(64), np.float64(2.0**-51)
# With a temperature, the distance is multiplied by its inverse, and both are rounded: twice as much again.
_RELATIVE_TEMPERED = np.float64(1 + 2.0**-14)
# Below, float32 cannot hold the inverse, or what it multiplies.
COLDEST = np.float64(1e-30)


@scalar
def margin_of(largest):
    """Ratio of two finishing times of which float32 cannot tell the order, by the row's largest potential.

    It has what the race errs by, and what the definition rounds away where potentials are large: two sums x + G err by
    t = 2^-52 (|x| + |G|) together, a factor of exp(t), which 1 + 2 t covers up to t = 1. Where a category beyond the
    limit of magnitude could win, nothing is decided.
    """
    magnitude = abs(largest) + _FAR
    return np.float32(fma(magnitude, _ROUNDING, _RELATIVE) if magnitude < LIMIT else np.inf)


@scalar
def margin_at(largest, temperature):
    """As `margin_of`, for noise that is scaled by a temperature: a race of exp(-x / temperature)."""
    magnitude = fma(temperature, _FAR, abs(largest))
    steps = magnitude / temperature
    known = temperature >= COLDEST and magnitude < LIMIT and steps < LIMIT
    return np.float32(fma(steps, _ROUNDING, _RELATIVE_TEMPERED) if known else np.inf)
