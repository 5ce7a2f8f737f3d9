"""Logic, shifts and bit fields."""

import numpy as np

from tests.ptx.kinds import dtype, is_signed, unsigned
from tests.ptx.operands import Operands
from tests.ptx.steps import Modifiers, Step, opcode, pure
from tests.ptx.syntax import Instruction

_LOGIC = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert}


def _plain(i: Instruction, o: Operands, *kinds: str) -> tuple[str, int, list[int]]:
    """Return type, destination and sources of an instruction whose operands share one type."""
    m = Modifiers(i)
    kind = m.kind(*kinds)
    m.finish()
    return kind, o.write(i.operands[0], kind), [o.read(x, kind) for x in i.operands[1:]]


@opcode(*_LOGIC)
def logic(i: Instruction, o: Operands) -> Step:
    """Bitwise logic, and logic of predicates."""
    _, d, sources = _plain(i, o, "pred", "b16", "b32", "b64")
    function = _LOGIC[i.name]
    if len(sources) == 1:
        (a,) = sources
        return pure(lambda s, w: function(s[a], out=s[d], where=w))
    a, b = sources
    return pure(lambda s, w: function(s[a], s[b], out=s[d], where=w))


@opcode("cnot")
def cnot(i: Instruction, o: Operands) -> Step:
    """One for zero, zero for all else."""
    _, d, (a,) = _plain(i, o, "b16", "b32", "b64")
    return pure(lambda s, w: np.copyto(s[d], s[a] == 0, where=w, casting="unsafe"))


@opcode("shl", "shr")
def shift(i: Instruction, o: Operands) -> Step:
    """Shift by 32-bit amounts; what is shifted out is gone, also by the width and more."""
    m = Modifiers(i)
    width = i.modifiers[-1][1:]
    kind = m.kind(*((f"b{width}",) if i.name == "shl" else (f"{c}{width}" for c in "bus")))
    m.finish()
    own = dtype(kind)
    d, a, b = o.write(i.operands[0], kind), o.read(i.operands[1], kind), o.read(i.operands[2], "u32")
    bits = 8 * own.itemsize
    function = np.left_shift if i.name == "shl" else np.right_shift
    signed = is_signed(kind)

    def run(s, where):
        amount = np.asarray(s[b])
        if amount.ndim == 0 and amount < bits:
            function(s[a], own.type(amount), out=s[d], where=where)
            return
        within = np.minimum(amount, np.uint32(bits - 1)).astype(own)
        result = function(s[a], within)
        np.copyto(s[d], result if signed else np.where(amount < bits, result, own.type(0)), where=where)

    return pure(run)


@opcode("shf")
def funnel(i: Instruction, o: Operands) -> Step:
    """Shift of the 64 bits {b, a}; the upper (left) or lower (right) word of the result."""
    m = Modifiers(i)
    m.kind("b32")
    side, mode = m.need("l", "r"), m.need("wrap", "clamp")
    m.finish()
    d, a, b, c = o.write(i.operands[0], "b32"), *(o.read(x, "b32") for x in i.operands[1:])
    _32 = np.uint64(32)

    def run(s, where):
        amount = np.asarray(s[c])
        amount = (amount & np.uint32(31) if mode == "wrap" else np.minimum(amount, np.uint32(32))).astype(np.uint64)
        both = s[b].astype(np.uint64) << _32 | s[a].astype(np.uint64)
        result = both << amount >> _32 if side == "l" else both >> amount
        np.copyto(s[d], result.astype(np.uint32), where=where)

    return pure(run)


@opcode("lop3")
def lop3(i: Instruction, o: Operands) -> Step:
    """Any function of three bits, given by its table."""
    m = Modifiers(i)
    m.kind("b32")
    m.finish()
    d, a, b, c = o.write(i.operands[0], "b32"), *(o.read(x, "b32") for x in i.operands[1:4])
    table = int(i.operands[4], 0)

    def run(s, where):
        x, y, z = (np.asarray(s[k]) for k in (a, b, c))
        result = np.uint32(0)
        for row in range(8):
            if table >> row & 1:
                result = result | (x if row & 4 else ~x) & (y if row & 2 else ~y) & (z if row & 1 else ~z)
        np.copyto(s[d], result, where=where)

    return pure(run)


@opcode("prmt")
def prmt(i: Instruction, o: Operands) -> Step:
    """Pick four of the eight bytes of {b, a}; a selector's top bit takes the sign of the byte instead."""
    _, d, (a, b, c) = _plain(i, o, "b32")

    def run(s, where):
        both = np.asarray(s[b]).astype(np.uint64) << np.uint64(32) | np.asarray(s[a]).astype(np.uint64)
        selectors, result = np.asarray(s[c]).astype(np.uint64), np.uint64(0)
        for k in range(4):
            selector = selectors >> np.uint64(4 * k) & np.uint64(15)
            byte = both >> (np.uint64(8) * (selector & np.uint64(7))) & np.uint64(0xFF)
            sign = (byte >> np.uint64(7)) * np.uint64(0xFF)
            result = result | np.where(selector & np.uint64(8), sign, byte) << np.uint64(8 * k)
        np.copyto(s[d], result.astype(np.uint32), where=where)

    return pure(run)


