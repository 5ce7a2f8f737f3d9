"""Which of 64 items fulfil a condition: masks of 64 bits, first item in the lowest; CPU only.

`array` is one-dimensional and contiguous, and 64 items from `offset` on must exist.
"""

import functools
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastgumbel._numba.load import address, call, load, load_part, spread


def _mask(builder: Any, compare: Any) -> Any:
    """64 bits, of which `compare` makes 16 at a time, from a slot on: LLVM takes 64 apart bit by bit on AVX2."""
    mask = None
    for first in range(0, 64, 16):
        part = builder.zext(builder.bitcast(compare(first, 16), ir.IntType(16)), ir.IntType(64))
        mask = builder.or_(mask, builder.shl(part, ir.Constant(part.type, first))) if first else part
    return mask


@intrinsic
def reach16(
    typing_context: Any, array: Any, offset: Any, threshold: Any, out: Any, to: Any, least: Any, rate: Any
) -> Any:
    """Which of the largest of each four of 64 items, none of which is NaN, are at least `threshold`: a mask.

    To 16 places of `out`, of float32, it writes by how much they are above `least`, times `rate`, to 2^-20 of that. In
    float32, `least` is taken off in two halves: it and its product with `rate` must be finite there.
    """

    def shuffled(builder: Any, a: Any, b: Any, slots: list[int]) -> Any:
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), 8), slots))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, _, threshold, out, to, least, rate = args
        item = threshold.type
        halves = [least]
        if item == ir.FloatType():
            halves, rate = [builder.fptrunc(least, item)], builder.fptrunc(rate, item)
            halves.append(builder.fptrunc(builder.fsub(least, builder.fpext(halves[0], least.type)), item))
        parts = [load(context, builder, signature, args, first, 8) for first in range(0, 64, 8)]
        # In halves of vectors, as what crosses them takes longer.
        even, odd = [0, 2, 8, 10, 4, 6, 12, 14], [1, 3, 9, 11, 5, 7, 13, 15]
        while len(parts) > 2:
            pairs = list(zip(parts[::2], parts[1::2], strict=True))
            parts = [[shuffled(builder, a, b, slots) for slots in (even, odd)] for a, b in pairs]
            parts = [builder.select(builder.fcmp_ordered(">", a, b), a, b) for a, b in parts]
        mask = ir.Constant(ir.IntType(64), 0)
        for i, part in enumerate(parts):
            part = shuffled(builder, part, part, [0, 4, 1, 5, 2, 6, 3, 7])
            bits = builder.bitcast(builder.fcmp_ordered(">=", part, spread(builder, threshold, 8)), ir.IntType(8))
            bits = builder.shl(builder.zext(bits, mask.type), ir.Constant(mask.type, 8 * i))
            mask = builder.or_(mask, bits)
            for half in halves:
                part = builder.fsub(part, spread(builder, half, 8))
            part = builder.fmul(part, spread(builder, rate, 8))
            part = part if item == ir.FloatType() else builder.fptrunc(part, ir.VectorType(ir.FloatType(), 8))
            place = address(context, builder, signature.args[3], out, builder.add(to, ir.Constant(to.type, 8 * i)))
            builder.store(part, place, align=4)
        return mask

    item = types.float64
    return types.uint64(array, types.intp, array.dtype, out, types.intp, item, item), generate


def _reach(context: Any, builder: Any, signature: Any, args: Any, load: Any) -> Any:
    """Which of 64 items, which `load` reads, are at least the last argument: a mask."""

    def compare(first: int, slots: int) -> Any:
        items = load(context, builder, signature, args, first, slots)
        return builder.fcmp_ordered(">=", items, spread(builder, args[-1], slots))

    return _mask(builder, compare)


@intrinsic
def at_least64(typing_context: Any, array: Any, offset: Any, threshold: Any) -> Any:
    """Which of 64 items are at least `threshold` (of the array's type): a mask, first item in the lowest bit."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _reach(context, builder, signature, args, load)

    return types.uint64(array, types.intp, array.dtype), generate


@intrinsic
def part_at_least64(typing_context: Any, array: Any, offset: Any, first: Any, last: Any, threshold: Any) -> Any:
    """Like `at_least64`, of the items from `first` to before `last`, which alone need exist."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _reach(context, builder, signature, args, functools.partial(load_part, absent="nan"))

    return types.uint64(array, types.intp, types.intp, types.intp, array.dtype), generate


@intrinsic
def at_most64(typing_context: Any, array: Any, offset: Any, limits: Any, first: Any) -> Any:
    """Which of 64 real or unsigned items are at most the limits from limits[first] on: a mask, first item lowest."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        beside = signature.return_type(*signature.args[2:])
        less = builder.fcmp_ordered if isinstance(array.dtype, types.Float) else builder.icmp_unsigned

        def compare(first: int, slots: int) -> Any:
            items = load(context, builder, signature, args[:2], first, slots)
            return less("<=", items, load(context, builder, beside, args[2:], first, slots))

        return _mask(builder, compare)

    return types.uint64(array, types.intp, limits, types.intp), generate


@intrinsic
def any_at_most64(typing_context: Any, planes: Any, offset: Any, plane: Any, limits: Any) -> Any:
    """Of which of 64 places from `offset` on one of four planes, `plane` apart, is at most the limit there: a mask."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words, offset, plane, limits = args

        def compare(first: int, slots: int) -> Any:
            def part(array: Any, place: Any) -> Any:
                return load(context, builder, signature, [array, place], first, slots)

            least = part(words, offset)
            for j in range(1, 4):
                place = builder.add(offset, builder.mul(plane, ir.Constant(plane.type, j)))
                other = part(words, place)
                least = builder.select(builder.icmp_unsigned("<", other, least), other, least)
            return builder.icmp_unsigned("<=", least, part(limits, offset))

        return _mask(builder, compare)

    return types.uint64(planes, types.intp, types.intp, planes), generate


@intrinsic
def lowest_bit(typing_context: Any, mask: Any) -> Any:
    """Position of the lowest set bit of a nonzero uint64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return call(builder, "llvm.cttz.i64", ir.IntType(64), [args[0], ir.Constant(ir.IntType(1), 1)])

    return types.intp(types.uint64), generate


@intrinsic
def count_bits(typing_context: Any, mask: Any) -> Any:
    """Number of set bits of a uint64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return call(builder, "llvm.ctpop.i64", ir.IntType(64), [args[0]])

    return types.intp(types.uint64), generate
