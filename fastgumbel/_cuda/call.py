"""A call on device arrays: what it reads, checked, and the stream, the memory and the faults of its work."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastgumbel._cuda.device import Device
from fastgumbel._cuda.kernels.parameters import Field
from fastgumbel._cuda.rows import DeviceRows, Piece, line_of
from fastgumbel._cuda.view import View, view_of
from fastgumbel._request.faults import infinite_message, place_name
from fastgumbel._request.request import Request

# What a flag holds before any fault: more than any row << 3 | code.
_NO_FAULT = np.iinfo(np.int64).max


class Call:
    """A request for device arrays.

    Attributes
    ----------
    request : Request
    rows : DeviceRows
    noise : View or None
        Precomputed noise, the categories last.
    views : list of View
        The caller's device arrays that are read.
    """

    def __init__(self, request: Request) -> None:
        self.request, self.draws, self.draw_shape = request, request.draws, request.draw_shape
        self.device: Device = request.arrays  # type: ignore[assignment]
        self.rows = DeviceRows(self.device, request.x, request.axis, request.where, request.place)
        self.noise: View | None = None if request.given is None else request.given.last(request.axis)
        self.views = [*self.rows.views, *([] if self.noise is None else [self.noise])]

    @property
    def items(self) -> int:
        """Rows of all draws."""
        return self.draws * self.rows.count

    @property
    def first_fault(self) -> int:
        """Number of the first row among faults, after those of precomputed noise."""
        return 0 if self.noise is None else self.items

    @contextlib.contextmanager
    def work(self, *written: View | None) -> Iterator[Work]:
        """A stream for what is read and written."""
        with self.device.stream(*self.views, *(view for view in written if view is not None)) as stream:
            yield Work(self.device, stream, self.rows, self.request.raises)

    def fault_message(self, row: int, work: Work) -> str:
        """What is wrong with a row, or before those, with a row of noise; waits for the stream."""
        if self.noise is None:
            return self.rows.fault(row, work.stream)
        if row >= self.items:
            return self.rows.fault(row - self.items, work.stream)
        batch = self.noise.shape[:-1]
        place = tuple(int(i) for i in np.unravel_index(row, batch)) if batch else ()
        line = line_of(self.noise, place, self.device, work.stream)
        category = int((~np.isfinite(line)).argmax())
        return infinite_message(place_name(batch, row), line[category], category)


class Work:
    """What launches share: a stream, the rows, the flag of faults, and scratch memory."""

    def __init__(self, device: Device, stream: Any, rows: DeviceRows, flags: bool) -> None:
        self.device, self.stream, self.rows = device, stream, rows
        self.flag = device.put(np.full(2, _NO_FAULT), stream) if flags else device.nothing(1, np.int64)
        ids = rows.place.rows
        self._row_ids = device.put(ids, stream) if ids.size else device.nothing(1, np.uint64)
        self._scratch: dict[str, Any] = {}

    def launch(self, kernel: Any, grid: int, block: int, arguments: tuple[Any, ...], shared_bytes: int = 0) -> None:
        """Run a kernel, unless there is nothing to do."""
        if grid:
            self.device.launch(kernel, grid, block, self.stream, arguments, shared_bytes)

    def each(self, kernel: Any, count: int, threads: int, arguments: tuple[Any, ...]) -> None:
        """Run a kernel over so many items, a thread an item."""
        self.launch(kernel, -(-count // threads), threads, arguments)

    def wrap(self, view: View) -> Any:
        """The array of a view."""
        return self.device.wrap(view, self.stream)

    def put(self, array: NDArray[Any]) -> Any:
        """A copy on the device."""
        return self.device.put(array, self.stream)

    def new(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
        """A new array that nobody has written."""
        return self.device.empty(shape, dtype, self.stream)

    def scratch(self, use: str, shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
        """Memory for a use, in which every later array of that use lies as well: no two of them are needed at once."""
        shape = (shape,) if isinstance(shape, int) else shape
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        if size == 0:
            return self.device.nothing(len(shape), kind)
        kept = self._scratch.get(use)
        if kept is None or kept.size < size:
            self._scratch[use] = kept = self.new(size, np.uint8)
        return self.wrap(view_of(kept, use).retyped(shape, kind))

    def place(self, piece: Piece, draw: int | None = None) -> Field:
        """Where a piece of rows lies in the field, from a draw on."""
        ids = self._row_ids
        if ids.size:
            height, first = piece.x.shape[0], piece.first_row
            ids = ids if height == ids.size else self.wrap(view_of(ids, "noise").part(8 * first, (height,), (8,)))
        key, first_draw, start = self.rows.place[:3]
        return Field(ids, key, *map(np.uint64, (piece.first_row, first_draw if draw is None else draw, start)))

    def cotangent_flag(self) -> Any:
        """Where faults of cotangents are noted: the flag's second place."""
        return self.wrap(view_of(self.flag, "flag").part(8, (1,), (8,))) if self.flag.size else self.flag

    def fault(self, place: int = 0) -> tuple[int, int] | None:
        """The first row with a fault, and its code, or None; those of cotangents are in place 1 of the flag.

        Waits for the stream, unless nobody asks.
        """
        if self.flag.size == 0:
            return None
        noted = int(self.device.read(self.flag, self.stream)[place])
        return None if noted == _NO_FAULT else (noted >> 3, noted & 7)


def int64s(*numbers: int) -> tuple[np.int64, ...]:
    """Numbers as kernels take them."""
    return tuple(map(np.int64, numbers))
