"""Log-potentials as rows of categories, whatever their shape, strides, type and mask."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.faults import excluded_text, fault_message, first_bad, place_name
from fastgumbel._request.shape import any_negative, relaxed_dtype

# What is not read in place is converted piece by piece, in so many bytes a thread.
BUFFER_BYTES = 2**18

_0 = np.uint64(0)


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
    matrix = np.ascontiguousarray(ids).view(np.uint64)
    matrix.flags.writeable = False
    return matrix


def field_at(
    key: np.uint64, ids: NDArray[np.uint64], r0: int, r1: int, draw: int, start: int
) -> tuple[NDArray[np.uint64], np.uint64, np.uint64, np.uint64, np.uint64]:
    """Where rows r0 to r1 lie in a field: a plain tuple of what kernels take as a `Field`.

    `ids` are those of all rows, or none where they count from 0.
    """
    # To make a NumPy integer takes a few percent of a small call, which begins at 0 as a rule.
    row = np.uint64(r0) if r0 else _0
    return ids[r0:r1] if ids.size else ids, key, row, np.uint64(draw) if draw else _0, np.uint64(start) if start else _0


class Rows:
    """Log-potentials as rows of categories, in C order of the batch, without a copy of the whole.

    Parameters
    ----------
    values : ndarray
        The categories on the last axis.
    where : ndarray of bool, or None
        Of the same shape; False excludes.
    categories : ndarray of int64, or None
        Category ids, of the same shape; negative ones exclude.
    """

    def __init__(
        self,
        values: NDArray[Any],
        where: NDArray[np.bool_] | None,
        categories: NDArray[np.int64] | None = None,
    ) -> None:
        self.batch = values.shape[:-1]
        self.n = values.shape[-1]
        self.count = math.prod(self.batch)
        self.dtype = relaxed_dtype(values.dtype)
        self.values = values
        self.categories = categories
        self._where = where
        self._empty = categories is not None and any_negative(categories)
        # Kernels are compiled for read-only arrays, so that memory maps need no second compilation.
        self.in_place = (
            where is None
            and not self._empty
            and values.dtype == self.dtype
            and values.flags.c_contiguous
            and values.flags.aligned
        )
        # Columns of a piece at most.
        self.width = self.n if self.in_place else BUFFER_BYTES // self.dtype.itemsize
        self.matrix = values.reshape(self.count, self.n) if self.in_place else None
        if self.matrix is not None:
            self.matrix.flags.writeable = False

    def piece(self, r0: int, r1: int, c0: int, c1: int) -> NDArray[Any]:
        """Rows r0 to r1 and columns c0 to c1 as a C-contiguous read-only matrix; -inf where excluded."""
        if self.matrix is not None:
            # A row is contiguous also where some of its columns are left out.
            return self.matrix[r0:r1] if c1 - c0 == self.n else self.matrix[r0, c0:c1].reshape(1, -1)
        piece = np.empty((r1 - r0, c1 - c0), self.dtype)
        place = index_of(self.batch, r0, r1, c0, c1)
        piece[...] = self.values[place]
        if self._where is not None:
            np.copyto(piece, -np.inf, where=~self._where[place])
        if self._empty and self.categories is not None:
            np.copyto(piece, -np.inf, where=self.categories[place] < 0)
        piece.flags.writeable = False
        return piece

    def pieces(self, r0: int, r1: int, c0: int, c1: int, beside: bool = False) -> Iterator[tuple[int, int, int, int]]:
        """Cut rows r0 to r1 and columns c0 to c1 into pieces: one if they are read in place, else buffers full.

        `beside` says that float64 noise will stand beside each piece in a buffer.
        """
        if self.in_place and not beside:
            yield r0, r1, c0, c1
            return
        width = BUFFER_BYTES // 8 if beside else self.width
        height = max(1, width // self.n)
        for r in range(r0, r1, height):
            for c in range(c0, c1, width):
                yield r, min(r + height, r1), c, min(c + width, c1)

    def overlaps(self, array: NDArray[Any]) -> bool:
        """Whether writing to an array may change the log-potentials."""
        return np.may_share_memory(self.values, array)

    def part(self, c0: int, c1: int) -> Rows:
        """Columns c0 to c1."""
        return Rows(self.values[..., c0:c1], None if self._where is None else self._where[..., c0:c1])

    def at(self, categories: NDArray[np.int64]) -> Rows:
        """The same at these category ids."""
        return Rows(self.values, self._where, categories)

    @property
    def excluded(self) -> str:
        """What categories that are missing may be, in words."""
        return excluded_text(self.categories is not None)

    def first_bad(self, row: int) -> tuple[int, Any] | None:
        """Column and value of the first NaN or +inf of a row."""
        step = BUFFER_BYTES // 8
        for c0 in range(0, self.n, step):
            piece = self.piece(row, row + 1, c0, min(c0 + step, self.n))[0]
            bad = first_bad(piece)
            if bad is not None:
                return c0 + bad[0], bad[1]
        return None

    def fault(self, row: int) -> str:
        """What is wrong with a row that has no valid result."""
        return fault_message(place_name(self.batch, row), self.first_bad(row), self.excluded)
