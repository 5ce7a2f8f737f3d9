"""Moves between registers, packing, and conversions of addresses."""

import numpy as np

from tests.ptx.errors import PTXError
from tests.ptx.kinds import dtype, unsigned
from tests.ptx.memory import SHARED_WINDOW
from tests.ptx.operands import Operands
from tests.ptx.steps import Modifiers, Step, opcode, pure
from tests.ptx.syntax import Instruction, split


def vector(text: str) -> list[str]:
    """Return the elements of `{a, b}`, or the operand alone."""
    return split(text[1:-1]) if text.startswith("{") else [text]


def _unpack(parts: list[str], i: Instruction, o: Operands, kind: str) -> Step:
    word = dtype(kind)
    part = unsigned(word.itemsize // len(parts))
    a, bits = o.read(i.operands[1], kind), word.type(8 * part.itemsize)
    targets = [o.write(x, f"b{8 * part.itemsize}") for x in parts]

    def run(s, where):
        value = np.array(s[a])
        for d in targets:
            np.copyto(s[d], value.astype(part), where=where)
            value = value >> bits

    return pure(run)


def _pack(parts: list[str], i: Instruction, o: Operands, kind: str) -> Step:
    word, bits = dtype(kind), 8 * dtype(kind).itemsize // len(parts)
    d, sources = o.write(i.operands[0], kind), [o.read(x, f"b{bits}") for x in parts]

    def run(s, where):
        value = word.type(0)
        for a in reversed(sources):
            value = value << word.type(bits) | s[a].astype(word)
        np.copyto(s[d], value, where=where)

    return pure(run)


@opcode("mov")
def mov(i: Instruction, o: Operands) -> Step:
    """Copy, pack the elements of a vector into a word, or unpack them."""
    m = Modifiers(i)
    kind = m.kind()
    m.finish()
    to, source = (vector(x) for x in i.operands)
    if len(to) > 1:
        return _unpack(to, i, o, kind)
    if len(source) > 1:
        return _pack(source, i, o, kind)
    d, a = o.write(to[0], kind), o.read(source[0], kind)
    return pure(lambda s, w: np.copyto(s[d], s[a], where=w))


@opcode("cvta")
def cvta(i: Instruction, o: Operands) -> Step:
    """To a generic address, or from one."""
    m = Modifiers(i)
    kind, back, space = m.kind("u64"), m.take("to") is not None, m.need("global", "const", "shared")
    m.drop(frozenset({"cta"}))
    m.finish()
    d, a = o.write(i.operands[0], kind), o.read(i.operands[1], kind)
    offset = np.uint64(SHARED_WINDOW if space == "shared" else 0)
    function = np.subtract if back else np.add
    return pure(lambda s, w: function(s[a], offset, out=s[d], where=w))


@opcode("isspacep")
def isspacep(i: Instruction, o: Operands) -> Step:
    """Tell whether a generic address is in a space."""
    space = i.modifiers[0]
    if space not in ("global", "shared"):
        raise PTXError(f"space .{space} is not supported here")
    p, a = o.write(i.operands[0], "pred"), o.read(i.operands[1], "u64")
    window, inside = np.uint64(SHARED_WINDOW), space == "shared"
    return pure(lambda s, w: np.copyto(s[p], (s[a] >= window) == inside, where=w))
