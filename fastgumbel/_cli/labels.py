"""What rows are called in files that have a line for each: their ids, or their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgumbel._cli.ids import Ids


class RowLabels:
    """Names of rows.

    Parameters
    ----------
    ids : Ids, optional
        Names that the table has.
    first_row : int
        The number of the first row, where it has none.
    rows : int
        How many there are.
    """

    def __init__(self, ids: Ids | None, first_row: int, rows: int) -> None:
        self._ids, self._first_row, self._rows = ids, first_row, rows
        self.name = "row" if ids is None else ids.name
        self.are_text = ids is not None and ids.texts is not None

    def part(self, first: int, last: int) -> Sequence[Any]:
        """Names of rows `first` to `last`: text, or else integers."""
        if self._ids is None:
            return range(self._first_row + first, self._first_row + last)
        return self._ids.labels(first, last)

    def largest(self) -> int:
        """Return the largest name, where they are integers."""
        if self._ids is None or self._ids.numbers is None:
            return self._first_row + self._rows - 1
        return int(self._ids.numbers.max())
