"""Noise given a choice, on a device."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.kernels import given as kernels
from fastgumbel._cuda.result import Result, copy_rows
from fastgumbel._cuda.rows import DeviceRows
from fastgumbel._cuda.view import View, c_strides
from fastgumbel._law.reduce import INVALID_CHOICE
from fastgumbel._request.faults import choice_message, overflow_message, row_name
from fastgumbel._request.request import Request
from fastgumbel._request.temperature import safe_from


def sample(request: Request, choice: Any, out: Any) -> Any:
    """What `gumbel_given_choice` does."""
    request.conditioned_samples()
    _check_temperatures(request)
    call, chosen = Call(request), request.choices(choice)
    category_ids.refuse_repeats(call.rows)
    rows, shape = call.rows, request.draw_shape + request.batch
    if isinstance(chosen, View):
        chosen = chosen.broadcast(shape)
        call.views.append(chosen)
    result = Result(call, "out", out, request.draw_shape + request.shape, request.dtype, request.axis)
    with call.work(result.view) as work:
        result.begin(work)
        if isinstance(chosen, View):
            choices = contiguous(work, narrow(chosen), np.dtype(np.intp))
        else:
            choices = work.put(np.ascontiguousarray(np.broadcast_to(chosen, shape), np.intp).reshape(-1))
        if call.items * rows.n:
            condition(work, choices, result.flat, call.draws)
        _refuse(call, work, choices)
        return result.deliver(work)


def _check_temperatures(request: Request) -> None:
    """Refuse temperatures at which noise may have to be infinite; the host looks at the noise instead."""
    own = request.place.temperatures
    low = (own > 0) & (own < safe_from(request.dtype))
    if low.any():
        raise ValueError(
            overflow_message(row_name(request.batch, int(low.argmax()), request.place.rows), request.dtype)
        )


def _refuse(call: Call, work: Work, choices: Any) -> None:
    rows, fault = call.rows, call.fault(work)
    if fault is None:
        return
    row, code = fault
    if code == INVALID_CHOICE:
        by_draw = work.device.read(choices, work.stream).reshape(call.draws, rows.count)
        own = rows.place.temperatures
        cold = own.size > 0 and own[row % own.size] == 0
        raise ValueError(choice_message(rows.name(row), rows.n, by_draw[:, row], cold))
    raise ValueError(call.fault_message(row, work))


def condition(
    work: Work,
    choices: Any,
    out: Any,
    draws: int,
    skip: int = 0,
    repeats: tuple[int, int] = (0, 1),
    samples: int = 1,
) -> None:
    """Write noise of so many draws from one on, given choices[first + draw // count, row], to out[draw, row].

    `repeats` is (first, count); `skip` and `samples` are those of `Work.place`.
    """
    rows = work.rows
    threads = min(kernels.THREADS, -(-rows.n // 128) * 32)
    for piece in rows.pieces(work.stream, rows.ids(work.stream)):
        field = work.place(piece, skip, samples)
        if rows.has_ids:
            to = piece.first_row * rows.n, rows.count * rows.n, draws
            category_ids.write(work, out, piece, field, to, category_ids.FRESH)
        shape = int64s(piece.first_row, rows.count, *repeats)
        arguments = (piece.x, piece.mask, field, choices, out, work.flag, shape)
        work.launch(kernels.condition, piece.x.shape[0] * draws, threads, (*arguments, np.bool_(rows.has_ids)))


def narrow(view: View) -> View:
    """The view with an axis of one item more, which makes rows of single numbers."""
    return view.part(0, (*view.shape, 1), (*view.strides, view.dtype.itemsize))


def contiguous(work: Work, view: View, dtype: np.dtype[Any]) -> Any:
    """The items of a view in C order of its axes, flat: its own memory where that will do, else a copy."""
    size = math.prod(view.shape)
    if size == 0:
        return work.device.nothing(1, dtype)
    if view.dtype == dtype and view.strides == c_strides(view.shape, dtype.itemsize):
        return work.wrap(view.reshaped((size,)))
    table = work.new((size // view.shape[-1], view.shape[-1]), dtype)
    for piece in DeviceRows(work.device, view).pieces(work.stream):
        copy_rows(work, table, piece.x, piece.first_row, 0)
    return work.device.reshaped(table, size)
