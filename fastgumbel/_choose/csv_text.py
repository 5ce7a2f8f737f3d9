"""The text of a `.csv` file with a header, one column per alternative, as checked blocks of numbers."""

import csv
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from .errors import UserError, blaming
from .faults import first_fault

CELLS = 1 << 18  # of a block

Record = tuple[int, list[str]]  # the line a record ends on, from 1, and its cells


class CsvText:
    """Reads the header at once and the rows when asked; every complaint names the line.

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

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield the rows some at a time, as soon as they are known to be fit to draw from."""
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

    def _append(self, cells: "array[float]", record: list[str], where: str) -> None:
        if len(record) != len(self.header):
            raise self._error(f"{where}: {len(record)} cells, but {len(self.header)} names in the header")
        try:
            cells.extend(map(float, record))
        except ValueError as fault:
            column, cell = next(pair for pair in zip(self.header, record, strict=True) if not _is_number(pair[1]))
            what = f"{cell!r} is not a number" if cell.strip() else "the cell is blank"
            raise self._error(f"{where}, column {column!r}: {what}") from fault

    def _checked(self, cells: "array[float]", lines: list[int], first: int) -> NDArray[np.float64]:
        block = np.array(cells).reshape(-1, len(self.header))
        fault = first_fault(block)
        if fault is not None:
            column = "" if fault.column is None else f", column {self.header[fault.column]!r}"
            raise self._error(f"line {lines[fault.row]} (row {first + fault.row}){column}: {fault.what}")
        return block

    def _error(self, complaint: str) -> UserError:
        return UserError(f"{self._path}: {complaint}")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
