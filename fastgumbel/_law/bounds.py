"""Bounds of Gumbels from high words alone, in float32: integers, a few multiply-adds, and for lower ones a logarithm.

Those of a Gumbel, added to a float32 number of at most 100, are wrong by less than SLACK: rounding takes 2^-24 of the
sum, of its parts and of the exponential a few times over, and 2^-24 of the 128 steps of log2 once.
"""

import numpy as np

from fastgumbel._law.ops import bits, fma
from fastgumbel._law.race import VAGUE_FROM
from fastgumbel._law.real import exponential32, log32
from fastgumbel._numba.compile import scalar

SLACK = np.float32(2.0**-14)
# No Gumbel is below.
LEAST = np.float32(-4)

_STEP = np.float32(2.0**-32)
_HALF, _ONE = np.float32(0.5), np.float32(1)
_RATE = np.float32(1 / 64)
_ONE_BITS = np.uint32(0x3F800000)
_LN2_STEP = np.float32(0.6931471805599453 * 2.0**-23)
# A high word leaves an exponential open by 2^-33 / (1 - u): 2^-32 where u < 1/2, 2^-20 of it up to VAGUE_FROM.
_OPEN, _WIDER = np.float32(2.0**-32), np.float32(1 + 2.0**-19)
# Above all exponentials, and above the sum of one and a block's minimum.
_LONGEST = np.float32(38)


@scalar
def block_floor(high):
    """At most the smallest exponential of a block with this high word (uint32): -log1p(-u) >= u + u^2/2."""
    u = np.float32(high) * _STEP
    return u * fma(u, _HALF, _ONE) * _RATE


@scalar
def lane_floor(high, floor):
    """At most the exponential of a lane with this high word, in a block with this floor."""
    u = np.float32(high) * _STEP
    return fma(u, fma(u, _HALF, _ONE), floor)


@scalar
def block_ceiling(high):
    """At least the smallest exponential of a block with this high word."""
    e = fma(exponential32(high), _WIDER * _RATE, _OPEN * _RATE)
    return _LONGEST * _RATE if high >= VAGUE_FROM else e


@scalar
def lane_ceiling(high, ceiling):
    """At least the exponential of a lane with this high word, in a block with this ceiling."""
    e = fma(exponential32(high), _WIDER, _OPEN)
    return _LONGEST if high >= VAGUE_FROM else e + ceiling


@scalar
def at_most(d, floor):
    """Quick bound of d plus a Gumbel: above it by up to 0.06, as the bits of a float count along chords of log2."""
    return fma(np.float32(np.int32(np.uint32(_ONE_BITS - bits(floor)))), _LN2_STEP, d)


@scalar
def at_least(d, ceiling):
    """Bound of d plus a Gumbel from below; close, but where nearly nothing is known of the exponential."""
    return d - log32(ceiling)
