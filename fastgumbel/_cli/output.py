"""Files of choices: one by its suffix, there whole or not at all, and what a `.npy` file holds."""

from __future__ import annotations

import os
import secrets
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import UserError, blaming
from fastgumbel._cli.csv import CsvSink
from fastgumbel._cli.parquet import ParquetSink, require_pyarrow
from fastgumbel._cli.table import Ids, Table

SUFFIXES = (".npy", ".csv", ".parquet")


def require_free(target: Path, inputs: list[Path], *, force: bool) -> None:
    """Refuse, before any work, a target that could not be put in place."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"{target}: expected a file named .npy, .csv or .parquet")
    if target.suffix.lower() == ".parquet":
        require_pyarrow(target)
    if target.is_dir():
        raise UserError(f"{target}: is a directory")
    if not target.parent.is_dir():
        raise UserError(f"{target}: there is no directory {target.parent}")
    if target.exists():
        if any(target.samefile(path) for path in inputs if path.exists()):
            raise UserError(f"{target}: is the input")
        if not force:
            raise UserError(f"{target}: exists already; --force replaces it")


def has_lines(target: Path | None) -> bool:
    """Whether a file has a line for every row and draw, with its names, and not an array of indices."""
    return target is not None and target.suffix.lower() in (".csv", ".parquet")


@contextmanager
def _clean_termination() -> Iterator[None]:
    """Let SIGTERM, if nobody else handles it, end the process as an exception does, so that drafts are removed."""
    mine = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if mine:
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        if mine:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)  # the code that shells report of a process that the signal ended


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a hidden file that takes the place of `target` if the context ends well, and is removed if not.

    It lies beside the file that links lead to, and has the mode of the file that it replaces.
    """
    home = Path(os.path.realpath(target))
    draft = home.with_name(f".{home.name}.{secrets.token_hex(4)}.part")
    try:
        with _clean_termination(), blaming(target):
            with draft.open("xb") as file:
                if home.exists():
                    draft.chmod(stat.S_IMODE(home.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())  # some file systems say only now that they are full
            draft.replace(home)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class Sink(Protocol):
    """A place for chunks of choices of shape (draws, rows)."""

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Write a chunk whose first row and draw are the ones given, counted from 0."""


def open_sink(stack: ExitStack, target: Path | None, table: Table, *, draws: int, first_row: int) -> Sink | None:
    """Open a file of choices from a table, complete when the stack closes; None where none is asked for."""
    if target is None:
        return None
    file = stack.enter_context(_replacing(target))
    rows, alternatives = table.shape
    labels = Ids("row", first=first_row) if table.ids is None else table.ids
    match target.suffix.lower():
        case ".csv":
            return CsvSink(target, file, header=table.header, labels=labels)
        case ".parquet":
            return stack.enter_context(ParquetSink(target, file, header=table.header, labels=labels, rows=rows))
    return _NpySink(target, file, rows=rows, draws=draws, alternatives=alternatives)


class _NpySink:
    """An array of indices of shape (draws, rows), or (rows,) for one draw, in the smallest signed type that fits."""

    def __init__(self, target: Path, file: BinaryIO, *, rows: int, draws: int, alternatives: int) -> None:
        self._target, self._file, self._rows = target, file, rows
        self._dtype = _smallest_signed(alternatives)
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (rows,) if draws == 1 else (draws, rows),
        }
        with blaming(target):
            np.lib.format.write_array_header_1_0(file, header)
            self._start = file.tell()

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Write a chunk in its place by seeking, as a full disk kills a process that writes to a memory map."""
        stretches = choices.astype(self._dtype, order="C")
        if choices.shape[1] == self._rows:
            stretches = stretches.reshape(1, -1)
        with blaming(self._target):
            for offset, stretch in enumerate(stretches):
                self._file.seek(self._start + ((draw + offset) * self._rows + row) * self._dtype.itemsize)
                self._file.write(stretch.data)


def _smallest_signed(alternatives: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the smallest signed integer type that holds every index.

    Examples
    --------
    >>> _smallest_signed(128), _smallest_signed(129)
    (dtype('int8'), dtype('int16'))
    """
    return np.min_scalar_type(-alternatives)
