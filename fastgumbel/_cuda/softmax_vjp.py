"""Cotangents of relaxed samples carried back on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cuda import given, relax
from fastgumbel._cuda import ids as category_ids
from fastgumbel._cuda import max as hard_sample
from fastgumbel._cuda.call import Call, Work, int64s
from fastgumbel._cuda.given import contiguous
from fastgumbel._cuda.kernels import softmax_vjp as kernels
from fastgumbel._cuda.kernels.parameters import Cotangents, Rates
from fastgumbel._cuda.result import Result, check_apart
from fastgumbel._cuda.softmax import harden
from fastgumbel._cuda.view import View, c_strides, view_of
from fastgumbel._request.device import interface_of, is_device
from fastgumbel._request.faults import tangent_message, zero_tau_message
from fastgumbel._request.layout import categories_last
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request
from fastgumbel._request.temperature import sums_of

# A thread goes along a row of fewer categories, thread blocks along others.
_CHUNK = 64
# Columns for each warp of a thread block.
_SPAN = 256
# Numbers of Gumbel-Rao at once, of noise and of samples.
_RAO = 2**24


def sample(
    request: Request, tau: Any, cotangent: Any, hard: bool, log: bool, rao: Any, out: Any
) -> tuple[Any, tuple[Any, Any]]:
    """What `gumbel_softmax_vjp` does."""
    call, taus = Call(request), request.temperatures(tau)
    category_ids.refuse_repeats(call.rows)
    rows = call.rows
    if (taus == 0).any():
        raise ValueError(zero_tau_message(rows.name(int((taus == 0).argmax()))))
    samples = None if rao is None else request.condition(rao)
    weights = request.cotangent(cotangent)
    if isinstance(weights, View):
        call.views.append(weights)
    outs = outs_of(out, "y", "d_log_potentials")
    y = Result(call, *outs[0], request.draw_shape + request.shape, request.dtype, request.axis)
    dx = Result(call, *outs[1], request.shape, request.dtype, request.axis)
    check_apart(y, dx)
    with call.work(y.view, dx.view) as work:
        y.begin(work)
        dx.begin(work)
        slopes = _Slopes(work, _shape_of(tau), request.axis)
        pulled = _Pulled(work, _weights(work, weights, request.axis), log, dx.flat, slopes.by_row)
        rates, factors = relax.rates_of(work, taus), _factors(work, taus, samples or 1)
        index = None
        if hard or samples is not None:
            index = work.new(call.items, np.intp)
            hard_sample.search(call, work, index)
        if samples is not None:
            _pull_conditioned(call, work, rates, index, samples, pulled, factors)
        else:
            draws = call.draws if rows.n else 0
            if call.items * rows.n:
                noise = None if call.noise is None else relax.Noise(call.noise, call.draw_shape)
                target = relax.Target(y.flat, log, call.first_fault)
                relax.relax(work, noise, draws, rates, relax.no_tangents(work), target)
            pulled.add(y.flat, (0, 1, draws), factors, (True, True))
        if index is not None:
            harden(work, y.flat, index, np.ones(1, np.bool_), log)
        _refuse(call, work, pulled.flag)
        return y.deliver(work), (dx.deliver(work), slopes.deliver())


def _shape_of(tau: Any) -> tuple[int, ...]:
    return tuple(interface_of(tau, "tau")["shape"]) if is_device(tau) else np.shape(tau)


def _weights(work: Work, cotangent: Any, axis: int) -> Any:
    """Cotangents by draw, row and category, flat, in the dtype of the rows."""
    kind = work.rows.dtype
    if isinstance(cotangent, View):
        return contiguous(work, cotangent.last(axis), kind)
    if cotangent.size == 0:
        return work.device.nothing(1, kind)
    with np.errstate(over="ignore", under="ignore"):
        return work.put(np.ascontiguousarray(categories_last(cotangent, axis), kind).reshape(-1))


def _factors(work: Work, taus: NDArray[np.float64], samples: int) -> Rates:
    """What sums over draws are multiplied by, in float64: one factor for all rows, or one a row."""
    with np.errstate(over="ignore"):
        factors = np.float64(1) / (taus * samples)
    if factors.size == 1:
        return Rates(factors[0], work.device.nothing(1, np.float64))
    return Rates(np.float64(0), work.put(factors))


class _Slopes:
    """Derivatives in temperatures: by row, and added up where rows share a temperature."""

    def __init__(self, work: Work, shape: tuple[int, ...], axis: int) -> None:
        self._work, self._shape, self._steps = work, shape, sums_of(shape, work.rows.batch, axis)
        self.by_row = work.new(work.rows.count, np.float64 if self._steps else work.rows.dtype)

    def deliver(self) -> Any:
        """The sums, of the shape of the temperatures."""
        work, sums = self._work, self.by_row
        for step, (outer, length, inner) in enumerate(self._steps, 1):
            count, last = outer * inner, step == len(self._steps)
            out = work.new(count, work.rows.dtype if last else np.float64)
            work.each(kernels.add_along, 32 * count, kernels.THREADS, (out, sums, *int64s(length, inner)))
            sums = out
        return work.wrap(view_of(sums, "tau").reshaped(self._shape))


class _Pulled:
    """What cotangents give, summed over draws: for log-potentials to `dx`, for temperatures to `slopes`, by row."""

    def __init__(self, work: Work, weights: Any, log: bool, dx: Any, slopes: Any) -> None:
        self._work, self._weights, self.log, self._dx, self._slopes = work, weights, log, dx, slopes
        self.flag = work.new_flag()

    def add(self, y: Any, draws: tuple[int, int, int], factors: Rates, ends_of_sum: tuple[bool, bool]) -> None:
        """Add what samples, or logarithms of samples, give.

        `draws` is (first draw, samples of each draw, samples in all), and `ends_of_sum` is whether the sum begins with
        these samples, and whether it ends with them.
        """
        work, rows = self._work, self._work.rows
        count, n = rows.count, rows.n
        first, repeats, samples = draws
        means = work.scratch("means", samples * count, rows.dtype)
        slopes = work.scratch("slopes", samples * count, np.float64)
        numbers = int64s(first, repeats, samples, count, n)
        cotangents = Cotangents(y, np.bool_(self.log), self._weights, *numbers)
        if n < _CHUNK:
            work.each(kernels.pull_short, samples * count, kernels.THREADS, (means, slopes, cotangents))
        else:
            threads = 32 * min(kernels.THREADS // 32, -(-n // _SPAN))
            work.launch(kernels.pull_long, samples * count, threads, (means, slopes, cotangents))
        kept = 0 if all(ends_of_sum) else count
        begins, ends = map(np.bool_, ends_of_sum)
        sums = work.scratch("gradients", kept * n, np.float64)
        of_categories = self._dx, sums, means, cotangents, factors, begins, ends
        work.each(kernels.add_gradients, count * n, kernels.THREADS, of_categories)
        sums = work.scratch("sums of slopes", kept, np.float64)
        of_rows = self._slopes, sums, means, slopes, int64s(samples, count), factors, self.flag, (begins, ends)
        work.each(kernels.add_slopes, count, kernels.THREADS, of_rows)


def _pull_conditioned(
    call: Call, work: Work, rates: Rates, choices: Any, samples: int, pulled: _Pulled, factors: Rates
) -> None:
    """Carry back through so many relaxed samples, each on noise conditioned on choices[draw, row]."""
    rows, draws = work.rows, call.draws
    size = rows.count * rows.n
    if draws * size == 0:
        pulled.add(work.device.nothing(1, rows.dtype), (0, 1, 0), factors, (True, True))
        return
    at_once = max(1, _RAO // (2 * size))
    draw_step, sample_step = max(1, at_once // samples), min(samples, at_once)
    for s in range(0, draws, draw_step):
        chosen = min(draw_step, draws - s)
        for first in range(0, samples, sample_step):
            count = min(sample_step, samples - first)
            here = chosen * count
            noise = work.scratch("conditioned noise", here * size, rows.dtype)
            relaxed = work.scratch("relaxed", here * size, rows.dtype)
            first_draw = (rows.place.draw + s) * samples + first
            given.condition(work, choices, noise, here, first_draw, (s, count))
            shape = here, *rows.batch, rows.n
            drawn = relax.Noise(view_of(noise, "noise").part(0, shape, c_strides(shape, rows.dtype.itemsize)), (here,))
            relax.relax(work, drawn, here, rates, relax.no_tangents(work), relax.Target(relaxed, pulled.log, 0))
            ends = s + chosen == draws and first + count == samples
            pulled.add(relaxed, (s, count, here), factors, (s == first == 0, ends))


def _refuse(call: Call, work: Work, flag: Any) -> None:
    """Raise for the first fault, those of cotangents before those of rows; waits for the stream, unless nobody asks."""
    rows = call.rows
    if rows.n == 0 and call.items and call.request.raises:
        raise ValueError(rows.fault(0, work.stream))
    fault = work.fault()
    infinite = None if fault is not None and fault[0] < call.first_fault else work.fault(flag)
    if infinite is not None:
        raise ValueError(tangent_message(rows.name(infinite[0]), "cotangent"))
    if fault is not None:
        raise ValueError(call.fault_message(fault[0], work))
