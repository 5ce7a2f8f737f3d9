"""Words -> open uniform -> exponential -> Gumbel, and the logarithm under them.

Only IEEE additions, multiplications, explicit fused multiply-adds and integer operations: the bits are the same on
every device and at every vector width. No product feeds a bare addition, so no compiler can contract one.

| value | smallest | largest | spacing |
| --- | --- | --- | --- |
| uniform, float64 | 2^-53 | 1 - 2^-53 | 2^-52, on midpoints: exact, and so is its complement |
| exponential, float64 | 2^-53 (1.1e-16) | 36.74 | |
| minimum of a block | 2^-59 | 0.574 | |
| Gumbel, float64 | -3.62 | 40.90 | |
| uniform, float32 | 2^-33 | 1 | rounded from midpoints of 2^-32 |
| exponential, float32 | 2^-33 | 22.88 | |
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._law.ops import bits, fma, real
from fastgumbel._numba.compile import SCALAR_OPTIONS, scalar

# log(x) = k ln 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), and log(1 + f) = f - f^2/2 + f^3 P(f). P is the
# minimax polynomial for the relative error of log(1 + f): 2^-56.6 with degree 18, 2^-27.3 with degree 7. It is
# evaluated as two polynomials in f^2, for two short chains instead of a long one. ln 2 is split so that k times its
# high part is exact. The result is within 0.8 ulp.
_P64 = (
    0.3333333333333314, -0.24999999999987976, 0.2000000000006661, -0.16666666669825791, 0.14285714280093267,
    -0.12499999691451034, 0.11111111147469975, -0.10000015205929003, 0.09090923931361838, -0.08332913547392506,
    0.07691529835737078, -0.07149439448446314, 0.06684588867764378, -0.06196678544256731, 0.05668379363675085,
    -0.05677786219664349, 0.06503487543037241, -0.0598169262934222, 0.026150866454144106,
)  # fmt: skip
_A0, _B0, _A1, _B1, _A2, _B2, _A3, _B3, _A4, _B4, _A5, _B5, _A6, _B6, _A7, _B7, _A8, _B8, _A9 = map(np.float64, _P64)
_P32 = (
    0.33333331701300273, -0.25000820987515276, 0.20001227446342656, -0.1662335882387081,
    0.14201745983091957, -0.1316016006224291, 0.12761649924795568, -0.07634636045510641,
)  # fmt: skip
_a0, _b0, _a1, _b1, _a2, _b2, _a3, _b3 = map(np.float32, _P32)

_LN2_HIGH64 = np.float64(float.fromhex("0x1.62e42fee00000p-1"))
_LN2_LOW64 = np.float64(float.fromhex("0x1.a39ef35793c76p-33"))
_LN2_HIGH32 = np.float32(0.693145751953125)
_LN2_LOW32 = np.float32(1.428606765330187e-06)

_SQRT_HALF64 = np.uint64(0x3FE6A09E667F3BCD)
_TO_ONE64 = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
_MANTISSA64 = np.uint64(0x000FFFFFFFFFFFFF)
_SQRT_HALF32 = np.uint32(0x3F3504F3)
_TO_ONE32 = np.uint32(0x3F800000 - 0x3F3504F3)
_MANTISSA32 = np.uint32(0x007FFFFF)

# An integer below 2^52 (2^23) under this exponent is the real 2^52 + integer: a conversion without a conversion.
_EXPONENT52 = np.uint64(0x4330000000000000)
_EXPONENT23 = np.uint32(0x4B000000)
_TWO52 = np.float64(2.0**52)
_BIASED64 = np.float64(2.0**52 + 1023)
_BIASED32 = np.float32(2.0**23 + 127)

_HALF64, _ONE64 = np.float64(-0.5), np.float64(1)
_HALF32, _ONE32, _ZERO32 = np.float32(-0.5), np.float32(1), np.float32(0)


@scalar
def log64(x):
    """Natural logarithm of a positive normal float64."""
    i = bits(x) + _TO_ONE64
    k = real((i >> np.uint64(52)) | _EXPONENT52) - _BIASED64
    f = real((i & _MANTISSA64) + _SQRT_HALF64) - _ONE64
    z = f * f
    a = fma(_A9, z, _A8)
    b = fma(_B8, z, _B7)
    a = fma(a, z, _A7)
    b = fma(b, z, _B6)
    a = fma(a, z, _A6)
    b = fma(b, z, _B5)
    a = fma(a, z, _A5)
    b = fma(b, z, _B4)
    a = fma(a, z, _A4)
    b = fma(b, z, _B3)
    a = fma(a, z, _A3)
    b = fma(b, z, _B2)
    a = fma(a, z, _A2)
    b = fma(b, z, _B1)
    a = fma(a, z, _A1)
    b = fma(b, z, _B0)
    a = fma(a, z, _A0)
    q = fma(fma(b, f, a), f, _HALF64)
    return fma(k, _LN2_HIGH64, f + fma(k, _LN2_LOW64, z * q))


@scalar
def _log_parts32(k, f):
    """K ln 2 + log(1 + f) in float32."""
    z = f * f
    a = fma(_a3, z, _a2)
    b = fma(_b3, z, _b2)
    a = fma(a, z, _a1)
    b = fma(b, z, _b1)
    a = fma(a, z, _a0)
    b = fma(b, z, _b0)
    q = fma(fma(b, f, a), f, _HALF32)
    return fma(k, _LN2_HIGH32, f + fma(k, _LN2_LOW32, z * q))


@scalar
def _split32(x):
    """K and f of a positive normal float32 x = 2^k (1 + f)."""
    i = np.uint32(bits(x) + _TO_ONE32)
    k = real(np.uint32(np.uint32(i >> np.uint32(23)) | _EXPONENT23)) - _BIASED32
    f = real(np.uint32(np.uint32(i & _MANTISSA32) + _SQRT_HALF32)) - _ONE32
    return k, f


@scalar
def log32(x):
    """Natural logarithm of a positive normal float32."""
    k, f = _split32(x)
    return _log_parts32(k, f)


def log(x):
    """Natural logarithm, in the type of x."""
    raise NotImplementedError("compiled only")


@overload(log, jit_options=SCALAR_OPTIONS)
def _log(x):
    return {types.float32: lambda x: log32(x), types.float64: lambda x: log64(x)}.get(x)


# With 1.0's exponent above the flipped top 52 bits of a word, one subtraction yields the complement of its uniform.
_ONE_FLIPPED = np.uint64(0x3FFFFFFFFFFFFFFF)
_ONE_LESS_HALF_STEP = np.float64(1 - 2.0**-53)
_STEP32 = np.float32(2.0**-32)
_HALF_STEP32 = np.float32(2.0**-33)
# The first word whose uniform, rounded to float32, is not below 1 - sqrt(1/2).
_DIRECT_BELOW = np.uint32(0x4AFB0CC0)


@scalar
def exponential64(w):
    """Exp(1) of a 64-bit word: -log1p(-u) with u = ((w >> 12) + 1/2) 2^-52, from the exact 1 - u."""
    return -log64(real((w >> np.uint64(12)) ^ _ONE_FLIPPED) - _ONE_LESS_HALF_STEP)


@scalar
def exponential32(w):
    """Exp(1) in float32 of a 32-bit word (the high one): relative accuracy at both ends, absolute step 2^-32."""
    near_zero = w < _DIRECT_BELOW
    # One conversion serves both: of the uniform near zero, of its complement elsewhere.
    u = fma(np.float32(w if near_zero else np.uint32(~w)), _STEP32, _HALF_STEP32)
    k, f = _split32(u)
    k = _ZERO32 if near_zero else k
    f = -u if near_zero else f
    return -_log_parts32(k, f)


@scalar
def gumbel64(e):
    """Gumbel(0,1) of an exponential, float64."""
    return -log64(e)


@scalar
def gumbel32(e):
    """Gumbel(0,1) of an exponential, float32."""
    return -log32(e)


_ROUND64 = np.float64(1.5 * 2.0**52)
_ROUND32 = np.float32(1.5 * 2.0**23)
_LOG2_E64, _LOG2_E32 = np.float64(1.4426950408889634), np.float32(1.4426950408889634)
_LEAST64, _LEAST32 = np.float64(-708), np.float32(-87)
_c2, _c3, _c4, _c5, _c6, _c7 = (np.float32(1 / math.factorial(k)) for k in range(2, 8))
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = (
    np.float64(1 / math.factorial(k)) for k in range(2, 14)
)


# exp(x) = 2^k exp(f) with |f| <= ln(2) / 2, and Taylor's polynomial for exp(f), again as two in f^2.
@scalar
def exp64(x):
    """Exponential of a float64 from -708 to 709, within 1 ulp."""
    shifted = fma(x, _LOG2_E64, _ROUND64)
    k = shifted - _ROUND64
    f = fma(-k, _LN2_LOW64, fma(-k, _LN2_HIGH64, x))
    z = f * f
    a = fma(_C12, z, _C10)
    b = fma(_C13, z, _C11)
    a = fma(a, z, _C8)
    b = fma(b, z, _C9)
    a = fma(a, z, _C6)
    b = fma(b, z, _C7)
    a = fma(a, z, _C4)
    b = fma(b, z, _C5)
    a = fma(a, z, _C2)
    b = fma(b, z, _C3)
    y = fma(z, fma(b, f, a), f) + _ONE64
    return real(bits(y) + ((bits(shifted) - bits(_ROUND64)) << np.uint64(52)))


@scalar
def exp32(x):
    """Exponential of a float32 from -87 to 88, within 1 ulp."""
    shifted = fma(x, _LOG2_E32, _ROUND32)
    k = shifted - _ROUND32
    f = fma(-k, _LN2_LOW32, fma(-k, _LN2_HIGH32, x))
    z = f * f
    a = fma(_c6, z, _c4)
    b = fma(_c7, z, _c5)
    a = fma(a, z, _c2)
    b = fma(b, z, _c3)
    y = fma(z, fma(b, f, a), f) + _ONE32
    return real(np.uint32(bits(y) + np.uint32(np.uint32(bits(shifted) - bits(_ROUND32)) << np.uint32(23))))


@scalar
def decay64(x):
    """exp(x) of a float64 x <= 0; 0 below -708, for -inf and for NaN."""
    y = exp64(x if x > _LEAST64 else _LEAST64)
    return y if x > _LEAST64 else np.float64(0)


@scalar
def decay32(x):
    """exp(x) of a float32 x <= 0; 0 below -87, for -inf and for NaN."""
    y = exp32(x if x > _LEAST32 else _LEAST32)
    return y if x > _LEAST32 else np.float32(0)


def decay(x):
    """exp(x) of x <= 0, in the type of x."""
    raise NotImplementedError("compiled only")


@overload(decay, jit_options=SCALAR_OPTIONS)
def _decay(x):
    return {types.float32: lambda x: decay32(x), types.float64: lambda x: decay64(x)}.get(x)


_LN2_STEP = np.float64(-0.6931471805599453 * 2.0**-32)
_LN2_BIAS = np.float64(0.6931471805599453 * 1023 + 1e-9)


@scalar
def gumbel_bound(e):
    """Quick bound: at least -log(e), and at most 0.06 more, for a float64 e >= 0 (709 for e = 0).

    Between two powers of two log2 lies above its chord, and the bits of a float count along the chords.
    """
    chord = real((bits(e) >> np.uint64(20)) | _EXPONENT52) - _TWO52
    return fma(chord, _LN2_STEP, _LN2_BIAS)


_STEP64 = np.float64(2.0**-32)
_HALF64P = np.float64(0.5)


@scalar
def exponential_floor(high):
    """Quick bound: at most the exponential of any word with this high half (uint64 below 2^32), nearly equal below 1.

    -log1p(-u) >= u + u^2/2.
    """
    u = (real(high | _EXPONENT52) - _TWO52) * _STEP64
    return u * fma(u, _HALF64P, _ONE64)
