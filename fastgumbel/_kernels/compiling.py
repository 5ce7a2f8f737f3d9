"""How functions are compiled: `scalar` for what is inlined into kernels, `kernel` for what Python calls.

`inside` is for what users call in compiled code of their own.

Numba's disk cache asks only whether the file of the outermost function changed. A kernel is built from many files, so
its cache here is stamped with a digest of the text of all of them, and with nothing else: code compiled from other
text is never loaded, and a copy of the same text with other time stamps needs no new compilation. Where the cache
lives stays the user's choice (`NUMBA_CACHE_DIR`).
"""

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

Function = TypeVar("Function", bound=Callable[..., Any])

# In default mode Numba tests every divisor for zero, and the branch keeps a loop from becoming vector code. What is not
# set here would be taken from the code that compiles a function first: fast-math of a user's must not change bits.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": False}

# Functions that only kernels call borrow their arrays: without this, each call counts references atomically.
BORROWED: dict[str, Any] = {"_nrt": False}
# LLVM would leave the larger scalar functions as calls, and a loop around a call stays scalar.
INLINED: dict[str, Any] = {"forceinline": True}


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


DIGEST = _digest_of_sources()


class _StampedCache(FunctionCache):  # type: ignore[misc]
    """A function's disk cache that is valid for one text of its file and of the whole kernel package."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        own = hashlib.sha256(Path(function.__code__.co_filename).read_bytes()).hexdigest()
        self._cache_file = IndexDataCacheFile(
            cache_path=self._cache_path, filename_base=self._impl.filename_base, source_stamp=DIGEST + own
        )


scalar = numba.njit(**OPTIONS, **BORROWED, **INLINED)
stage = numba.njit(**OPTIONS, **BORROWED)
# For what makes arrays, and so cannot borrow only.
maker = numba.njit(**OPTIONS)


def _kept(dispatcher: Any) -> Any:
    """Keep the machine code on disk."""
    # A RuntimeError says that no directory can be written: then all is compiled anew in every process.
    with contextlib.suppress(RuntimeError):
        dispatcher._cache = _StampedCache(dispatcher.py_func)
    return dispatcher


def kernel(function: Any) -> Any:
    """Compile on first call, without the interpreter lock, and keep the machine code on disk."""
    return _kept(numba.njit(**OPTIONS)(function))


def inside(function: Function) -> Function:
    """Compile what users call in compiled code, where it is inlined, and from Python; it must not allocate."""
    compiled: Function = _kept(numba.njit(**OPTIONS, **BORROWED, **INLINED)(function))
    return compiled
