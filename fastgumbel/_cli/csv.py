"""Tables and choices in `.csv` files."""

from __future__ import annotations

import csv
import io
import itertools
import re
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.columns import NOT_AVAILABLE, Reading, complaint, first_fault, id_advice, numbers, pick
from fastgumbel._cli.console import UserError, blaming, progress
from fastgumbel._cli.source import PACKED, opened, unpacking
from fastgumbel._cli.table import Block, Ids, Table, spooled

CELLS = 1 << 18  # of a chunk of text that is checked at once
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}  # that are found out
OTHERS = {  # by their first bytes, and what to do with them
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    PACKED: "a gzip file; name it .csv.gz",
    b"PK\3\4": "a zip file, as Excel workbooks are; unzip it, or save the sheet as CSV in UTF-8",
    b"PAR1\x15": "a Parquet file; name it .parquet",
    b"\x93NUMPY": "a NumPy file; name it .npy",
}
# The first line of some files of Excel, which is no part of the table.
_DELIMITER_LINE = re.compile(r"""(?i:"?sep=)([^\w\s"'.+-]|\t)"?""")
_SWAPPED = str.maketrans(",.", ".,")

Record = tuple[int, list[str]]  # the line that a record ends on, from 1, and its cells


def open_csv(path: Path, reading: Reading, *, quiet: bool) -> Table:
    """Read the text once, check every cell, and keep the numbers on disk; of a pipe no progress is known."""
    with opened(path) as source, io.TextIOWrapper(source.stream, encoding="utf-8-sig", newline="") as stream:
        with unpacking(path):
            start = source.start
        _require_text(path, start)
        text = _CsvText(path, stream, reading)
        if source.size is None:
            return spooled(path, text.columns, text.blocks())
        with progress(source.size, "B", quiet=quiet) as advance:
            return spooled(path, text.columns, _watched(text.blocks(), source.tell, advance))


def _require_text(path: Path, start: bytes) -> None:
    """Refuse what cannot be UTF-8 text by its first bytes, and say what it is."""
    for mark, what in OTHERS.items():
        if start.startswith(mark):
            raise UserError(f"{path}: is {what}")


def _watched(blocks: Iterator[Block], tell: Callable[[], int], advance: Callable[[int], object]) -> Iterator[Block]:
    done = 0
    for block in blocks:
        here = tell()
        advance(here - done)
        done = here
        yield block


class _CellFault(Exception):
    """What is wrong with a line, beginning with the column if it is about one."""


def _complaint_of_comma(cell: str) -> str | None:
    """Say why a cell is no number with a decimal comma; None if it is one.

    Examples
    --------
    >>> _complaint_of_comma("1.5")
    "'1.5' is not a number with a decimal comma"
    >>> _complaint_of_comma("1,5")
    """
    if cell.strip() in ("", *NOT_AVAILABLE):
        return complaint(cell)
    return complaint(cell.translate(_SWAPPED)) and f"{cell!r} is not a number with a decimal comma"


