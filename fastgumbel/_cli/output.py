"""Files of choices, `.npy` or `.csv`, that are there whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import UserError, blaming

SUFFIXES = (".npy", ".csv")


def require_free(target: Path, inputs: list[Path], *, force: bool) -> None:
    """Refuse, before any work, a target that could not be put in place."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"{target}: expected a file named .npy or .csv")
    if target.is_dir():
        raise UserError(f"{target}: is a directory")
    if not target.parent.is_dir():
        raise UserError(f"{target}: there is no directory {target.parent}")
    if target.exists():
        if any(target.samefile(path) for path in inputs if path.exists()):
            raise UserError(f"{target}: is the input")
        if not force:
            raise UserError(f"{target}: exists already; --force replaces it")


def is_csv(target: Path | None) -> bool:
    """Whether the choices are to be written as text."""
    return target is not None and target.suffix.lower() == ".csv"


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a hidden file beside `target` that takes its place if the context ends well, and is removed if not."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with blaming(target):
            with draft.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # some file systems say only now that they are full
            draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class Sink(Protocol):
    """A place for chunks of choices of shape (draws, rows)."""

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Write a chunk whose first row and draw are the ones given, counted from 0."""


class NpySink:
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


class CsvSink:
    """Lines of row id, draw and the alternative's name, or its index if it has none.

    Chunks must come in the order of rows, then draws.
    """

    def __init__(self, target: Path, file: BinaryIO, *, header: tuple[str, ...] | None, first_row: int) -> None:
        self._target, self._file, self._first_row = target, file, first_row
        self._names = None if header is None else [_csv_cell(name) for name in header]
        with blaming(target):
            file.write(b"row,draw,choice\n")

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Append a chunk."""
        draws, rows = choices.shape
        indices = choices.T.ravel().tolist()
        cells = iter(indices if self._names is None else [self._names[index] for index in indices])
        lines = (
            f"{row_id},{number},{next(cells)}\n"
            for row_id in range(self._first_row + row, self._first_row + row + rows)
            for number in range(draw, draw + draws)
        )
        with blaming(self._target):
            self._file.write("".join(lines).encode())


def _smallest_signed(alternatives: int) -> np.dtype[np.signedinteger[Any]]:
    """Return the smallest signed integer type that holds every index.

    Examples
    --------
    >>> _smallest_signed(128), _smallest_signed(129)
    (dtype('int8'), dtype('int16'))
    """
    return np.min_scalar_type(-alternatives)


def _csv_cell(name: str) -> str:
    cell = io.StringIO()
    csv.writer(cell, lineterminator="").writerow([name])
    return cell.getvalue()
