"""Vector steps that the compiler does not find by itself; CPU only.

`array` is one-dimensional and contiguous, and what is read from `offset` on must exist.
"""

import functools
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastgumbel._numba.load import BITS, address, beyond, call, load, load_part, spread


def _largest(context: Any, builder: Any, signature: Any, args: Any, load: Any) -> Any:
    """Largest of 64 items, which `load` reads; NaN if any is NaN."""
    dtype = signature.return_type
    width = BITS[dtype]
    slots = 512 // width
    parts = [load(context, builder, signature, args, first, slots) for first in range(0, 64, slots)]
    unordered = [builder.fcmp_unordered("uno", a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    while len(parts) > 1:
        parts = [
            builder.select(builder.fcmp_ordered(">", a, b), a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)
        ]
    while len(unordered) > 1:
        unordered = [builder.or_(a, b) for a, b in zip(unordered[::2], unordered[1::2], strict=True)]
    item = context.get_value_type(dtype)
    name = f"llvm.vector.reduce.fmax.v{slots}f{width}"
    largest = call(builder, name, item, [parts[0]], fastmath=("nnan",))
    any_nan = builder.icmp_unsigned(
        "!=", builder.bitcast(unordered[0], ir.IntType(slots)), ir.Constant(ir.IntType(slots), 0)
    )
    return builder.select(any_nan, ir.Constant(item, float("nan")), largest)


@intrinsic
def max64(typing_context: Any, array: Any, offset: Any) -> Any:
    """Largest of 64 items; NaN if any is NaN."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _largest(context, builder, signature, args, load)

    return array.dtype(array, types.intp), generate


@intrinsic
def max_part64(typing_context: Any, array: Any, offset: Any, first: Any, last: Any) -> Any:
    """Largest of those of 64 items from `first` to before `last`, which alone need exist; NaN if any is NaN."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _largest(context, builder, signature, args, functools.partial(load_part, absent="-inf"))

    return array.dtype(array, types.intp, types.intp, types.intp), generate


def _fill(out: Any, to: Any, value: Any, slots: int) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = address(context, builder, signature.args[0], *args[:2])
        builder.store(spread(builder, args[2], slots), place, align=BITS[out.dtype] // 8)
        return context.get_dummy_value()

    return types.none(out, types.intp, out.dtype), generate


@intrinsic
def fill8(typing_context: Any, out: Any, to: Any, value: Any) -> Any:
    """Write one value to eight places."""
    return _fill(out, to, value, 8)


@intrinsic
def fill16(typing_context: Any, out: Any, to: Any, value: Any) -> Any:
    """Write one value to 16 places."""
    return _fill(out, to, value, 16)


@intrinsic
def fill_where64(typing_context: Any, out: Any, to: Any, mask: Any, value: Any) -> Any:
    """Write one value to those of 64 places of which a mask has the bit, the first place the lowest."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        begin = address(context, builder, signature.args[0], *args[:2])
        width, values = BITS[out.dtype], spread(builder, args[3], 8)
        for first in range(0, 64, 8):
            part = builder.trunc(builder.lshr(args[2], ir.Constant(args[2].type, first)), ir.IntType(8))
            where = builder.bitcast(part, ir.VectorType(ir.IntType(1), 8))
            place = beyond(context, builder, signature.args[0], begin, ir.Constant(ir.IntType(64), first))
            arguments = [values, place, ir.IntType(32)(width // 8), where]
            call(builder, f"llvm.masked.store.v8i{width}.p0", ir.VoidType(), arguments)
        return context.get_dummy_value()

    return types.none(out, types.intp, types.uint64, out.dtype), generate


@intrinsic
def sums8(typing_context: Any, out: Any, to: Any, first: Any, values: Any) -> Any:
    """Write a number plus each of the eight bytes of a uint64, the lowest first, to places of an array of integers."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        item = context.get_value_type(signature.args[0].dtype)
        values = builder.zext(builder.bitcast(args[3], ir.VectorType(ir.IntType(8), 8)), ir.VectorType(item, 8))
        place = address(context, builder, signature.args[0], *args[:2])
        sums = builder.add(values, spread(builder, args[2], 8))
        builder.store(sums, place, align=BITS[signature.args[0].dtype] // 8)
        return context.get_dummy_value()

    return types.none(out, types.intp, out.dtype, types.uint64), generate


@intrinsic
def sum64(typing_context: Any, array: Any, offset: Any) -> Any:
    """Sum of 64 items, halves added slot by slot down to one."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _halve(builder, load(context, builder, signature, args, 0, 64))

    return array.dtype(array, types.intp), generate


@intrinsic
def dot64(typing_context: Any, array: Any, offset: Any, other: Any, other_offset: Any) -> Any:
    """Sum of the 64 products of items of two arrays of one type, added as in `sum64`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        items = load(context, builder, signature, args, 0, 64)
        signature = signature.return_type(*signature.args[2:])
        others = load(context, builder, signature, args[2:], 0, 64)
        return _halve(builder, builder.fmul(items, others))

    return array.dtype(array, types.intp, other, types.intp), generate


def _halve(builder: Any, vector: Any) -> Any:
    while vector.type.count > 1:
        half = vector.type.count // 2
        low, high = (
            builder.shuffle_vector(
                vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(first, first + half)))
            )
            for first in (0, half)
        )
        vector = builder.fadd(low, high)
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


@intrinsic
def prefetch64(typing_context: Any, array: Any, offset: Any) -> Any:
    """Ask for the 64 items from `offset` on, which need not exist, without waiting for them."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array_type = signature.args[0]
        begin = address(context, builder, array_type, *args)
        flag = ir.IntType(32)
        for first in range(0, 64, 512 // BITS[array_type.dtype]):
            pointer = beyond(context, builder, array_type, begin, ir.Constant(ir.IntType(64), first))
            call(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.none(array, types.intp), generate


@intrinsic
def turn8(typing_context: Any, out: Any, to: Any, plane: Any, array: Any, offset: Any, line: Any) -> Any:
    """Transpose 8 x 8 items: out[to + plane j + i] = array[offset + line i + j]."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out_type, _, _, array_type, _, _ = signature.args
        kind = ir.VectorType(context.get_value_type(array_type.dtype), 8)
        align = BITS[array_type.dtype] // 8

        def pointers(array_type: Any, array: Any, offset: Any, step: Any) -> list[Any]:
            begin = address(context, builder, array_type, array, offset)
            steps = [builder.mul(step, ir.Constant(ir.IntType(64), i)) for i in range(8)]
            return [beyond(context, builder, array_type, begin, s) for s in steps]

        def mix(a: Any, b: Any, slots: list[int]) -> Any:
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), 8), slots))

        rows = [builder.load(p, align=align, typ=kind) for p in pointers(array_type, args[3], args[4], args[5])]
        for d in (1, 2, 4):
            # Swap the slots with bit d of the rows without it for the slots without bit d of the rows with it.
            first = [8 + (slot ^ d) if slot & d else slot for slot in range(8)]
            second = [8 + slot if slot & d else slot ^ d for slot in range(8)]
            for i in range(8):
                if not i & d:
                    a, b = rows[i], rows[i | d]
                    rows[i], rows[i | d] = mix(a, b, first), mix(a, b, second)
        for row, p in zip(rows, pointers(out_type, args[0], args[1], args[2]), strict=True):
            builder.store(row, p, align=align)
        return context.get_dummy_value()

    return types.none(out, types.intp, types.intp, array, types.intp, types.intp), generate


