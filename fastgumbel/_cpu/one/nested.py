"""What one nest of a nested logit shifts its members by, and the noise of a category that is shifted."""

import numpy as np

from fastgumbel._law.field import gumbel, join, words
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64
from fastgumbel._law.stable import LEAST_SCALE, NEST_WORDS, key_of_nests, quotients_of, stable, uniform_pair
from fastgumbel._numba.compile import scalar

_INDEX = np.uint64(2**30 - 1)


@scalar
def shift_of_nest(coordinates, scale, outer, shift):
    """Shift of a nest, whose number stands in place of the category, in one with this product of scales and shift.

    NaN where scales are none.
    """
    key, row, draw, nest, _ = coordinates
    if not (0 < scale <= 1 and 0 < outer <= 1 and outer * scale >= LEAST_SCALE):
        return np.float64(np.nan)
    if scale == 1:
        return shift
    w0, w1, w2, w3 = words(key_of_nests(key), row, draw, NEST_WORDS | (nest & _INDEX))
    u, v = uniform_pair(join(w1, w0))
    first, second = quotients_of(scale, u, v, exponential64(join(w3, w2)))
    return fma(outer, stable(scale, first, second), shift)


@scalar
def noise_in_nest(coordinates, scale, shift):
    """Noise of the category of the coordinates, under the product `scale` of scales; NaN where it is none."""
    key, row, draw, category, _ = coordinates
    if not LEAST_SCALE <= scale <= 1:
        return np.float64(np.nan)
    return fma(scale, gumbel(key, row, draw, category), shift)
