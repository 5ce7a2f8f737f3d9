"""How functions are compiled: `scalar` for what is inlined into kernels, `kernel` for what Python calls.

Numba's disk cache asks only whether the file of the outermost function changed. A kernel is built from many files, so
its cache here is stamped with a digest of the text of all of them, and with nothing else: code compiled from other
text is never loaded, and a copy of the same text with other time stamps needs no new compilation. Where the cache
lives stays the user's choice (`NUMBA_CACHE_DIR`).
"""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

# In default mode Numba tests every divisor for zero, and the branch keeps a loop from becoming vector code.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}

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
    """A function's disk cache that is valid for one text of the whole kernel package."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        self._cache_file = IndexDataCacheFile(
            cache_path=self._cache_path, filename_base=self._impl.filename_base, source_stamp=DIGEST
        )


scalar = numba.njit(**OPTIONS, **BORROWED, **INLINED)
stage = numba.njit(**OPTIONS, **BORROWED)
# For what makes arrays, and so cannot borrow only.
maker = numba.njit(**OPTIONS)


def kernel(function: Any) -> Any:
    """Compile on first call, without the interpreter lock, and keep the machine code on disk."""
    dispatcher = numba.njit(**OPTIONS)(function)
    # A RuntimeError says that no directory can be written: then the kernel is compiled anew in every process.
    with contextlib.suppress(RuntimeError):
        dispatcher._cache = _StampedCache(function)
    return dispatcher
