"""All categories above thresholds: cut into tasks, shared among threads, put in order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.above.search import MOST, above_field, above_given
from fastgumbel._cpu.above.short import above_short
from fastgumbel._cpu.noise_ids import noise_ids
from fastgumbel._host.repeats import once_each
from fastgumbel._host.result import INDEX
from fastgumbel._host.rows import BUFFER_BYTES, LITTLE, Rows, fault_of, field_at, noise_of, rows_of
from fastgumbel._host.threads import run
from fastgumbel._host.tiles import LONGEST
from fastgumbel._request.faults import infinite_message, place_name
from fastgumbel._request.ndarrays import count_set, freeze, frozen
from fastgumbel._request.request import Request

# Log-potentials in a task, times draws: some milliseconds at most.
_TASK = 2**20
# So many rows (and draws) or more, of at most so many categories, go side by side through the vector slots.
_SLOTS, _SHORT = 16, 5
Array = NDArray[Any]
# Room for categories and values.
Buffer: TypeAlias = tuple[NDArray[np.intp], NDArray[np.float64]]


class Above(NamedTuple):
    """What is above thresholds: categories and values in order; by draw and row their counts, and what is invalid."""

    categories: NDArray[np.intp]
    values: NDArray[np.float64]
    counts: NDArray[np.intp]
    faulty: NDArray[np.bool_]


class _Place(NamedTuple):
    """Draws, rows and columns, each from a first to a last."""

    draw: int
    draws: int
    row: int
    rows: int
    column: int
    columns: int


class _Part(NamedTuple):
    """What a piece has, in the order of draws and rows."""

    place: _Place
    chunks: list[Buffer]
    counts: Array


def sample(request: Request, thresholds: NDArray[np.float64]) -> tuple[tuple[Array, ...], Array]:
    """What `gumbel_above` does: coordinates and values."""
    rows = once_each(rows_of(request))[0]
    found = find(rows, noise_of(request), thresholds, request.draws)
    if count_set(found.faulty):
        if request.raises:
            raise ValueError(fault_of(request, rows, int(found.faulty.any(0).argmax())))
        found = without_faulty(found)
    return coordinates(found, request.draw_shape + request.batch), found.values


def without_faulty(found: Above) -> Above:
    """The same without what invalid rows have."""
    keep = np.repeat(~found.faulty.reshape(-1), found.counts.reshape(-1))
    counts = np.where(found.faulty, 0, found.counts)
    return Above(found.categories[keep], found.values[keep], counts, found.faulty)


def coordinates(found: Above, lead: tuple[int, ...]) -> tuple[Array, ...]:
    """Coordinates in an array of draws and batch, of this shape, with the categories last."""
    if not lead:
        return (found.categories,)
    counts = found.counts.reshape(-1)
    lines = np.arange(counts.size)
    places = np.unravel_index(lines, lead) if len(lead) > 1 else (lines,)
    return *(place.repeat(counts) for place in places), found.categories


def find(rows: Rows, noise: Rows | None, thresholds: NDArray[np.float64], draws: int) -> Above:
    """All categories of every draw of every row above their thresholds, which are by draw and row, or the same for all.

    Noise, if given, has the rows of the first draw, then those of the second, ...
    """
    search = _Search(rows, noise, thresholds, draws)
    tasks = _cut(rows, draws)
    run(search.work, [(task,) for task in tasks], len(tasks))
    return search.joined()


def _cut(rows: Rows, draws: int) -> list[_Place]:
    """All draws of all rows as tasks."""
    n, count = rows.n, rows.count
    if n == 0 or count == 0:
        return []
    if 0 < n * count * draws <= LITTLE:
        return [_Place(0, draws, 0, count, 0, n)]
    width = n if n <= LONGEST else LONGEST // 2
    height = min(count, max(1, _TASK // n))
    depth = max(1, _TASK // (height * width))
    return [
        _Place(s, min(s + depth, draws), r, min(r + height, count), c, min(c + width, n))
        for r in range(0, count, height)
        for c in range(0, n, width)
        for s in range(0, draws, depth)
    ]


def _concatenated(chunks: list[Buffer]) -> Buffer:
    """Categories and values of chunks, one after the other."""
    if not chunks:
        return np.empty(0, np.intp), np.empty(0)
    if len(chunks) == 1:
        return chunks[0]
    return np.concatenate([chunk[0] for chunk in chunks]), np.concatenate([chunk[1] for chunk in chunks])


class _Search:
    """The tasks of one call, and what they have found."""

    def __init__(self, rows: Rows, noise: Rows | None, thresholds: NDArray[np.float64], draws: int) -> None:
        self._rows, self._noise, self._thresholds = rows, noise, thresholds
        self._faulty = np.zeros((draws, rows.count), np.uint8)
        self._parts: list[_Part] = []

    def work(self, place: _Place) -> None:
        """Find what a task has."""
        s, s1, r, r1, c, c1 = place
        # Kernels may write a place beyond what they find.
        room = min(MOST, (s1 - s) * (r1 - r) * (c1 - c)) + 1
        buffer = np.empty(room, INDEX), np.empty(room)
        if self._noise is not None:
            self._scan_given(buffer, place, self._noise)
        elif self._rows.has_ids:
            self._scan_ids(buffer, place)
        else:
            self._scan_field(buffer, place)

    def _scan_field(self, buffer: Buffer, place: _Place) -> None:
        rows, (s, s1, *_) = self._rows, place
        for r, r1, c, c1 in rows.pieces(*place[2:]):
            x, at = rows.piece(r, r1, c, c1), field_at(rows.place, r, r1, s, c)
            few = c1 - c <= _SHORT and (r1 - r) * (s1 - s) >= _SLOTS
            step = partial(above_short if few else above_field, x, at, self._thresholds_of(s, s1, r, r1))
            self._collect(buffer, _Place(s, s1, r, r1, c, c1), step)

    def _scan_ids(self, buffer: Buffer, place: _Place) -> None:
        rows, (s, s1, *_) = self._rows, place
        for r, r1, c, c1 in rows.pieces(*place[2:], beside=True):
            x, ids = rows.piece(r, r1, c, c1), rows.ids(r, r1, c, c1)
            together = max(1, BUFFER_BYTES // 8 // x.size)
            for first in range(s, s1, together):
                noise = np.empty((min(together, s1 - first), *x.shape))
                noise_ids(noise, ids, rows.at(r, r1, first), False, rows.place.wide or None)
                freeze(noise)
                for d, beside in enumerate(noise, first):
                    self._try_noise(buffer, _Place(d, d + 1, r, r1, c, c1), x, beside)

    def _scan_given(self, buffer: Buffer, place: _Place, noise: Rows) -> None:
        rows, (s, s1, *_) = self._rows, place
        for d in range(s, s1):
            first = d * rows.count
            for r, r1, c, c1 in rows.pieces(*place[2:]):
                beside = noise.piece(first + r, first + r1, c, c1)
                bad = self._try_noise(buffer, _Place(d, d + 1, r, r1, c, c1), rows.piece(r, r1, c, c1), beside)
                if bad >= 0:
                    row, column = divmod(bad, c1 - c)
                    name = place_name(noise.batch, first + r + row)
                    raise ValueError(infinite_message(name, beside[row, column], c + column))

    def _try_noise(self, buffer: Buffer, place: _Place, x: Array, noise: Array) -> int:
        """Find what a piece has in one draw on the noise beside it; the first place where that is bad, or -1."""
        s, s1, r, r1, _, _ = place
        own = self._rows.temperatures(r, r1), self._thresholds_of(s, s1, r, r1)
        end = self._collect(buffer, place, partial(above_given, x, noise, *own))
        return -2 - end if end < -1 else -1

    def _thresholds_of(self, s: int, s1: int, r: int, r1: int) -> NDArray[np.float64]:
        """Thresholds of draws and rows."""
        own = self._thresholds
        own = own[s:s1] if len(own) > 1 else own
        return frozen(np.ascontiguousarray(own[:, r:r1])) if own.shape[1] > 1 else own

    def _collect(self, buffer: Buffer, place: _Place, step: Callable[[Any, int], tuple[int, int]]) -> int:
        """Call step(found, at) until it is done, and copy what it finds; where it ends."""
        s, s1, r, r1, c, _ = place
        counts = np.zeros((s1 - s, r1 - r), INDEX)
        faulty = np.zeros(counts.shape, np.uint8)
        chunks = []
        at = 0
        while at >= 0:
            at, filled = step((*buffer, counts, faulty, c), at)
            if filled:
                chunks.append((buffer[0][:filled].copy(), buffer[1][:filled].copy()))
        self._parts.append(_Part(place, chunks, counts))
        if count_set(faulty):
            # Other threads may be at the same rows: what is 1 stays so.
            self._faulty[s:s1, r:r1][faulty > 0] = 1
        return at

    def joined(self) -> Above:
        """All that was found, in order."""
        if len(self._parts) == 1:
            _, chunks, counts = self._parts[0]
            return Above(*_concatenated(chunks), counts, self._faulty.view(np.bool_))
        rows, counts = self._rows, np.zeros(self._faulty.shape, INDEX)
        lines: list[tuple[tuple[int, int, int], list[Buffer]]] = []
        for place, chunks, own in self._parts:
            s, s1, r, r1, c, c1 = place
            counts[s:s1, r:r1] += own
            if s1 - s == 1 or (r1 - r == rows.count and c1 - c == rows.n):
                lines.append(((s, r, c), chunks))
                continue
            # Between its draws are those of other rows or columns.
            categories, values = _concatenated(chunks)
            ends = np.cumsum(own.sum(1)).tolist()
            for draw, begin, end in zip(range(s, s1), [0, *ends], ends, strict=False):
                lines.append(((draw, r, c), [(categories[begin:end], values[begin:end])]))
        lines.sort(key=itemgetter(0))
        categories, values = _concatenated([chunk for _, line in lines for chunk in line])
        return Above(categories, values, counts, self._faulty.view(np.bool_))
