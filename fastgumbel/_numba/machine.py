"""What kernels are compiled for."""

import functools
import re

from llvmlite import binding
from numba import config

# Widest first: what a set of instructions counts its vectors in.
_BITS = ((r"\+avx512f", 512), (r"\+avx2?", 256), (r"\+(sse2|neon)", 128))
# Processors that stand for the least of their kind, and are named where no instructions are.
_LEAST = {"generic": 128, "x86-64": 128}


@functools.cache
def _here() -> tuple[str, str, str]:
    return binding.get_process_triple(), binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def target() -> tuple[str, str, str]:
    """Target triple, name and features of the processor: this one, or what Numba's variables name instead."""
    triple, name, features = _here()
    if not config.ENABLE_AVX:
        features = ",".join(f for f in features.split(",") if not f.startswith("+avx"))
    given = config.CPU_NAME, config.CPU_FEATURES
    return triple, name if given[0] is None else given[0], features if given[1] is None else given[1]


def processor() -> tuple[str, str, int | None]:
    """Target triple, name and bits of a vector register of the processor; None where its name alone does not tell."""
    triple, name, features = target()
    listed = features.split(",")
    found = (bits for pattern, bits in _BITS if any(re.fullmatch(pattern, feature) for feature in listed))
    return triple, name, next(found, _LEAST.get(name))
