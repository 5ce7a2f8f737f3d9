"""`gumbel_softmax`, its tangents, and `gumbel_given_choice` of device arrays: arguments, results, faults.

What there is one of a row, temperatures and their tangents, is checked on the host, and read from a device array.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel import _arrays, _checks, _device, _device_max, _device_relax
from fastgumbel._device import Device, is_device
from fastgumbel._device_relax import Tangents, Work
from fastgumbel._device_rows import DeviceRows, View, fault_flag, first_fault, view_of
from fastgumbel._kernels.reduce import INFINITE_TANGENT, INVALID_CHOICE
from fastgumbel._rows import choice_message, tangent_message, zero_tau_message
from fastgumbel.noise import NoiseField


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
    call = _Call(x, axis, size, where, rng, noise, invalid)
    taus = call.temperatures(tau)
    y = call.result("out", out)
    hard_rows = np.full(taus.shape, True) if hard else taus == 0
    index = call.choices() if hard_rows.any() else None
    with call.work((y.out, index)) as work:
        y.begin(work)
        if not hard_rows.all():
            call.relax(work, taus, y.flat, None, log)
        if index is not None:
            _harden(work, y.flat, index, hard_rows, log)
        call.refuse(work)
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
    call = _Call(primals[0], axis, size, where, rng, noise, invalid)
    rows = call.rows
    taus = call.temperatures(primals[1])
    if (taus == 0).any():
        raise ValueError(zero_tau_message(rows.batch, int((taus == 0).argmax())))
    if rao is not None:
        rao = _checks.whole(rao, "rao", 1)
        if call.noise is not None:
            raise ValueError("noise must be a NoiseField with rao, not an array")
        _arrays.check_reach(NoiseField(0), (call.field.draw + call.draws) * rao, 0)
        _arrays.check_conditioned(call.field, call.rows.n)
    d_x, d_tau = tangents
    d_tau = call.on_host(d_tau) if is_device(d_tau) else d_tau
    dx, dtau, directions = _arrays.tangents_of(None if is_device(d_x) else d_x, d_tau, rows, rows.axis)
    if is_device(d_x):
        slopes_view = view_of(d_x, "tangents[0]").last(rows.axis)
        directions = _arrays.agreed_directions([*_lead(d_x, rows), *directions])
        call.arrays += (d_x,)
    y, dy = call.result("out[0]", outs[0]), call.result("out[1]", outs[1], directions)
    if y.out is not None and dy.out is not None and view_of(y.out, "out[0]").overlaps(view_of(dy.out, "out[1]")):
        raise ValueError("out must be two arrays that do not overlap")
    index = call.choices() if hard or rao is not None else None
    with call.work((y.out, dy.out, index)) as work:
        y.begin(work)
        dy.begin(work)
        count, line = math.prod(directions), rows.count * rows.n
        slopes = (
            _contiguous(work, slopes_view, rows.dtype)
            if is_device(d_x)
            else call.device.put(dx.reshape(-1), work.stream)
        )
        step = line if slopes.size > line else 0
        dtau = np.ascontiguousarray(np.broadcast_to(dtau, (count, rows.count)))
        moves = bool((dtau != 0).any())
        there = Tangents(slopes, call.device.put(dtau.reshape(-1), work.stream), dy.flat, count, step, moves)
        if rao is not None and index is not None and call.is_work:
            rates = call.rates(work, taus)
            _device_relax.rao(work, rates, index.reshape(index.size), call.draws, rao, there, log)
        else:
            call.relax(work, taus, y.flat if index is None else work.empty(0, rows.dtype), there, log)
        if index is not None:
            _harden(work, y.flat, index, np.full(rows.count, True), log)
        call.refuse(work)
        return y.deliver(work), dy.deliver(work)


def given_choice(
    x: Any, choice: Any, axis: Any, size: Any, where: Any, rng: Any, noise: Any, invalid: Any, out: Any
) -> Any:
    """Do on a device what `gumbel_given_choice` does, with its arguments; x is a device array."""
    if noise is not None and not isinstance(noise, NoiseField):
        raise TypeError(f"noise must be a NoiseField, not {type(noise).__name__}")
    call = _Call(x, axis, size, where, rng, noise, invalid)
    rows = call.rows
    _arrays.check_conditioned(call.field, rows.n)
    shape = call.draw_shape + rows.batch
    chosen: View | NDArray[np.intp]
    if is_device(choice):
        chosen = _spread(choice, shape, rows.batch)
        call.arrays += (choice,)
    else:
        chosen = _arrays.choices_of(choice, shape, rows.batch)
    g = call.result("out", out)
    with call.work((g.out,)) as work:
        g.begin(work)
        if isinstance(chosen, View):
            choices = _contiguous(work, chosen, np.dtype(np.intp), narrow=True)
        else:
            choices = call.device.put(chosen.reshape(-1), work.stream)
        if call.is_work:
            _device_relax.condition(work, choices, g.flat, call.draws, call.field.draw)
        call.refuse(work, choices)
        return g.deliver(work)


class _Call:
    """What the functions share: the arguments, checked, and what is wrong with them."""

    def __init__(self, x: Any, axis: Any, size: Any, where: Any, rng: Any, noise: Any, invalid: Any) -> None:
        self.device: Device = _device.current()
        self.rows = DeviceRows(self.device, x, axis, where)
        self._x, self._where = x, where
        self._invalid = _arrays.choice_of(invalid, "invalid", ("raise", "mark"))
        self.draw_shape = _arrays.shape_of(size, "size")
        self.draws = math.prod(self.draw_shape)
        self.noise: View | None = None
        # All device arrays that are read.
        self.arrays = self.rows.arrays
        if noise is None or isinstance(noise, NoiseField):
            self.field = _arrays.field_of(rng, noise)
            _arrays.check_reach(self.field, self.draws, self.rows.n)
            self.rows.name(self.field)
        else:
            if rng is not None:
                raise ValueError("give rng or noise, not both")
            self.field = NoiseField(0)
            self.noise = _device_max.noise_view(noise, self.draw_shape, self.rows)
            self.arrays += (noise,)
        self._given = noise
        self._ids = _arrays.row_ids(self.field, self.rows.batch)

    @property
    def is_work(self) -> bool:
        """Whether there is any number to compute."""
        return self.draws * self.rows.count * self.rows.n > 0

    @property
    def _faults(self) -> int:
        """Number of the first row among faults, after those of the noise."""
        return 0 if self.noise is None else self.draws * self.rows.count

    def on_host(self, array: Any) -> NDArray[Any]:
        """A device array with something for each row, read."""
        with self.device.stream(array) as stream:
            return self.device.read(self.device.wrap(array), stream)

    def temperatures(self, tau: Any) -> NDArray[np.float64]:
        """One temperature a row."""
        return _arrays.temperatures(self.on_host(tau) if is_device(tau) else tau, self.rows.batch)

    def rates(self, work: Work, taus: NDArray[np.float64]) -> Any:
        """1 / tau by row, on the device."""
        return self.device.put(_arrays.rates_of(taus, self.rows.dtype), work.stream)

    def choices(self) -> Any:
        """Index of the hard sample by draw and row, on the device."""
        noise = self.field if self.noise is None else self._given
        axis = self.rows.axis
        return _device_max.sample(self._x, axis, self.draw_shape, self._where, None, noise, False, self._invalid, None)

    @contextmanager
    def work(self, others: tuple[Any, ...]) -> Iterator[Work]:
        """A stream for what the call and other arrays need."""
        with self.device.stream(*self.arrays, *(array for array in others if array is not None)) as stream:
            flag = fault_flag(self.device, self._invalid == "raise", stream)
            yield Work(self.device, stream, self.rows, self.field, self._ids, flag)

    def relax(self, work: Work, taus: NDArray[np.float64], y: Any, tangents: Tangents | None, log: bool) -> None:
        """Samples on the noise of the call."""
        if self.is_work:
            rates = self.rates(work, taus)
            _device_relax.relax(work, self.noise, self.draw_shape, rates, self.draws, y, tangents, log, self._faults)

    def result(self, name: str, out: Any, directions: tuple[int, ...] = ()) -> _Result:
        """Where to compute a result."""
        if out is not None:
            lead = (*directions, *self.draw_shape, *self.rows.batch)
            expected = _arrays.with_categories(lead, self.rows.n, self.rows.axis)
            _arrays.check_device_out(out, name, expected, self.rows.dtype)
            here = view_of(out, name)
            if self.rows.overlaps(out) or any(here.overlaps(view_of(array, name)) for array in self.arrays):
                raise ValueError(f"{name} must not overlap what is read, as it is a device array")
        return _Result(self.rows, (*directions, *self.draw_shape, *self.rows.batch, self.rows.n), out)

    def refuse(self, work: Work, choices: Any = None) -> None:
        """Raise for the first fault, unless faulty rows are marked; waits for the stream."""
        rows, row, code = self.rows, 0, 0
        if self._invalid == "mark":
            return
        if rows.n == 0 and self.draws * rows.count:
            raise ValueError(rows.fault(0, work.stream))
        fault = first_fault(self.device, work.flag, work.stream)
        if fault is None:
            return
        row, code = fault
        if code == INFINITE_TANGENT:
            raise ValueError(tangent_message(rows.batch, row - self._faults))
        if code == INVALID_CHOICE:
            by_draw = self.device.read(choices, work.stream).reshape(self.draws, rows.count)
            raise ValueError(choice_message(rows.batch, row, rows.n, by_draw[:, row]))
        read = self.field if self.noise is None else self.noise
        raise ValueError(_device_max.fault_message(rows, read, self.draws, row, self.device, work.stream))


class _Result:
    """An array to compute in, flat, with the categories last, and its way to the caller."""

    flat: Any

    def __init__(self, rows: DeviceRows, shape: tuple[int, ...], out: Any) -> None:
        self._axis, self._shape, self._dtype = rows.axis, shape, rows.dtype
        self.out = out

    def begin(self, work: Work) -> None:
        """Take the caller's memory, where the categories are last in it, or new one."""
        size = math.prod(self._shape)
        usable = self.out is not None and self._axis == -1
        self.flat = work.device.wrap(self.out).reshape(size) if usable else work.empty(size, self._dtype)

    def deliver(self, work: Work) -> Any:
        """The result in the caller's shape and order of axes."""
        if self._axis == -1:
            return self.flat.reshape(self._shape) if self.out is None else self.out
        if self.out is None:
            return work.device.wrap(view_of(self.flat.reshape(self._shape), "out").to_axis(self._axis))
        if self.flat.size:
            lines = self.flat.reshape((self.flat.size // self._shape[-1], self._shape[-1]))
            for piece in DeviceRows(work.device, self.out, self._axis, None).pieces(work.stream):
                _copy(work, piece.x, lines, 0, piece.first_row)
        return self.out


def _copy(work: Work, out: Any, x: Any, to_row: int, from_row: int) -> None:
    count = min(out.shape[0], x.shape[0]) * x.shape[1]
    work.each(work.kernels("cuda_move").copy, count, (out, x, np.int64(to_row), np.int64(from_row)))


def _contiguous(work: Work, view: View, dtype: np.dtype[Any], narrow: bool = False) -> Any:
    """The items of a view in C order of its axes, flat: its own memory where that will do, else a copy."""
    size, item = math.prod(view.shape), view.dtype.itemsize
    own = view.dtype == dtype and view.strides == tuple(
        math.prod(view.shape[i + 1 :]) * item for i in range(len(view.shape))
    )
    if own or size == 0:
        return work.device.wrap(view).reshape(size) if own else work.empty(0, dtype)
    # An axis of one item more makes rows of what is a number.
    lines = view.part(0, (*view.shape, 1), (*view.strides, item)) if narrow else view
    flat = work.empty(size, dtype)
    table = flat.reshape((size // lines.shape[-1], lines.shape[-1]))
    for piece in DeviceRows(work.device, lines, -1, None).pieces(work.stream):
        _copy(work, table, piece.x, piece.first_row, 0)
    return flat


def _spread(choice: Any, shape: tuple[int, ...], batch: tuple[int, ...]) -> View:
    """Choices of a device array, of shape size + batch."""
    view = view_of(choice, "choice")
    _arrays.check_choices(view.dtype, view.shape, shape, batch)
    spread = view.broadcast(shape)
    assert spread is not None
    return spread


def _lead(d_x: Any, rows: DeviceRows) -> tuple[int, ...]:
    """The axis of directions of a device array, if there is one."""
    view = view_of(d_x, "tangents[0]")
    _arrays.check_real(view.dtype, "tangents[0]")
    return _arrays.lead_of(view.shape, rows.batch, rows.n, rows.axis)


def _harden(work: Work, y: Any, index: Any, hard_rows: NDArray[np.bool_], log: bool) -> None:
    """Overwrite rows of y with the one-hot of the hard sample."""
    kind, n = work.rows.dtype.type, work.rows.n
    off, on = (kind(-np.inf), kind(0)) if log else (kind(0), kind(1))
    hard = work.device.put(hard_rows, work.stream)
    arguments = (y, index.reshape(index.size), hard, np.int64(n), off, on)
    work.each(work.kernels("cuda_move").one_hot, y.size, arguments)
