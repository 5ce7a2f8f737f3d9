"""Cotangents of relaxed samples carried back to log-potentials and temperatures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.softmax_vjp import softmax_vjp
from fastgumbel._host.given import noise_given
from fastgumbel._host.repeats import once_each
from fastgumbel._host.result import Result, check_apart
from fastgumbel._host.rows import Rows, inputs_of, noise_of, rows_of
from fastgumbel._host.softmax import RAO, choices_of, given_noise, harden, refuse, relax, result_of
from fastgumbel._host.threads import run
from fastgumbel._law.reduce import INVALID_ROW
from fastgumbel._request.faults import zero_tau_message
from fastgumbel._request.layout import categories_last
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request
from fastgumbel._request.temperature import rates_of

# Numbers in a task: about a millisecond.
_TASK = 2**18


class _Pulled:
    """Sums by row of what the draws give for (x + G) / tau, and for tau, in float64."""

    def __init__(self, rows: Rows) -> None:
        self.gradients, self.slopes = np.zeros((rows.count, rows.n)), np.zeros(rows.count)
        self.faulty = np.zeros(rows.count, np.uint8)

    def add(self, y: NDArray[Any], log: bool, cotangents: NDArray[Any]) -> None:
        """Carry back cotangents[draw // repeats, row] of samples, or logarithms of samples, y[draw, row]."""
        if y.size == 0:
            return
        count = y.shape[1]
        height = max(1, _TASK // (y.shape[0] * y.shape[2]))

        def work(r: int, r1: int) -> None:
            softmax_vjp(y, log, cotangents, self.gradients, self.slopes, self.faulty, (r, r1))

        run(work, ((r, min(r + height, count)) for r in range(0, count, height)), -(-count // height))


def sample(
    request: Request, tau: Any, cotangent: Any, hard: bool, log: bool, rao: Any, out: Any
) -> tuple[Any, tuple[Any, Any]]:
    """What `gumbel_softmax_vjp` does."""
    rows, taus, noise = once_each(rows_of(request))[0], request.temperatures(tau), noise_of(request)
    if np.count_nonzero(taus) < taus.size:
        raise ValueError(zero_tau_message(rows.name(int((taus == 0).argmax()))))
    samples = None if rao is None else request.condition(rao)
    weights = _cotangents(request, rows, cotangent)
    read = (*inputs_of(request), weights)
    outs = outs_of(out, "y", "d_log_potentials")
    y = result_of(request, *outs[0], None, read)
    dx = Result(*outs[1], (*request.batch, rows.n), rows.dtype, (rows.count, rows.n), request.axis, read)
    check_apart(y, dx)
    rates, pulled = rates_of(taus, rows.dtype), _Pulled(rows)
    if not hard and samples is None:
        pulled.faulty = relax(rows, given_noise(noise, rows, request.draws), rates, y.flat, None, log)
        pulled.add(y.flat, log, weights)
    else:
        index = choices_of(rows, noise, request.draws)
        if samples is not None:
            _pull_conditioned(rows, rates, index, samples, pulled, log, weights)
        else:
            relaxed = np.empty_like(y.flat)
            pulled.faulty = relax(rows, given_noise(noise, rows, request.draws), rates, relaxed, None, log)
            pulled.add(relaxed, log, weights)
        pulled.faulty[(index < 0).any(0) & (pulled.faulty == 0)] = INVALID_ROW
        harden(y.flat, index, np.ones(rows.count, bool), log)
    refuse(request, rows, pulled.faulty, "cotangent")
    factor = np.float64(1) / (taus * (samples or 1))
    _scale(pulled, np.broadcast_to(factor, rows.count), dx.flat)
    slopes = _unbroadcast(pulled.slopes.reshape(rows.batch), np.shape(tau), request.axis).astype(rows.dtype)
    return y.deliver(), (dx.deliver(), slopes[()])


def _cotangents(request: Request, rows: Rows, cotangent: Any) -> NDArray[Any]:
    """Cotangents by draw, row and category, in the dtype of the rows."""
    with np.errstate(over="ignore", under="ignore"):
        lines = np.ascontiguousarray(categories_last(request.cotangent(cotangent), request.axis), rows.dtype)
    return lines.reshape(request.draws, rows.count, rows.n)


def _pull_conditioned(
    rows: Rows,
    rates: NDArray[Any],
    choices: NDArray[np.intp],
    samples: int,
    pulled: _Pulled,
    log: bool,
    weights: NDArray[Any],
) -> None:
    """Carry back through so many relaxed samples, each on noise conditioned on choices[draw, row]."""
    at_once = max(1, RAO // max(1, rows.count * rows.n))
    draw_step, sample_step = max(1, at_once // samples), min(samples, at_once)
    for s in range(0, len(choices), draw_step):
        chosen = choices[s : s + draw_step]
        for first in range(0, samples, sample_step):
            count = min(sample_step, samples - first)
            noise = np.empty((len(chosen) * count, rows.count, rows.n), rows.dtype)
            here = rows.moved(s, samples, first)
            noise_given(here, np.repeat(chosen, count, 0), noise)
            relaxed = np.empty_like(noise)
            np.maximum(pulled.faulty, relax(here, noise, rates, relaxed, None, log), out=pulled.faulty)
            pulled.add(relaxed, log, weights[s : s + draw_step])


def _scale(pulled: _Pulled, factor: NDArray[np.float64], dx: NDArray[Any]) -> None:
    """Write gradients, NaN in faulty rows, whose slopes become 0: they add nothing to what others share."""
    with np.errstate(all="ignore"):
        pulled.gradients *= factor[:, np.newaxis]
        pulled.slopes *= factor
        dx[...] = pulled.gradients
    bad = pulled.faulty != 0
    if bad.any():
        dx[bad] = np.nan
        pulled.slopes[bad] = 0


def _unbroadcast(slopes: NDArray[np.float64], shape: tuple[int, ...], axis: int) -> NDArray[np.float64]:
    """Slopes by row summed, in order, to the shape of what was broadcast to them, and may have an axis of one more."""
    own = list(shape)
    if len(shape) == slopes.ndim + 1 and shape[axis] == 1:
        del own[axis]
    if math.prod(own) == 1:
        return np.add.accumulate(slopes.reshape(-1))[-1:].reshape(shape) if slopes.size else np.zeros(shape)
    sums, added = slopes, slopes.ndim - len(own)
    for place in range(slopes.ndim):
        if place < added or own[place - added] != slopes.shape[place]:
            sums = np.add.accumulate(sums, place).take([-1], place)
    return sums.reshape(shape)
