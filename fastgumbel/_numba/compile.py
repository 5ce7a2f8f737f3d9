"""How functions are compiled: `scalar`, `stage`, `once`, `maker` for parts of kernels, `kernel` for what Python calls.

`inside` is for what users call in compiled code of their own. All of them are `numba.njit` with options.

Python must not call a part, which has no entry for it: the process would end.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numba
from numba import config, types
from numba.core.errors import TypingError
from numba.extending import typeof_impl

from fastgumbel._numba.borrowing import BORROWED
from fastgumbel._numba.cache import kept
from fastgumbel._numba.linked import linked

try:
    from numba.core.compiler_lock import global_compiler_lock as _lock
except ImportError:  # A Numba that keeps it elsewhere: only threads that meet at a fork or under DISABLE_JIT need it.
    _lock = None

Function = TypeVar("Function", bound=Callable[..., Any])

# In default mode Numba tests every divisor for zero, and the branch keeps a loop from becoming vector code. What is not
# set here would be taken from the code that compiles a function first: fast-math of a user's must not change bits.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": False}
_NOT_FROM_C: dict[str, Any] = {"no_cfunc_wrapper": True}
_NOT_FROM_PYTHON: dict[str, Any] = {"no_cpython_wrapper": True}
STAGE_OPTIONS = {**_OPTIONS, **BORROWED, **_NOT_FROM_C, **_NOT_FROM_PYTHON}
# LLVM would leave the larger scalar functions as calls, and a loop around a call stays scalar.
_INLINED: dict[str, Any] = {"forceinline": True}
SCALAR_OPTIONS = {**STAGE_OPTIONS, **_INLINED}


@contextlib.contextmanager
def _jit_enabled() -> Iterator[None]:
    """Compile also under `NUMBA_DISABLE_JIT=1`, which is meant for the user's own functions: these cannot run bare."""
    disabled, config.DISABLE_JIT = config.DISABLE_JIT, 0
    try:
        yield
    finally:
        config.DISABLE_JIT = disabled


def _njit(function: Any, **options: Any) -> Any:
    with _jit_enabled():
        return numba.njit(function, **options)


def _part(function: Any, **options: Any) -> Any:
    return linked(functools.partial(_njit, **options), function)


scalar = functools.partial(_part, **SCALAR_OPTIONS)
stage = functools.partial(_part, **STAGE_OPTIONS)
# A long stage that a kernel calls at one place: as part of the kernel it is optimised once, not twice. Numba knows no
# argument of it to be None.
once = functools.partial(_njit, **STAGE_OPTIONS, inline="always")
# For what makes arrays, and so cannot borrow only.
maker = functools.partial(_part, **_OPTIONS, **_NOT_FROM_C, **_NOT_FROM_PYTHON)


def _refuse_unknown(function: Any, signature: Any) -> None:
    """Say what to pass instead of arrays that Numba cannot take, of which it tells the type at most."""
    names = function.__code__.co_varnames
    for name, kind in zip(names, signature, strict=False):
        if kind == types.pyobject:
            raise TypingError(
                f"fastgumbel.jit: {name} must be a number or an array in native byte order: convert it before, as by "
                f"np.asarray({name}, np.float64)"
            )
        if getattr(kind, "dtype", None) == types.float16:
            raise TypingError(f"fastgumbel.jit: {name} must not be of float16: convert it before, to float32")


def _whole(function: Any, **options: Any) -> Any:
    dispatcher = kept(functools.partial(_njit, **options), function)
    plain = dispatcher.compile

    def compile_(signature: Any) -> Any:
        _refuse_unknown(function, signature)
        # The setting is the whole process's, so one thread at a time changes it; the compiler holds the lock anyway.
        with _lock or contextlib.nullcontext():
            # The compiler does so, too, where the environment has changed, and must not undo what is set here.
            config.reload_config()
            with _jit_enabled():
                return plain(signature)

    dispatcher.compile = compile_
    return dispatcher


def kernel(function: Any) -> Any:
    """Compile on first call, without the interpreter lock, and keep the machine code on disk."""
    return _whole(function, **_OPTIONS, **_NOT_FROM_C)


def inside(function: Function) -> Function:
    """Compile what users call in compiled code, where it is inlined, and from Python; it must not allocate."""
    return _whole(function, **_OPTIONS, **BORROWED, **_INLINED)  # type: ignore[no-any-return]


def refuse_type(kind: type, message: str) -> None:
    """Say what to pass instead where compiled code is given an object of a type that it cannot take."""

    @typeof_impl.register(kind)
    def refuse(value: Any, context: Any) -> Any:
        raise TypeError(message)


def cache_directory() -> str | None:
    """Where machine code is kept; None if nowhere."""
    return kernel(lambda: None).stats.cache_path  # type: ignore[no-any-return]


if _lock and hasattr(os, "register_at_fork"):
    # A child that is forked while another thread compiles would wait for ever for the end of it.
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_lock.release,
    )
