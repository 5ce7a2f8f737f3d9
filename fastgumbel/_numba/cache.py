"""Machine code on disk: Numba's own cache, under names that say what the code depends on, and made harmless.

Numba names the files of a function after its qualified name, and of the sources it compares only the function's own. A
kernel is built from many. So its qualified name has a digest of the text of all of them, of Numba's version and of the
processor: code of another text is never found, and processes that differ in any of these share no file.

Where the files live stays the user's choice (`NUMBA_CACHE_DIR`). Where they cannot be, kernels are compiled for the
process alone.
"""

import contextlib
import functools
import hashlib
import os
import warnings
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import chain
from typing import Any

import numba

from fastgumbel._numba import machine

# What to do where there are sources, but no place for machine code.
_REMEDY = "set NUMBA_CACHE_DIR to a directory that can be written, and has room for some MB"


# Where kernels and their parts are, with the folders in them; of the package itself only `jit`.
_FOLDERS = ("_cpu", "_law", "_numba")


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    """Path and file of all that lies in a folder."""
    for item in folder.iterdir():
        own = f"{path}/{item.name}"
        if item.is_dir():
            yield from _files(item, own)
        else:
            yield own, item


@functools.cache
def _digest_of_sources() -> str | None:
    """Digest of the text of all kernels, or of their bytecode where a frozen application has nothing else.

    None if neither can be read.
    """
    # What a loader raises for what it does not have is its own choice.
    with contextlib.suppress(Exception):
        package = resources.files("fastgumbel")
        own = ((file.name, file) for file in package.iterdir() if file.name.startswith("jit."))
        parts = chain(own, *(_files(package.joinpath(folder), folder) for folder in _FOLDERS))
        texts = {
            path: file.read_bytes()
            for path, file in parts
            if path.endswith((".py", ".pyc")) and "__pycache__" not in path
        }
        if texts:
            return hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()
    return None


def stamp() -> str | None:
    """Digest of all that machine code depends on; None if that cannot be known."""
    sources = _digest_of_sources()
    if sources is None:
        return None
    everything = "\0".join((sources, numba.__version__, *machine.target()))
    return hashlib.sha256(everything.encode()).hexdigest()[:16]


_complained = False


def _complain(reason: str) -> None:
    """Say, once a process, that kernels are not kept on disk."""
    global _complained
    if _complained:
        return
    _complained = True
    text = f"kernels are compiled in every process, as they cannot be kept on disk: {reason}"
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    except RuntimeWarning as warning:
        # The user's filters make it an error. It is shown, and not raised: the call at hand would lose its result.
        warnings.showwarning(warning, RuntimeWarning, __file__, 0)


class _Guard:
    """Numba's cache of one function, whose faults only cost time."""

    def __init__(self, cache: Any, qualified_name: str, why_nowhere: str) -> None:
        self._cache = cache
        self._qualified_name = qualified_name
        self._why_nowhere = why_nowhere

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        # A damaged file can raise anything.
        with contextlib.suppress(Exception):
            found = self._cache.load_overload(signature, target_context)
            if found is None:
                return None
            # The index can name the file of something else, if two processes wrote it at once or the disk became full.
            if (found.fndesc.qualname, tuple(found.signature.args)) == (self._qualified_name, tuple(signature)):
                return found
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        if self._cache.cache_path is None:
            _complain(self._why_nowhere)
            return
        try:
            self._cache.save_overload(signature, compiled)
        except OSError as error:
            _complain(f"{error}; {_REMEDY}")
        except Exception:
            # The index is damaged: a new one.
            with contextlib.suppress(Exception):
                self._cache.flush()
                self._cache.save_overload(signature, compiled)


def kept(njit: Callable[..., Any], function: Any) -> Any:
    """Compile a function by `njit`, and keep its machine code on disk if it can be."""
    name, digest = function.__name__, stamp()
    reason = "their sources cannot be read"
    dispatcher = None
    if digest is not None:
        function.__qualname__ = f"{name}_{digest}"
        try:
            dispatcher = njit(function, cache=True)
        except Exception as error:
            # Numba knows no place for the files. If anything else is wrong, it says so again below.
            reason = f"{error}; {_REMEDY}" if os.path.exists(function.__code__.co_filename) else str(error)
    dispatcher = dispatcher or njit(function)
    if hasattr(dispatcher, "_cache"):  # where a Numba has none, its own cache does, without the guard
        dispatcher._cache = _Guard(dispatcher._cache, function.__qualname__, reason)
    dispatcher.__qualname__ = name
    return dispatcher
