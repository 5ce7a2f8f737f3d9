"""A small array on the stack, for what must not allocate; CPU only."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

PLACES = 256


@intrinsic
def places32(typing_context: Any) -> Any:
    """PLACES float32, at a pointer that is good until the caller returns."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        with builder.goto_entry_block():  # so that a loop takes the same places each time
            return builder.alloca(ir.FloatType(), size=ir.Constant(ir.IntType(64), PLACES))

    return types.CPointer(types.float32)(), generate
