"""New arrays of one axis, for the CPU.

They are what `np.empty` and `np.zeros` give. Of these, Numba compiles a function or more for each type of number, which
takes longer than many a part of a kernel.
"""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _allocate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """A new array, and how many bytes it has."""
    kind = signature.return_type
    size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    room = builder.mul(args[0], size)
    align = context.get_constant(types.uint32, context.get_preferred_array_alignment(kind.dtype))
    owner = context.nrt.meminfo_alloc_aligned(builder, room, align)
    array = context.make_array(kind)(context, builder)
    pointer = context.get_value_type(types.CPointer(kind.dtype))
    data = builder.bitcast(context.nrt.meminfo_data(builder, owner), pointer)
    context.populate_array(array, data=data, shape=[args[0]], strides=[size], itemsize=size, meminfo=owner)
    return array, room


@intrinsic
def empty(typing_context: Any, n: Any, dtype: Any) -> Any:
    """A new array of n numbers, whatever they are."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, _ = _allocate(context, builder, signature, args)
        return array._getvalue()

    return types.Array(dtype.dtype, 1, "C")(types.intp, dtype), generate


@intrinsic
def zeros(typing_context: Any, n: Any, dtype: Any) -> Any:
    """A new array of n zeros."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, room = _allocate(context, builder, signature, args)
        cgutils.memset(builder, array.data, room, 0)
        return array._getvalue()

    return types.Array(dtype.dtype, 1, "C")(types.intp, dtype), generate
