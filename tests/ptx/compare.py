"""Comparisons and selections."""

import numpy as np

from tests.ptx.errors import PTXError
from tests.ptx.kinds import dtype, is_real, is_signed
from tests.ptx.operands import Operands
from tests.ptx.steps import Modifiers, Step, opcode, pure
from tests.ptx.syntax import Instruction

_ORDERED = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip
_UNSIGNED = {"lo": np.less, "ls": np.less_equal, "hi": np.greater, "hs": np.greater_equal}
_UNORDERED = {f"{name}u": function for name, function in _ORDERED.items()}
_COMBINE = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}


def _unordered(a, b):
    return np.isnan(a) | np.isnan(b)


def comparison(name: str, kind: str):
    """Return the function of two arrays behind a comparison of a type."""
    if is_real(kind):
        if name == "ne":
            # NumPy's is true of NaN; PTX calls that one `neu`.
            return lambda a, b: np.not_equal(a, b) & ~_unordered(a, b)
        if name in ("num", "nan"):
            return _unordered if name == "nan" else lambda a, b: ~_unordered(a, b)
        if name in _UNORDERED:
            function = _UNORDERED[name]
            return lambda a, b: function(a, b) | _unordered(a, b)
        allowed = _ORDERED
    elif kind[0] == "b":
        allowed = {name: _ORDERED[name] for name in ("eq", "ne")}
    else:
        allowed = _ORDERED if is_signed(kind) else _ORDERED | _UNSIGNED
    if name not in allowed:
        raise PTXError(f"no comparison .{name} of .{kind}")
    return allowed[name]


def _third(o: Operands, text: str) -> tuple[int, bool]:
    return o.read(text.removeprefix("!"), "pred"), text.startswith("!")


def _compared(i: Instruction, o: Operands, m: Modifiers, kind: str):
    """Return a function of the slots: the comparison, and the same combined with a predicate, of it and its inverse."""
    name = m.need(*_ORDERED, *_UNORDERED, *_UNSIGNED, "num", "nan")
    boolean = m.take(*_COMBINE)
    m.finish()
    function = comparison(name, kind)
    a, b = (o.read(x, kind) for x in i.operands[1:3])
    if boolean is None:
        return lambda s: (result := function(s[a], s[b]), ~result)
    combine = _COMBINE[boolean]
    c, negated = _third(o, i.operands[3])

    def both(s):
        result, third = function(s[a], s[b]), s[c] ^ negated
        return combine(result, third), combine(~result, third)

    return both


@opcode("setp")
def setp(i: Instruction, o: Operands) -> Step:
    """Compare into one predicate, or into it and its inverse."""
    m = Modifiers(i)
    compared = _compared(i, o, m, m.kind())
    p, q = (o.write(x.strip(), "pred") for x in f"{i.operands[0]}|_".split("|")[:2])
    if "|" not in i.operands[0]:
        return pure(lambda s, w: np.copyto(s[p], compared(s)[0], where=w))

    def run(s, where):
        result, inverse = compared(s)
        np.copyto(s[p], result, where=where)
        np.copyto(s[q], inverse, where=where)

    return pure(run)


@opcode("set")
def set_(i: Instruction, o: Operands) -> Step:
    """Compare into a number: all ones, or 1.0, for true."""
    m = Modifiers(i)
    kind, result = m.kind(), m.need("u32", "s32", "f32")
    compared, d = _compared(i, o, m, kind), o.write(i.operands[0], result)
    own = dtype(result).type
    true, false = own(1) if is_real(result) else ~own(0), own(0)
    return pure(lambda s, w: np.copyto(s[d], np.where(compared(s)[0], true, false), where=w))


@opcode("selp")
def selp(i: Instruction, o: Operands) -> Step:
    """Choose by a predicate."""
    m = Modifiers(i)
    kind = m.kind()
    m.finish()
    d, a, b = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:3])
    p = o.read(i.operands[3], "pred")
    return pure(lambda s, w: np.copyto(s[d], np.where(s[p], s[a], s[b]), where=w))


@opcode("slct")
def slct(i: Instruction, o: Operands) -> Step:
    """Choose a where the third operand is not negative (nor NaN)."""
    m = Modifiers(i)
    by, kind = m.kind("s32", "f32"), m.kind()
    m.finish()
    d, a, b = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:3])
    c = o.read(i.operands[3], by)
    return pure(lambda s, w: np.copyto(s[d], np.where(s[c] >= 0, s[a], s[b]), where=w))
