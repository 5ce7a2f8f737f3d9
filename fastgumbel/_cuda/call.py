"""A call on device arrays: what it reads, checked, and the stream, the memory and the faults of its work."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastgumbel._cuda.device import Device
from fastgumbel._cuda.kernels.parameters import Field, Temperatures
from fastgumbel._cuda.rows import DeviceRows, Piece, line_of
from fastgumbel._cuda.view import View, view_of
from fastgumbel._law.reduce import LIMIT
from fastgumbel._request.faults import (
    draw_name,
    excluded_text,
    first_bad,
    first_fault,
    infinite_message,
    place_name,
    row_message,
    too_few_message,
)
from fastgumbel._request.ndarrays import overflows
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

    def fault(self, work: Work) -> tuple[int, int] | None:
        """As `Work.fault`, but raises for the first of rows that have no categories, which no kernel has seen."""
        if self.rows.n == 0 and self.items and self.request.raises:
            raise ValueError(self._row_message(0, work))
        return work.fault()

    def fault_message(self, row: int, work: Work) -> str:
        """What is wrong with a row, or before those, with a row of noise; waits for the stream."""
        if row >= self.first_fault:
            return self._row_message(row - self.first_fault, work)
        line, temperature = self._noise_line(row, work), None
        bad = ~(line < np.inf)
        if not bad.any() and self.rows.place.temperatures.size:
            own = self.rows.place.temperatures
            temperature = float(own[row % self.rows.count % own.size])
            bad = overflows(line, temperature)
        if not bad.any():
            # It is beyond the type of relaxed samples.
            with np.errstate(over="ignore"):
                line = line.astype(self.rows.dtype)
            bad = ~np.isfinite(line)
        category = int(bad.argmax())
        name = place_name(self.draw_shape + self.rows.batch, row)
        return infinite_message(name, line[category], category, temperature=temperature)

    def too_few_message(self, row: int, k: int, work: Work) -> str:
        """What is wrong with a row of which, in some draw, fewer than k categories are left; waits for the stream."""
        name, alone, excludes = self.rows.name(row), self.rows.line(row, work.stream) > -LIMIT, False
        left = int(alone.sum())
        if self.noise is not None:
            counts = [int((alone & (noise > -np.inf)).sum()) for noise in self._noise_lines(row, work)]
            excludes = min(counts) < left
            if excludes:
                left = min(counts)
                name = draw_name(self.draw_shape, counts.index(left), name)
        return too_few_message(name, left, k, excluded_text(self.rows.place.empty, excludes))

    def _row_message(self, row: int, work: Work) -> str:
        """What is wrong with a row that has no valid result: in some draw, if noise is given; waits for the stream."""
        rows, line = self.rows, self.rows.line(row, work.stream)
        if self.noise is None:
            found: tuple[tuple[int, Any] | None, int | None] = first_bad(line), None
        else:
            found = first_fault(line, self._noise_lines(row, work))
        named = partial(rows.category_name, row)
        return row_message(rows.name(row), self.draw_shape, found, named, rows.place.empty)

    def _noise_lines(self, row: int, work: Work) -> Iterator[NDArray[Any]]:
        """Precomputed noise of a row, draw by draw."""
        return (self._noise_line(i, work) for i in range(row, self.items, self.rows.count))

    def _noise_line(self, row: int, work: Work) -> NDArray[Any]:
        """Precomputed noise of a row, counted through all draws, on the host; waits for the stream."""
        assert self.noise is not None
        batch = self.noise.shape[:-1]
        place = tuple(int(i) for i in np.unravel_index(row, batch)) if batch else ()
        return line_of(self.noise, place, self.device, work.stream)


class Work:
    """What launches share: a stream, the rows, the flag of faults, and scratch memory."""

    def __init__(self, device: Device, stream: Any, rows: DeviceRows, flags: bool) -> None:
        self.device, self.stream, self.rows = device, stream, rows
        self.flag = device.put(np.full(2, _NO_FAULT), stream) if flags else device.nothing(1, np.int64)
        self._row_ids = self._of_rows(rows.place.rows)
        # What there is to add to first draws of which each is so many draws.
        self._draws: dict[int, Any] = {}
        own = rows.place.temperatures
        self._temperature = own[0] if own.size == 1 else np.float64(1)
        self._temperatures = self._of_rows(own if own.size > 1 else own[:0])
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

    def _of_rows(self, items: NDArray[Any]) -> Any:
        """What there is one of a row, or nothing, on the device."""
        return self.put(items) if items.size else self.device.nothing(1, items.dtype)

    def _of_piece(self, items: Any, piece: Piece) -> Any:
        """What there is one of a row, or nothing, of the rows of a piece."""
        height, first = piece.x.shape[0], piece.first_row
        if items.size in (0, height):
            return items
        return self.wrap(view_of(items, "noise").part(8 * first, (height,), (8,)))

    def place(self, piece: Piece, skip: int = 0, samples: int = 1) -> Field:
        """Where a piece of rows lies in the field, from so many draws after the first on; each has so many samples."""
        place = self.rows.place
        if samples not in self._draws:
            self._draws[samples] = self._of_rows(place.draws * np.uint64(samples))
        ids, draws = self._of_piece(self._row_ids, piece), self._of_piece(self._draws[samples], piece)
        row, draw, start = map(np.uint64, (piece.first_row, place.draw * samples + skip, place.start))
        return Field(ids, place.key, row, draw, start, draws, self.temperatures(piece))

    def temperatures(self, piece: Piece) -> Temperatures:
        """Temperatures of the rows of a piece."""
        return Temperatures(self._temperature, self._of_piece(self._temperatures, piece))

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
