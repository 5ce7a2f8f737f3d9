"""Noise given a choice, on a device."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.kernels import given as kernels
from fastgumbel._cuda.result import Result, copy_rows
from fastgumbel._cuda.rows import DeviceRows
from fastgumbel._cuda.view import View, c_strides
from fastgumbel._law.reduce import INVALID_CHOICE
from fastgumbel._request.choices import check_choices, choices_of
from fastgumbel._request.coordinates import check_conditioned
from fastgumbel._request.device import is_device
from fastgumbel._request.faults import choice_message
from fastgumbel._request.field import NoiseField


def sample(x: Any, choice: Any, axis: Any, size: Any, where: Any, rng: Any, noise: Any, invalid: Any, out: Any) -> Any:
    """Do on a device what `gumbel_given_choice` does, with its arguments; x is a device array."""
    if noise is not None and not isinstance(noise, NoiseField):
        raise TypeError(f"noise must be a NoiseField, not {type(noise).__name__}")
    call = Call(x, axis, size, where, invalid)
    rows = call.rows
    call.read(rng, noise)
    check_conditioned(call.field, rows.n)
    chosen = _chosen(call, choice)
    result = Result(call, "out", out, call.draw_shape + rows.shape, rows.dtype, rows.axis)
    with call.work(result.view) as work:
        result.begin(work)
        choices = contiguous(work, narrow(chosen), np.dtype(np.intp)) if isinstance(chosen, View) else work.put(chosen)
        if call.items * rows.n:
            condition(work, choices, result.flat, call.draws, call.field.draw)
        _refuse(call, work, choices)
        return result.deliver(work)


def _chosen(call: Call, choice: Any) -> View | NDArray[np.intp]:
    """Choices by draw and row: spread over the draws on a device, flat on the host."""
    batch = call.rows.batch
    shape = call.draw_shape + batch
    if not is_device(choice):
        return choices_of(choice, shape, batch).reshape(-1)
    view = call.device.view(choice, "choice")
    check_choices(view.dtype, view.shape, shape, batch)
    spread = view.broadcast(shape)
    assert spread is not None
    call.views.append(spread)
    return spread


def _refuse(call: Call, work: Work, choices: Any) -> None:
    rows = call.rows
    if rows.n == 0 and call.items and call.raises:
        raise ValueError(rows.fault(0, work.stream))
    fault = work.fault()
    if fault is None:
        return
    row, code = fault
    if code == INVALID_CHOICE:
        by_draw = work.device.read(choices, work.stream).reshape(call.draws, rows.count)
        raise ValueError(choice_message(rows.batch, row, rows.n, by_draw[:, row]))
    raise ValueError(call.fault_message(row, work))


def condition(
    work: Work, choices: Any, out: Any, draws: int, first_draw: int, repeats: tuple[int, int] = (0, 1)
) -> None:
    """Write noise of so many draws from one on, given choices[first + draw // count, row], to out[draw, row].

    `repeats` is (first, count).
    """
    rows = work.rows
    threads = min(kernels.THREADS, -(-rows.n // 128) * 32)
    for piece in rows.pieces(work.stream, rows.ids(work.stream)):
        if rows.has_ids:
            to = piece.first_row * rows.n, rows.count * rows.n, draws
            category_ids.write(work, out, piece, first_draw, to, category_ids.FRESH)
        field = work.place(piece, first_draw)
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
    for piece in DeviceRows(work.device, view, -1, None).pieces(work.stream):
        copy_rows(work, table, piece.x, piece.first_row, 0)
    return work.device.reshaped(table, size)
