"""`gumbel_softmax` and its tangents on a device.

What there is one of a row, temperatures and their tangents, is checked on the host, and read from a device array.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cuda import max as hard_sample
from fastgumbel._cuda import relax
from fastgumbel._cuda.call import Call, Work
from fastgumbel._cuda.given import contiguous
from fastgumbel._cuda.kernels import move
from fastgumbel._cuda.kernels.parameters import Tangents
from fastgumbel._cuda.result import Result, check_apart
from fastgumbel._cuda.view import View
from fastgumbel._law.reduce import INFINITE_TANGENT
from fastgumbel._request.checks import check_real
from fastgumbel._request.coordinates import check_conditioned, check_reach
from fastgumbel._request.device import is_device
from fastgumbel._request.faults import tangent_message, zero_tau_message
from fastgumbel._request.field import NoiseField
from fastgumbel._request.scalars import whole
from fastgumbel._request.shape import once
from fastgumbel._request.tangents import agreed_directions, lead_of, tangents_of_potentials, tangents_of_tau
from fastgumbel._request.temperature import spread_temperatures


def sample(
    x: Any,
    tau: Any,
    axis: Any,
    size: Any,
    where: Any,
    hard: bool,
    log: bool,
    rng: Any,
    noise: Any,
    invalid: Any,
    out: Any,
) -> Any:
    """Do on a device what `gumbel_softmax` does, with its arguments; x is a device array."""
    call = Call(x, axis, size, where, invalid)
    call.read(rng, noise)
    taus = _temperatures(call, tau)
    y = Result(call, "out", out, call.draw_shape + call.rows.shape, call.rows.dtype, call.rows.axis)
    hardens = np.ones(1, np.bool_) if hard else taus == 0
    with call.work(y.view) as work:
        y.begin(work)
        index = _choices(call, work) if hardens.any() else None
        if not hardens.all():
            _relax(call, work, taus, relax.no_tangents(work), y.flat, log)
        if index is not None:
            _harden(work, y.flat, index, hardens, log)
        _refuse(call, work)
        return y.deliver(work)


def sample_jvp(
    primals: tuple[Any, Any],
    tangents: tuple[Any, Any],
    axis: Any,
    size: Any,
    where: Any,
    hard: bool,
    log: bool,
    rao: int | None,
    rng: Any,
    noise: Any,
    invalid: Any,
    outs: tuple[Any, Any],
) -> tuple[Any, Any]:
    """Do on a device what `gumbel_softmax_jvp` does, with its arguments; the first primal is a device array."""
    call = Call(primals[0], axis, size, where, invalid)
    call.read(rng, noise)
    rows = call.rows
    taus = _temperatures(call, primals[1])
    if (taus == 0).any():
        raise ValueError(zero_tau_message(rows.batch, int((taus == 0).argmax())))
    if rao is not None:
        rao = whole(rao, "rao", 1)
        if call.noise is not None:
            raise ValueError("noise must be a NoiseField with rao, not an array")
        check_reach(NoiseField(0), (call.field.draw + call.draws) * rao, 0)
        check_conditioned(call.field, rows.n)
    d_x, d_tau = tangents
    slopes = _Slopes(call, d_x, d_tau)
    shape = call.draw_shape + rows.shape
    y = Result(call, "out[0]", outs[0], shape, rows.dtype, rows.axis)
    dy = Result(call, "out[1]", outs[1], slopes.directions + shape, rows.dtype, rows.axis)
    check_apart(y, dy)
    with call.work(y.view, dy.view) as work:
        y.begin(work)
        dy.begin(work)
        index = _choices(call, work) if hard or rao is not None else None
        there = slopes.put(work, dy.flat)
        if rao is not None and index is not None:
            if call.items * rows.n:
                relax.rao(call, work, index, rao, relax.rates_of(work, taus), there, log)
        else:
            _relax(call, work, taus, there, y.flat if index is None else work.device.nothing(1, rows.dtype), log)
        if index is not None:
            _harden(work, y.flat, index, np.ones(1, np.bool_), log)
        _refuse(call, work)
        return y.deliver(work), dy.deliver(work)


def _temperatures(call: Call, tau: Any) -> NDArray[np.float64]:
    """One temperature a row, or one number if all rows have the same."""
    spread = spread_temperatures(_on_host(call, tau, "tau") if is_device(tau) else tau, call.rows.batch)
    own = once(spread)
    return own.reshape(1) if own.size == 1 else np.ascontiguousarray(spread).reshape(-1)


def _on_host(call: Call, array: Any, name: str) -> NDArray[Any]:
    """A device array with something for each row, read; waits for its stream."""
    view = call.device.view(array, name)
    with call.device.stream(view) as stream:
        return call.device.read(call.device.wrap(view, stream), stream)


class _Slopes:
    """Tangents of the log-potentials and of tau, checked, and what directions they have."""

    def __init__(self, call: Call, d_x: Any, d_tau: Any) -> None:
        rows, kind = call.rows, call.rows.dtype
        counts: list[int] = []
        self._dx: View | NDArray[Any] | None = None
        if is_device(d_x):
            view = call.device.view(d_x, "tangents[0]")
            check_real(view.dtype, "tangents[0]")
            counts += lead_of(view.shape, rows.batch, rows.n, rows.axis)
            self._dx = view.last(rows.axis)
            call.views.append(view)
        elif d_x is not None:
            self._dx, lead = tangents_of_potentials(d_x, rows, rows.axis)
            counts += lead
        self._dtau: NDArray[Any] = np.zeros((1,) * (1 + len(rows.batch)), kind)
        if d_tau is not None:
            on_host = _on_host(call, d_tau, "tangents[1]") if is_device(d_tau) else d_tau
            spread, lead = tangents_of_tau(on_host, kind, rows.batch)
            self._dtau = spread if lead else spread[np.newaxis]
            counts += lead
        self.directions = agreed_directions(counts)

    def put(self, work: Work, dy: Any) -> Tangents:
        """What kernels take."""
        kind, line = work.rows.dtype, work.rows.count * work.rows.n
        nothing = work.device.nothing(1, kind)
        if isinstance(self._dx, View):
            dx = contiguous(work, self._dx, kind)
        else:
            dx = nothing if self._dx is None else work.put(self._dx.reshape(-1))
        directions = math.prod(self.directions)
        own = once(self._dtau)
        rows = 0 if own.size == len(own) else work.rows.count
        shape = (directions, *((1,) * len(work.rows.batch) if rows == 0 else work.rows.batch))
        slopes = work.put(np.ascontiguousarray(np.broadcast_to(own, shape)).reshape(-1))
        dx_step = line if dx.size > line else 0
        moved = np.bool_((own != 0).any())
        return Tangents(dx, np.int64(dx_step), slopes, np.int64(rows), moved, dy, np.int64(directions))


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
    rows = call.rows
    if rows.n == 0 and call.items and call.raises:
        raise ValueError(rows.fault(0, work.stream))
    fault = work.fault()
    if fault is None:
        return
    row, code = fault
    if code == INFINITE_TANGENT:
        raise ValueError(tangent_message(rows.batch, row - call.first_fault))
    raise ValueError(call.fault_message(row, work))


def _harden(work: Work, y: Any, index: Any, hardens: NDArray[np.bool_], log: bool) -> None:
    """Overwrite rows of y with the one-hot of the hard sample: those that are hard, or all."""
    kind, n = work.rows.dtype.type, work.rows.n
    off, on = (kind(-np.inf), kind(0)) if log else (kind(0), kind(1))
    hard = work.device.nothing(1, np.bool_) if hardens.all() else work.put(hardens)
    work.each(move.one_hot, y.size, move.THREADS, (y, index, hard, np.int64(n), off, on))
