"""Small arrays on the stack, for what must not allocate; CPU only."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

PLACES = 256


def _local(kind: Any, lowered: Any) -> Any:
    @intrinsic
    def places(typing_context: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            with builder.goto_entry_block():  # so that a loop takes the same places each time
                return builder.alloca(lowered, size=ir.Constant(ir.IntType(64), PLACES))

        return types.CPointer(kind)(), generate

    return places


# PLACES numbers each, at a pointer that is good until the caller returns.
places32 = _local(types.float32, ir.FloatType())
words32 = _local(types.uint32, ir.IntType(32))
