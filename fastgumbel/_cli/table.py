"""A table of log-potentials, one row per decision and one column per alternative, and how rows get to disk."""

from __future__ import annotations

import itertools
import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.columns import Columns, first_fault, id_remedy
from fastgumbel._cli.console import UserError, blaming

SHORT = 64  # alternatives up to which sums over rows are several times faster on columns that lie side by side
STEP = 1 << 16  # ids handled at once
LONGEST_NUMBER = 20  # digits of 2^64 - 1
SHOWN = 30  # characters of an id in a message
COUNTED = 10  # rows from which a first column of ascending whole numbers looks like ids

_WHOLE = re.compile(r"-?\d+(\.0)?", re.ASCII)


@dataclass(frozen=True)
class Table:
    """Log-potentials, perhaps on disk, and what to call them.

    Parameters
    ----------
    origin : str
        What a message calls the table.
    values : array of shape (rows, alternatives)
        Real numbers of any kind, byte order and memory order.
    header : tuple of str, optional
        The alternatives' names, where the input has some.
    ids : Ids, optional
        The rows' names, where a column has them.
    """

    origin: str
    values: NDArray[Any]
    header: tuple[str, ...] | None = None
    ids: Ids | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of alternatives."""
        rows, alternatives = self.values.shape
        return rows, alternatives

    def name(self, index: int) -> str:
        """Return an alternative's name, or its index if it has none."""
        return str(index) if self.header is None else self.header[index]

    def chunk(self, first: int, last: int) -> NDArray[Any]:
        """Return rows `first` to `last`, C-contiguous and in this machine's byte order, as a copy only if need be."""
        part = self.values[first:last]
        return np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))

    def doubles(self, first: int, last: int) -> NDArray[np.float64]:
        """Return a copy of rows `first` to `last` in float64; complain of the first one that cannot be drawn from."""
        order: Literal["C", "F"] = "F" if self.shape[1] <= SHORT else "C"
        chunk = self.values[first:last].astype(np.float64, order=order)
        fault = first_fault(chunk)
        if fault is not None:
            raise UserError(f"{self.origin}: row {first + fault.row}{fault.text(self.header)}")
        return chunk


@dataclass(frozen=True)
class Ids:
    """What the rows are called, on disk: row ids of the noise field, or text that is only carried to the output.

    Parameters
    ----------
    name : str
        Of the column.
    numbers : array of uint64, or None
        Row ids of the field; None if one name at least is no whole number.
    texts : Texts, or None
        The names as they are written; None if that is how numbers are written.
    first : int
        The number of the first row, where rows are only counted: where there are neither.
    """

    name: str
    numbers: NDArray[np.uint64] | None = None
    texts: Texts | None = None
    first: int = 0

    def labels(self, first: int, last: int) -> Sequence[Any]:
        """Names of rows `first` to `last`: integers, or texts where those say more."""
        if self.texts is not None:
            return self.texts.part(first, last)
        if self.numbers is None:
            return range(self.first + first, self.first + last)
        part: list[int] = self.numbers[first:last].tolist()
        return part

    def largest(self, rows: int) -> int:
        """Return the largest number of so many rows."""
        return self.first + rows - 1 if self.numbers is None else int(self.numbers.max())


class Texts:
    """Many texts: their UTF-8 bytes one after the other, and where each ends."""

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._data, self._ends = data, ends

    def part(self, first: int, last: int) -> list[str]:
        """Return some of them."""
        ends = [int(self._ends[first - 1]) if first else 0, *self._ends[first:last].tolist()]
        data = self._data[ends[0] : ends[-1]].tobytes()
        return [data[a - ends[0] : b - ends[0]].decode() for a, b in itertools.pairwise(ends)]


