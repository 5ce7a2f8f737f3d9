"""The two forms choices are written in, block by block."""

import csv
import io
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import blaming


class Sink(Protocol):
    """Takes blocks of choices of shape (draws, rows)."""

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Put a block whose first row and draw are the ones given, counted from 0."""


class NpySink:
    """An array of indices of shape (draws, rows), or (rows,) for one draw, in the smallest signed type that fits."""

    def __init__(self, target: Path, file: BinaryIO, *, rows: int, draws: int, alternatives: int) -> None:
        self._target, self._file, self._rows = target, file, rows
        self._dtype = smallest_signed(alternatives)
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (rows,) if draws == 1 else (draws, rows),
        }
        with blaming(target):
            np.lib.format.write_array_header_1_0(file, header)
            self._start = file.tell()

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Put a block in its place: by seeking, as a full disk kills who writes to a memory map."""
        stretches = choices.astype(self._dtype, order="C")
        if choices.shape[1] == self._rows:
            stretches = stretches.reshape(1, -1)
        with blaming(self._target):
            for offset, stretch in enumerate(stretches):
                self._file.seek(self._start + ((draw + offset) * self._rows + row) * self._dtype.itemsize)
                self._file.write(stretch.data)


class CsvSink:
    """Lines of row id, draw and the alternative's name, or its index for want of one.

    Blocks must come in the order of rows, then draws.
    """

    def __init__(self, target: Path, file: BinaryIO, *, header: tuple[str, ...] | None, first_row: int) -> None:
        self._target, self._file, self._first_row = target, file, first_row
        self._names = None if header is None else [_csv_cell(name) for name in header]
        with blaming(target):
            file.write(b"row,draw,choice\n")

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Append a block."""
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


def smallest_signed(alternatives: int) -> np.dtype[np.signedinteger[Any]]:
    """Give the smallest signed integer type that holds every index.

    Examples
    --------
    >>> smallest_signed(128), smallest_signed(129)
    (dtype('int8'), dtype('int16'))
    """
    return np.min_scalar_type(-alternatives)


def _csv_cell(name: str) -> str:
    cell = io.StringIO()
    csv.writer(cell, lineterminator="").writerow([name])
    return cell.getvalue()
