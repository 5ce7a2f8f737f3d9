"""What the nests of a nested logit draw: logarithms of positive stable variables, one a nest, row and draw.

P of index a has the Laplace transform exp(-u^a). With U uniform and E exponential (Kanter 1975),

    a log P = (1 - a) log(sin((1 - a) pi U) / (E sin(pi U))) + a log(sin(a pi U) / sin(pi U)),

where each quotient of sines is at least its factor. So the terms are no larger than the sum, or than a few units, and P
itself, which may be beyond all floating-point numbers, is never formed.
"""

import numpy as np

from fastgumbel._law.field import KEY_WORDS, OTHER_WORDS, join, words
from fastgumbel._law.ops import fma, real
from fastgumbel._law.real import log64
from fastgumbel._law.sine import sine
from fastgumbel._numba.compile import scalar

# In the field of nests, the index counts nests.
NEST_WORDS = OTHER_WORDS
# The least product of scales along a path. Beside noise of size 1, float64 has room for 2^-12 of what is scaled by it.
LEAST_SCALE = np.float64(2.0**-40)

_0 = np.uint64(0)
_12 = np.uint64(12)
_ONE_BITS = np.uint64(0x3FF0000000000000)
_ONE_FLIPPED = np.uint64(0x3FFFFFFFFFFFFFFF)
_ONE_LESS_HALF_STEP = np.float64(1 - 2.0**-53)
_HALF, _ONE = np.float64(0.5), np.float64(1)


@scalar
def key_of_nests(key):
    """The key of the field that has the words of nests: that of a wide category in row 0, which no category has."""
    w0, w1, _, _ = words(key, _0, _0, KEY_WORDS)
    return join(w1, w0)


@scalar
def uniform_pair(w):
    """U = ((w >> 12) + 1/2) 2^-52 of a 64-bit word, and 1 - U; both are exact."""
    u = real((w >> _12) | _ONE_BITS) - _ONE_LESS_HALF_STEP
    return u, real((w >> _12) ^ _ONE_FLIPPED) - _ONE_LESS_HALF_STEP


@scalar
def _sine_of_part(part, rest, u, v):
    """sin(part pi u), where part + rest = 1 and u + v = 1."""
    x = part * u
    return sine(x if x <= _HALF else fma(rest, u, v))


@scalar
def quotients_of(scale, u, v, e):
    """The two numbers whose logarithms `stable` wants, of U = u = 1 - v and E = e; normal from LEAST_SCALE on."""
    rest = _ONE - scale
    below = sine(u if u <= _HALF else v)
    return _sine_of_part(rest, scale, u, v) / (below * e), _sine_of_part(scale, rest, u, v) / below


@scalar
def stable(scale, first, second):
    """The product a log P for the index a = scale, below 1."""
    return fma(_ONE - scale, log64(first), scale * log64(second))
