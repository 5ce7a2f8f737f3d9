"""Log-potentials as rows of categories, whatever their shape, strides, type and mask."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.half import widen, widen_upper
from fastgumbel._request.coordinates import NOWHERE, Coordinates
from fastgumbel._request.faults import (
    category_name,
    first_bad,
    first_fault,
    infinite_message,
    place_name,
    row_message,
    row_name,
)
from fastgumbel._request.layout import Layout, layout_of
from fastgumbel._request.ndarrays import freeze, frozen, overflows
from fastgumbel._request.request import Request

# What is not read in place is converted piece by piece, in so many bytes a thread.
BUFFER_BYTES = 2**18
# So few log-potentials are one piece, whatever their type, and one task.
LITTLE = BUFFER_BYTES // 8

_0 = np.uint64(0)
_MOST = float(np.finfo(np.float64).max)


def index_of(batch: tuple[int, ...], r0: int, r1: int, c0: int, c1: int) -> tuple[Any, ...]:
    """Index of rows r0 to r1, in C order of the batch, and columns c0 to c1 in an array of shape batch + (n,)."""
    if len(batch) == 0:
        return np.newaxis, slice(c0, c1)
    if len(batch) == 1:
        return slice(r0, r1), slice(c0, c1)
    return *np.unravel_index(np.arange(r0, r1), batch), slice(c0, c1)


def ids_of(categories: NDArray[np.int64], r0: int, r1: int, c0: int, c1: int) -> NDArray[np.uint64]:
    """Category ids of rows r0 to r1 and columns c0 to c1 as a C-contiguous read-only matrix.

    It has one row where all rows have the same ids. Of an empty place, it has what is beyond all ids.
    """
    batch = categories.shape[:-1]
    if any(categories.strides[:-1]):
        ids = categories[index_of(batch, r0, r1, c0, c1)]
    else:
        ids = categories[(0,) * len(batch)][np.newaxis, c0:c1]
    return freeze(np.ascontiguousarray(ids).view(np.uint64))


Field: TypeAlias = tuple[
    NDArray[np.uint64], np.uint64, np.uint64, np.uint64, np.uint64, NDArray[np.uint64], NDArray[np.float64]
]


def part_of(by_row: NDArray[Any], r0: int, r1: int) -> NDArray[Any]:
    """What rows r0 to r1 have of an array with an item a row, or with one for all, or with none."""
    return by_row[r0:r1] if by_row.size > 1 else by_row


def field_at(place: Coordinates, r0: int, r1: int, draw: int = 0, column: int = 0) -> Field:
    """Where rows r0 to r1 lie in a field, from a draw and a column on: a plain tuple of what a `Field` has."""
    key, first_draw, start, ids, _, draws, temperatures, _, _ = place
    draw, start = first_draw + draw, start + column
    if r0:
        ids, draws, temperatures = ids[r0:r1], part_of(draws, r0, r1), part_of(temperatures, r0, r1)
    # To make a NumPy integer takes a few percent of a small call, which begins at 0 as a rule.
    return (
        ids,
        key,
        np.uint64(r0) if r0 else _0,
        np.uint64(draw) if draw else _0,
        np.uint64(start) if start else _0,
        draws,
        temperatures,
    )


class Rows:
    """Log-potentials as rows of categories, in C order of the batch, without a copy of the whole.

    Parameters
    ----------
    values : ndarray
        The categories on the last axis.
    where : ndarray of bool, or None
        Of the same shape; False excludes.
    place : Coordinates
        Where they lie in a field; category ids have the shape of the values, and negative ones exclude.
    layout : Layout, optional
        Of the values, where it is known.

    Attributes
    ----------
    has_ids : bool
        Whether categories have ids.
    """

    __slots__ = ("_empty", "_where", "batch", "count", "dtype", "has_ids", "matrix", "n", "place", "values")

    def __init__(
        self,
        values: NDArray[Any],
        where: NDArray[np.bool_] | None = None,
        place: Coordinates = NOWHERE,
        layout: Layout | None = None,
    ) -> None:
        dtype, flags = values.dtype, values.flags
        _, n, batch, count, own = layout_of(values.shape, dtype, -1) if layout is None else layout
        self.n, self.batch, self.count, self.dtype = n, batch, count, own
        self.values = values
        self.place = place
        self.has_ids = place.categories is not None
        self._where = where
        self._empty = empty = place.empty
        self.matrix: NDArray[Any] | None = None
        if where is None and not empty and dtype == own and flags.c_contiguous and flags.aligned:
            # Kernels are compiled for read-only arrays, so that memory maps need no second compilation.
            self.matrix = freeze(values.view() if len(batch) == 1 else values.reshape(count, n))

    @property
    def in_place(self) -> bool:
        """Whether kernels read the values where they are."""
        return self.matrix is not None

    @property
    def width(self) -> int:
        """Columns of a piece at most."""
        return self.n if self.in_place else BUFFER_BYTES // self.dtype.itemsize

    def at(self, r0: int, r1: int, draw: int = 0, column: int = 0) -> Field:
        """Where rows r0 to r1 lie in the field, from a draw and a column on."""
        return field_at(self.place, r0, r1, draw, column)

    def ids(self, r0: int, r1: int, c0: int, c1: int) -> NDArray[np.uint64]:
        """Category ids of rows r0 to r1 and columns c0 to c1, as `ids_of` gives them."""
        assert self.place.categories is not None
        return ids_of(self.place.categories, r0, r1, c0, c1)

    def temperatures(self, r0: int, r1: int) -> NDArray[np.float64]:
        """What scales the noise of rows r0 to r1: one a row, one for all, or none for 1."""
        return part_of(self.place.temperatures, r0, r1)

    def moved(self, draws: int, samples: int = 1, first: int = 0) -> Rows:
        """The same rows, so many draws later; and of the samples that a draw takes, if several, from the first on."""
        rows, place = copy.copy(self), self.place
        rows.place = place._replace(draw=(place.draw + draws) * samples + first)
        if samples > 1 and place.draws.size:
            rows.place = rows.place._replace(draws=frozen(place.draws * np.uint64(samples)))
        return rows

    def piece(self, r0: int, r1: int, c0: int, c1: int) -> NDArray[Any]:
        """Rows r0 to r1 and columns c0 to c1 as a C-contiguous read-only matrix; -inf where excluded."""
        whole = r1 - r0 == self.count and c1 - c0 == self.n
        if self.matrix is not None:
            if whole:
                return self.matrix
            # A row is contiguous also where some of its columns are left out.
            return self.matrix[r0:r1] if c1 - c0 == self.n else self.matrix[r0, c0:c1].reshape(1, -1)
        place: Any = ... if whole else index_of(self.batch, r0, r1, c0, c1)
        piece, kind = self.values[place], self.values.dtype
        if kind.itemsize == 2 and kind.kind in "fV" and kind.isnative:
            halves = np.ascontiguousarray(piece).view(np.uint16).reshape(-1)
            piece = np.empty(piece.shape, self.dtype)
            (widen if kind.kind == "f" else widen_upper)(piece.reshape(-1), freeze(halves))
        elif kind != self.dtype or self._where is None:
            piece = piece.astype(self.dtype, "C")
        if self._where is not None:
            piece = np.where(self._where[place], piece, -np.inf)
        if self._empty and self.place.categories is not None:
            piece = np.where(self.place.categories[place] < 0, -np.inf, piece)
        return freeze(np.ascontiguousarray(piece).reshape(r1 - r0, c1 - c0))

    def pieces(self, r0: int, r1: int, c0: int, c1: int, beside: bool = False) -> Iterable[tuple[int, int, int, int]]:
        """Cut rows r0 to r1 and columns c0 to c1 into pieces: one if they are read in place, else buffers full.

        `beside` says that float64 noise will stand beside each piece in a buffer.
        """
        width = BUFFER_BYTES // 8 if beside else self.width
        if (self.in_place and not beside) or (r1 - r0) * self.n <= width:
            return ((r0, r1, c0, c1),)
        height = max(1, width // self.n)
        return (
            (r, min(r + height, r1), c, min(c + width, c1)) for r in range(r0, r1, height) for c in range(c0, c1, width)
        )

    def part(self, c0: int, c1: int, place: Coordinates) -> Rows:
        """Columns c0 to c1, which lie elsewhere in the field."""
        return Rows(self.values[..., c0:c1], None if self._where is None else self._where[..., c0:c1], place)

    def counted(self) -> Rows:
        """The same rows without ids but a first one, if from there on they count up in all rows alike."""
        categories = self.place.categories
        if categories is None or self._empty or self.n == 0 or any(categories.strides[:-1]) or categories.size == 0:
            return self
        ids = categories[(0,) * len(self.batch)]
        if self.place.wide or ids[-1] - ids[0] != self.n - 1 or (np.diff(ids) != 1).any():
            return self
        rows = copy.copy(self)
        rows.place, rows.has_ids = self.place._replace(start=int(ids[0]), categories=None), False
        return rows

    def between(self, r0: int, r1: int) -> Rows:
        """Rows r0 to r1 alone, where they lie in the field."""
        place, categories = self.place, None
        if self.has_ids:
            categories = np.broadcast_to(self.ids(r0, r1, 0, self.n).view(np.int64), (r1 - r0, self.n))
        place = place._replace(
            rows=place.rows[r0:r1] if place.rows.size else freeze(np.arange(r0, r1, dtype=np.uint64)),
            categories=categories,
            draws=part_of(place.draws, r0, r1),
            temperatures=part_of(place.temperatures, r0, r1),
        )
        return Rows(self.piece(r0, r1, 0, self.n), None, place)

    def only(self, left: NDArray[np.bool_]) -> Rows:
        """The same rows with fewer categories left."""
        return Rows(self.values, left if self._where is None else self._where & left, self.place)

    def name(self, row: int) -> str:
        """A row as its user would name it."""
        return row_name(self.batch, row, self.place.rows)

    def id_at(self, row: int, column: int) -> int | None:
        """Category id of a place, if there are ids."""
        return int(self.ids(row, row + 1, column, column + 1)[0, 0]) if self.has_ids else None

    def category_name(self, row: int, column: int) -> str:
        """A place of a row as its user would name it."""
        return category_name(column, self.id_at(row, column))

    def first_bad(self, row: int) -> tuple[int, Any] | None:
        """Column and value of the first NaN or +inf of a row."""
        step = BUFFER_BYTES // 8
        for c0 in range(0, self.n, step):
            piece = self.piece(row, row + 1, c0, min(c0 + step, self.n))[0]
            bad = first_bad(piece)
            if bad is not None:
                return c0 + bad[0], bad[1]
        return None


def rows_at(x: NDArray[Any], where: NDArray[np.bool_] | None, axis: int, place: Coordinates = NOWHERE) -> Rows:
    """Rows of checked arrays, whose categories lie on an axis counted from the end."""
    if where is not None and where.shape != x.shape:
        where = np.broadcast_to(where, x.shape)
    if axis != -1:
        x, where = np.moveaxis(x, axis, -1), where if where is None else np.moveaxis(where, axis, -1)
        if place.categories is not None:
            place = place._replace(categories=np.moveaxis(place.categories, axis, -1))
    return Rows(x, where, place)


def rows_of(request: Request) -> Rows:
    """The rows of a request."""
    if request.axis == -1 and request.where is None:
        return Rows(request.x, None, request.place, request.layout)
    return rows_at(request.x, request.where, request.axis, request.place)


def noise_of(request: Request) -> Rows | None:
    """Precomputed noise, if there is any: its rows are those of the first draw, then those of the second, ..."""
    if request.given is None:
        return None
    noise = rows_at(request.given, None, request.axis)
    found = overflow_of(noise, request.place.temperatures)
    if found is not None:
        line, column, value, temperature = found
        raise ValueError(infinite_message(place_name(noise.batch, line), value, column, temperature=temperature))
    return noise


def _largest(noise: NDArray[Any]) -> float:
    """A bound of finite magnitudes."""
    kind = noise.dtype
    if kind.kind == "f" and kind.itemsize < 8:
        return float(np.finfo(kind).max)
    if kind.kind != "f":
        return float(2**64)
    least = noise.min(initial=0.0)
    if least == -np.inf:
        # Along the longest axis, part by part, as masks take memory.
        lines = np.moveaxis(noise, int(np.argmax(noise.shape)), 0)
        step = max(1, BUFFER_BYTES * len(lines) // noise.size)
        parts = (lines[i : i + step] for i in range(0, len(lines), step))
        least = min(part.min(initial=0.0, where=part > -np.inf) for part in parts)
    return float(max(noise.max(initial=0.0), -least))


def overflow_of(noise: Rows, temperatures: NDArray[np.float64]) -> tuple[int, int, Any, float] | None:
    """The first finite noise of which the product with its row's temperature is infinite: line, column, and both.

    Lines of noise are those of all rows in the first draw, in the second, ...
    """
    hottest = temperatures.max(initial=1.0)
    if not (hottest > 1 and _largest(noise.values) > _MOST / 2 / hottest):
        return None
    step = BUFFER_BYTES // 8
    for line in range(noise.count):
        temperature = float(temperatures[line % temperatures.size])
        for c in range(0, noise.n, step):
            piece = noise.piece(line, line + 1, c, min(c + step, noise.n))[0]
            bad = overflows(piece, temperature)
            if bad.any():
                at = int(bad.argmax())
                return line, c + at, piece[at], temperature
    return None


def fault_of(request: Request, rows: Rows, row: int) -> str:
    """What is wrong with a row of a request that has no valid result: in some draw, if noise is given."""
    noise = noise_of(request)
    if noise is None:
        found: tuple[tuple[int, Any] | None, int | None] = rows.first_bad(row), None
    else:
        lines = (noise.piece(i, i + 1, 0, rows.n)[0] for i in range(row, request.draws * rows.count, rows.count))
        found = first_fault(rows.piece(row, row + 1, 0, rows.n)[0], lines)
    named = partial(rows.category_name, row)
    return row_message(rows.name(row), request.draw_shape, found, named, rows.place.empty)


def inputs_of(request: Request) -> tuple[NDArray[Any], ...]:
    """The arrays that are read."""
    return (request.x,) if request.given is None else (request.x, request.given)
