"""What the user sees beside the summary: errors, progress and notices."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from fastgumbel._numba.events import before_compiling

PATIENCE = 1.0  # seconds before a bar appears, so that short work shows none


UNREAD = 141  # what shells report of a program whose reader closed the pipe


class UserError(Exception):
    """A fault that the user can mend; its text is the one line they see."""


@contextmanager
def blaming(name: object) -> Iterator[None]:
    """Turn an error of the operating system into a line that names the file at fault."""
    try:
        yield
    except OSError as fault:
        what = fault.strerror or str(fault).partition("\n")[0]
        raise UserError(f"{name}: {what}") from fault


def say(text: str) -> None:
    """Print text at once, so that a full disk is an error here, and not as Python exits.

    A reader that has read enough, as `head` does, ends the program quietly. Characters that the
    terminal has none for are replaced.
    """
    try:
        try:
            print(text, flush=True)
        except UnicodeEncodeError as fault:
            print(text.encode(fault.encoding, "replace").decode(fault.encoding), flush=True)
    except OSError as fault:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered would fail a second time
        if isinstance(fault, BrokenPipeError):
            raise SystemExit(UNREAD) from fault
        raise UserError(f"standard output: {fault.strerror}") from fault


def note(text: str) -> None:
    """Print a line about the run itself, which is no part of its result, on stderr."""
    if sys.stderr is not None:  # print would then write to stdout
        print(f"fastgumbel: {text}", file=sys.stderr, flush=True)


def compile_notice(*, quiet: bool) -> AbstractContextManager[None]:
    """Say that kernels are being compiled, before the user waits for it; nothing if all of them come from disk."""
    if quiet:
        return nullcontext()
    return before_compiling(lambda: note("compiling kernels, once for this machine: some seconds"))


@contextmanager
def progress(total: int, unit: str, *, quiet: bool) -> Iterator[Callable[[int], object]]:
    """Give a function that reports steps, drawn on a terminal's stderr if tqdm (the extra `cli`) is there."""
    try:
        from tqdm import tqdm  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        quiet = True
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda steps: None
        return
    with tqdm(total=total, unit=unit, unit_scale=True, delay=PATIENCE, leave=False, file=sys.stderr) as bar:
        yield bar.update
