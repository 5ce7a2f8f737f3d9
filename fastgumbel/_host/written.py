"""Rows whose categories have ids, searched as rows of categories that count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.stage import STAGE
from fastgumbel._cpu.written import survey_ids, to_places, write_out
from fastgumbel._host.rows import BUFFER_BYTES, Rows, field_at
from fastgumbel._host.tiles import Scan, Task
from fastgumbel._request.ndarrays import frozen

# A row is written out to so many times its length at most: a block takes the time of some ids one by one.
_SPARSEST = 8
# Log-potentials that are written out at a time: few enough for the cache, many enough for what a call costs.
_ITEMS = BUFFER_BYTES // 2
NO_HOMES = np.empty((0, 0), np.int32)

# Searches written-out rows at a field: search(x, field, index, value, window, homes).
Search: TypeAlias = Callable[..., Any]


class Written:
    """Scan rows with ids by a search of rows that count, and where their ids are far apart by another scan.

    No id is wide. `longest` is the longest row that the search takes. With `ordered` it takes only rows whose ids
    ascend, as it cannot tell which of equals stands first in others. `settled` tells whether every task was searched
    so, in which no two places of an id take part.
    """

    def __init__(self, rows: Rows, search: Search, otherwise: Scan, longest: int, ordered: bool) -> None:
        self._rows, self._search, self._otherwise = rows, search, otherwise
        self._longest = min(longest, _SPARSEST * rows.n)
        self._ordered = ordered
        self.settled = True

    def scan(self, task: Task, index: NDArray[np.intp], value: NDArray[np.float64], draw: int, row: int) -> None:
        """Scan one task; see `tiles.share`."""
        rows = self._rows
        room = np.empty(max(1, _ITEMS // self._longest) * self._longest, rows.dtype)
        height = max(1, _ITEMS // rows.n)
        for r in range(0, task.rows, height):
            piece = Task(task.row + r, min(height, task.rows - r), task.draw, task.draws, task.column, task.columns)
            if not self._scan_piece(piece, room, index, value, draw, row + r):
                self.settled = False
                self._otherwise(piece, index, value, draw, row + r)

    def _scan_piece(
        self,
        task: Task,
        room: NDArray[Any],
        index: NDArray[np.intp],
        value: NDArray[np.float64],
        draw: int,
        row: int,
    ) -> bool:
        """Scan some rows, written out to `room`; False, and nothing done, if their ids are far apart."""
        rows, end = self._rows, task.row + task.rows
        ids = rows.ids(task.row, end, 0, rows.n)
        counts = np.empty(len(ids), np.int64)
        first, span = survey_ids(ids, counts)
        ascending = counts.min() >= 0
        if not 0 < span <= self._longest or (self._ordered and not ascending):
            return False
        # Where the ids of all rows count up, places are columns as they stand.
        counting = ascending and counts.min() == span == rows.n
        # As many as fill the vector registers of the search.
        height = room.size // span
        together = max(1, STAGE // ((int(first) % 128 + span + 127) // 128))
        height -= height % together if height > together else 0
        for r in range(0, task.rows, height):
            r0, r1 = task.row + r, min(task.row + r + height, end)
            own = slice(None) if len(ids) == 1 else slice(r, r + r1 - r0)
            x, homes = rows.piece(r0, r1, 0, rows.n), NO_HOMES
            lines = x if counting else room[: (r1 - r0) * span].reshape(-1, span)
            if not counting:
                homes = NO_HOMES if ascending else np.empty(lines.shape, np.int32)
                write_out(lines, homes, x, ids[own], counts[own], np.uint64(first))
            at = field_at(rows.place._replace(start=int(first)), r0, r1, task.draw - draw)
            window = draw, draw + task.draws, row + r, 0
            self._search(frozen(lines), at, index, value, window, homes)
            if ascending and not counting:
                found = index[draw : draw + task.draws, row + r : row + r + r1 - r0]
                to_places(found if found.ndim == 3 else found[..., np.newaxis], ids[own], counts[own], np.uint64(first))
        return True
