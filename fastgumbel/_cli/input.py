"""Tables from `.npy` and `.csv` files."""

from __future__ import annotations

import csv
import tempfile
from array import array
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import UserError, blaming, progress
from fastgumbel._cli.table import Table, first_fault

CELLS = 1 << 18  # of a chunk of text that is checked at once

Record = tuple[int, list[str]]  # the line that a record ends on, from 1, and its cells


def open_table(path: Path, *, quiet: bool) -> Table:
    """Open a `.npy` or `.csv` file of log-potentials."""
    match path.suffix.lower():
        case ".npy":
            return _open_npy(path)
        case ".csv":
            return _open_csv(path, quiet=quiet)
    raise UserError(f"{path}: expected a file named .npy or .csv")


def _open_npy(path: Path) -> Table:
    """Map a file of shape (rows, alternatives), or (alternatives,) for one row; nothing is read yet."""
    with blaming(path):
        try:
            values = np.lib.format.open_memmap(path, mode="r")
        except (ValueError, EOFError) as fault:
            raise UserError(f"{path}: not a .npy file that can be mapped: {str(fault).splitlines()[0]}") from fault
    if values.dtype.kind not in "fiu" or values.dtype.itemsize > 8:
        raise UserError(f"{path}: holds {values.dtype}; expected float16, float32, float64 or integers")
    if values.ndim not in (1, 2):
        raise UserError(f"{path}: has {values.ndim} axes; expected 2, rows by alternatives, or 1 for a single row")
    if values.size == 0:
        raise UserError(f"{path}: is empty, its shape is {values.shape}")
    return Table(str(path), values.reshape(1, -1) if values.ndim == 1 else values)


def _open_csv(path: Path, *, quiet: bool) -> Table:
    """Read the text once, check every cell, copy the numbers to a nameless temporary file, and map that file.

    So a table may exceed memory, it may be read again and again, and it is known to be sound before anything is drawn.
    """
    copy = f"the temporary copy of {path} in {tempfile.gettempdir()}"
    with blaming(path):
        file = path.open("rb")
    with (
        TextIOWrapper(file, encoding="utf-8-sig", newline="") as stream,
        progress(path.stat().st_size, "B", quiet=quiet) as advance,
    ):
        text = _CsvText(path, stream)
        with blaming(copy), tempfile.TemporaryFile() as spool:
            rows = done = 0
            for chunk in text.chunks():
                spool.write(chunk.data)
                rows += len(chunk)
                here = file.tell()
                advance(here - done)
                done = here
            if rows == 0:
                raise UserError(f"{path}: no rows below the header")
            spool.flush()
            values = np.memmap(spool, np.float64, mode="r", shape=(rows, len(text.header)))
    return Table(str(path), values, text.header)


class _CsvText:
    """Text with a header, one column per alternative: the header is read at once, the rows when they are asked for.

    Every complaint names the line.

    Parameters
    ----------
    path : Path
        What complaints call the file.
    stream : text stream
        Where the text comes from.
    """

    def __init__(self, path: Path, stream: TextIO) -> None:
        self._path = path
        self._records = self._read(stream)
        self.header = self._read_header()

    def chunks(self) -> Iterator[NDArray[np.float64]]:
        """Yield the rows, some at a time, as soon as they are known to be fit to draw from."""
        first = 0
        cells, lines = array("d"), list[int]()
        for line, record in self._records:
            self._append(cells, record, f"line {line} (row {first + len(lines)})")
            lines.append(line)
            if len(cells) >= CELLS:
                yield self._checked(cells, lines, first)
                first += len(lines)
                cells, lines = array("d"), []
        if lines:
            yield self._checked(cells, lines, first)

    def _read(self, stream: TextIO) -> Iterator[Record]:
        """Yield every record but blank lines."""
        reader = csv.reader(stream, strict=True)
        try:
            with blaming(self._path):
                for record in reader:
                    if record:
                        yield reader.line_num, record
        except csv.Error as fault:
            raise self._error(f"line {reader.line_num}: {fault}") from fault
        except UnicodeDecodeError as fault:
            raise self._error(f"after line {reader.line_num}: not UTF-8 text") from fault

    def _read_header(self) -> tuple[str, ...]:
        line, record = next(self._records, (0, []))
        names = tuple(cell.strip() for cell in record)
        if not names:
            raise self._error("is empty; expected a header with the alternatives' names")
        if all(map(_is_number, names)):
            raise self._error(f"line {line}: holds only numbers; expected a header with the alternatives' names")
        if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
            raise self._error(f"line {line}: no commas; expected columns separated by commas")
        seen = dict[str, int]()
        for number, name in enumerate(names, start=1):
            if not name:
                raise self._error(f"line {line}: column {number} has no name")
            if name in seen:
                raise self._error(f"line {line}: columns {seen[name]} and {number} are both named {name!r}")
            seen[name] = number
        return names

    def _append(self, cells: array[float], record: list[str], where: str) -> None:
        if len(record) != len(self.header):
            raise self._error(f"{where}: {len(record)} cells, but {len(self.header)} names in the header")
        try:
            cells.extend(map(float, record))
        except ValueError as fault:
            column, cell = next(pair for pair in zip(self.header, record, strict=True) if not _is_number(pair[1]))
            what = f"{cell!r} is not a number" if cell.strip() else "the cell is blank"
            raise self._error(f"{where}, column {column!r}: {what}") from fault

    def _checked(self, cells: array[float], lines: list[int], first: int) -> NDArray[np.float64]:
        chunk = np.array(cells).reshape(-1, len(self.header))
        fault = first_fault(chunk)
        if fault is not None:
            column = "" if fault.column is None else f", column {self.header[fault.column]!r}"
            raise self._error(f"line {lines[fault.row]} (row {first + fault.row}){column}: {fault.what}")
        return chunk

    def _error(self, complaint: str) -> UserError:
        return UserError(f"{self._path}: {complaint}")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
