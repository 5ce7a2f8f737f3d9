"""float16 and bfloat16 to float32, exactly, as vector code."""

import numpy as np

from fastgumbel._law.ops import real
from fastgumbel._numba.compile import kernel

_MAGNITUDE, _SIGN = np.uint32(0x7FFF), np.uint32(0x8000)
_13, _16 = np.uint32(13), np.uint32(16)
# Magnitudes from here on are normal, and from the second on infinite or NaN.
_NORMAL, _INFINITE = np.uint32(0x0400), np.uint32(0x7C00)
# What takes an exponent from float16 to float32, and from infinity to infinity.
_REBIAS, _BEYOND = np.uint32(112 << 23), np.uint32(224 << 23)
# Under the exponent of 2^-14 a subnormal magnitude is 2^-14 more than what it stands for.
_LEAST = np.uint32(113 << 23)


@kernel
def widen(out, halves):
    """Write float16 numbers, given as uint16, to out (float32)."""
    for i in range(out.size):
        half = np.uint32(halves[i])
        magnitude = np.uint32(half & _MAGNITUDE)
        bits = np.uint32(magnitude << _13)
        normal = real(np.uint32(bits + (_REBIAS if magnitude < _INFINITE else _BEYOND)))
        subnormal = real(np.uint32(bits | _LEAST)) - real(_LEAST)
        number = normal if magnitude >= _NORMAL else subnormal
        out[i] = -number if half & _SIGN else number


@kernel
def widen_upper(out, halves):
    """Write bfloat16 numbers, given as uint16, to out (float32), of which they are the upper halves."""
    for i in range(out.size):
        out[i] = real(np.uint32(np.uint32(halves[i]) << _16))
