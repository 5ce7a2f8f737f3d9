"""The exact fused multiply-add over arrays, compiled from the library's own on first use."""

from functools import cache

import numba

from fastgumbel._law.ops import fma


@cache
def fused():
    """Return the ufunc: three float32 or three float64, one rounding."""
    return numba.vectorize(["float32(float32,float32,float32)", "float64(float64,float64,float64)"])(
        numba.njit(lambda a, b, c: fma(a, b, c))
    )