class IdSpool:
    """Names of rows on their way to disk, as they may exceed memory.

    Parameters
    ----------
    name : str
        Of the column.
    numbers, data, ends : binary files
        Empty ones, for row ids, for texts, and for the places where texts end.
    """

    def __init__(self, name: str, numbers: BinaryIO, data: BinaryIO, ends: BinaryIO) -> None:
        self._name, self._rows, self._bytes = name, 0, 0
        self._numbers, self._data, self._ends = numbers, data, ends
        self._numeric = self._plain = True
        # The first whole number that is no row id of the field, and where it stands.
        self._beyond: tuple[str, str] | None = None

    def add(self, texts: list[str], lines: list[int] | None) -> None:
        """Append names, none of them blank, which stand on these lines, if there are lines."""
        if self._numeric:
            numbers = _whole_numbers(texts)
            if numbers is not None:
                self._numbers.write(numbers.data)
                self._plain &= texts == list(map(str, numbers.tolist()))
            elif all(map(_WHOLE.fullmatch, texts)):
                if self._beyond is None:
                    at = next(i for i, text in enumerate(texts) if _whole_numbers([text]) is None)
                    row = f"row {self._rows + at}"
                    self._beyond = texts[at], row if lines is None else f"line {lines[at]} ({row})"
            else:
                self._numeric = False
        encoded = [text.encode() for text in texts]
        ends = self._bytes + np.cumsum([len(text) for text in encoded], dtype=np.int64)
        self._data.write(b"".join(encoded))
        self._ends.write(ends.data)
        self._rows += len(texts)
        self._bytes = int(ends[-1])

    def finish(self, origin: str) -> Ids:
        """Return all of them; complain of a number out of range, and of two rows of one, as they would have one noise.

        Among text, a number out of range is text, too.
        """
        if self._numeric and self._beyond is not None:
            value, place = self._beyond
            shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
            raise UserError(
                f"{origin}: {place}, column {self._name!r}: {shown} is not from 0 to 2**64 - 1, as row ids must be; "
                "number the rows, or begin every id with a letter, and they are text"
            )
        numbers = _mapped(self._numbers, np.uint64, self._rows) if self._numeric else None
        if numbers is not None:
            self._require_distinct(numbers, origin)
            if self._plain:
                return Ids(self._name, numbers, None)
        data = _mapped(self._data, np.uint8, self._bytes)
        return Ids(self._name, numbers, Texts(data, _mapped(self._ends, np.int64, self._rows)))

    def _require_distinct(self, numbers: NDArray[np.uint64], origin: str) -> None:
        steps = (numbers[max(start - 1, 0) : start + STEP] for start in range(0, len(numbers), STEP))
        if all((step[1:] > step[:-1]).all() for step in steps):
            return
        ordered = np.sort(numbers)  # in memory: 8 bytes a row
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(twice):
            first, second = np.flatnonzero(numbers == twice[0])[:2]
            raise UserError(
                f"{origin}, column {self._name!r}: rows {first} and {second} both have id {twice[0]}; ids must differ, "
                "as rows of one id would share their noise"
            )


def _whole_numbers(texts: list[str]) -> NDArray[np.uint64] | None:
    """Read texts as row ids of the field; None if one of them is none."""
    # Programs that know no missing whole numbers write 7 as 7.0.
    texts = [text.removesuffix(".0") for text in texts]
    joined = "".join(texts)
    if not (joined.isascii() and joined.isdigit()):
        return None
    if max(map(len, texts)) > LONGEST_NUMBER:
        texts = [text.lstrip("0") or text[-1:] for text in texts]
        if max(map(len, texts)) > LONGEST_NUMBER:
            return None
    try:
        return np.array(list(map(int, texts)), np.uint64)
    except (OverflowError, ValueError):  # beyond uint64, or only the end of a number
        return None


def _mapped(file: BinaryIO, dtype: type[np.generic], shape: int | tuple[int, int]) -> NDArray[Any]:
    file.flush()
    return np.memmap(file, dtype, mode="r", shape=shape)


class Block(NamedTuple):
    """Some rows: their log-potentials, fit to draw from, their names if a column has them, and the lines of text."""

    values: NDArray[np.float64]
    ids: list[str] | None
    lines: list[int] | None = None


class _IdGuard:
    """Finds ids that were forgotten among the alternatives, as they would win every draw.

    Parameters
    ----------
    columns : Columns
        What is read; columns that the user picked by name are no suspects.
    """

    def __init__(self, columns: Columns) -> None:
        self._header, self._named, self._counts = columns.header, columns.suspects, columns.leads
        self._rows, self._last = 0, -np.inf

    def see(self, values: NDArray[np.float64]) -> None:
        """Look at further rows, at least one."""
        self._named = [i for i in self._named if _whole(values[:, i])]  # -inf is no evidence
        if self._counts:
            first = np.append(self._last, values[:, 0])
            self._counts = _whole(first) and bool((first[1:] > first[:-1]).all())
            self._last = first[-1]
        self._rows += len(values)

    def finish(self, path: Path) -> None:
        """Refuse what looks like ids."""
        if self._named:
            self._refuse(path, self._header[self._named[0]], "its name says so and all its numbers are whole")
        if self._counts and self._rows >= COUNTED:
            self._refuse(path, self._header[0], "it is the first one and its whole numbers ascend")

    def _refuse(self, path: Path, name: str, why: str) -> NoReturn:
        raise UserError(f"{path}: column {name!r} looks like ids, as {why}{id_remedy(name)}")


def _whole(values: NDArray[np.float64]) -> bool:
    return bool((values == np.rint(values)).all())


def spooled(path: Path, columns: Columns, blocks: Iterable[Block]) -> Table:
    """Copy all blocks to disk, and map the copy.

    So a table may exceed memory, it may be read again and again, and it is known to be sound before anything is drawn.
    """
    copy = f"the temporary copy of {path} in {tempfile.gettempdir()}"
    rows, guard = 0, _IdGuard(columns)
    with blaming(copy), ExitStack() as stack:
        cells, *others = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(4)]
        ids = None if columns.id_name is None else IdSpool(columns.id_name, *others)
        for block in blocks:
            guard.see(block.values)
            cells.write(block.values.data)
            if ids is not None and block.ids is not None:
                ids.add(block.ids, block.lines)
            rows += len(block.values)
        if rows == 0:
            raise UserError(f"{path}: has no rows")
        guard.finish(path)
        table = _mapped(cells, np.float64, (rows, len(columns.header)))
        return Table(str(path), table, columns.header, None if ids is None else ids.finish(str(path)))
