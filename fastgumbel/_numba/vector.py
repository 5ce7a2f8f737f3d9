"""Vector steps that the compiler does not find by itself; CPU only.

Vectors are written 64 lanes long; LLVM cuts them to the registers of the machine. `array` is one-dimensional and
contiguous, and 64 items from `offset` on must exist.
"""

import functools
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BITS = {types.float32: 32, types.float64: 64, types.uint32: 32, types.uint64: 64}


def _address(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    """Address of one item."""
    data = context.make_array(array_type)(context, builder, array).data
    return _beyond(context, builder, array_type, data, offset)


def _beyond(context: Any, builder: Any, array_type: Any, pointer: Any, offset: Any) -> Any:
    """Address of the item that is `offset` items beyond a pointer."""
    pointer = builder.gep(pointer, [offset], source_etype=context.get_value_type(array_type.dtype))
    # A pointer of Numba's may still name the type of an item, and `store` of llvmlite would refuse a vector.
    pointer.type = ir.PointerType()
    return pointer


def _load(context: Any, builder: Any, signature: Any, args: Any, first: int, lanes: int) -> Any:
    array_type = signature.args[0]
    pointer = _address(context, builder, array_type, *args[:2])
    pointer = _beyond(context, builder, array_type, pointer, ir.Constant(ir.IntType(64), first))
    kind = ir.VectorType(context.get_value_type(array_type.dtype), lanes)
    return builder.load(pointer, align=_BITS[array_type.dtype] // 8, typ=kind)


def _spread(builder: Any, value: Any, lanes: int) -> Any:
    """A vector of one value."""
    none = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = builder.insert_element(none, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, none, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


def _call(builder: Any, name: str, result: Any, args: list[Any], **options: Any) -> Any:
    kind = ir.FunctionType(result, [a.type for a in args])
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(function, args, **options)


def _load_part(context: Any, builder: Any, signature: Any, args: Any, first: int, lanes: int, absent: str) -> Any:
    """Like `_load`, but `absent` for items that are not from args[2] to before args[3], which alone need exist."""
    array_type = signature.args[0]
    pointer = _address(context, builder, array_type, *args[:2])
    pointer = _beyond(context, builder, array_type, pointer, ir.Constant(ir.IntType(64), first))
    kind = ir.VectorType(context.get_value_type(array_type.dtype), lanes)
    width = _BITS[array_type.dtype]
    # As wide as the items, so that a comparison is a mask for them as it stands.
    number = ir.IntType(width)
    numbers = ir.Constant(ir.VectorType(number, lanes), list(range(first, first + lanes)))

    def spread(value: Any) -> Any:
        return _spread(builder, builder.trunc(value, number) if width < 64 else value, lanes)

    inside = builder.and_(
        builder.icmp_signed(">=", numbers, spread(args[2])), builder.icmp_signed("<", numbers, spread(args[3]))
    )
    arguments = [pointer, ir.IntType(32)(width // 8), inside, ir.Constant(kind, [float(absent)] * lanes)]
    return _call(builder, f"llvm.masked.load.v{lanes}f{width}.p0", kind, arguments)


def _largest(context: Any, builder: Any, signature: Any, args: Any, load: Any) -> Any:
    """Largest of 64 items, which `load` reads; NaN if any is NaN."""
    dtype = signature.return_type
    width = _BITS[dtype]
    lanes = 512 // width
    parts = [load(context, builder, signature, args, first, lanes) for first in range(0, 64, lanes)]
    unordered = [builder.fcmp_unordered("uno", a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    while len(parts) > 1:
        parts = [
            builder.select(builder.fcmp_ordered(">", a, b), a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)
        ]
    while len(unordered) > 1:
        unordered = [builder.or_(a, b) for a, b in zip(unordered[::2], unordered[1::2], strict=True)]
    item = context.get_value_type(dtype)
    name = f"llvm.vector.reduce.fmax.v{lanes}f{width}"
    largest = _call(builder, name, item, [parts[0]], fastmath=("nnan",))
    any_nan = builder.icmp_unsigned(
        "!=", builder.bitcast(unordered[0], ir.IntType(lanes)), ir.Constant(ir.IntType(lanes), 0)
    )
    return builder.select(any_nan, ir.Constant(item, float("nan")), largest)


@intrinsic
def max64(typing_context: Any, array: Any, offset: Any) -> Any:
    """Largest of 64 items; NaN if any is NaN."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _largest(context, builder, signature, args, _load)

    return array.dtype(array, types.intp), generate


@intrinsic
def max_part64(typing_context: Any, array: Any, offset: Any, first: Any, last: Any) -> Any:
    """Largest of those of 64 items from `first` to before `last`, which alone need exist; NaN if any is NaN."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _largest(context, builder, signature, args, functools.partial(_load_part, absent="-inf"))

    return array.dtype(array, types.intp, types.intp, types.intp), generate


@intrinsic
def reach16(
    typing_context: Any, array: Any, offset: Any, threshold: Any, out: Any, to: Any, least: Any, rate: Any
) -> Any:
    """Which of the largest of each four of 64 items, none of which is NaN, are at least `threshold`: a mask.

    To 16 places of `out`, of float32, it writes by how much they are above `least`, times `rate`.
    """

    def shuffled(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), 8), lanes))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, _, threshold, out, to, least, rate = args
        parts = [_load(context, builder, signature, args, first, 8) for first in range(0, 64, 8)]
        # In halves of vectors, as what crosses them takes longer.
        even, odd = [0, 2, 8, 10, 4, 6, 12, 14], [1, 3, 9, 11, 5, 7, 13, 15]
        while len(parts) > 2:
            pairs = list(zip(parts[::2], parts[1::2], strict=True))
            parts = [[shuffled(builder, a, b, lanes) for lanes in (even, odd)] for a, b in pairs]
            parts = [builder.select(builder.fcmp_ordered(">", a, b), a, b) for a, b in parts]
        reals, mask = ir.VectorType(ir.DoubleType(), 8), ir.Constant(ir.IntType(64), 0)
        for i, part in enumerate(parts):
            part = shuffled(builder, part, part, [0, 4, 1, 5, 2, 6, 3, 7])
            bits = builder.bitcast(builder.fcmp_ordered(">=", part, _spread(builder, threshold, 8)), ir.IntType(8))
            bits = builder.shl(builder.zext(bits, mask.type), ir.Constant(mask.type, 8 * i))
            mask = builder.or_(mask, bits)
            part = part if part.type == reals else builder.fpext(part, reals)
            part = builder.fmul(builder.fsub(part, _spread(builder, least, 8)), _spread(builder, rate, 8))
            part = builder.fptrunc(part, ir.VectorType(ir.FloatType(), 8))
            place = _address(context, builder, signature.args[3], out, builder.add(to, ir.Constant(to.type, 8 * i)))
            builder.store(part, place, align=4)
        return mask

    item = types.float64
    return types.uint64(array, types.intp, array.dtype, out, types.intp, item, item), generate


def _fill(out: Any, to: Any, value: Any, lanes: int) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _address(context, builder, signature.args[0], *args[:2])
        builder.store(_spread(builder, args[2], lanes), place, align=_BITS[out.dtype] // 8)
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
def sums8(typing_context: Any, out: Any, to: Any, first: Any, values: Any) -> Any:
    """Write a number plus each of the eight bytes of a uint64, the lowest first, to places of an array of integers."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        item = context.get_value_type(signature.args[0].dtype)
        values = builder.zext(builder.bitcast(args[3], ir.VectorType(ir.IntType(8), 8)), ir.VectorType(item, 8))
        place = _address(context, builder, signature.args[0], *args[:2])
        sums = builder.add(values, _spread(builder, args[2], 8))
        builder.store(sums, place, align=_BITS[signature.args[0].dtype] // 8)
        return context.get_dummy_value()

    return types.none(out, types.intp, out.dtype, types.uint64), generate


def _mask(builder: Any, compare: Any) -> Any:
    """64 bits, of which `compare` makes 16 at a time, from a lane on: LLVM takes 64 apart bit by bit on AVX2."""
    mask = None
    for first in range(0, 64, 16):
        part = builder.zext(builder.bitcast(compare(first, 16), ir.IntType(16)), ir.IntType(64))
        mask = builder.or_(mask, builder.shl(part, ir.Constant(part.type, first))) if first else part
    return mask


def _reach(context: Any, builder: Any, signature: Any, args: Any, load: Any) -> Any:
    """Which of 64 items, which `load` reads, are at least the last argument: a mask."""

    def compare(first: int, lanes: int) -> Any:
        items = load(context, builder, signature, args, first, lanes)
        return builder.fcmp_ordered(">=", items, _spread(builder, args[-1], lanes))

    return _mask(builder, compare)


@intrinsic
def at_least64(typing_context: Any, array: Any, offset: Any, threshold: Any) -> Any:
    """Which of 64 items are at least `threshold` (of the array's type): a mask, first item in the lowest bit."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _reach(context, builder, signature, args, _load)

    return types.uint64(array, types.intp, array.dtype), generate


@intrinsic
def part_at_least64(typing_context: Any, array: Any, offset: Any, first: Any, last: Any, threshold: Any) -> Any:
    """Like `at_least64`, of the items from `first` to before `last`, which alone need exist."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _reach(context, builder, signature, args, functools.partial(_load_part, absent="nan"))

    return types.uint64(array, types.intp, types.intp, types.intp, array.dtype), generate


@intrinsic
def at_most64(typing_context: Any, array: Any, offset: Any, limits: Any, first: Any) -> Any:
    """Which of 64 items are at most the limits from limits[first] on: a mask, first item in the lowest bit."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        beside = signature.return_type(*signature.args[2:])

        def compare(first: int, lanes: int) -> Any:
            items = _load(context, builder, signature, args[:2], first, lanes)
            return builder.fcmp_ordered("<=", items, _load(context, builder, beside, args[2:], first, lanes))

        return _mask(builder, compare)

    return types.uint64(array, types.intp, limits, types.intp), generate


@intrinsic
def any_at_most64(typing_context: Any, planes: Any, offset: Any, plane: Any, limits: Any) -> Any:
    """Of which of 64 places from `offset` on one of four planes, `plane` apart, is at most the limit there: a mask."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words, offset, plane, limits = args

        def compare(first: int, lanes: int) -> Any:
            def load(array: Any, place: Any) -> Any:
                return _load(context, builder, signature, [array, place], first, lanes)

            least = load(words, offset)
            for j in range(1, 4):
                place = builder.add(offset, builder.mul(plane, ir.Constant(plane.type, j)))
                other = load(words, place)
                least = builder.select(builder.icmp_unsigned("<", other, least), other, least)
            return builder.icmp_unsigned("<=", least, load(limits, offset))

        return _mask(builder, compare)

    return types.uint64(planes, types.intp, types.intp, planes), generate


@intrinsic
def sum64(typing_context: Any, array: Any, offset: Any) -> Any:
    """Sum of 64 items, halves added lane by lane down to one."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _halve(builder, _load(context, builder, signature, args, 0, 64))

    return array.dtype(array, types.intp), generate


@intrinsic
def dot64(typing_context: Any, array: Any, offset: Any, other: Any, other_offset: Any) -> Any:
    """Sum of the 64 products of items of two arrays of one type, added as in `sum64`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        items = _load(context, builder, signature, args, 0, 64)
        signature = signature.return_type(*signature.args[2:])
        others = _load(context, builder, signature, args[2:], 0, 64)
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
        begin = _address(context, builder, array_type, *args)
        flag = ir.IntType(32)
        for first in range(0, 64, 512 // _BITS[array_type.dtype]):
            pointer = _beyond(context, builder, array_type, begin, ir.Constant(ir.IntType(64), first))
            _call(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.none(array, types.intp), generate


@intrinsic
def turn8(typing_context: Any, out: Any, to: Any, plane: Any, array: Any, offset: Any, line: Any) -> Any:
    """Transpose 8 x 8 items: out[to + plane j + i] = array[offset + line i + j]."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        out_type, _, _, array_type, _, _ = signature.args
        kind = ir.VectorType(context.get_value_type(array_type.dtype), 8)
        align = _BITS[array_type.dtype] // 8

        def pointers(array_type: Any, array: Any, offset: Any, step: Any) -> list[Any]:
            begin = _address(context, builder, array_type, array, offset)
            steps = [builder.mul(step, ir.Constant(ir.IntType(64), i)) for i in range(8)]
            return [_beyond(context, builder, array_type, begin, s) for s in steps]

        def mix(a: Any, b: Any, lanes: list[int]) -> Any:
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), 8), lanes))

        rows = [builder.load(p, align=align, typ=kind) for p in pointers(array_type, args[3], args[4], args[5])]
        for d in (1, 2, 4):
            # Swap the lanes with bit d of the rows without it for the lanes without bit d of the rows with it.
            first = [8 + (lane ^ d) if lane & d else lane for lane in range(8)]
            second = [8 + lane if lane & d else lane ^ d for lane in range(8)]
            for i in range(8):
                if not i & d:
                    a, b = rows[i], rows[i | d]
                    rows[i], rows[i | d] = mix(a, b, first), mix(a, b, second)
        for row, p in zip(rows, pointers(out_type, args[0], args[1], args[2]), strict=True):
            builder.store(row, p, align=align)
        return context.get_dummy_value()

    return types.none(out, types.intp, types.intp, array, types.intp, types.intp), generate


@intrinsic
def lesser(typing_context: Any, a: Any, b: Any) -> Any:
    """The lesser of two floats of one type, none of which is NaN.

    A condition in its place would become a masked store of the result, for which some processors take long.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, f"llvm.minnum.f{_BITS[a]}", args[0].type, list(args), fastmath=("nnan",))

    return (a(a, b), generate) if a == b else None


@intrinsic
def lowest_bit(typing_context: Any, mask: Any) -> Any:
    """Position of the lowest set bit of a nonzero uint64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "llvm.cttz.i64", ir.IntType(64), [args[0], ir.Constant(ir.IntType(1), 1)])

    return types.intp(types.uint64), generate


@intrinsic
def count_bits(typing_context: Any, mask: Any) -> Any:
    """Number of set bits of a uint64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _call(builder, "llvm.ctpop.i64", ir.IntType(64), [args[0]])

    return types.intp(types.uint64), generate
