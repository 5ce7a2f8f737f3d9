"""Cotangents of relaxed samples carried back on a device."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, NamedTuple

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
from fastgumbel._cuda.view import View, view_of
from fastgumbel._law.sums import GROUP
from fastgumbel._request.device import interface_of, is_device
from fastgumbel._request.faults import tangent_message
from fastgumbel._request.layout import categories_last
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request
from fastgumbel._request.temperature import rates_of, sums_of

# Columns for each warp of a thread block.
_SPAN = 256
# Numbers of Gumbel-Rao at once, of noise and of samples.
_RAO = 2**24


def sample(
    request: Request, tau: Any, cotangent: Any, hard: bool, log: bool, rao: Any, out: Any
) -> tuple[Any, tuple[Any, Any]]:
    """What `gumbel_softmax_vjp` does."""
    call, taus = Call(request), request.temperatures_above_0(tau)
    category_ids.refuse_repeats(call.rows)
    rows = call.rows
    samples = None if rao is None else request.conditioned_samples(rao)
    weights = request.cotangent(cotangent)
    if isinstance(weights, View):
        call.views.append(weights)
    outs = outs_of(out, "y", "d_log_potentials")
    y = Result(call, *outs[0], request.draw_shape + request.shape, request.dtype, request.axis)
    dx = Result(call, *outs[1], request.shape, request.dtype, request.axis)
    check_apart(y, dx)
    shape, size, draws = _shape_of(tau), rows.count * rows.n, call.draws if rows.n else 0
    parts = _parts(draws, samples or 1, draws if samples is None else _RAO // (2 * max(1, size)))
    with call.work(y.view, dx.view) as work:
        y.begin(work)
        dx.begin(work)
        sums = _Sums(work, taus, samples or 1, parts, sums_of(shape, rows.batch, request.axis))
        carried = _weights(work, weights, request.axis)
        rates, index = relax.rates_of(work, taus), None
        if hard or samples is not None:
            index = work.new(call.items, np.intp)
            hard_sample.search(call, work, index)
        for part in parts:
            relaxed = y.flat
            if samples is not None:
                relaxed = _relax_conditioned(work, rates, index, samples, part, log)
            elif draws * size:
                noise = None if call.noise is None else relax.Noise(call.noise, call.draw_shape)
                target = relax.Target(relaxed, log, call.first_fault)
                relax.relax(work, noise, draws, rates, relax.no_tangents(work), target)
            sums.add(relaxed, log, carried, part, dx.flat)
        if index is not None:
            harden(work, y.flat, index, np.ones(1, np.bool_), log)
        _refuse(call, work)
        return y.deliver(work), (dx.deliver(work), sums.of_temperatures(shape))


class _Part(NamedTuple):
    """Draws from one on, and so many samples of each, from one on, that are computed at once."""

    draw: int
    draws: int
    sample: int
    samples: int

    @property
    def size(self) -> int:
        """Samples in all."""
        return self.draws * self.samples


def _parts(draws: int, samples: int, at_once: int) -> list[_Part]:
    """All samples in order, the longest part first, and at least one part, be it empty."""
    draw_step, sample_step = max(1, at_once // samples), max(1, min(samples, at_once))
    return [
        _Part(s, min(draw_step, draws - s), first, min(sample_step, samples - first))
        for s in range(0, draws, draw_step)
        for first in range(0, samples, sample_step)
    ] or [_Part(0, 0, 0, 1)]


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


class _Sums:
    """What cotangents give, summed over draws for each category and row, and over rows for temperatures, in float64.

    Parameters
    ----------
    work : Work
    taus : ndarray
        A temperature a row, or one for all.
    samples : int
        Of each draw.
    parts : list of _Part
        What is added one after another.
    steps : list of tuple of int
        How rows add up, as `sums_of` has it.
    """

    def __init__(
        self,
        work: Work,
        taus: NDArray[np.float64],
        samples: int,
        parts: list[_Part],
        steps: list[tuple[int, int, int]],
    ) -> None:
        self._work, self._steps, self._last = work, steps, parts[-1]
        factors = rates_of(taus * samples, np.dtype(np.float64))
        single = factors.size == 1
        many = work.device.nothing(1, np.float64) if single else work.put(factors)
        self._factors = Rates(factors[0] if single else np.float64(0), many)
        count, items = work.rows.count, parts[0].size * work.rows.count
        kept = 0 if len(parts) == 1 else count
        sizes = items, items, kept * work.rows.n, kept, count if steps else 0
        self._means, self._slopes, *self._kept, by_row = _cut(work, work.new(sum(sizes), np.float64), sizes)
        self._result = by_row if steps else work.new(count, work.rows.dtype)
        self._flag = work.cotangent_flag()

    def add(self, y: Any, log: bool, weights: Any, part: _Part, dx: Any) -> None:
        """Add what a part of the samples, or of their logarithms, gives; the last one completes `dx`."""
        work, count, n, means = self._work, self._work.rows.count, self._work.rows.n, self._means
        numbers = int64s(part.draw, part.samples, part.size, count, n)
        cotangents, items = Cotangents(y, np.bool_(log), weights, *numbers), part.size * count
        # A thread goes along a row that has no group, a thread block along others.
        if n < GROUP:
            work.each(kernels.pull_short, items, kernels.THREADS, (means, self._slopes, cotangents))
        else:
            threads = 32 * min(kernels.THREADS // 32, -(-n // _SPAN))
            work.launch(kernels.pull_long, items, threads, (means, self._slopes, cotangents))
        ends = np.bool_(part.draw == part.sample == 0), np.bool_(part == self._last)
        of_categories = dx, self._kept[0], means, cotangents, self._factors, *ends
        work.each(kernels.add_gradients, count * n, kernels.THREADS, of_categories)
        shape = int64s(part.size, count)
        of_rows = self._result, self._kept[1], means, self._slopes, shape, self._factors, self._flag, ends
        work.each(kernels.add_slopes, count, kernels.THREADS, of_rows)

    def of_temperatures(self, shape: tuple[int, ...]) -> Any:
        """The sums of the rows that share a temperature, of the shape of the temperatures."""
        work, sums = self._work, self._result
        for step, (outer, length, inner) in enumerate(self._steps, 1):
            out = work.new(outer * inner, work.rows.dtype if step == len(self._steps) else np.float64)
            work.each(kernels.add_along, 32 * outer * inner, kernels.THREADS, (out, sums, *int64s(length, inner)))
            sums = out
        return work.wrap(view_of(sums, "tau").reshaped(shape))


def _cut(work: Work, array: Any, sizes: tuple[int, ...]) -> list[Any]:
    """An array in parts of so many numbers."""
    view, step, ends = view_of(array, "sums"), array.dtype.itemsize, accumulate(sizes)
    return [
        work.wrap(view.part((end - size) * step, (size,), (step,))) if size else work.device.nothing(1, array.dtype)
        for size, end in zip(sizes, ends, strict=True)
    ]


def _relax_conditioned(work: Work, rates: Rates, choices: Any, samples: int, part: _Part, log: bool) -> Any:
    """Relaxed samples of a part of so many a draw, each on noise conditioned on choices[draw, row]."""
    rows, kind = work.rows, work.rows.dtype
    size = part.size * rows.count * rows.n
    noise, relaxed = _cut(work, work.scratch("noise and samples", 2 * size, kind), (size, size))
    if size:
        skip = part.draw * samples + part.sample
        given.condition(work, choices, noise, part.size, skip, (part.draw, part.samples), samples)
        drawn = view_of(noise, "noise").reshaped((part.size, *rows.batch, rows.n))
        target = relax.Target(relaxed, log, 0)
        relax.relax(work, relax.Noise(drawn, (part.size,)), part.size, rates, relax.no_tangents(work), target)
    return relaxed


def _refuse(call: Call, work: Work) -> None:
    """Raise for the first fault, those of cotangents before those of rows; waits for the stream, unless nobody asks."""
    fault = call.fault(work)
    infinite = None if fault is not None and fault[0] < call.first_fault else work.fault(1)
    if infinite is not None:
        raise ValueError(tangent_message(call.rows.name(infinite[0]), "cotangent"))
    if fault is not None:
        raise ValueError(call.fault_message(fault[0], work))
