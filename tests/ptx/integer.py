"""Integer arithmetic."""

import numpy as np

from tests.ptx.errors import LaneFault, PTXError
from tests.ptx.kinds import dtype, is_real, is_signed
from tests.ptx.operands import Operands
from tests.ptx.real import build as build_real
from tests.ptx.steps import Modifiers, Step, effect, opcode, pure
from tests.ptx.syntax import Instruction

_WIDTHS = ("16", "32", "64")
_KINDS = tuple(f"{letter}{width}" for letter in "us" for width in _WIDTHS)
_LOW32 = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def high64(a, b):
    """Return the upper half of the 128-bit product of unsigned 64-bit integers."""
    a, b = np.asarray(a), np.asarray(b)
    a0, a1, b0, b1 = a & _LOW32, a >> _32, b & _LOW32, b >> _32
    middle = a1 * b0 + (a0 * b0 >> _32)
    return a1 * b1 + (middle >> _32) + ((a0 * b1 + (middle & _LOW32)) >> _32)


def multiply_high(a, b, kind: str):
    """Return the upper half of the double-width product."""
    own = dtype(kind)
    a, b = np.asarray(a), np.asarray(b)
    if own.itemsize < 8:
        wide = np.dtype(f"{own.kind}{2 * own.itemsize}").type
        return (a.astype(wide) * b.astype(wide) >> wide(8 * own.itemsize)).astype(own)
    product = high64(a.view(np.uint64), b.view(np.uint64))
    if not is_signed(kind):
        return product
    # A negative factor counts 2^64 too much as an unsigned one.
    zero = np.int64(0)
    return product.view(np.int64) - np.where(a < 0, b, zero) - np.where(b < 0, a, zero)


def quotient(a, b):
    """Divide with truncation towards zero, where NumPy rounds down."""
    return (a - np.fmod(a, b)) // b


def doubled(kind: str) -> str:
    """Return the type name of twice the width."""
    if kind[1:] not in ("16", "32"):
        raise PTXError(f"type .{kind} has no double width here")
    return f"{kind[0]}{2 * int(kind[1:])}"


_BINARY = {"add": np.add, "sub": np.subtract, "min": np.minimum, "max": np.maximum}
_UNARY = {"neg": np.negative, "abs": np.absolute}


@opcode("add", "sub", "min", "max", "neg", "abs")
def simple(i: Instruction, o: Operands) -> Step:
    """One ufunc; reals and carries go elsewhere."""
    if is_real(i.modifiers[-1]):
        return build_real(i, o)
    if "cc" in i.modifiers:
        return carried(i, o)
    m = Modifiers(i)
    kind = m.kind(*_KINDS)
    m.finish()
    d, *sources = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:])
    if i.name in _UNARY:
        (a,) = sources
        unary = _UNARY[i.name]
        return pure(lambda s, w: unary(s[a], out=s[d], where=w))
    a, b = sources
    binary = _BINARY[i.name]
    return pure(lambda s, w: binary(s[a], s[b], out=s[d], where=w))


@opcode("mul")
def mul(i: Instruction, o: Operands) -> Step:
    """Low half, high half, or the whole product."""
    if is_real(i.modifiers[-1]):
        return build_real(i, o)
    m = Modifiers(i)
    kind, part = m.kind(*_KINDS), m.need("lo", "hi", "wide")
    m.finish()
    d = o.write(i.operands[0], doubled(kind) if part == "wide" else kind)
    a, b = (o.read(x, kind) for x in i.operands[1:])
    if part == "lo":
        return pure(lambda s, w: np.multiply(s[a], s[b], out=s[d], where=w))
    if part == "wide":
        wide = dtype(doubled(kind))
        return pure(lambda s, w: np.multiply(s[a], s[b], out=s[d], where=w, dtype=wide))
    return pure(lambda s, w: np.copyto(s[d], multiply_high(s[a], s[b], kind), where=w))


@opcode("mad")
def mad(i: Instruction, o: Operands) -> Step:
    """Multiply and add; both wrap."""
    m = Modifiers(i)
    kind, part = m.kind(*_KINDS), m.need("lo", "hi", "wide")
    m.finish()
    result = doubled(kind) if part == "wide" else kind
    d, c = o.write(i.operands[0], result), o.read(i.operands[3], result)
    a, b = (o.read(x, kind) for x in i.operands[1:3])
    wide = dtype(result)
    if part == "hi":
        return pure(lambda s, w: np.add(multiply_high(s[a], s[b], kind), s[c], out=s[d], where=w))
    return pure(lambda s, w: np.add(np.multiply(s[a], s[b], dtype=wide), s[c], out=s[d], where=w))


@opcode("sad")
def sad(i: Instruction, o: Operands) -> Step:
    """Add the distance of two numbers to a third."""
    m = Modifiers(i)
    kind = m.kind(*_KINDS)
    m.finish()
    d, a, b, c = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:])
    return pure(lambda s, w: np.add(s[c], np.maximum(s[a], s[b]) - np.minimum(s[a], s[b]), out=s[d], where=w))


@opcode("div", "rem")
def div(i: Instruction, o: Operands) -> Step:
    """Quotient or remainder, truncated; a zero divisor is an error, since its result is not specified."""
    if is_real(i.modifiers[-1]):
        return build_real(i, o)
    m = Modifiers(i)
    kind = m.kind(*_KINDS)
    m.finish()
    d, a, b = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:])
    function = quotient if i.name == "div" else np.fmod

    def run(frame, mask):
        s = frame.slots
        zero = mask & (s[b] == 0)
        if zero.any():
            raise LaneFault("division by zero", zero.argmax())
        np.copyto(s[d], function(s[a], s[b]), where=mask)

    return effect(run)


@opcode("addc", "subc")
def carried(i: Instruction, o: Operands) -> Step:
    """Additions that leave (`.cc`) or take (`addc`) a carry, subtractions likewise a borrow."""
    m = Modifiers(i)
    kind = m.kind(*(k for k in _KINDS if not k.endswith("16")))
    leaves = m.take("cc") is not None
    m.finish()
    word = f"u{kind[1:]}"
    d, a, b = o.write(i.operands[0], word), *(o.read(x, word) for x in i.operands[1:])
    carry = o.scratch("the carry", "pred")
    takes, adds = i.name.endswith("c"), i.name.startswith("add")
    one = dtype(word).type

    def run(s, where):
        x, y = np.asarray(s[a]), np.asarray(s[b])
        into = s[carry].astype(one) if takes else one(0)
        if adds:
            total = x + y
            result = total + into
            out = (total < x) | (result < total)
        else:
            total = x - y
            result = total - into
            out = (x < y) | (total < into)
        np.copyto(s[d], result, where=where)
        if leaves:
            np.copyto(s[carry], out, where=where)

    return pure(run)