def _ones(count, own):
    """Return words with so many low bits set."""
    bits = own.type(8 * own.itemsize)
    return np.where(count >= bits, ~own.type(0), (own.type(1) << np.minimum(count, bits - own.type(1))) - own.type(1))


@opcode("bfe")
def bfe(i: Instruction, o: Operands) -> Step:
    """Bit field, extended by zero or by its sign; past the word's end the sign is the word's."""
    m = Modifiers(i)
    kind = m.kind("u32", "s32", "u64", "s64")
    m.finish()
    own, word = dtype(kind), unsigned(dtype(kind).itemsize)
    d, a = o.write(i.operands[0], kind), o.read(i.operands[1], kind)
    b, c = (o.read(x, "u32") for x in i.operands[2:])
    bits, signed = 8 * own.itemsize, is_signed(kind)

    def run(s, where):
        position, length = ((np.asarray(s[k]) & np.uint32(0xFF)).astype(word) for k in (b, c))
        last = word.type(bits - 1)
        shifted = s[a] >> np.minimum(position, last).astype(own)
        if not signed:
            shifted = np.where(position > last, own.type(0), shifted)
        field = shifted.view(word) & _ones(length, word)
        if signed:
            top = np.minimum(position + length - word.type(1), last)
            negative = (s[a].view(word) >> top & word.type(1)).astype(bool) & (length > 0)
            field = np.where(negative, field | ~_ones(length, word), field)
        np.copyto(s[d], field.view(own), where=where)

    return pure(run)


@opcode("bfi")
def bfi(i: Instruction, o: Operands) -> Step:
    """Put the low bits of a into b, at a position, for a length."""
    m = Modifiers(i)
    kind = m.kind("b32", "b64")
    m.finish()
    word = dtype(kind)
    d, a, b = o.write(i.operands[0], kind), *(o.read(x, kind) for x in i.operands[1:3])
    c, e = (o.read(x, "u32") for x in i.operands[3:])
    last = word.type(8 * word.itemsize - 1)

    def run(s, where):
        position, length = ((np.asarray(s[k]) & np.uint32(0xFF)).astype(word) for k in (c, e))
        within = np.minimum(position, last)
        field = np.where(position > last, word.type(0), _ones(length, word) << within)
        np.copyto(s[d], (s[b] & ~field) | (s[a] << within & field), where=where)

    return pure(run)


def reversed_bits(x):
    """Mirror all bits of words of any width."""
    octets = np.ascontiguousarray(x).view(np.uint8).reshape(-1, x.itemsize)
    mirrored = np.packbits(np.unpackbits(octets, axis=1, bitorder="little")[:, ::-1], axis=1, bitorder="little")
    return mirrored.view(x.dtype).reshape(x.shape)


def leading_zeros(x):
    """Count the zeros above the highest set bit."""
    for k in (1, 2, 4, 8, 16, 32)[: (8 * x.itemsize - 1).bit_length()]:
        x = x | x >> x.dtype.type(k)
    return np.uint32(8 * x.itemsize) - np.bitwise_count(x)


@opcode("brev")
def brev(i: Instruction, o: Operands) -> Step:
    """Mirror the bits."""
    _, d, (a,) = _plain(i, o, "b32", "b64")
    return pure(lambda s, w: np.copyto(s[d], reversed_bits(np.asarray(s[a])), where=w))


@opcode("popc", "clz")
def count(i: Instruction, o: Operands) -> Step:
    """Count set bits, or leading zeros; the count is 32 bits wide."""
    m = Modifiers(i)
    kind = m.kind("b32", "b64")
    m.finish()
    d, a = o.write(i.operands[0], "u32"), o.read(i.operands[1], kind)
    function = np.bitwise_count if i.name == "popc" else leading_zeros
    return pure(lambda s, w: np.copyto(s[d], function(np.asarray(s[a])), where=w, casting="unsafe"))


@opcode("bfind")
def bfind(i: Instruction, o: Operands) -> Step:
    """Place of the highest bit that differs from the sign, or the shift that brings it to the top; else all ones."""
    m = Modifiers(i)
    kind, distance = m.kind("u32", "s32", "u64", "s64"), m.take("shiftamt") is not None
    m.finish()
    d, a = o.write(i.operands[0], "u32"), o.read(i.operands[1], kind)
    word = unsigned(dtype(kind).itemsize)
    top, signed = np.uint32(8 * word.itemsize - 1), is_signed(kind)

    def run(s, where):
        x = np.asarray(s[a])
        x = (np.where(x < 0, ~x, x) if signed else x).view(word)
        zeros = leading_zeros(x)
        result = np.where(zeros > top, ~np.uint32(0), zeros if distance else top - zeros)
        np.copyto(s[d], result, where=where)

    return pure(run)
