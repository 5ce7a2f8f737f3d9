"""`gumbel_softmax` and its tangents on a device.

What there is one of a row, temperatures and their tangents, is checked on the host, and read from a device array.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda import max as hard_sample
from fastgumbel._cuda import relax
from fastgumbel._cuda.call import Call, Work
from fastgumbel._cuda.given import contiguous
from fastgumbel._cuda.kernels import move
from fastgumbel._cuda.kernels.parameters import Tangents
from fastgumbel._cuda.result import Result, check_apart
from fastgumbel._cuda.view import View
from fastgumbel._law.reduce import INFINITE_TANGENT
from fastgumbel._request.faults import tangent_message
from fastgumbel._request.layout import categories_last
from fastgumbel._request.ndarrays import unrepeated
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request
from fastgumbel._request.request import Tangents as Wanted


def sample(request: Request, tau: Any, hard: bool, log: bool, out: Any) -> Any:
    """What `gumbel_softmax` does."""
    call, taus = Call(request), request.temperatures(tau)
    category_ids.refuse_repeats(call.rows)
    y = Result(call, "out", out, request.draw_shape + request.shape, request.dtype, request.axis)
    hardens = np.ones(1, np.bool_) if hard else taus == 0
    with call.work(y.view) as work:
        y.begin(work)
        index = _choices(call, work) if hardens.any() else None
        if not hardens.all():
            _relax(call, work, taus, relax.no_tangents(work), y.flat, log)
        if index is not None:
            harden(work, y.flat, index, hardens, log)
        _refuse(call, work)
        return y.deliver(work)


def sample_jvp(
    request: Request, tau: Any, tangents: tuple[Any, Any], hard: bool, log: bool, rao: Any, out: Any
) -> tuple[Any, Any]:
    """What `gumbel_softmax_jvp` does."""
    call, taus = Call(request), request.temperatures_above_0(tau)
    category_ids.refuse_repeats(call.rows)
    rows = call.rows
    samples = None if rao is None else request.conditioned_samples(rao)
    wanted = request.tangents(*tangents, tau)
    if isinstance(wanted.x, View):
        call.views.append(wanted.x)
    outs, shape = outs_of(out, "y", "dy"), request.draw_shape + request.shape
    y = Result(call, *outs[0], shape, request.dtype, request.axis)
    dy = Result(call, *outs[1], wanted.directions + shape, request.dtype, request.axis)
    check_apart(y, dy)
    with call.work(y.view, dy.view) as work:
        y.begin(work)
        dy.begin(work)
        index = _choices(call, work) if hard or samples is not None else None
        slopes = _slopes(work, wanted, dy.flat)
        if samples is not None and index is not None:
            if call.items * rows.n:
                relax.rao(call, work, index, samples, relax.rates_of(work, taus), slopes, log)
        else:
            _relax(call, work, taus, slopes, y.flat if index is None else work.device.nothing(1, rows.dtype), log)
        if index is not None:
            harden(work, y.flat, index, np.ones(1, np.bool_), log)
        _refuse(call, work)
        return y.deliver(work), dy.deliver(work)


def _slopes(work: Work, wanted: Wanted, dy: Any) -> Tangents:
    """Tangents as kernels take them."""
    rows, kind, line = work.rows, work.rows.dtype, work.rows.count * work.rows.n
    dx: Any = work.device.nothing(1, kind)
    if isinstance(wanted.x, View):
        dx = contiguous(work, wanted.x.last(rows.axis), kind)
    elif wanted.x is not None:
        with np.errstate(over="ignore", under="ignore"):
            dx = work.put(np.ascontiguousarray(categories_last(wanted.x, rows.axis), kind).reshape(-1))
    directions = math.prod(wanted.directions)
    dtau = np.zeros((1,) * (1 + len(rows.batch)), kind)
    if wanted.tau is not None:
        lead = wanted.directions if wanted.tau.ndim > len(rows.batch) else (1,)
        dtau = np.broadcast_to(wanted.tau, (*lead, *rows.batch))
    own = unrepeated(dtau)
    step = 0 if own.size == len(own) else rows.count
    shape = (directions, *((1,) * len(rows.batch) if step == 0 else rows.batch))
    of_rows = work.put(np.ascontiguousarray(np.broadcast_to(own, shape)).reshape(-1))
    dx_step, moved = np.int64(line if dx.size > line else 0), np.bool_((own != 0).any())
    return Tangents(dx, dx_step, of_rows, np.int64(step), moved, dy, np.int64(directions))


def _choices(call: Call, work: Work) -> Any:
    """Index of the hard sample by draw and row; raises for invalid rows, unless they are marked."""
    index = work.new(call.items, np.intp)
    hard_sample.search(call, work, index)
    hard_sample.refuse(call, work)
    return index


def _relax(call: Call, work: Work, taus: NDArray[np.float64], tangents: Tangents, y: Any, log: bool) -> None:
    """Samples on the noise of the call."""
    if call.items * call.rows.n:
        noise = None if call.noise is None else relax.Noise(call.noise, call.draw_shape)
        target = relax.Target(y, log, call.first_fault)
        relax.relax(work, noise, call.draws, relax.rates_of(work, taus), tangents, target)


def _refuse(call: Call, work: Work) -> None:
    """Raise for the first fault, unless faulty rows are marked; waits for the stream."""
    fault = call.fault(work)
    if fault is None:
        return
    row, code = fault
    if code == INFINITE_TANGENT:
        raise ValueError(tangent_message(call.rows.name(row - call.first_fault)))
    raise ValueError(call.fault_message(row, work))


def harden(work: Work, y: Any, index: Any, hardens: NDArray[np.bool_], log: bool) -> None:
    """Overwrite rows of y with the one-hot of the hard sample: those that are hard, or all."""
    kind, n = work.rows.dtype.type, work.rows.n
    off, on = (kind(-np.inf), kind(0)) if log else (kind(0), kind(1))
    hard = work.device.nothing(1, np.bool_) if hardens.all() else work.put(hardens)
    work.each(move.one_hot, y.size, move.THREADS, (y, index, hard, np.int64(n), off, on))
