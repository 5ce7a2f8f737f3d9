"""A call on device arrays: what it reads, checked, and the stream, the memory and the faults of its work."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastgumbel._cuda.device import Device, current
from fastgumbel._cuda.kernels.parameters import Field
from fastgumbel._cuda.rows import DeviceRows, Piece, line_of
from fastgumbel._cuda.view import View, c_strides, view_of
from fastgumbel._request import coordinates as _coordinates
from fastgumbel._request.checks import check_real, choice_of, shape_of
from fastgumbel._request.coordinates import check_reach, field_of
from fastgumbel._request.device import is_device
from fastgumbel._request.faults import infinite_message
from fastgumbel._request.field import NoiseField
from fastgumbel._request.layout import with_categories

# What a flag holds before any fault: more than any row << 3 | code.
_NO_FAULT = np.iinfo(np.int64).max


class Call:
    """What a call reads.

    Attributes
    ----------
    rows : DeviceRows
    draw_shape : tuple of int
    field : NoiseField
        With the category ids of `rows`, if it has any.
    noise : View or None
        Precomputed noise that is read instead, the categories last.
    raises : bool
        Whether invalid rows raise, and are not marked.
    views : list of View
        The caller's device arrays that are read.
    """

    def __init__(self, x: Any, axis: Any, size: Any, where: Any, invalid: Any) -> None:
        self.device = current()
        self.rows = DeviceRows(self.device, x, axis, where)
        self.raises = choice_of(invalid, "invalid", ("raise", "mark")) == "raise"
        self.draw_shape = shape_of(size, "size")
        self.draws = math.prod(self.draw_shape)
        self.field = NoiseField(0)
        self.noise: View | None = None
        self.views = list(self.rows.views)
        self.row_ids: NDArray[np.uint64] = np.empty(0, np.uint64)

    def read(self, rng: Any, noise: Any) -> None:
        """Read the field that `rng` or `noise` names, or precomputed noise."""
        if noise is None or isinstance(noise, NoiseField):
            field = field_of(rng, noise)
            check_reach(field, self.draws, self.rows.n)
            self.read_field(field)
            return
        if rng is not None:
            raise ValueError("give rng or noise, not both")
        self.noise = self._given(noise)
        self.views.append(self.noise)

    def read_field(self, field: NoiseField) -> None:
        """Read a field, whose coordinates have been checked."""
        self.rows.name(field)
        self.field, self.row_ids = field, _coordinates.row_ids(field, self.rows.batch)

    def _given(self, noise: Any) -> View:
        if not is_device(noise):
            raise TypeError(
                f"noise must be a NoiseField or a device array, as log_potentials is one, not {type(noise).__name__}"
            )
        view = self.device.view(noise, "noise")
        check_real(view.dtype, "noise")
        expected = self.draw_shape + with_categories(self.rows.batch, self.rows.n, self.rows.axis)
        if view.shape != expected:
            raise ValueError(f"noise must have shape {expected}, not {view.shape}")
        return view.last(self.rows.axis)

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
            yield Work(self.device, stream, self.rows, self.field, self.row_ids, self.raises)

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
        return infinite_message(batch, row, line[category], category)


class Work:
    """What launches share: a stream, the rows, their field and row ids, the flag of faults, and scratch memory."""

    def __init__(
        self, device: Device, stream: Any, rows: DeviceRows, field: NoiseField, row_ids: NDArray[np.uint64], flags: bool
    ) -> None:
        self.device, self.stream, self.rows, self.field = device, stream, rows, field
        self.flag = device.put(np.full(1, _NO_FAULT), stream) if flags else device.nothing(1, np.int64)
        self._row_ids = device.put(row_ids, stream) if row_ids.size else device.nothing(1, np.uint64)
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
        size, kind = math.prod(shape), np.dtype(dtype)
        if size == 0:
            return self.device.nothing(len(shape), kind)
        kept = self._scratch.get(use)
        if kept is None or kept.size < size:
            self._scratch[use] = kept = self.new(size, kind)
        return self.wrap(view_of(kept, use).part(0, shape, c_strides(shape, kind.itemsize)))

    def place(self, piece: Piece, draw: int | None = None) -> Field:
        """Where a piece of rows lies in the field, from a draw on."""
        ids = self._row_ids
        if ids.size:
            height, first = piece.x.shape[0], piece.first_row
            ids = ids if height == ids.size else self.wrap(view_of(ids, "noise").part(8 * first, (height,), (8,)))
        first_draw = self.field.draw if draw is None else draw
        return Field(ids, self.field.key, *map(np.uint64, (piece.first_row, first_draw, self.field.start)))

    def fault(self) -> tuple[int, int] | None:
        """The first row with a fault, and its code, or None; waits for the stream, unless nobody asks."""
        if self.flag.size == 0:
            return None
        noted = int(self.device.read(self.flag, self.stream)[0])
        return None if noted == _NO_FAULT else (noted >> 3, noted & 7)


def int64s(*numbers: int) -> tuple[np.int64, ...]:
    """Numbers as kernels take them."""
    return tuple(map(np.int64, numbers))
