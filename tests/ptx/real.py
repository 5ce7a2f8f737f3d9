"""Floating-point arithmetic, rounded to nearest; `rounding` decides where the mode may be left out."""

import numpy as np

from tests.ptx.errors import PTXError
from tests.ptx.fused import fused
from tests.ptx.kinds import dtype, unsigned
from tests.ptx.operands import Operands
from tests.ptx.steps import Modifiers, Step, opcode, pure
from tests.ptx.syntax import Instruction

_ROUNDED = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "sqrt": np.sqrt}
_CANONICAL = {2: 0x7FFF, 4: 0x7FFFFFFF, 8: 0x7FFFFFFFFFFFFFFF}


def _extreme(a, b, greatest: bool, propagate: bool):
    """Minimum or maximum: one NaN loses (or wins, with `.NaN`), -0 is below +0, two NaN give the canonical one."""
    a, b = np.broadcast_arrays(a, b)
    word = unsigned(a.itemsize)
    result = (np.fmax if greatest else np.fmin)(a, b)
    zeros = (a.view(word) & b.view(word)) if greatest else (a.view(word) | b.view(word))
    result = np.where(a == b, zeros.view(a.dtype), result)
    lost = (np.isnan(a) | np.isnan(b)) if propagate else (np.isnan(a) & np.isnan(b))
    return np.where(lost, word.type(_CANONICAL[a.itemsize]).view(a.dtype), result)


def build(i: Instruction, o: Operands) -> Step:
    """Build the real variant of an instruction that also has an integer one."""
    m = Modifiers(i)
    kind = m.kind("f16", "f32", "f64")
    d, *sources = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:])
    if i.name in _ROUNDED:
        if m.take("rn") is None and i.name in ("div", "sqrt"):
            raise PTXError("no rounding mode .rn")
        m.finish()
        function = _ROUNDED[i.name]
        if len(sources) == 1:
            (a,) = sources
            return pure(lambda s, w: function(s[a], out=s[d], where=w))
        a, b = sources
        return pure(lambda s, w: function(s[a], s[b], out=s[d], where=w))
    if i.name in ("min", "max"):
        a, b = sources
        greatest, propagate = i.name == "max", m.take("NaN") is not None
        m.finish()
        return pure(lambda s, w: np.copyto(s[d], _extreme(s[a], s[b], greatest, propagate), where=w))
    m.finish()
    # The sign is a bit, of a NaN too.
    (a,) = sources
    function = np.negative if i.name == "neg" else np.absolute
    return pure(lambda s, w: function(s[a], out=s[d], where=w))


@opcode("sqrt")
def sqrt(i: Instruction, o: Operands) -> Step:
    """Square root."""
    return build(i, o)


@opcode("rcp")
def rcp(i: Instruction, o: Operands) -> Step:
    """Reciprocal, correctly rounded."""
    m = Modifiers(i)
    kind = m.kind("f32", "f64")
    m.need("rn")
    m.finish()
    d, a, one = o.write(i.operands[0], kind), o.read(i.operands[1], kind), dtype(kind).type(1)
    return pure(lambda s, w: np.divide(one, s[a], out=s[d], where=w))


@opcode("fma")
def fma(i: Instruction, o: Operands) -> Step:
    """Multiply and add with one rounding."""
    m = Modifiers(i)
    kind = m.kind("f32", "f64")
    if m.take("rn") is None:
        raise PTXError("no rounding mode .rn")
    m.finish()
    d, a, b, c = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:])
    function = fused()
    # Numba's ufuncs take no mask.
    return pure(lambda s, w: np.copyto(s[d], function(s[a], s[b], s[c]), where=w))


@opcode("copysign")
def copysign(i: Instruction, o: Operands) -> Step:
    """The second operand with the sign of the first."""
    m = Modifiers(i)
    kind = m.kind("f32", "f64")
    m.finish()
    d, a, b = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:])
    return pure(lambda s, w: np.copysign(s[b], s[a], out=s[d], where=w))


def _subnormal(x):
    return (x != 0) & (np.abs(x) < np.finfo(x.dtype).smallest_normal)


_TESTS = {
    "finite": np.isfinite,
    "infinite": np.isinf,
    "number": lambda x: ~np.isnan(x),
    "notanumber": np.isnan,
    "normal": lambda x: np.isfinite(x) & (x != 0) & ~_subnormal(x),
    "subnormal": _subnormal,
}


@opcode("testp")
def testp(i: Instruction, o: Operands) -> Step:
    """Test what sort of number it is."""
    m = Modifiers(i)
    kind, test = m.kind("f32", "f64"), _TESTS[m.need(*_TESTS)]
    m.finish()
    p, a = o.write(i.operands[0], "pred"), o.read(i.operands[1], kind)
    return pure(lambda s, w: np.copyto(s[p], test(s[a]), where=w))
