"""Log-potentials on a device as rows of categories: the boundary between what users pass and what kernels trust.

Nothing is copied but a mask or ids that come from the host, and nothing waits, unless a fault is to be reported.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._arrays import categories_last, category_axis, check_categories, check_real, named
from fastgumbel._device import Device, is_device
from fastgumbel._rows import Rows, place_name, too_few_message
from fastgumbel.noise import NoiseField

# What a flag holds before any fault: more than any row << 3 | code.
_NO_FAULT = np.iinfo(np.int64).max


class View:
    """Part of the memory of a device array, which it keeps alive; axes of one item have the strides of C order."""

    def __init__(
        self, owner: Any, address: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self._owner = owner
        self.address, self.shape, self.dtype = address, shape, dtype
        own, step = [], dtype.itemsize
        for length, stride in zip(reversed(shape), reversed(strides), strict=True):
            own.append(step if length == 1 else stride)
            step = own[-1] * length
        self.strides = tuple(reversed(own))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        theirs = self._owner.__cuda_array_interface__
        return {
            "shape": self.shape,
            "strides": self.strides,
            "typestr": self.dtype.str,
            "data": (self.address, theirs["data"][1]),
            "stream": theirs.get("stream"),
            "version": 3,
        }

    def part(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> View:
        """Another view of the memory, `offset` bytes from the first item of this one."""
        return View(self._owner, self.address + offset, shape, strides, self.dtype)

    def at(self, place: tuple[int, ...]) -> View:
        """The view at an index of the first axes."""
        return self.part(_offset(place, self.strides), self.shape[len(place) :], self.strides[len(place) :])

    def last(self, axis: int) -> View:
        """The view with an axis, counted from the end, moved to the end."""
        order = [i for i in range(len(self.shape)) if i != len(self.shape) + axis] + [len(self.shape) + axis]
        return self.part(0, tuple(self.shape[i] for i in order), tuple(self.strides[i] for i in order))

    def to_axis(self, axis: int) -> View:
        """The view with its last axis moved to one counted from the end: what `last` undoes."""
        at = len(self.shape) + axis
        order = [*range(at), len(self.shape) - 1, *range(at, len(self.shape) - 1)]
        return self.part(0, tuple(self.shape[i] for i in order), tuple(self.strides[i] for i in order))

    def overlaps(self, other: View) -> bool:
        """Whether both may have memory in common."""
        (low, high), (begin, end) = self.bounds(), other.bounds()
        return low < end and begin < high

    def broadcast(self, shape: tuple[int, ...]) -> View | None:
        """The view repeated to a shape, by strides of 0; None where it does not fit."""
        added = len(shape) - len(self.shape)
        if added < 0 or any(a not in (1, b) for a, b in zip(self.shape, shape[added:], strict=True)):
            return None
        kept = (0 if a != b else s for a, b, s in zip(self.shape, shape[added:], self.strides, strict=True))
        return self.part(0, shape, (0,) * added + tuple(kept))

    def bounds(self) -> tuple[int, int]:
        """First address of the items, and that after the last one."""
        if 0 in self.shape:
            return self.address, self.address
        reach = [(length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True)]
        low, high = sum(min(r, 0) for r in reach), sum(max(r, 0) for r in reach)
        return self.address + low, self.address + high + self.dtype.itemsize

    def line(self, row: tuple[int, ...], device: Device, stream: Any) -> NDArray[Any]:
        """The last axis, at an index of the others, on the host; waits for the stream."""
        offset = _offset(row, self.strides)
        n, step = self.shape[-1], self.strides[-1]
        # A copy to the host takes no negative strides.
        start = offset + (n - 1) * step if step < 0 else offset
        values = device.read(device.wrap(self.part(start, (n,), (abs(step),))), stream)
        return values[::-1] if step < 0 else values


def view_of(array: Any, name: str) -> View:
    """All of a device array."""
    interface = array.__cuda_array_interface__
    if interface.get("mask") is not None:
        raise TypeError(f"{name} must not be a masked array; pass where=~mask with its data")
    dtype, shape, address = np.dtype(interface["typestr"]), tuple(interface["shape"]), interface["data"][0]
    if not dtype.isnative:
        raise TypeError(f"{name} must have the byte order of the device, not {dtype}")
    strides = interface.get("strides")
    if strides is None:
        strides = tuple(math.prod(shape[i + 1 :]) * dtype.itemsize for i in range(len(shape)))
    view = View(array, address or 0, shape, tuple(strides), dtype)
    if any(place % dtype.itemsize for place in (view.address, *view.strides)):
        raise ValueError(f"{name} must be aligned, as it is a device array")
    return view


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
    x : device array
    axis : int
        The axis of the categories.
    where : array_like or device array of bool, or None
        Broadcasts to `x`; False excludes.
    """

    def __init__(self, device: Device, x: Any, axis: Any, where: Any) -> None:
        view = view_of(x, "log_potentials")
        check_real(view.dtype, "log_potentials")
        # Counted from the end.
        self.axis = category_axis(axis, len(view.shape))
        check_categories(view.shape[self.axis])
        self._device = device
        self._values = view.last(self.axis)
        self.batch, self.n = self._values.shape[:-1], self._values.shape[-1]
        self.count = math.prod(self.batch)
        single = view.dtype.kind == "f" and view.dtype.itemsize <= 4
        self.dtype = np.dtype(np.float32 if single else np.float64)
        self._shape = view.shape
        # The caller's device arrays, whose streams count.
        self.arrays = (x, where) if is_device(where) else (x,)
        # A mask on the device, and one on the host that is to be put there.
        self._mask = self._mask_of(view_of(where, "where")) if is_device(where) else None
        self._where = None if where is None or is_device(where) else np.asarray(where)
        if self._where is not None:
            self._check_mask(self._where.dtype, self._where.shape)
        # Category ids on the host and, once they are put there, on the device.
        self._categories: NDArray[np.int64] | None = None
        self._ids: View | None = None

    def name(self, field: NoiseField) -> None:
        """Give the categories the ids of a field, if it has them; empty places are excluded."""
        if field.categories is None:
            return
        self._categories = named(field, self._shape)
        left = field.categories >= 0
        if not left.all():
            self._where = left if self._where is None else self._where & left

    @property
    def has_ids(self) -> bool:
        """Whether the categories have ids."""
        return self._categories is not None

    def ids(self, stream: Any) -> View | None:
        """The category ids, if there are any, put on the device."""
        if self._ids is None and self._categories is not None:
            own = self._categories[tuple(slice(1) if step == 0 else slice(None) for step in self._categories.strides)]
            ids = view_of(self._device.put(np.ascontiguousarray(own), stream), "noise").broadcast(self._shape)
            assert ids is not None
            self._ids = ids.last(self.axis)
        return self._ids

    def _check_mask(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        if dtype != np.bool_:
            raise TypeError(f"where must be boolean, not {dtype}")
        added = len(self._shape) - len(shape)
        if added < 0 or any(a not in (1, b) for a, b in zip(shape, self._shape[added:], strict=True)):
            raise ValueError(f"where of shape {shape} does not broadcast to the shape of log_potentials, {self._shape}")

    def _mask_of(self, view: View) -> View:
        self._check_mask(view.dtype, view.shape)
        mask = view.broadcast(self._shape)
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
        kernels = importlib.import_module("fastgumbel._kernels.cuda_move")
        result = self._device.empty((*self.batch, self.n), np.bool_, stream)
        lines = result.reshape((self.count, self.n))
        for first_row, (a, b) in self._cut((mask, other)):
            grid = -(-a.shape[0] * self.n // kernels.THREADS)
            if grid:
                self._device.launch(kernels.both, grid, kernels.THREADS, stream, (lines, a, b, np.int64(first_row)))
        return view_of(result, "where")

    def pieces(self, stream: Any, beside: View | None = None, height: int | None = None) -> Iterator[Piece]:
        """All rows, for kernels on a stream: one piece, or several where the axes of the batch have no one stride.

        With a view of the same shape, categories last, each piece has those rows of it too; with a height, no piece has
        more rows.
        """
        for first_row, (x, mask, other) in self._cut((self._values, self._masked(stream), beside), height):
            yield Piece(first_row, x, np.True_ if mask is None else mask, other)

    def _cut(self, views: tuple[View | None, ...], height: int | None = None) -> Iterator[tuple[int, list[Any]]]:
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
                    view.part(_offset(place, view.strides) + row * step, shape, (step, view.strides[-1]))
                    for view, step in zip(present, steps, strict=True)
                )
                yield k * count + row, [None if view is None else self._device.wrap(next(parts)) for view in views]

    def overlaps(self, out: Any) -> bool:
        """Whether writing to a device array may change the log-potentials or the mask."""
        written = view_of(out, "out")
        return any(written.overlaps(view) for view in (self._values, self._mask) if view is not None)

    def fault(self, row: int, stream: Any) -> str:
        """What is wrong with a row that has no valid result; waits for the stream."""
        return self._on_host(row, stream).fault(row)

    def too_few(self, row: int, k: int, stream: Any) -> str:
        """What is wrong with a row that has fewer categories left than k; waits for the stream."""
        rows = self._on_host(row, stream)
        left = int((rows.piece(row, row + 1, 0, self.n) > -np.inf).sum())
        return too_few_message(place_name(self.batch, row), left, k, rows.excluded)

    def _on_host(self, row: int, stream: Any) -> Rows:
        """Rows on the host of which one is true."""
        place = tuple(int(i) for i in np.unravel_index(row, self.batch)) if self.batch else ()
        whole = (*self.batch, self.n)
        mask = self._masked(stream)
        lines = [
            None if view is None else np.broadcast_to(view.line(place, self._device, stream), whole)
            for view in (self._values, mask)
        ]
        assert lines[0] is not None
        ids = None if self._categories is None else categories_last(self._categories, self.axis)
        return Rows(lines[0], lines[1], ids)


def _offset(place: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """Bytes to an index of the first axes."""
    return sum(i * s for i, s in zip(place, strides, strict=False))


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


def fault_flag(device: Device, wanted: bool, stream: Any) -> Any:
    """Where kernels note the first fault: one int64, or none where nobody asks."""
    if wanted:
        return device.put(np.full(1, _NO_FAULT), stream)
    return device.empty(0, np.int64, stream)


def first_fault(device: Device, flag: Any, stream: Any) -> tuple[int, int] | None:
    """The first row with a fault, and its code, or None; waits for the stream."""
    noted = int(device.read(flag, stream)[0])
    return None if noted == _NO_FAULT else (noted >> 3, noted & 7)
