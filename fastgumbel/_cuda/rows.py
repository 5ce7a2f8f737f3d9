"""Log-potentials on a device as rows of categories: the boundary between what users pass and what kernels trust.

Nothing is copied but a mask or ids that come from the host, and nothing waits, unless a fault is to be reported.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cuda.device import Device
from fastgumbel._cuda.kernels import move
from fastgumbel._cuda.view import View, offset_of, view_of
from fastgumbel._request.coordinates import NOWHERE, Coordinates
from fastgumbel._request.faults import category_name, row_name
from fastgumbel._request.ndarrays import relaxed_dtype, unrepeated


class Piece(NamedTuple):
    """Rows with one distance between them: arrays of two axes, [row, category]."""

    first_row: int
    x: Any
    # np.True_ where no category is excluded.
    mask: Any
    # The same rows of another array, or None.
    beside: Any


class DeviceRows:
    """Log-potentials of a device array as rows of categories, in C order of the batch.

    Parameters
    ----------
    device : Device
    view : View
    axis : int, optional
        The axis of the categories, counted from the end.
    where : View or ndarray of bool, or None
        Broadcasts to the view; False excludes.
    place : Coordinates, optional
        Where the rows lie in a field; the category ids have the shape of the view, and negative ones exclude.
    """

    def __init__(self, device: Device, view: View, axis: int = -1, where: Any = None, place: Coordinates = NOWHERE):
        self.axis, self.place, self.shape = axis, place, view.shape
        self._device = device
        self._values = view.last(self.axis)
        self.batch, self.n = self._values.shape[:-1], self._values.shape[-1]
        self.count = math.prod(self.batch)
        self.dtype = relaxed_dtype(view.dtype)
        # A mask on the device, and one on the host that is to be put there.
        self._mask = self._mask_of(where) if isinstance(where, View) else None
        self._where: NDArray[np.bool_] | None = None if isinstance(where, View) else where
        # What is read, whose streams count.
        self.views = [view for view in (self._values, self._mask) if view is not None]
        self._ids: View | None = None
        if place.categories is not None:
            left = unrepeated(place.categories) >= 0
            if not left.all():
                self._where = left if self._where is None else self._where & left

    @property
    def has_ids(self) -> bool:
        """Whether the categories have ids."""
        return self.place.categories is not None

    def ids(self, stream: Any) -> View | None:
        """The category ids, if there are any, put on the device."""
        if self._ids is None and self.place.categories is not None:
            own = np.ascontiguousarray(unrepeated(self.place.categories))
            ids = view_of(self._device.put(own, stream), "noise").broadcast(self.shape)
            assert ids is not None
            self._ids = ids.last(self.axis)
        return self._ids

    def _mask_of(self, view: View) -> View:
        mask = view.broadcast(self.shape)
        assert mask is not None
        return mask.last(self.axis)

    def _masked(self, stream: Any) -> View | None:
        """The mask; what comes from the host is put on the device."""
        if self._where is not None:
            mask = self._mask_of(view_of(self._device.put(np.ascontiguousarray(self._where), stream), "where"))
            self._mask = mask if self._mask is None else self._both(self._mask, mask, stream)
            self._where = None
        return self._mask

    def _both(self, mask: View, other: View, stream: Any) -> View:
        """A mask of what two masks leave."""
        lines = self._device.empty((self.count, self.n), np.bool_, stream)
        for first_row, (a, b) in self._cut((mask, other), stream):
            grid = -(-a.shape[0] * self.n // move.THREADS)
            if grid:
                self._device.launch(move.both, grid, move.THREADS, stream, (lines, a, b, np.int64(first_row)))
        return view_of(lines, "where").reshaped((*self.batch, self.n))

    def pieces(self, stream: Any, beside: View | None = None, height: int | None = None) -> Iterator[Piece]:
        """All rows, for kernels on a stream: one piece, or several where the axes of the batch have no one stride.

        With a view of the same shape, categories last, each piece has those rows of it too; with a height, no piece has
        more rows.
        """
        for first_row, (x, mask, other) in self._cut((self._values, self._masked(stream), beside), stream, height):
            yield Piece(first_row, x, np.True_ if mask is None else mask, other)

    def _cut(
        self, views: tuple[View | None, ...], stream: Any, height: int | None = None
    ) -> Iterator[tuple[int, list[Any]]]:
        """Rows with one distance between them in all views: the number of the first, and arrays of them."""
        if self.count == 0:
            return
        present = [view for view in views if view is not None]
        outer, count, steps = _common_stride(self.batch, *(view.strides[:-1] for view in present))
        height = count if height is None else min(height, count)
        for k, place in enumerate(np.ndindex(*self.batch[:outer])):
            for row in range(0, count, height):
                shape = min(height, count - row), self.n
                parts = iter(
                    view.part(offset_of(place, view.strides) + row * step, shape, (step, view.strides[-1]))
                    for view, step in zip(present, steps, strict=True)
                )
                arrays = [None if view is None else self._device.wrap(next(parts), stream) for view in views]
                yield k * count + row, arrays

    def name(self, row: int) -> str:
        """A row as its user would name it."""
        return row_name(self.batch, row, self.place.rows)

    def category_name(self, row: int, column: int) -> str:
        """A place of a row as its user would name it."""
        if self.place.categories is None:
            return category_name(column)
        ids = np.moveaxis(self.place.categories, self.axis, -1)
        return category_name(column, int(ids[(*np.unravel_index(row, self.batch), column)]))

    def line(self, row: int, stream: Any) -> NDArray[Any]:
        """Log-potentials of a row on the host, as kernels read them; -inf where excluded. Waits for the stream."""
        place = tuple(int(i) for i in np.unravel_index(row, self.batch)) if self.batch else ()
        line = line_of(self._values, place, self._device, stream).astype(self.dtype)
        mask = self._masked(stream)
        if mask is not None:
            line[~line_of(mask, place, self._device, stream)] = -np.inf
        return line


def line_of(view: View, row: tuple[int, ...], device: Device, stream: Any) -> NDArray[Any]:
    """The last axis of a view, at an index of the others, on the host; waits for the stream."""
    offset = offset_of(row, view.strides)
    n, step = view.shape[-1], view.strides[-1]
    # A copy to the host takes no negative strides.
    start = offset + (n - 1) * step if step < 0 else offset
    values = device.read(device.wrap(view.part(start, (n,), (abs(step),)), stream), stream)
    return values[::-1] if step < 0 else values


def _common_stride(batch: tuple[int, ...], *strides: tuple[int, ...]) -> tuple[int, int, list[int]]:
    """First axis from which on the rows have one stride in all layouts, their number, and the strides."""
    count, steps = 1, [0] * len(strides)
    for axis in reversed(range(len(batch))):
        here = [layout[axis] for layout in strides]
        if batch[axis] == 1:
            continue
        if count == 1:
            steps = here
        elif here != [step * count for step in steps]:
            return axis + 1, count, steps
        count *= batch[axis]
    return 0, count, steps
