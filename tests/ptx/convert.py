"""Conversions between types."""

from collections.abc import Callable

import numpy as np

from tests.ptx.errors import PTXError
from tests.ptx.kinds import dtype, is_real
from tests.ptx.operands import Operands
from tests.ptx.steps import Modifiers, Step, opcode, pure
from tests.ptx.syntax import Instruction

_TO_INTEGER = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}
_MODES = ("rn", "rz", "rm", "rp")


def _integer_to_integer(to: np.dtype, saturate: bool) -> Callable:
    if not saturate:
        return lambda x: x.astype(to)
    limits = np.iinfo(to)

    def clamped(x):
        own = np.iinfo(x.dtype)
        return np.clip(x, max(limits.min, own.min), min(limits.max, own.max)).astype(to)

    return clamped


def _real_to_integer(to: np.dtype, wide: bool, mode: str) -> Callable:
    """Round to an integer, clamp to the range; NaN is 0, or the top bit alone if either side has 64 bits."""
    limits, rounded = np.iinfo(to), _TO_INTEGER[mode]
    of_nan = to.type(limits.min or 1 << (8 * to.itemsize - 1)) if wide else to.type(0)

    def convert(x):
        value = rounded(x.astype(np.float64))
        # The upper limit plus one is a power of two, and so exact in float64.
        inside = np.where((value >= limits.min) & (value < float(limits.max + 1)), value, 0).astype(to)
        result = np.where(value >= float(limits.max + 1), to.type(limits.max), inside)
        result = np.where(value < limits.min, to.type(limits.min), result)
        return np.where(np.isnan(value), of_nan, result)

    return convert


def _directed(x, to: np.dtype, mode: str):
    """Round towards zero, down or up: to nearest, and then a step back where that went too far."""
    nearest = x.astype(to)
    if x.dtype.kind == "f" or x.dtype.itemsize < 8:
        back, exact = nearest.astype(np.float64), x.astype(np.float64)
        above, below = back > exact, back < exact
    else:
        # Only Python's comparison of a 64-bit integer with a float is exact.
        above = np.array([float(r) > int(v) for r, v in zip(nearest, x, strict=True)], bool)
        below = np.array([float(r) < int(v) for r, v in zip(nearest, x, strict=True)], bool)
    down = {"rz": above & (x > 0), "rm": above, "rp": False}[mode]
    up = {"rz": below & (x < 0), "rm": False, "rp": below}[mode]
    result = np.where(down, np.nextafter(nearest, to.type(-np.inf)), nearest)
    return np.where(up, np.nextafter(nearest, to.type(np.inf)), result)


def _to_real(to: np.dtype, mode: str) -> Callable:
    if mode == "rn":
        return lambda x: x.astype(to)
    return lambda x: _directed(np.atleast_1d(x), to, mode)


def _unit(function: Callable, to: np.dtype) -> Callable:
    """Saturate a real: to [0, 1], and NaN to +0."""
    zero, one = to.type(0), to.type(1)

    def saturated(x):
        result = function(x)
        return np.where(result > zero, np.minimum(result, one), zero)

    return saturated


def conversion(to: str, source: str, m: Modifiers) -> Callable:
    """Return the function of an array behind a conversion, and take the modifiers that it needs."""
    saturate = m.take("sat") is not None
    target, own = dtype(to), dtype(source)
    if not is_real(to):
        if not is_real(source):
            return _integer_to_integer(target, saturate)
        return _real_to_integer(target, max(target.itemsize, own.itemsize) == 8, m.need(*_TO_INTEGER))
    if is_real(source) and target.itemsize >= own.itemsize:
        mode = m.take(*_TO_INTEGER) if target == own else None
        function = _TO_INTEGER[mode] if mode else lambda x: x.astype(target)
    else:
        # An integer is rounded by the same modes as a wider real; both must say which.
        function = _to_real(target, m.need(*_MODES))
    return _unit(function, target) if saturate else function


@opcode("cvt")
def cvt(i: Instruction, o: Operands) -> Step:
    """Convert; registers may be wider than the types."""
    m = Modifiers(i)
    source = m.kind()
    to = m.kind()
    if "pred" in (source, to) or source[0] == "b" or to[0] == "b":
        raise PTXError(f"no conversion from .{source} to .{to}")
    function = conversion(to, source, m)
    m.finish()
    d, a = o.write(i.operands[0], to, widen=True), o.read(i.operands[1], source, narrow=True)
    return pure(lambda s, w: np.copyto(s[d], function(np.asarray(s[a])), where=w, casting="unsafe"))
