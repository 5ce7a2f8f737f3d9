"""The k best of log-potentials on a device: results, launches, faults.

Lists of entries are made, in scratch memory, and ranked. Where there are many categories a place, a list has the best
of each segment of a row, found by the pruned search; elsewhere it has the whole row. Up to `_PLACES` places go through
a buffer in shared memory. More cost a sort of the whole row in device memory: 16 bytes a category, rounded up to a
power of two, and about log2(n)^2 / 2 launches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.kernels import top_every, top_long
from fastgumbel._cuda.kernels.parameters import Field
from fastgumbel._cuda.max import drawn_pieces
from fastgumbel._cuda.result import Result, check_apart
from fastgumbel._cuda.rows import Piece
from fastgumbel._law.reduce import TOO_FEW
from fastgumbel._request.layout import with_categories
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request

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


def sample(request: Request, k: int, return_threshold: bool, out: Any) -> tuple[Any, ...]:
    """What `gumbel_top_k` does: indices and values by rank and, if wanted, thresholds."""
    call, lead = Call(request), request.draw_shape + request.batch
    category_ids.refuse_repeats(call.rows)
    ranked = with_categories(lead, k, request.axis)
    names = ("indices", "values", "threshold") if return_threshold else ("indices", "values")
    shapes = [(ranked, np.intp), (ranked, np.float64), (lead, np.float64)]
    # Kernels put the axis of ranks where it belongs, so results lie as callers see them.
    results = [Result(call, *named, *shape) for named, shape in zip(outs_of(out, *names), shapes, strict=False)]
    check_apart(*results)
    with call.work(*(result.view for result in results)) as work:
        for result in results:
            result.begin(work)
        flats = [result.flat for result in results]
        if not return_threshold:
            flats.append(work.device.nothing(1, np.float64))
        if call.items:
            _Search(call, work, k, return_threshold, (*flats, work.flag)).run()
        fault = work.fault()
        if fault is not None:
            row, code = fault
            if code == TOO_FEW:
                raise ValueError(call.too_few_message(row - call.first_fault, k, work))
            raise ValueError(call.fault_message(row, work))
        return tuple(result.deliver(work) for result in results)


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


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


class _Search:
    """A call: where its results go, and how lists become results."""

    def __init__(self, call: Call, work: Work, k: int, with_threshold: bool, outs: tuple[Any, ...]) -> None:
        self._call, self._work, self._rows = call, work, call.rows
        self._draws, self._k, self._outs = call.draws, k, outs
        self._places = k + with_threshold
        # Entries of a list that has the whole row, with room for all places.
        self._width = max(call.rows.n, self._places)
        if self._width > _COUNTED and self._places > _PLACES:
            self._width = _power_of_two(self._width)

    def run(self) -> None:
        """Find the best, and deliver them."""
        if self._call.noise is not None or self._rows.has_ids:
            self._read_given()
            return
        pruned = self._rows.n > max(_COUNTED, _PRUNED * self._places) and self._places <= _PLACES
        for piece in self._rows.pieces(self._work.stream):
            (self._read_pruned if pruned else self._read_every)(piece, self._work.place(piece))

    def _read_every(self, piece: Piece, field: Field) -> None:
        quads = (int(field.start) % 4 + self._width + 3) // 4
        for batch in _batches(piece.x.shape[0], self._draws, 16 * self._width):
            lists = self._lists(batch.items * self._width)
            plan = int64s(batch.row, batch.rows, batch.draw, batch.items, quads, self._width)
            arguments = (piece.x, piece.mask, field, *lists, plan)
            self._by_item(top_every.fill_field, batch.items * quads, arguments)
            self._rank(lists, self._width, batch, self._place(piece, batch, 0))

    def _read_given(self) -> None:
        """Find the best on noise that the caller computed, or on a field at the category ids of the rows."""
        for draw, piece in drawn_pieces(self._call, self._work):
            for batch in _batches(piece.x.shape[0], 1, 16 * self._width):
                lists = self._lists(batch.items * self._width)
                number = draw * self._rows.count + piece.first_row
                plan = int64s(batch.row, batch.rows, number, self._width)
                inputs = piece.x, piece.mask, piece.beside, self._work.temperatures(piece)
                arguments = (*inputs, *lists, plan, self._outs[-1])
                self._by_item(top_every.fill_given, batch.items * self._width, arguments)
                place = self._place(piece, batch._replace(draw=draw), self._call.first_fault)
                self._rank(lists, self._width, batch, place)

    def _read_pruned(self, piece: Piece, field: Field) -> None:
        rows, start, height = self._rows, int(field.start), piece.x.shape[0]
        pairs = (start + rows.n - 1) // 128 - start // 128 + 1
        wanted = _BLOCKS * self._work.device.attributes.multiprocessors
        least = max(_WARP_SPAN, _PRUNED * self._places // 128)
        span = min(_SPAN, max(least, -(-pairs * height // wanted)), pairs)
        segments = -(-pairs // span)
        capacity = _power_of_two(self._places + 2 * top_long.THREADS)
        shared_bytes = top_long.dynamic_bytes(span, capacity, rows.dtype.itemsize)
        numbers = self._work.device.nothing(1, rows.dtype)
        width = segments * self._places
        for batch in _batches(height, self._draws, 16 * width):
            lists = self._lists(batch.items * width)
            groups = min(batch.draws, max(1, wanted // (batch.rows * segments)))
            group = -(-batch.draws // groups)
            plan = int64s(batch.row, batch.rows, batch.draw, batch.draws, group, segments, span, self._places, capacity)
            grid = batch.rows * segments * -(-batch.draws // group)
            arguments = (piece.x, piece.mask, numbers, field, plan, *lists)
            self._work.launch(top_long.top_long, grid, top_long.THREADS, arguments, shared_bytes)
            place = self._place(piece, batch, 0)
            if segments == 1:
                self._take(lists, width, batch, place)
            else:
                self._rank(lists, width, batch, place)

    def _rank(self, lists: tuple[Any, Any], width: int, batch: _Batch, place: tuple[np.int64, ...]) -> None:
        """Deliver the best of lists."""
        if width <= _COUNTED:
            arguments = (*lists, *int64s(width, batch.items), place, self._outs)
            self._by_item(top_every.rank, batch.items * width, arguments)
        elif self._places <= _PLACES:
            capacity = _power_of_two(self._places + 2 * top_every.THREADS)
            arguments = (*lists, *int64s(width, capacity), np.int32(self._places), place, self._outs)
            self._work.launch(top_every.select, batch.items, top_every.THREADS, arguments, 16 * capacity)
        else:
            run = 2
            while run <= width:
                step = run // 2
                while step:
                    arguments = (*lists, *int64s(batch.items, width, run, step))
                    self._by_item(top_every.sort_step, batch.items * width // 2, arguments)
                    step //= 2
                run *= 2
            self._take(lists, width, batch, place)

    def _take(self, lists: tuple[Any, Any], width: int, batch: _Batch, place: tuple[np.int64, ...]) -> None:
        arguments = (*lists, *int64s(width, batch.items, self._places), place, self._outs)
        self._by_item(top_every.take, batch.items * self._places, arguments)

    def _place(self, piece: Piece, batch: _Batch, number: int) -> tuple[np.int64, ...]:
        """What `kernels.top.deliver` takes; rows are faults from a number on."""
        batch_axes = self._rows.batch
        trailing = math.prod(batch_axes[len(batch_axes) + 1 + self._rows.axis :])
        to_row = piece.first_row + batch.row
        return int64s(to_row, batch.rows, batch.draw, self._rows.count, self._k, trailing, number)

    def _lists(self, entries: int) -> tuple[Any, Any]:
        return self._work.scratch("values", entries, np.float64), self._work.scratch("indices", entries, np.int64)

    def _by_item(self, kernel: Any, threads: int, arguments: tuple[Any, ...]) -> None:
        self._work.each(kernel, threads, top_every.THREADS, arguments)
