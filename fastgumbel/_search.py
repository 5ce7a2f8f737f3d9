"""Gumbel-max of a batch, and the k best: cut into tasks, shared among threads, combined."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel import _threads
from fastgumbel._kernels.cpu_given import max_given, merge_results
from fastgumbel._kernels.cpu_ids import write_at
from fastgumbel._kernels.cpu_long import max_long
from fastgumbel._kernels.cpu_one import max_few, max_one
from fastgumbel._kernels.cpu_short import max_short
from fastgumbel._kernels.cpu_top_every import merge_tops, sort_tops, top_every, top_given
from fastgumbel._kernels.cpu_top_long import top_long
from fastgumbel._rows import BUFFER_BYTES, Rows, ids_of, infinite_message
from fastgumbel.noise import CATEGORIES, NoiseField

# Rows of at most so many categories go side by side through the vector lanes.
SHORT = 256
# Work in a task, in log-potentials that the short kernel reads: about a millisecond, so that threads share evenly and
# Ctrl-C waits no longer.
_TASK = 2**19
# The long kernel reads so many log-potentials in the time of one of the short kernel.
_READ = 16
# A longer row is cut at its categories.
_LONGEST = 2**22
# So many times as many categories as places pay for the pruned search of the k best.
_PRUNED = 64
# Of so many log-potentials in so many rows, at most, samples are found without any preparation.
_LITTLE = 1024
_FEW = 32
_INDICES: tuple[np.intp, ...] = tuple(np.arange(_LITTLE, dtype=np.intp))


def search_few(x: Any, axis: Any, field: NoiseField) -> np.intp | NDArray[np.intp] | None:
    """Indices of the samples of a plain array of few short rows, the categories last.

    None where it takes `search` to find or refuse them.
    """
    if (
        type(x) is np.ndarray
        and x.ndim > 0
        and x.dtype.char in "fd"
        and type(axis) is int
        and (axis == -1 or axis == x.ndim - 1)
        and 0 < x.size <= _LITTLE
    ):
        flags, batch, n = x.flags, x.shape[:-1], x.shape[-1]
        counted = field.rows is None and field.categories is None and field.start + n <= CATEGORIES
        if counted and flags.c_contiguous and flags.aligned and x.dtype.isnative:
            if not batch:
                index: int = max_one(x, field.key, field.draw, field.start)
                return _INDICES[index] if index >= 0 else None
            if x.size <= _FEW * n:
                samples = np.empty(x.size // n, np.intp)
                if max_few(x.reshape(-1, n), field.key, field.draw, field.start, samples):
                    return samples.reshape(batch)
    return None


class _Task(NamedTuple):
    row: int
    rows: int
    draw: int
    draws: int
    column: int
    columns: int


def _cut(rows: Rows, draws: int, short: bool) -> Iterator[_Task]:
    n = rows.n
    once, each = (n, n) if short else (n // _READ, n // _READ // 4 + 64)
    row_step = min(rows.count, max(1, _TASK // (once + each * min(draws, 64))))
    draw_step = min(draws, max(64, _TASK // (row_step * each)))
    column_step = n if n <= _LONGEST else _LONGEST // 2
    for row in range(0, rows.count, row_step):
        for column in range(0, n, column_step):
            for draw in range(0, draws, draw_step):
                yield _Task(
                    row,
                    min(row_step, rows.count - row),
                    draw,
                    min(draw_step, draws - draw),
                    column,
                    min(column_step, n - column),
                )


_Scan: TypeAlias = Callable[[_Task, NDArray[np.intp], NDArray[np.float64], int, int], None]


def _share(
    rows: Rows, index: NDArray[np.intp], value: NDArray[np.float64], short: bool, scan: _Scan, merge: Any
) -> None:
    """Call scan(task, index, value, draw, row) for every task: results go to index[draw:, row:] and are combined."""
    lock = threading.Lock()

    def work(task: _Task) -> None:
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

    tasks = list(_cut(rows, index.shape[0], short))
    _threads.run(work, ((task,) for task in tasks), len(tasks))


def _scan_field(
    rows: Rows, field: NoiseField, ids: NDArray[np.uint64], kernel: Any, start: int, first: int = 0
) -> _Scan:
    """Scan with a kernel that reads the field from category `start` on; indices count from `first`.

    Where the rows have category ids, the kernel takes them too.
    """

    def scan(task: _Task, index: NDArray[np.intp], value: NDArray[np.float64], draw: int, row: int) -> None:
        for r, r1, c, c1 in rows.pieces(task.row, task.row + task.rows, task.column, task.column + task.columns):
            at = (field.key, np.uint64(r), np.uint64(field.draw + task.draw - draw), np.uint64(start + c))
            place = (draw, draw + task.draws, row + r - task.row, first + c)
            own = () if rows.categories is None else (ids_of(rows.categories, r, r1, c, c1),)
            kernel(rows.piece(r, r1, c, c1), ids[r:r1] if ids.size else ids, at, index, value, place, *own)

    return scan


def _scan_ids(rows: Rows, field: NoiseField, ids: NDArray[np.uint64], kernel: Any) -> _Scan:
    """Scan with a kernel that takes noise, which is that of the field at the category ids of the rows."""
    categories = rows.categories
    assert categories is not None

    def scan(task: _Task, index: NDArray[np.intp], value: NDArray[np.float64], draw: int, row: int) -> None:
        whole = task.row, task.row + task.rows, task.column, task.column + task.columns
        for r, r1, c, c1 in rows.pieces(*whole, beside=True):
            x, own, some = rows.piece(r, r1, c, c1), ids_of(categories, r, r1, c, c1), ids[r:r1] if ids.size else ids
            together = max(1, min(task.draws, BUFFER_BYTES // 8 // x.size))
            for s in range(0, task.draws, together):
                noise = np.empty((min(together, task.draws - s), *x.shape))
                write_at(noise, own, some, (field.key, np.uint64(r), np.uint64(field.draw + task.draw + s)), False)
                noise.flags.writeable = False
                for d, beside in enumerate(noise, draw + s):
                    kernel(x, beside, index, value, (d, row + r - task.row, c))

    return scan


def _scan_given(rows: Rows, noise: Rows, kernel: Any) -> _Scan:
    """Scan with a kernel that takes noise; its rows are those of the first draw, of the second, ..."""

    def scan(task: _Task, index: NDArray[np.intp], value: NDArray[np.float64], draw: int, row: int) -> None:
        for d in range(task.draws):
            first = (task.draw + d) * rows.count
            for r, r1, c, c1 in rows.pieces(task.row, task.row + task.rows, task.column, task.column + task.columns):
                beside = noise.piece(first + r, first + r1, c, c1)
                bad = kernel(rows.piece(r, r1, c, c1), beside, index, value, (draw + d, row + r - task.row, c))
                if bad >= 0:
                    at_row, at = divmod(bad, c1 - c)
                    of_row = first + r + at_row
                    raise ValueError(infinite_message(noise.batch, of_row, beside[at_row, at], c + at))

    return scan


def _prepared(index: NDArray[np.intp], value: NDArray[np.float64] | None, combine: bool) -> NDArray[np.float64]:
    """Results to combine with in `index` and the array of values, which is empty where none are needed."""
    if value is None:
        if not combine:
            return np.empty((0, 0))
        value = np.empty(index.shape)
    index.fill(-1)
    value.fill(-np.inf)
    return value


def search(
    rows: Rows, field: NoiseField, ids: NDArray[np.uint64], index: NDArray[np.intp], value: NDArray[np.float64] | None
) -> None:
    """Write index and perturbed value (unless None) of every draw (axis 0) of every row (axis 1)."""
    short = rows.n <= SHORT
    by_noise = rows.categories is not None and not short
    values = _prepared(index, value, by_noise or rows.n == 0 or rows.n > min(rows.width, _LONGEST))
    if rows.n == 0 or index.size == 0:
        return
    if by_noise:
        _share(rows, index, values, True, _scan_ids(rows, field, ids, max_given), merge_results)
        return
    scan = _scan_field(rows, field, ids, max_short if short else max_long, field.start)
    _share(rows, index, values, short, scan, merge_results)


def search_given(rows: Rows, noise: Rows, index: NDArray[np.intp], value: NDArray[np.float64] | None) -> None:
    """As `search`, on noise that the caller computed: its rows are those of the first draw, of the second, ..."""
    values = _prepared(index, value, True)
    if rows.n and index.size:
        _share(rows, index, values, True, _scan_given(rows, noise, max_given), merge_results)


def search_top(
    rows: Rows, field: NoiseField, ids: NDArray[np.uint64], index: NDArray[np.intp], value: NDArray[np.float64]
) -> None:
    """Write index[s, r, :] and value[s, r, :] of the best of every draw and row: best first, -1 and -inf where none.

    A row that is invalid has -1 and NaN.
    """
    _prepared(index, value, True)
    if rows.n and index.size:
        named = rows.categories is not None
        every = named or rows.n < _PRUNED * index.shape[2]
        if named:
            scan = _scan_ids(rows, field, ids, top_given)
        else:
            scan = _scan_field(rows, field, ids, top_every if every else top_long, field.start)
        _share(rows, index, value, every, scan, merge_tops)
        sort_tops(index, value)


class Piece(NamedTuple):
    """A single row: its id in an array, the category of its first column, and the index of that."""

    rows: Rows
    ids: NDArray[np.uint64]
    start: int
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

    def offer(self, pieces: list[Piece], field: NoiseField, every: bool) -> bool:
        """Take in what is among the best; False, and nothing taken, if one of the pieces is invalid.

        `every` says that most of it will be, so that pruning would not pay.
        """
        # What does not beat the root of the heap need not be found: another heap begins with nothing but it.
        shape = 1, 1, min(self._index.size, sum([piece.rows.n for piece in pieces]))
        index, value = np.empty(shape, np.intp), np.empty(shape)
        index.fill(self._index[0, 0, 0])
        value.fill(self._value[0, 0, 0])
        for rows, ids, start, first in pieces:
            scan = _scan_field(rows, field, ids, top_every if every else top_long, start, first)
            if rows.n <= _LONGEST:
                # Sharing out a single task would take longer than a short one does.
                scan(_Task(0, 1, 0, 1, 0, rows.n), index, value, 0, 0)
            else:
                _share(rows, index, value, every, scan, merge_tops)
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


def search_top_given(rows: Rows, noise: Rows, index: NDArray[np.intp], value: NDArray[np.float64]) -> None:
    """As `search_top`, on noise that the caller computed."""
    _prepared(index, value, True)
    if rows.n and index.size:
        _share(rows, index, value, True, _scan_given(rows, noise, top_given), merge_tops)
        sort_tops(index, value)
