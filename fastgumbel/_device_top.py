"""The k best of log-potentials on a device: results, launches, faults.

Lists of entries are made, in scratch memory, and ranked. Where there are many categories a place, a list has the best
of each segment of a row, found by the pruned search; elsewhere it has the whole row. Up to `_PLACES` places go through
a buffer in shared memory. More cost a sort of the whole row in device memory: 16 bytes a category, rounded up to a
power of two, and about log2(n)^2 / 2 launches.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastgumbel import _arrays, _device
from fastgumbel._device_max import drawn_pieces, fault_message, noise_of
from fastgumbel._device_rows import DeviceRows, Piece, View, fault_flag, first_fault
from fastgumbel._kernels.reduce import TOO_FEW
from fastgumbel.noise import NoiseField

# Lists of at most so many entries are ranked by counting, an entry a thread.
_COUNTED = 128
# So many places at most go through a buffer in shared memory.
_PLACES = 512
# So many times as many categories as places pay for the pruned search.
_PRUNED = 64
# Pairs of blocks of 64 in a segment: at most what shared memory holds, and for a place.
_SPAN, _WARP_SPAN = 512, 32
# Thread blocks that keep a multiprocessor busy.
_BLOCKS = 6
# Bytes for lists: more rows and draws than they hold take several launches.
_SCRATCH = 2**27


def sample(
    log_potentials: Any,
    k: Any,
    axis: Any,
    size: Any,
    where: Any,
    rng: Any,
    noise: Any,
    with_threshold: bool,
    invalid: Any,
    out: Any,
) -> tuple[Any, ...]:
    """Do on a device what `gumbel_top_k` does, with its arguments; log_potentials is a device array."""
    device = _device.current()
    rows = DeviceRows(device, log_potentials, axis, where)
    k = _arrays.places_of(k, rows.n)
    raises = _arrays.choice_of(invalid, "invalid", ("raise", "mark")) == "raise"
    draw_shape = _arrays.shape_of(size, "size")
    shapes = _arrays.ranked_shapes(draw_shape, rows.batch, k, rows.axis, with_threshold)
    if out is not None:
        _arrays.check_ranked_outs(out, shapes, _arrays.check_device_out)
        if any(rows.overlaps(array) for array in out):
            raise ValueError("out must not overlap log_potentials or where, as it is a device array")
    draws = math.prod(draw_shape)
    read = noise_of(rng, noise, draw_shape, rows)
    given = (noise,) if isinstance(read, View) else ()
    with device.stream(*rows.arrays, *(out or ()), *given) as stream:
        results = out or tuple(device.empty(shape, kind, stream) for shape, kind in shapes)
        flats = [array.reshape(array.size) for array in map(device.wrap, results)]
        if not with_threshold:
            flats.append(device.empty(0, np.float64, stream))
        flag = fault_flag(device, raises, stream)
        if draws * rows.count:
            search = _Search(device, stream, rows, draws, k, with_threshold, (*flats, flag))
            if isinstance(read, NoiseField) and not rows.has_ids:
                search.read(read)
            else:
                search.read_given(read, draw_shape)
        fault = first_fault(device, flag, stream) if raises else None
        if fault is not None:
            row, code = fault
            if code == TOO_FEW:
                row -= draws * rows.count if isinstance(read, View) else 0
                raise ValueError(rows.too_few(row, k, stream))
            raise ValueError(fault_message(rows, read, draws, row, device, stream))
    return results


class _Batch(NamedTuple):
    """Rows and draws of a piece whose lists are made at once."""

    row: int
    rows: int
    draw: int
    draws: int

    @property
    def items(self) -> int:
        """Lists, but for segments."""
        return self.rows * self.draws


def _batches(rows: int, draws: int, item_bytes: int) -> Iterator[_Batch]:
    most = max(1, _SCRATCH // item_bytes)
    row_step = min(rows, most)
    draw_step = min(draws, max(1, most // row_step))
    for row in range(0, rows, row_step):
        for draw in range(0, draws, draw_step):
            yield _Batch(row, min(row_step, rows - row), draw, min(draw_step, draws - draw))


def _longs(*numbers: int) -> tuple[np.int64, ...]:
    return tuple(map(np.int64, numbers))


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


class _Search:
    """A call: where its results go, and how lists become results."""

    def __init__(
        self,
        device: _device.Device,
        stream: Any,
        rows: DeviceRows,
        draws: int,
        k: int,
        with_threshold: bool,
        outs: tuple[Any, ...],
    ) -> None:
        self._device, self._stream, self._rows = device, stream, rows
        self._draws, self._k, self._outs = draws, k, outs
        self._places = k + with_threshold
        self._every = importlib.import_module("fastgumbel._kernels.cuda_top_every")
        # Entries of a list that has the whole row, with room for all places.
        self._width = max(rows.n, self._places)
        if self._width > _COUNTED and self._places > _PLACES:
            self._width = _power_of_two(self._width)

    def read(self, field: NoiseField) -> None:
        """Find the best on a field."""
        ids = _arrays.row_ids(field, self._rows.batch)
        pruned = self._rows.n > max(_COUNTED, _PRUNED * self._places) and self._places <= _PLACES
        for piece in self._rows.pieces(self._stream):
            own = self._device.put(ids[piece.first_row : piece.first_row + piece.x.shape[0]], self._stream)
            at = (field.key, np.uint64(piece.first_row), np.uint64(field.draw), np.uint64(field.start))
            (self._read_pruned if pruned else self._read_every)(piece, own, at)

    def _read_every(self, piece: Piece, ids: Any, at: tuple[np.uint64, ...]) -> None:
        quads = (int(at[3]) % 4 + self._width + 3) // 4
        for batch in _batches(piece.x.shape[0], self._draws, 16 * self._width):
            lists = self._lists(batch.items * self._width)
            plan = _longs(batch.row, batch.rows, batch.draw, batch.items, quads, self._width)
            self._by_item(self._every.fill_field, batch.items * quads, (piece.x, piece.mask, ids, at, *lists, plan))
            self._rank(lists, self._width, batch, self._place(piece, batch, 0))

    def read_given(self, noise: NoiseField | View, draw_shape: tuple[int, ...]) -> None:
        """Find the best on noise that the caller computed, or on a field at the category ids of the rows."""
        faults = self._draws * self._rows.count if isinstance(noise, View) else 0
        for draw, piece in drawn_pieces(self._device, self._stream, self._rows, noise, draw_shape):
            for batch in _batches(piece.x.shape[0], 1, 16 * self._width):
                lists = self._lists(batch.items * self._width)
                number = draw * self._rows.count + piece.first_row
                plan = _longs(batch.row, batch.rows, number, self._width)
                arguments = (piece.x, piece.mask, piece.beside, *lists, plan, self._outs[-1])
                self._by_item(self._every.fill_given, batch.items * self._width, arguments)
                self._rank(lists, self._width, batch, self._place(piece, batch._replace(draw=draw), faults))

    def _read_pruned(self, piece: Piece, ids: Any, at: tuple[np.uint64, ...]) -> None:
        kernels = importlib.import_module("fastgumbel._kernels.cuda_top_long")
        rows, start, height = self._rows, int(at[3]), piece.x.shape[0]
        pairs = (start + rows.n - 1) // 128 - start // 128 + 1
        wanted = _BLOCKS * self._device.attributes.multiprocessors
        least = max(_WARP_SPAN, _PRUNED * self._places // 128)
        span = min(_SPAN, max(least, -(-pairs * height // wanted)), pairs)
        segments = -(-pairs // span)
        capacity = _power_of_two(self._places + 2 * kernels.THREADS)
        shared_bytes = kernels.dynamic_bytes(span, capacity, rows.dtype.itemsize)
        numbers = self._device.empty(0, rows.dtype, self._stream)
        width = segments * self._places
        for batch in _batches(height, self._draws, 16 * width):
            lists = self._lists(batch.items * width)
            groups = min(batch.draws, max(1, wanted // (batch.rows * segments)))
            group = -(-batch.draws // groups)
            plan = _longs(batch.row, batch.rows, batch.draw, batch.draws, group, segments, span, self._places, capacity)
            grid = batch.rows * segments * -(-batch.draws // group)
            arguments = (piece.x, piece.mask, numbers, ids, at, plan, *lists)
            self._device.launch(kernels.top_long, grid, kernels.THREADS, self._stream, arguments, shared_bytes)
            place = self._place(piece, batch, 0)
            if segments == 1:
                self._take(lists, width, batch, place)
            else:
                self._rank(lists, width, batch, place)

    def _rank(self, lists: tuple[Any, Any], width: int, batch: _Batch, place: tuple[np.int64, ...]) -> None:
        """Deliver the best of lists."""
        if width <= _COUNTED:
            arguments = (*lists, *_longs(width, batch.items), place, self._outs)
            self._by_item(self._every.rank, batch.items * width, arguments)
        elif self._places <= _PLACES:
            capacity = _power_of_two(self._places + 2 * self._every.THREADS)
            arguments = (*lists, *_longs(width, capacity), np.int32(self._places), place, self._outs)
            self._device.launch(
                self._every.select, batch.items, self._every.THREADS, self._stream, arguments, 16 * capacity
            )
        else:
            run = 2
            while run <= width:
                step = run // 2
                while step:
                    arguments = (*lists, *_longs(batch.items, width, run, step))
                    self._by_item(self._every.sort_step, batch.items * width // 2, arguments)
                    step //= 2
                run *= 2
            self._take(lists, width, batch, place)

    def _take(self, lists: tuple[Any, Any], width: int, batch: _Batch, place: tuple[np.int64, ...]) -> None:
        arguments = (*lists, *_longs(width, batch.items, self._places), place, self._outs)
        self._by_item(self._every.take, batch.items * self._places, arguments)

    def _place(self, piece: Piece, batch: _Batch, number: int) -> tuple[np.int64, ...]:
        """What `cuda_top.deliver` takes; rows are faults from a number on."""
        batch_axes = self._rows.batch
        trailing = math.prod(batch_axes[len(batch_axes) + 1 + self._rows.axis :])
        to_row = piece.first_row + batch.row
        return _longs(to_row, batch.rows, batch.draw, self._rows.count, self._k, trailing, number)

    def _lists(self, entries: int) -> tuple[Any, Any]:
        return tuple(self._device.empty(entries, kind, self._stream) for kind in (np.float64, np.int64))

    def _by_item(self, kernel: Any, threads: int, arguments: tuple[Any, ...]) -> None:
        self._device.launch(kernel, -(-threads // self._every.THREADS), self._every.THREADS, self._stream, arguments)
