"""How functions are compiled: `scalar`, `stage` and `maker` for the parts of kernels, `kernel` for what Python calls.

`inside` is for what users call in compiled code of their own.

Numba treats every function as one that could be called: it optimises it, wraps it for Python and for C and makes
machine code of it, with all that it calls, and does the same again in each function that calls it. Of a part, others
link the code and want nothing else, so all this is done once, in the kernel.

Numba's disk cache asks only whether the file of the outermost function changed. A kernel is built from many files, so
its cache here is stamped with a digest of the text of all of them, and with nothing else: code compiled from other
text is never loaded, and a copy of the same text with other time stamps needs no new compilation. Where the cache
lives stays the user's choice (`NUMBA_CACHE_DIR`); where it cannot be, kernels are compiled for the process alone.
"""

import contextlib
import gc
import hashlib
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from numba.core import config
from numba.core.caching import FunctionCache, IndexDataCacheFile, NullCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

Function = TypeVar("Function", bound=Callable[..., Any])

# In default mode Numba tests every divisor for zero, and the branch keeps a loop from becoming vector code. What is not
# set here would be taken from the code that compiles a function first: fast-math of a user's must not change bits.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": False}

# Functions that only kernels call borrow their arrays: without this, each call counts references atomically.
_BORROWED: dict[str, Any] = {"_nrt": False}
# Neither Python nor C calls them.
_UNWRAPPED: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
STAGE_OPTIONS = {**_OPTIONS, **_BORROWED, **_UNWRAPPED}
# LLVM would leave the larger scalar functions as calls, and a loop around a call stays scalar.
_INLINED: dict[str, Any] = {"forceinline": True}
SCALAR_OPTIONS = {**STAGE_OPTIONS, **_INLINED}


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


DIGEST = _digest_of_sources()


_complained = False


def _complain(reason: object) -> None:
    """Say, once a process, that kernels are not kept on disk."""
    global _complained
    if not _complained:
        _complained = True
        warnings.warn(
            f"kernels are compiled in every process, as they cannot be kept on disk: {reason}; set NUMBA_CACHE_DIR to "
            "a directory that can be written, and has room for a few MB",
            RuntimeWarning,
            stacklevel=2,
        )


class _StampedFile(IndexDataCacheFile):  # type: ignore[misc]
    """Data that say what they are, as the index alone can be wrong.

    It is written before them, and other data may stand in their place when the disk is full, or when two processes,
    maybe on different processors, have both written it.
    """

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (self._source_stamp, key, data))

    def load(self, key: Any) -> Any:
        stamp, own, data = super().load(key) or (None, None, None)
        return data if (stamp, own) == (self._source_stamp, key) else None


class _StampedCache(FunctionCache):  # type: ignore[misc]
    """A function's disk cache that is valid for one text of its file and of the whole kernel package."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        own = hashlib.sha256(Path(function.__code__.co_filename).read_bytes()).hexdigest()
        self._cache_file = _StampedFile(
            cache_path=self._cache_path, filename_base=self._impl.filename_base, source_stamp=DIGEST + own
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        # A damaged file can raise anything.
        with contextlib.suppress(Exception):
            return super().load_overload(sig, target_context)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _complain(error)
        except Exception:
            # The index is damaged: a new one.
            self.flush()


class _NoCache(NullCache):  # type: ignore[misc]
    def save_overload(self, sig: Any, data: Any) -> None:
        _complain("there is no directory for them")


def _cache_of(function: Any) -> Any:
    try:
        return _StampedCache(function)
    except RuntimeError:  # of all places that Numba knows none can be written
        return _NoCache()


def cache_directory() -> str | None:
    """Where machine code is kept; None if nowhere."""
    path: str | None = _cache_of(cache_directory).cache_path
    return path


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Leave garbage for later: compiling makes much that lives, and to look through it takes a sixth more time."""
    enabled = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if enabled:
            gc.enable()


class _Dispatcher(CPUDispatcher):  # type: ignore[misc]
    """Compiles also under `NUMBA_DISABLE_JIT=1`, which is meant for the user's own functions: these cannot run bare."""

    def compile(self, sig: Any) -> Any:
        with global_compiler_lock, _no_collection():
            config.reload_config()
            disabled, config.DISABLE_JIT = config.DISABLE_JIT, 0
            try:
                return super().compile(sig)
            finally:
                config.DISABLE_JIT = disabled


class _LinkedCode(JITCodeLibrary):  # type: ignore[misc]
    """Code for others to link, neither optimised nor made machine code by itself."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _PartCompiler(Compiler):  # type: ignore[misc]
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.state.library = _LinkedCode(self.state.targetctx.codegen(), "part")
        self.state.flags.no_compile = True


class _Part(_Dispatcher):
    """Compiles a part of kernels, which cannot be called from Python."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options, pipeline_class=_PartCompiler)

    def add_overload(self, compiled: Any) -> None:
        # Numba finds code by its entry point.
        compiled = compiled._replace(entry_point=object())
        self.targetctx.insert_user_function(compiled.entry_point, compiled.fndesc, [compiled.library])
        self.overloads[tuple(compiled.signature.args)] = compiled

    def _compile_for_args(self, *args: Any, **options: Any) -> None:
        raise TypeError(f"only compiled code can call {self.__name__}")


def _compiler(dispatcher: Any, **options: Any) -> Any:
    def decorate(function: Any) -> Any:
        return dispatcher(function, targetoptions={"nopython": True, "boundscheck": None, **options})

    return decorate


scalar = _compiler(_Part, **SCALAR_OPTIONS)
stage = _compiler(_Part, **STAGE_OPTIONS)
# For what makes arrays, and so cannot borrow only.
maker = _compiler(_Part, **_OPTIONS, **_UNWRAPPED)


def _kept(dispatcher: Any) -> Any:
    """Keep the machine code on disk."""
    dispatcher._cache = _cache_of(dispatcher.py_func)
    return dispatcher


def kernel(function: Any) -> Any:
    """Compile on first call, without the interpreter lock, and keep the machine code on disk."""
    return _kept(_compiler(_Dispatcher, **_OPTIONS)(function))


def inside(function: Function) -> Function:
    """Compile what users call in compiled code, where it is inlined, and from Python; it must not allocate."""
    compiled: Function = _kept(_compiler(_Dispatcher, **_OPTIONS, **_BORROWED, **_INLINED)(function))
    return compiled


if hasattr(os, "register_at_fork"):
    # A child that is begun while another thread compiles would wait for ever for the end of it.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
