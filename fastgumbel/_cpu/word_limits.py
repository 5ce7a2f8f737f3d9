"""Up to which high word a lane may reach a threshold, so that most words are ruled out as the integers they are.

A lane reaches it at most where E_b + e <= exp((x - threshold) / T), and e is at least its high word times 2^-32. All is
float32, and no exponential is taken: the bits of a float count along chords of log2, so that they give at least it.
"""

import numpy as np

from fastgumbel._law.ops import fma, real
from fastgumbel._numba.compile import scalar

_COLDEST, _HOTTEST = np.float32(-80), np.float32(2)
# Of 2^-31, as conversions are of signed integers.
_STEPS, _MOST_STEPS, _0 = np.float32(2.0**31), np.float32(2.0**31 - 128), np.float32(0)
_ALL = np.uint32(2**32 - 1)
# log2(e) and 1 as bits; the margin is for what gap and E_b err by.
_BITS_A_UNIT = np.float32(2**23 / 0.6931471805599453)
_BITS_OF_ONE = np.float32((127 + 2.0**-10) * 2**23)


@scalar
def word_limit(gap, minimum):
    """The largest high word with which a lane may reach a threshold.

    `gap` is (x - threshold) / T of its log-potential, or of a larger one, and `minimum` is E_b of its block. As
    float32, the one may err by 2^-12, the other by 2^-12 of itself.
    """
    gap = gap if gap > _COLDEST else _COLDEST
    gap = gap if gap < _HOTTEST else _HOTTEST
    most = real(np.uint32(np.int32(fma(gap, _BITS_A_UNIT, _BITS_OF_ONE))))
    steps = (most - minimum) * _STEPS
    steps = steps if steps > _0 else _0
    known = steps < _MOST_STEPS
    limit = np.uint32(np.int32(steps if known else _0)) << np.uint32(1) | np.uint32(1)
    return np.uint32(limit) if known else _ALL