class _CsvText:
    """Text with a header: it is read at once, and the rows when they are asked for.

    Every complaint names the line.

    Parameters
    ----------
    path : Path
        What complaints call the file.
    stream : text stream
        Where the text comes from.
    reading : Reading
        Which columns are read, and how.
    """

    def __init__(self, path: Path, stream: TextIO, reading: Reading) -> None:
        self._path, self._reading = path, reading
        self._complaint = _complaint_of_comma if reading.decimal_comma else complaint
        self._records = self._read(stream)
        line, names = self._header()
        self._width = len(names)
        self.columns = pick(names, reading, f"{path}: line {line}")
        self._whole = self.columns.places == tuple(range(self._width))

    def blocks(self) -> Iterator[Block]:
        """Yield the rows, some at a time, as soon as they are known to be fit to draw from."""
        cells, ids, lines = array("d"), list[str](), list[int]()
        first = 0
        for line, record in self._records:
            try:
                cells.extend(self._numbers(record))
                if self.columns.id_place is not None:
                    ids.append(self._id(record[self.columns.id_place]))
            except _CellFault as fault:
                raise self._error(f"line {line} (row {first + len(lines)}){fault}") from fault
            lines.append(line)
            if len(cells) >= CELLS:
                yield self._checked(cells, ids, lines, first)
                first += len(lines)
                cells, ids, lines = array("d"), [], []
        if lines:
            yield self._checked(cells, ids, lines, first)

    def _read(self, stream: TextIO) -> Iterator[Record]:
        """Yield every record but blank lines."""
        before = 0  # lines that the reader never sees: blank ones, and the one that names the delimiter
        delimiter = self._reading.delimiter
        reader = csv.reader(())  # until it is known what separates the cells
        try:
            with unpacking(self._path):
                for line in stream:
                    said = _DELIMITER_LINE.fullmatch(line.strip("\r\n")) if before == 0 else None
                    if said:
                        delimiter = delimiter or said[1]
                    elif line.strip("\r\n"):
                        delimiter = delimiter or self._delimiter(line, before + 1)
                        if delimiter == "," and self._reading.decimal_comma:
                            raise self._error("commas separate the columns, so they are not decimal (--decimal)")
                        reader = csv.reader(itertools.chain([line], stream), delimiter=delimiter, strict=True)
                        break
                    before += 1
                for record in reader:
                    if record:
                        yield before + reader.line_num, record
        except csv.Error as fault:
            raise self._error(f"line {before + reader.line_num}: {fault}") from fault
        except UnicodeDecodeError as fault:
            raise self._error(f"after line {before + reader.line_num}: not UTF-8 text; save it as UTF-8") from fault

    def _delimiter(self, line: str, number: int) -> str:
        """Find out what separates the names of a header."""
        found = [mark for mark in DELIMITERS if len(next(csv.reader([line], delimiter=mark))) > 1]
        if self._reading.decimal_comma and found != [","]:
            found = [mark for mark in found if mark != ","] or [";"]
        if len(found) > 1:
            kinds = " and ".join(DELIMITERS[mark] for mark in found)
            raise self._error(f"line {number}: has both {kinds}; --delimiter says which separate the columns")
        return found[0] if found else ","

    def _header(self) -> Record:
        line, record = next(self._records, (0, []))
        names = [cell.strip() for cell in record]
        if not names:
            raise self._error("is empty; expected a header with the alternatives' names")
        if not any(self._complaint(name) for name in names if name not in NOT_AVAILABLE):
            raise self._error(f"line {line}: holds only numbers; expected a header with the alternatives' names")
        return line, names

    def _numbers(self, record: list[str]) -> list[float]:
        if len(record) != self._width:
            raise _CellFault(f": {len(record)} cells, but {self._width} names in the header")
        cells = record if self._whole else [record[place] for place in self.columns.places]
        if self._reading.blank_excludes:
            cells = ["-inf" if cell.strip() in ("", *NOT_AVAILABLE) else cell for cell in cells]
        values = numbers([cell.translate(_SWAPPED) for cell in cells] if self._reading.decimal_comma else cells)
        if values is None:
            found = zip(self.columns.header, map(self._complaint, cells), strict=True)
            name, what = next(pair for pair in found if pair[1] is not None)
            raise _CellFault(f", column {name!r}: {what}{id_advice(name)}")
        return values

    def _id(self, cell: str) -> str:
        text = cell.strip()
        if not text:
            raise _CellFault(f", column {self.columns.id_name!r}: the cell is blank, so the row has no id")
        return text

    def _checked(self, cells: array[float], ids: list[str], lines: list[int], first: int) -> Block:
        chunk = np.array(cells).reshape(-1, len(self.columns.header))
        fault = first_fault(chunk)
        if fault is not None:
            text = fault.text(self.columns.header)
            raise self._error(f"line {lines[fault.row]} (row {first + fault.row}){text}")
        return Block(chunk, ids, lines)

    def _error(self, complaint: str) -> UserError:
        return UserError(f"{self._path}: {complaint}")


class CsvSink:
    """Lines of row, draw and the alternative's name, or its index if it has none.

    Chunks must come in the order of rows, then draws.
    """

    def __init__(self, target: Path, file: BinaryIO, *, header: tuple[str, ...] | None, labels: Ids) -> None:
        self._target, self._file, self._labels = target, file, labels
        self._names = None if header is None else [_csv_cell(name) for name in header]
        with blaming(target):
            file.write(f"{_csv_cell(labels.name)},draw,choice\n".encode())

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Append a chunk."""
        draws, rows = choices.shape
        indices = choices.T.ravel().tolist()
        cells = iter(indices if self._names is None else [self._names[index] for index in indices])
        labels = self._labels.labels(row, row + rows)
        lines = (
            f"{label},{number},{next(cells)}\n"
            for label in (map(_csv_cell, labels) if self._labels.texts else labels)
            for number in range(draw, draw + draws)
        )
        with blaming(self._target):
            self._file.write("".join(lines).encode())


def _csv_cell(name: str) -> str:
    """Quote a name where it needs it.

    Examples
    --------
    >>> _csv_cell("bus"), _csv_cell("a, b")
    ('bus', '"a, b"')
    """
    end = "\r\n"  # a name with one of these is quoted, too
    cell = io.StringIO()
    csv.writer(cell, lineterminator=end).writerow([name])
    return cell.getvalue().removesuffix(end)
