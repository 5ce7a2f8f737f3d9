"""What kernels are compiled for, and when."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event
from numba.core.registry import cpu_target

from fastgumbel._kernels.compiling import cache_directory

__all__ = ["before_compiling", "cache_directory", "processor"]

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


class _First(event.Listener):
    """Calls a function when the first event begins."""

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell = tell
        self._told = False

    def on_start(self, _event: event.Event) -> None:
        if not self._told:
            self._told = True
            self._tell()

    def on_end(self, _event: event.Event) -> None:
        """Nothing is to be done."""


@contextmanager
def before_compiling(tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` once, before anything is compiled within the context; code that is loaded from disk does not count.

    Numba looks for a function on disk first, and only if it is not there does it announce that it compiles.
    """
    with event.install_listener("numba:compile", _First(tell)):
        yield
