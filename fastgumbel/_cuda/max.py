"""Gumbel-max of log-potentials on a device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.kernels import max_long, max_short
from fastgumbel._cuda.kernels.parameters import Field
from fastgumbel._cuda.result import Result, check_apart
from fastgumbel._cuda.rows import Piece
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request

# A thread goes along a row of at most so many, thread blocks along longer ones.
_SHORT = 96
# Pairs of blocks of 64 in a segment: at most what shared memory holds for three thread blocks, and for a warp.
_SPAN, _WARP_SPAN = 512, 32
# Thread blocks that keep a multiprocessor busy.
_BLOCKS = 6
# Bytes for results of segments: more draws than they hold take several launches.
_SCRATCH = 2**26


def sample(request: Request, return_max: bool, out: Any) -> Any:
    """What `gumbel_max` does: indices and, if wanted, perturbed values."""
    call, shape = Call(request), request.draw_shape + request.batch
    category_ids.refuse_repeats(call.rows)
    outs = outs_of(out, "indices", "values") if return_max else [("out", out)]
    results = [Result(call, *named, shape, kind) for named, kind in zip(outs, (np.intp, np.float64), strict=False)]
    check_apart(*results)
    with call.work(*(result.view for result in results)) as work:
        for result in results:
            result.begin(work)
        search(call, work, results[0].flat, results[1].flat if return_max else None)
        refuse(call, work)
        delivered = tuple(result.deliver(work) for result in results)
    return delivered if return_max else delivered[0]


def refuse(call: Call, work: Work) -> None:
    """Raise for the first invalid row, unless such rows are marked; waits for the stream."""
    fault = work.fault()
    if fault is not None:
        raise ValueError(call.fault_message(fault[0], work))


def search(call: Call, work: Work, index: Any, values: Any = None) -> None:
    """Write the index of the sample by draw and row, and its perturbed value; both flat."""
    if call.items == 0:
        return
    shape = call.draws, call.rows.count
    index = work.device.reshaped(index, shape)
    values = work.device.nothing(2, np.float64) if values is None else work.device.reshaped(values, shape)
    results = index, values, work.flag
    if call.noise is not None or work.rows.has_ids:
        _search_given(call, work, results)
        return
    for piece in work.rows.pieces(work.stream):
        field = work.place(piece)
        if work.rows.n > _SHORT:
            _search_long(work, piece, field, results)
            continue
        arguments = (piece.x, piece.mask, field, np.int64(piece.first_row), *results)
        work.each(max_short.max_short, piece.x.shape[0] * call.draws, max_short.THREADS, arguments)


def _search_long(work: Work, piece: Piece, field: Field, results: tuple[Any, ...]) -> None:
    rows, index, flag = work.rows, results[0], results[2]
    draws, height, start = index.shape[0], piece.x.shape[0], work.rows.place.start
    pairs = (start + rows.n - 1) // 128 - start // 128 + 1
    wanted = _BLOCKS * work.device.attributes.multiprocessors
    span = min(_SPAN, max(_WARP_SPAN, -(-pairs * height // wanted)), pairs)
    segments = -(-pairs // span)
    threads = 32 * min(max_long.THREADS // 32, -(-span // _WARP_SPAN))
    shared_bytes = max_long.dynamic_bytes(span, rows.dtype.itemsize)
    at_once = draws if segments == 1 else max(1, _SCRATCH // (16 * segments * height))
    numbers = work.device.nothing(1, rows.dtype)
    for first in range(0, draws, at_once):
        here = min(at_once, draws - first)
        groups = min(here, max(1, wanted // (height * segments)))
        group = -(-here // groups)
        grid = height * segments * -(-here // group)
        inputs = (piece.x, piece.mask, numbers, field._replace(draw=np.uint64(int(field.draw) + first)))
        if segments == 1:
            plan = int64s(piece.first_row, segments, span, group)
            work.launch(max_long.max_long, grid, threads, (*inputs, plan, *results), shared_bytes)
            continue
        shape = here, height * segments
        parts = work.scratch("indices", shape, np.int64), work.scratch("values", shape, np.float64)
        plan = int64s(0, segments, span, group)
        work.launch(max_long.max_long, grid, threads, (*inputs, plan, *parts, flag), shared_bytes)
        place = int64s(segments, height, first, piece.first_row)
        warps = max_long.THREADS // 32
        work.each(max_long.max_of_segments, here * height * 32, 32 * warps, (*parts, place, *results))


def drawn_pieces(call: Call, work: Work) -> Iterator[tuple[int, Piece]]:
    """Draws and pieces with their noise beside them: precomputed, or a field at the category ids of the rows."""
    if call.noise is not None:
        for draw, place in enumerate(np.ndindex(*call.draw_shape)):
            for piece in work.rows.pieces(work.stream, call.noise.at(place)):
                yield draw, piece
        return
    for piece, first, count, given in category_ids.noisy_pieces(work, call.draws, np.dtype(np.float64)):
        for draw in range(count):
            yield first + draw, piece._replace(beside=work.wrap(given.at((draw,))))


def _search_given(call: Call, work: Work, results: tuple[Any, ...]) -> None:
    for draw, piece in drawn_pieces(call, work):
        at = int64s(draw, piece.first_row, call.first_fault)
        arguments = (piece.x, piece.mask, piece.beside, work.temperatures(piece), at, *results)
        work.each(max_short.max_given, piece.x.shape[0] * 32, max_short.THREADS, arguments)
