"""The best of a stream of rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.top.every import merge_tops, sort_tops, top_every
from fastgumbel._cpu.top.long import top_long
from fastgumbel._host.rows import Rows
from fastgumbel._host.tiles import LONGEST, Task, scan_field, share


class Piece(NamedTuple):
    """A single row, and the index of its first column."""

    rows: Rows
    first: int


class Top:
    """The best of all that is offered, in a heap of so many places."""

    def __init__(self, places: int) -> None:
        self._index = np.full((1, 1, places), -1, np.intp)
        self._value = np.full(self._index.shape, -np.inf)

    @property
    def count(self) -> int:
        """Places taken."""
        return int((self._index >= 0).sum())

    @property
    def root(self) -> float:
        """The least value, -inf where places are empty."""
        return float(self._value[0, 0, 0])

    def offer(self, pieces: list[Piece], every: bool) -> bool:
        """Take in what is among the best; False, and nothing taken, if one of the pieces is invalid.

        `every` says that most of it will be, so that pruning would not pay.
        """
        # What does not beat the root of the heap need not be found: another heap begins with nothing but it.
        shape = 1, 1, min(self._index.size, sum([piece.rows.n for piece in pieces]))
        index, value = np.empty(shape, np.intp), np.empty(shape)
        index.fill(self._index[0, 0, 0])
        value.fill(self._value[0, 0, 0])
        for rows, first in pieces:
            scan = scan_field(rows, top_every if every else top_long, first)
            if rows.n <= LONGEST:
                # Sharing out a single task would take longer than a short one does.
                scan(Task(0, 1, 0, 1, 0, rows.n), index, value, 0, 0)
            else:
                share(rows, index, value, every, scan, merge_tops)
        if np.isnan(value[0, 0, 0]):
            return False
        merge_tops(self._index, self._value, index, value, 0, 0)
        return True

    def merge(self, other: Top) -> None:
        """Take in what another one has."""
        merge_tops(self._index, self._value, other._index, other._value, 0, 0)

    def ranked(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Indices and values, best first; -1 and -inf in empty places."""
        index, value = self._index.copy(), self._value.copy()
        sort_tops(index, value)
        return index[0, 0], value[0, 0]
