"""Cotangents of relaxed samples carried back to log-potentials and temperatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.softmax.vjp import softmax_vjp, write_pulled
from fastgumbel._cpu.softmax.vjp_short import softmax_vjp_short
from fastgumbel._host.given import write_conditioned
from fastgumbel._host.parts import pays
from fastgumbel._host.relax import relax
from fastgumbel._host.repeats import once_each
from fastgumbel._host.result import check_apart, delivered, room
from fastgumbel._host.rows import Rows, inputs_of, noise_of, rows_of
from fastgumbel._host.softmax import RAO, choices_of, harden, precomputed_noise, refuse, shapes_of
from fastgumbel._host.softmax_row import pull_row
from fastgumbel._host.threads import run
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._request.faults import tau_overflow_message
from fastgumbel._request.layout import categories_last
from fastgumbel._request.ndarrays import all_finite, converted, frozen
from fastgumbel._request.outputs import outs_of
from fastgumbel._request.request import Request
from fastgumbel._request.temperature import rates_of, sums_of

# Numbers in a task: about a millisecond.
_TASK = 2**18
# Sums of a task at most, unless a row has more.
_SUMS = 2**15
# So many rows or more, of at most so many bytes, go side by side through the vector slots.
_SLOTS, _SLOT_BYTES = 48, 240


class _Pulled:
    """What the draws of rows give for their log-potentials and temperatures, added up in float64."""

    def __init__(self, rows: Rows, factor: NDArray[np.float64], dx: NDArray[Any]) -> None:
        self._rows = rows
        self.slopes, self.faulty = np.zeros(rows.count), np.zeros(rows.count, np.uint8)
        self._factor, self._dx = factor, dx

    def pull(self, y: NDArray[Any], log: bool, cotangents: NDArray[Any]) -> None:
        """Carry back cotangents[draw, row] of all samples, or logarithms of samples, y[draw, row]."""
        if y.size == 0:
            self._dx[...] = 0
            return
        if pays(self._rows, len(y)):
            for row in range(y.shape[1]):
                sums = np.zeros((1, y.shape[2]))
                self._pull_row(row, y, log, cotangents, sums[0])
                self._write(row, sums)
            return

        def work(r: int, r1: int) -> None:
            sums = np.zeros((r1 - r, y.shape[2]))
            self._add_rows(y, log, cotangents, sums, (r, r1, 0))
            self._write(r, sums)

        self._share(y, work)

    def add(self, y: NDArray[Any], log: bool, cotangents: NDArray[Any], sums: NDArray[np.float64]) -> None:
        """Add to sums[row, :] what cotangents[draw // repeats, row] of samples y[draw, row] give."""
        if y.size and pays(self._rows, len(y)):
            for row, line in enumerate(sums):
                self._pull_row(row, y, log, cotangents, line)
        elif y.size:
            self._share(y, lambda r, r1: self._add_rows(y, log, cotangents, sums, (r, r1, r)))

    def end(self, sums: NDArray[np.float64]) -> None:
        """Write what was added up."""
        self._write(0, sums)

    def mark_overflow(self) -> None:
        """Mark rows of which a gradient is infinite, though cotangents are finite; they are too large for its type."""
        infinite = ~(np.isfinite(self._dx).all(-1) & np.isfinite(self.slopes)) & (self.faulty == 0)
        self._dx[infinite], self.slopes[infinite], self.faulty[infinite] = np.nan, 0, INFINITE_TANGENT

    def _pull_row(
        self, row: int, y: NDArray[Any], log: bool, cotangents: NDArray[Any], sums: NDArray[np.float64]
    ) -> None:
        """As `add`, of one long row, which all threads share."""
        repeats = len(y) // len(cotangents)
        for draw, line in enumerate(y[:, row]):
            slope, fault = pull_row(line, log, cotangents[draw // repeats, row], sums)
            if fault:
                self.faulty[row] = fault
                break
            self.slopes[row] -= slope

    def _add_rows(
        self, y: NDArray[Any], log: bool, cotangents: NDArray[Any], sums: NDArray[np.float64], window: Any
    ) -> None:
        """As `add`, of rows from a first to a last one, to the sums from a row on: the window."""
        side_by_side = window[1] - window[0] >= _SLOTS and y.shape[2] * y.itemsize <= _SLOT_BYTES
        add = softmax_vjp_short if side_by_side else softmax_vjp
        add(y, log, cotangents, sums, self.slopes, self.faulty, window)

    def _share(self, y: NDArray[Any], work: Callable[[int, int], None]) -> None:
        count = y.shape[1]
        height = max(1, min(_TASK // (y.shape[0] * y.shape[2]), _SUMS // y.shape[2]))
        run(work, ((r, min(r + height, count)) for r in range(0, count, height)), -(-count // height))

    def _write(self, r: int, sums: NDArray[np.float64]) -> None:
        """Write the gradients of rows from r on, NaN in faulty ones, whose slopes become 0; others stay as they are."""
        write_pulled(sums, self._factor, self._dx, self.slopes, self.faulty, r)


def sample(
    request: Request, tau: Any, cotangent: Any, hard: bool, log: bool, rao: Any, out: Any
) -> tuple[Any, tuple[Any, Any]]:
    """What `gumbel_softmax_vjp` does."""
    rows, taus, noise = once_each(rows_of(request))[0], request.temperatures_above_0(tau), noise_of(request)
    samples = None if rao is None else request.conditioned_samples(rao)
    weights = _cotangents(request, rows, cotangent)
    read = () if out is None else (*inputs_of(request), weights)
    (name, y_out), (dx_name, dx_out) = outs_of(out, "y", "d_log_potentials")
    (shape, flat), dx_shape, axis = shapes_of(request), (*request.batch, rows.n), request.axis
    y = room(name, y_out, shape, rows.dtype, flat, axis, read)
    dx = room(dx_name, dx_out, dx_shape, rows.dtype, flat[1:], axis, read)
    if out is not None:
        check_apart(y_out, dx_out)
    factor = rates_of(taus if samples is None else taus * samples, np.dtype(np.float64))
    rates, pulled = rates_of(taus, rows.dtype), _Pulled(rows, factor, dx)
    index = choices_of(rows, noise, request.draws) if hard or samples is not None else None
    if samples is not None and index is not None:
        _pull_conditioned(rows, rates, index, samples, pulled, log, weights)
    else:
        relaxed = y if index is None else np.empty_like(y)
        pulled.faulty = relax(rows, precomputed_noise(noise, rows, request.draws), rates, relaxed, None, log)
        pulled.pull(relaxed, log, weights)
    if index is not None:
        pulled.faulty[(index < 0).any(0) & (pulled.faulty == 0)] = INVALID_ROW
        harden(y, index, np.ones(rows.count, bool), log)
    slopes = _of_temperatures(rows, pulled.slopes, tau, request.axis)
    finite = all_finite(dx) and all_finite(slopes)
    if not finite:
        pulled.mark_overflow()
        slopes = _of_temperatures(rows, pulled.slopes, tau, request.axis)
    refuse(request, rows, pulled.faulty, "cotangent")
    if request.raises and not finite and not all_finite(slopes):
        raise ValueError(tau_overflow_message(slopes.dtype))
    return delivered(y, y_out, shape, axis), (delivered(dx, dx_out, dx_shape, axis), slopes[()])


def _cotangents(request: Request, rows: Rows, cotangent: Any) -> NDArray[Any]:
    """Cotangents by draw, row and category, in the dtype of the rows."""
    lines = np.ascontiguousarray(categories_last(converted(request.cotangent(cotangent), rows.dtype), request.axis))
    return frozen(lines.reshape(request.draws, rows.count, rows.n))


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
    sums = np.zeros((rows.count, rows.n))
    for s in range(0, len(choices), draw_step):
        chosen = choices[s : s + draw_step]
        for first in range(0, samples, sample_step):
            count = min(sample_step, samples - first)
            noise = np.empty((len(chosen) * count, rows.count, rows.n), rows.dtype)
            here = rows.moved(s, samples, first)
            write_conditioned(here, np.repeat(chosen, count, 0), noise)
            relaxed = np.empty_like(noise)
            np.maximum(pulled.faulty, relax(here, noise, rates, relaxed, None, log), out=pulled.faulty)
            pulled.add(relaxed, log, weights[s : s + draw_step], sums)
    pulled.end(sums)


def _of_temperatures(rows: Rows, slopes: NDArray[np.float64], tau: Any, axis: int) -> NDArray[Any]:
    """Slopes by row as the gradient of the temperatures, in its shape and type."""
    with np.errstate(all="ignore"):
        shape = () if type(tau) is float else np.shape(tau)
        return _unbroadcast(slopes.reshape(rows.batch), shape, axis).astype(rows.dtype)


def _unbroadcast(slopes: NDArray[np.float64], shape: tuple[int, ...], axis: int) -> NDArray[np.float64]:
    """Slopes by row summed, in order, to the shape of what was broadcast to them, and may have an axis of one more."""
    sums = slopes
    for outer, length, inner in sums_of(shape, slopes.shape, axis):
        lines = sums.reshape(outer, length, inner)
        sums = np.add.accumulate(lines, 1)[:, -1] if length else np.zeros((outer, inner))
    return sums.reshape(shape)
