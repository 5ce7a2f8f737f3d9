"""The few scalar operations that Python lacks, each with one meaning on every device.

LLVM neither fuses nor splits them: what is written as `fma` rounds once, what is written as `*` and `+` rounds twice.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import lower_builtin, overload, type_callable

from fastgumbel._numba.compile import SCALAR_OPTIONS


def fma(a: Any, b: Any, c: Any) -> Any:
    """Multiply and add with one rounding; three float64 or three float32."""
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    nearest = exact.numerator / exact.denominator
    if isinstance(a, np.float32) and Fraction(nearest) != exact and not np.float64(nearest).view(np.int64) & 1:
        # Rounding to odd in float64 first makes the second rounding, to float32, the only one that counts.
        nearest = np.nextafter(nearest, np.inf if exact > Fraction(nearest) else -np.inf)
    return type(a)(nearest)


def bits(x: Any) -> Any:
    """Bit pattern of a float as the unsigned integer of its width."""
    return x.view(np.uint64 if isinstance(x, np.float64) else np.uint32)


def real(x: Any) -> Any:
    """Float whose bit pattern is the unsigned integer `x`."""
    return x.view(np.float64 if isinstance(x, np.uint64) else np.float32)


def wide(a: Any, b: Any) -> Any:
    """Product, 64 bits wide, of two uint64 below 2^32."""
    return a * b


def times(a: Any, b: Any) -> Any:
    """Product that is rounded whatever it feeds; two float64 or two float32."""
    return a * b


# For the CPU alone: elsewhere a plain product of 64 bits would cost several of 32.
@overload(wide, target="cpu", jit_options=SCALAR_OPTIONS)
def _wide(a, b):
    return (lambda a, b: a * b) if a == b == types.uint64 else None


# For the CPU alone: elsewhere a bare product may be contracted with the addition that it feeds.
@overload(times, target="cpu", jit_options=SCALAR_OPTIONS)
def _times(a, b):
    return (lambda a, b: a * b) if a == b and a in (types.float32, types.float64) else None


@type_callable(fma)
def _type_fma(context: Any) -> Any:
    def typer(a: Any, b: Any, c: Any) -> Any:
        return a if a == b == c and a in (types.float32, types.float64) else None

    return typer


@lower_builtin(fma, types.float32, types.float32, types.float32)
@lower_builtin(fma, types.float64, types.float64, types.float64)
def _lower_fma(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.fma(*args)


@type_callable(bits)
def _type_bits(context: Any) -> Any:
    return {types.float32: types.uint32, types.float64: types.uint64}.get


@type_callable(real)
def _type_real(context: Any) -> Any:
    return {types.uint32: types.float32, types.uint64: types.float64}.get


@lower_builtin(bits, types.float32)
def _lower_bits32(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.bitcast(args[0], ir.IntType(32))


@lower_builtin(bits, types.float64)
def _lower_bits64(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.bitcast(args[0], ir.IntType(64))


@lower_builtin(real, types.uint32)
def _lower_real32(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.bitcast(args[0], ir.FloatType())


@lower_builtin(real, types.uint64)
def _lower_real64(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.bitcast(args[0], ir.DoubleType())
