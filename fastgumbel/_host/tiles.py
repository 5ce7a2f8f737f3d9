"""Work on rows of categories cut into tasks, which threads share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.noise_ids import noise_ids
from fastgumbel._host.rows import BUFFER_BYTES, LITTLE, Rows, field_at
from fastgumbel._host.threads import even, run
from fastgumbel._request.faults import infinite_message, place_name
from fastgumbel._request.ndarrays import freeze

# Work in a task, in log-potentials that the short kernel reads: about a millisecond, so that threads share evenly and
# Ctrl-C waits no longer.
_TASK = 2**19
# The long kernel reads so many log-potentials in the time of one of the short kernel.
_READ = 16
# A longer row is cut at its categories.
LONGEST = 2**22


class Task(NamedTuple):
    row: int
    rows: int
    draw: int
    draws: int
    column: int
    columns: int


def cut(rows: Rows, draws: int, short: bool) -> list[Task]:
    """All draws of all rows as tasks of about the same work."""
    n, count = rows.n, rows.count
    once, each = (n, n) if short else (n // _READ, n // _READ // 4 + 64)
    row_step = even(count, max(1, _TASK // (once + each * min(draws, 64))))
    draw_step = even(draws, max(64, _TASK // (row_step * each)))
    column_step = n if n <= LONGEST else LONGEST // 2
    return [
        Task(row, min(row_step, count - row), draw, min(draw_step, draws - draw), column, min(column_step, n - column))
        for row in range(0, count, row_step)
        for column in range(0, n, column_step)
        for draw in range(0, draws, draw_step)
    ]


Scan: TypeAlias = Callable[[Task, NDArray[np.intp], NDArray[np.float64], int, int], None]


def share(rows: Rows, index: NDArray[np.intp], value: NDArray[np.float64], short: bool, scan: Scan, merge: Any) -> None:
    """Call scan(task, index, value, draw, row) for every task: results go to index[draw:, row:] and are combined."""
    draws = index.shape[0]
    if short and rows.n * rows.count * (draws + 1) <= _TASK and draws <= 64:
        scan(Task(0, rows.count, 0, draws, 0, rows.n), index, value, 0, 0)
        return
    tasks = cut(rows, draws, short)
    if len(tasks) == 1:
        scan(tasks[0], index, value, 0, 0)
        return
    lock = threading.Lock()

    def work(task: Task) -> None:
        if task.columns == rows.n:
            scan(task, index, value, task.draw, task.row)
        else:
            # Other threads work on this row: a result of its own, combined at the end.
            own_index = np.full((task.draws, 1, *index.shape[2:]), -1, np.intp)
            own_value = np.full(own_index.shape, -np.inf)
            if index.ndim == 3:
                # What does not beat the root of a heap need not be found.
                roots = slice(task.draw, task.draw + task.draws), slice(task.row, task.row + 1), slice(1)
                with lock:
                    own_index[...], own_value[...] = index[roots], value[roots]
            scan(task, own_index, own_value, 0, 0)
            with lock:
                merge(index, value, own_index, own_value, task.draw, task.row)

    run(work, ((task,) for task in tasks), len(tasks))


def share_field(
    rows: Rows, index: NDArray[np.intp], value: NDArray[np.float64], short: bool, kernel: Any, merge: Any
) -> None:
    """As `share`, with a kernel that reads the field, for `scan_field`."""
    n, count, draws = rows.n, rows.count, len(index)
    if n * count * draws > LITTLE:
        share(rows, index, value, short, scan_field(rows, kernel), merge)
        return
    x, at, window = rows.piece(0, count, 0, n), field_at(rows.place, 0, count), (0, draws, 0, 0)
    if rows.has_ids:
        kernel(x, at, index, value, window, rows.ids(0, count, 0, n))
    else:
        kernel(x, at, index, value, window)


def scan_field(rows: Rows, kernel: Any, first: int = 0) -> Scan:
    """Scan with a kernel that reads the field; indices count from `first`.

    Where the rows have category ids, the kernel takes them too.
    """
    has_ids = rows.has_ids

    def scan(task: Task, index: NDArray[np.intp], value: NDArray[np.float64], draw: int, row: int) -> None:
        first_row, height, first_draw, draws, column, width = task
        for r, r1, c, c1 in rows.pieces(first_row, first_row + height, column, column + width):
            x, at = rows.piece(r, r1, c, c1), field_at(rows.place, r, r1, first_draw - draw, c)
            window = (draw, draw + draws, row + r - first_row, first + c)
            if has_ids:
                kernel(x, at, index, value, window, rows.ids(r, r1, c, c1))
            else:
                kernel(x, at, index, value, window)

    return scan


def scan_ids(rows: Rows, kernel: Any) -> Scan:
    """Scan with a kernel that takes noise, which is that of the field at the category ids of the rows."""

    def scan(task: Task, index: NDArray[np.intp], value: NDArray[np.float64], draw: int, row: int) -> None:
        whole = task.row, task.row + task.rows, task.column, task.column + task.columns
        for r, r1, c, c1 in rows.pieces(*whole, beside=True):
            x, own = rows.piece(r, r1, c, c1), rows.ids(r, r1, c, c1)
            together = max(1, min(task.draws, BUFFER_BYTES // 8 // x.size))
            for s in range(0, task.draws, together):
                noise = np.empty((min(together, task.draws - s), *x.shape))
                noise_ids(noise, own, rows.at(r, r1, task.draw + s), False, rows.place.wide or None)
                freeze(noise)
                for d, beside in enumerate(noise, draw + s):
                    kernel(x, beside, index, value, (d, d + 1, row + r - task.row, c), rows.temperatures(r, r1))

    return scan


def scan_given(rows: Rows, noise: Rows, kernel: Any) -> Scan:
    """Scan with a kernel that takes noise; its rows are those of the first draw, of the second, ..."""

    def scan(task: Task, index: NDArray[np.intp], value: NDArray[np.float64], draw: int, row: int) -> None:
        for d in range(task.draws):
            first = (task.draw + d) * rows.count
            for r, r1, c, c1 in rows.pieces(task.row, task.row + task.rows, task.column, task.column + task.columns):
                beside = noise.piece(first + r, first + r1, c, c1)
                window = (draw + d, draw + d + 1, row + r - task.row, c)
                bad = kernel(rows.piece(r, r1, c, c1), beside, index, value, window, rows.temperatures(r, r1))
                if bad >= 0:
                    at_row, at = divmod(bad, c1 - c)
                    name = place_name(noise.batch, first + r + at_row)
                    raise ValueError(infinite_message(name, beside[at_row, at], c + at))

    return scan


_NO_VALUES: NDArray[np.float64] = np.empty((0, 0))


def prepared(index: NDArray[np.intp], value: NDArray[np.float64] | None, combine: bool) -> NDArray[np.float64]:
    """Results to combine with in `index` and the array of values, which is empty where none are needed."""
    if value is None:
        if not combine:
            return _NO_VALUES
        value = np.empty(index.shape)
    index.fill(-1)
    value.fill(-np.inf)
    return value
