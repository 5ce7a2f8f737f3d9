"""What the rows of a table are called: row ids of the noise field, or text that is only carried to the output."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import UserError

LONGEST_NUMBER = 20  # digits of 2^64 - 1
STEP = 1 << 16  # ids handled at once


@dataclass(frozen=True)
class Ids:
    """A name for every row, on disk.

    Parameters
    ----------
    name : str
        Of the column.
    numbers : array of uint64, or None
        Row ids of the field; None if one name at least is no whole number below 2^64.
    texts : Texts, or None
        The names as they are written; None if that is how numbers are written.
    """

    name: str
    numbers: NDArray[np.uint64] | None
    texts: Texts | None

    def labels(self, first: int, last: int) -> list[Any]:
        """Names of rows `first` to `last`: integers, or texts where those say more."""
        if self.texts is not None:
            return self.texts.part(first, last)
        assert self.numbers is not None
        part: list[int] = self.numbers[first:last].tolist()
        return part


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

    def add(self, texts: list[str]) -> None:
        """Append names, none of them blank."""
        if self._numeric:
            numbers = _whole_numbers(texts)
            self._numeric = numbers is not None
            if numbers is not None:
                self._numbers.write(numbers.data)
                self._plain &= texts == list(map(str, numbers.tolist()))
        encoded = [text.encode() for text in texts]
        ends = self._bytes + np.cumsum([len(text) for text in encoded], dtype=np.int64)
        self._data.write(b"".join(encoded))
        self._ends.write(ends.data)
        self._rows += len(texts)
        self._bytes = int(ends[-1])

    def finish(self, origin: str) -> Ids:
        """Return all of them; complain of two rows of one number, as they would have one noise."""
        numbers = _mapped(self._numbers, np.uint64, self._rows) if self._numeric else None
        if numbers is not None:
            self._require_distinct(numbers, origin)
            if self._plain:
                return Ids(self._name, numbers, None)
        data = _mapped(self._data, np.uint8, self._bytes)
        return Ids(self._name, numbers, Texts(data, _mapped(self._ends, np.int64, self._rows)))

    def _require_distinct(self, numbers: NDArray[np.uint64], origin: str) -> None:
        if all(_increase(numbers[max(start - 1, 0) : start + STEP]) for start in range(0, len(numbers), STEP)):
            return
        ordered = np.sort(numbers)  # in memory: 8 bytes a row
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(twice):
            first, second = np.flatnonzero(numbers == twice[0])[:2]
            raise UserError(
                f"{origin}, column {self._name!r}: rows {first} and {second} both have id {twice[0]}; ids must differ, "
                "as rows of one id would share their noise"
            )


def _increase(numbers: NDArray[np.uint64]) -> bool:
    return bool((numbers[1:] > numbers[:-1]).all())


def _whole_numbers(texts: list[str]) -> NDArray[np.uint64] | None:
    """Read texts as row ids of the field; None if one of them is none."""
    joined = "".join(texts)
    if not (joined.isascii() and joined.isdigit()) or max(map(len, texts)) > LONGEST_NUMBER:
        return None
    try:
        return np.array(list(map(int, texts)), np.uint64)
    except OverflowError:
        return None


def _mapped(file: BinaryIO, dtype: type[np.generic], length: int) -> NDArray[Any]:
    file.flush()
    return np.memmap(file, dtype, mode="r", shape=(length,))
