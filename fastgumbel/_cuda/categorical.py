"""Draws that read no field, on a device."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.kernels import categorical as tables
from fastgumbel._cuda.kernels import categorical_short as short
from fastgumbel._cuda.kernels.parameters import Field
from fastgumbel._cuda.max import refuse
from fastgumbel._cuda.result import Result
from fastgumbel._cuda.rows import Piece
from fastgumbel._request.request import Request

# A thread goes along a row of at most so many, for each of at most so many draws; there are tables of others.
_SHORT = 96
_FEW = 32
# Categories of a segment at least, and segments of a row at most.
_SPAN = 4096
_SEGMENTS = 1024
# Thread blocks that keep a multiprocessor busy.
_BLOCKS = 6
# Bytes for tables: more rows than they hold, one at least, take several launches.
_SCRATCH = 2**27


def sample(request: Request, out: Any) -> Any:
    """What `categorical` does."""
    request.check_no_categories()
    call = Call(request)
    rows, draws = call.rows, call.draws
    result = Result(call, "out", out, request.draw_shape + request.batch, np.intp)
    with call.work(result.view) as work:
        result.begin(work)
        index = work.device.reshaped(result.flat, (draws, rows.count))
        draw = _draw_short if rows.n == 0 or (rows.n <= _SHORT and draws <= _FEW) else _draw_of_tables
        for piece in rows.pieces(work.stream) if draws else ():
            draw(work, piece, work.place(piece), index)
        refuse(call, work)
        return result.deliver(work)


def _draw_short(work: Work, piece: Piece, field: Field, index: Any) -> None:
    arguments = (piece.x, piece.mask, field, np.int64(piece.first_row), index, work.flag)
    work.each(short.draw_short, piece.x.shape[0] * index.shape[0], short.THREADS, arguments)


def _draw_of_tables(work: Work, piece: Piece, field: Field, index: Any) -> None:
    height, n = piece.x.shape
    wanted = _BLOCKS * work.device.attributes.multiprocessors
    segments = max(1, min(-(-wanted // height), -(-n // _SPAN), _SEGMENTS))
    span = -(-n // segments)
    segments = -(-n // span)
    threads = min(tables.THREADS, -(-span // 32) * 32)
    step = max(1, _SCRATCH // (8 * n))
    for first in range(0, height, step):
        count = min(step, height - first)
        plan = int64s(first, segments, span)
        blocks = count * segments
        tops, masses = work.scratch("tops", blocks, np.float64), work.scratch("masses", blocks, np.int64)
        sums, ends = work.scratch("sums", count * n, np.uint64), work.scratch("ends", blocks, np.uint64)
        work.launch(tables.largest_of_segments, blocks, threads, (piece.x, piece.mask, plan, tops))
        of_row = (piece.x, piece.mask, field.temperatures, plan, tops, masses)
        work.launch(tables.masses_of_segments, blocks, threads, of_row)
        work.launch(tables.cumulate_segments, blocks, threads, (*of_row, sums, ends))
        if segments > 1:
            work.each(tables.end_segments, count, tables.THREADS, (ends, np.int64(segments)))
        arguments = (sums, ends, field, np.int64(n), plan, np.int64(piece.first_row), index, work.flag)
        work.each(tables.draw_of_tables, count * index.shape[0], tables.THREADS, arguments)
