"""What kernels are compiled for."""

import re

from numba.core.registry import cpu_target

from fastgumbel._kernels.compiling import cache_directory

__all__ = ["cache_directory", "processor"]

# Widest first: what a set of instructions counts its vectors in.
_BITS = ((r"\+avx512f", 512), (r"\+avx2?", 256), (r"\+(sse2|neon)", 128))
# Processors that stand for the least of their kind, and are named where no instructions are.
_LEAST = {"generic": 128, "x86-64": 128}


def processor() -> tuple[str, str, int | None]:
    """Target triple, name and bits of a vector register of the processor; None where its name alone does not tell."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    listed = features.split(",")
    found = (bits for pattern, bits in _BITS if any(re.fullmatch(pattern, feature) for feature in listed))
    return triple, name, next(found, _LEAST.get(name))
