"""Where a table comes from: a file, whose name tells its kind, or standard input; and its bytes, unpacked."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from fastgumbel._cli.console import UserError, blaming

# It is told from a file of this name by its identity.
STDIN = Path("standard input")
PACKED = b"\x1f\x8b"  # how gzip files begin


class Peekable(Protocol):
    """A binary stream that shows what comes next."""

    def peek(self, size: int, /) -> bytes:
        """Return the next bytes, which are read again."""


@dataclass(frozen=True)
class Source:
    """An open file of text.

    Parameters
    ----------
    stream : binary stream
        Its bytes, unpacked, which has `peek`.
    size : int or None
        Bytes of the file as it lies on disk; None of a pipe, of which it is not known.
    tell : callable
        How many of these were read.
    """

    stream: BinaryIO
    size: int | None
    tell: Callable[[], int]

    @property
    def start(self) -> bytes:
        """The first few bytes, which are read again."""
        return cast(Peekable, self.stream).peek(8)


def source_of(text: str) -> Path:
    """What a user names: a file, or `-` for standard input."""
    return STDIN if text == "-" else Path(text)


def kind_of(path: Path) -> str:
    """The suffix that tells how a table is written: .csv of standard input, and of packed text.

    Examples
    --------
    >>> [kind_of(path) for path in (Path("A.CSV.gz"), Path("a.parquet"), Path("a.gz"), STDIN)]
    ['.csv', '.parquet', '.gz', '.csv']
    """
    return ".csv" if path is STDIN or path.name.lower().endswith(".csv.gz") else path.suffix.lower()


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a file of text, packed if its name says so, or standard input, packed if its first bytes do."""
    with ExitStack() as stack:
        with blaming(path):
            raw = stack.enter_context(_stdin() if path is STDIN else path.open("rb"))
            size = os.fstat(raw.fileno()).st_size if raw.seekable() else None
            packed = raw.peek(2).startswith(PACKED) if path is STDIN else path.name.lower().endswith(".gz")
        stream = stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw
        yield Source(cast(BinaryIO, stream), size, raw.tell)


@contextmanager
def unpacking(path: Path) -> Iterator[None]:
    """Turn what can be wrong with packed bytes into a line that names the file."""
    with blaming(path):
        try:
            yield
        except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
            raise UserError(f"{path}: is no sound gzip file: {fault}") from fault


def _stdin() -> io.BufferedReader:
    """Open standard input, which stays open afterwards."""
    if sys.stdin is None:
        raise UserError(f"{STDIN}: is closed")
    return open(sys.stdin.fileno(), "rb", closefd=False)
