"""How vectors are read from arrays and made, in LLVM's words; CPU only.

Vectors are written as long as they are needed; LLVM cuts them to the registers of the machine.
"""

from typing import Any

from llvmlite import ir
from numba import types

BITS = {types.float32: 32, types.float64: 64, types.uint32: 32, types.int64: 64, types.uint64: 64}


def address(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    """Address of one item."""
    data = context.make_array(array_type)(context, builder, array).data
    return beyond(context, builder, array_type, data, offset)


def beyond(context: Any, builder: Any, array_type: Any, pointer: Any, offset: Any) -> Any:
    """Address of the item that is `offset` items beyond a pointer."""
    pointer = builder.gep(pointer, [offset], source_etype=context.get_value_type(array_type.dtype))
    # A pointer of Numba's may still name the type of an item, and `store` of llvmlite would refuse a vector.
    pointer.type = ir.PointerType()
    return pointer


def load(context: Any, builder: Any, signature: Any, args: Any, first: int, slots: int) -> Any:
    array_type = signature.args[0]
    pointer = address(context, builder, array_type, *args[:2])
    pointer = beyond(context, builder, array_type, pointer, ir.Constant(ir.IntType(64), first))
    kind = ir.VectorType(context.get_value_type(array_type.dtype), slots)
    return builder.load(pointer, align=BITS[array_type.dtype] // 8, typ=kind)


def load_part(context: Any, builder: Any, signature: Any, args: Any, first: int, slots: int, absent: str) -> Any:
    """Like `load`, but `absent` for items that are not from args[2] to before args[3], which alone need exist."""
    array_type = signature.args[0]
    pointer = address(context, builder, array_type, *args[:2])
    pointer = beyond(context, builder, array_type, pointer, ir.Constant(ir.IntType(64), first))
    kind = ir.VectorType(context.get_value_type(array_type.dtype), slots)
    width = BITS[array_type.dtype]
    # As wide as the items, so that a comparison is a mask for them as it stands.
    number = ir.IntType(width)
    numbers = ir.Constant(ir.VectorType(number, slots), list(range(first, first + slots)))

    def each(value: Any) -> Any:
        return spread(builder, builder.trunc(value, number) if width < 64 else value, slots)

    inside = builder.and_(
        builder.icmp_signed(">=", numbers, each(args[2])), builder.icmp_signed("<", numbers, each(args[3]))
    )
    arguments = [pointer, ir.IntType(32)(width // 8), inside, ir.Constant(kind, [float(absent)] * slots)]
    return call(builder, f"llvm.masked.load.v{slots}f{width}.p0", kind, arguments)


def spread(builder: Any, value: Any, slots: int) -> Any:
    """A vector of one value."""
    none = ir.Constant(ir.VectorType(value.type, slots), ir.Undefined)
    one = builder.insert_element(none, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, none, ir.Constant(ir.VectorType(ir.IntType(32), slots), [0] * slots))


def call(builder: Any, name: str, result: Any, args: list[Any], **options: Any) -> Any:
    kind = ir.FunctionType(result, [a.type for a in args])
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(function, args, **options)