def _chosen(name: str, a: Any, b: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return call(builder, f"llvm.{name}.f{BITS[a]}", args[0].type, list(args), fastmath=("nnan",))

    return (a(a, b), generate) if a == b else None


@intrinsic
def lesser(typing_context: Any, a: Any, b: Any) -> Any:
    """The lesser of two floats of one type, none of which is NaN.

    A condition in its place would become a masked store of the result, for which some processors take long.
    """
    return _chosen("minnum", a, b)


@intrinsic
def greater(typing_context: Any, a: Any, b: Any) -> Any:
    """The greater of two floats, as `lesser`."""
    return _chosen("maxnum", a, b)


@intrinsic
def ranks16(typing_context: Any, ranks: Any, to: Any, array: Any, offset: Any, first: Any, n: Any) -> Any:
    """Of 16 items from `offset` on, how many of n items from `first` on are larger, to 16 places of `ranks` (int64)."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array_type = signature.args[2]
        own = load(context, builder, signature.return_type(*signature.args[2:4]), args[2:4], 0, 16)
        kind = ir.VectorType(ir.IntType(64), 16)
        counts = cgutils.alloca_once_value(builder, ir.Constant(kind, [0] * 16))
        with cgutils.for_range(builder, args[5]) as loop:
            place = address(context, builder, array_type, args[2], builder.add(args[4], loop.index))
            other = spread(builder, builder.load(place, typ=context.get_value_type(array_type.dtype)), 16)
            larger = builder.sext(builder.fcmp_ordered(">", other, own), kind)
            builder.store(builder.sub(builder.load(counts), larger), counts)
        place = address(context, builder, signature.args[0], *args[:2])
        builder.store(builder.load(counts), place, align=8)
        return context.get_dummy_value()

    return types.none(ranks, types.intp, array, types.intp, types.intp, types.intp), generate
