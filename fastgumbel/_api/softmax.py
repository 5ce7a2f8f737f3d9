"""`gumbel_softmax`, the relaxed sample, and `gumbel_softmax_jvp`, the same with derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import softmax as _softmax
from fastgumbel._host.arguments import given_noise, noise_rows, placed, rows_of
from fastgumbel._host.max import search, search_given
from fastgumbel._host.result import Result
from fastgumbel._host.rows import Rows
from fastgumbel._host.softmax import Tangents
from fastgumbel._law.reduce import INFINITE_TANGENT
from fastgumbel._request import temperature as _temperature
from fastgumbel._request.checks import choice_of, shape_of
from fastgumbel._request.coordinates import check_conditioned, check_reach, field_of, row_ids
from fastgumbel._request.device import backend, is_device
from fastgumbel._request.faults import tangent_message, zero_tau_message
from fastgumbel._request.field import NoiseField, Rng
from fastgumbel._request.scalars import whole
from fastgumbel._request.tangents import tangents_of
from fastgumbel._request.temperature import rates_of


def gumbel_softmax(
    log_potentials: ArrayLike,
    tau: ArrayLike = 1.0,
    /,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    hard: bool = False,
    log: bool = False,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    invalid: Literal["raise", "mark"] = "raise",
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Relaxed samples: the softmax of log-potentials plus Gumbel noise.

    Parameters
    ----------
    log_potentials : array_like of float16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights; -inf excludes a category. A
        device array, anything with `__cuda_array_interface__`, is sampled on its device, on the stream that it names,
        with the same bits; then `out`, and `noise` if it is an array, must be device arrays too.
    tau : array_like of float, optional
        Temperature, finite and at least 0; an array broadcasts to the batch. 0 is the hard limit, a one-hot. A device
        array beside log-potentials on a device is waited for and read.
    axis : int, optional
        The axis of the categories.
    size : int or tuple of ints, optional
        Draws of every row: these axes come first.
    where : array_like or device array of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    hard : bool, optional
        The one-hot of `gumbel_max` on the same noise instead.
    log : bool, optional
        The logarithm of the sample instead: finite also where the sample underflows.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        What names the noise field, as in `NoiseField`.
    noise : NoiseField or array_like, optional
        The field instead, with its coordinates; or an array of finite noise, of the result's shape.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, +inf, or no category left: raise an error, or make the row alone NaN. On a
        device, "raise" waits for the result, and "mark" does not: so it also marks rows whose `noise` is an array and
        not finite, for which there is an error elsewhere.
    out : ndarray, optional
        Where to write: of exactly the result's shape and dtype.

    Returns
    -------
    ndarray or device array
        Of shape `size + log_potentials.shape`; float32 for float16 and float32, else float64. Excluded categories are
        exactly 0 (-inf with `log`), and the categories of a draw sum to 1.

    Raises
    ------
    ValueError
        If a row is invalid: the first one and its first bad category are named. If a temperature is negative or not
        finite, or a shape or a value does not fit.
    TypeError
        If an argument is of the wrong type.
    ImportError, RuntimeError
        If `log_potentials` is a device array, and CUDA support, or a driver, is missing.

    See Also
    --------
    gumbel_max : the hard sample.
    gumbel_softmax_jvp : the same with derivatives.

    Notes
    -----
    y_c = exp((x_c + G_c) / tau) / sum_j exp((x_j + G_j) / tau), the Concrete or Gumbel-softmax distribution (Maddison,
    Mnih and Teh 2017; Jang, Gu and Poole 2017). Its largest item is the hard sample, but for near ties: where the two
    best perturbed values differ by less than about 1e-5 + 5e-7 tau in float32, or 1e-14 + 1e-15 tau in float64, their
    items may be equal or change places. The largest log-potential is taken off first, so a common offset costs no
    precision but that of the log-potentials themselves.

    References
    ----------
    .. [1] C. J. Maddison, A. Mnih and Y. W. Teh, "The Concrete distribution: a continuous relaxation of discrete random
       variables", ICLR 2017, https://doi.org/10.48550/arXiv.1611.00712
    .. [2] E. Jang, S. Gu and B. Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017,
       https://doi.org/10.48550/arXiv.1611.01144

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log([1.0, 2.0, 7.0])
    >>> fg.gumbel_softmax(x, 0.5, rng=1).sum().round(6)
    np.float64(1.0)
    >>> fg.gumbel_softmax(x, 0.5, rng=1, hard=True)
    array([0., 0., 1.])
    >>> bool(fg.gumbel_softmax(x, 0.5, rng=1).argmax() == fg.gumbel_max(x, rng=1))
    True
    """
    if is_device(log_potentials):
        options = (axis, size, where, hard, log, rng, noise, invalid, out)
        there: NDArray[Any] = backend("softmax").sample(log_potentials, tau, *options)
        return there
    call = _prepare(log_potentials, tau, axis, size, where, rng, noise, invalid)
    y = call.result("out", out)
    soft = 0 if hard else np.count_nonzero(call.taus)
    if soft:
        call.refuse(call.relax(y.flat, None, log))
    if soft < call.rows.count:
        call.harden(y.flat, call.choices(), (call.taus == 0) | bool(hard), log)
    return y.deliver()


def gumbel_softmax_jvp(
    primals: tuple[ArrayLike, ArrayLike],
    tangents: tuple[ArrayLike | None, ArrayLike | None],
    /,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    hard: bool = False,
    log: bool = False,
    rao: int | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    invalid: Literal["raise", "mark"] = "raise",
    out: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Relaxed samples and their tangents: forward-mode derivatives.

    Parameters
    ----------
    primals : (log_potentials, tau)
        As in `gumbel_softmax`, but every temperature is above 0. Log-potentials on a device take tangents and `out` on
        the device too; tangents of temperatures may come from either side, and are read from a device.
    tangents : (d_log_potentials, d_tau)
        Of the shapes of the primals (`d_tau` broadcasts to the batch), or None for zero. An axis of directions may
        come before: then there is a tangent for each, on one noise.
    axis, size, where, rng, noise, invalid
        As in `gumbel_softmax`; `axis` counts the axes of the log-potentials. On a device, with `invalid="mark"`,
        tangents that are not finite come out as they may, as nothing is waited for.
    hard : bool, optional
        The straight-through estimator: the value is the one-hot of `gumbel_max`, the tangent that of the relaxed
        sample.
    log : bool, optional
        Value and tangent of the logarithm of the sample instead.
    rao : int, optional
        Gumbel-Rao with so many samples: the value is the one-hot of `gumbel_max`, and the tangent is averaged over
        relaxed samples on noise conditioned on that choice, `gumbel_given_choice` at the draws rao s, rao s + 1, ...
        for draw s. Implies `hard`; takes a field, no precomputed noise.
    out : (ndarray, ndarray), optional
        Where to write both: of exactly the results' shapes and dtype.

    Returns
    -------
    y : ndarray or device array
        The sample, as `gumbel_softmax` gives it.
    dy : ndarray or device array
        Its tangent, of the same shape, the axis of directions (if any) first. Exactly 0 where a category is excluded.

    Raises
    ------
    TypeError, ValueError
        As `gumbel_softmax`, and if a tangent is not finite, or its shape does not fit, if a temperature is 0, or if
        there is `rao` with an array of noise or below 1.
    ImportError, RuntimeError
        If log-potentials are a device array, and CUDA support, or a driver, is missing.

    See Also
    --------
    gumbel_softmax : the value alone, which may also be at temperature 0.
    gumbel_given_choice : the conditioned noise of Gumbel-Rao.

    Notes
    -----
    With z = (x + G) / tau and dz = (dx - z dtau) / tau, the tangent is y (dz - sum(y dz)), of the logarithm
    dz - sum(y dz). The Jacobian in the log-potentials, (diag(y) - y y') / tau, is symmetric: with the gradient of a
    loss as `d_log_potentials`, the tangent is that gradient carried back through the sample (the reverse-mode product).
    Where the sample underflows to 0, so does its tangent, however large dz; what is beyond the type is infinite.

    Straight-through: Bengio, Leonard and Courville 2013; Jang, Gu and Poole 2017. Gumbel-Rao: Paulus, Maddison and
    Krause 2021; its mean is that of straight-through, its variance V + (V_1 - V) / rao.

    References
    ----------
    .. [1] E. Jang, S. Gu and B. Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017,
       https://doi.org/10.48550/arXiv.1611.01144
    .. [2] Y. Bengio, N. Leonard and A. Courville, "Estimating or propagating gradients through stochastic neurons for
       conditional computation", 2013, https://doi.org/10.48550/arXiv.1308.3432
    .. [3] M. B. Paulus, C. J. Maddison and A. Krause, "Rao-Blackwellizing the straight-through Gumbel-softmax gradient
       estimator", ICLR 2021, https://doi.org/10.48550/arXiv.2010.04838

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x, field = np.log([1.0, 2.0, 7.0]), fg.NoiseField(1)
    >>> y, dy = fg.gumbel_softmax_jvp((x, 0.5), (None, 1.0), noise=field)
    >>> step = 1e-6
    >>> moved = fg.gumbel_softmax(x, 0.5 + step, noise=field)
    >>> bool(np.allclose((moved - y) / step, dy, atol=1e-4))
    True

    The gradient of ``w @ y`` in the log-potentials, which is a reverse-mode product:

    >>> w = np.array([0.0, 1.0, 3.0])
    >>> gradient = fg.gumbel_softmax_jvp((x, 0.5), (w, None), noise=field)[1]
    >>> rows = fg.gumbel_softmax_jvp((x, 0.5), (np.eye(3), None), noise=field)[1]
    >>> bool(np.allclose(rows @ w, gradient))
    True
    """
    x, tau = _pair(primals, "primals", "(log_potentials, tau)")
    d_x, d_tau = _pair(tangents, "tangents", "(d_log_potentials, d_tau)")
    out_y, out_dy = (None, None) if out is None else _pair(out, "out", "of arrays (y, dy)")
    if is_device(x):
        options = (axis, size, where, hard, log, rao, rng, noise, invalid, (out_y, out_dy))
        there = backend("softmax")
        pair: tuple[NDArray[Any], NDArray[Any]] = there.sample_jvp((x, tau), (d_x, d_tau), *options)
        return pair
    call = _prepare(x, tau, axis, size, where, rng, noise, invalid)
    if np.count_nonzero(call.taus) < call.rows.count:
        raise ValueError(zero_tau_message(call.rows.batch, int((call.taus == 0).argmax())))
    if rao is not None:
        rao = whole(rao, "rao", 1)
        if call.given.size:
            raise ValueError("noise must be a NoiseField with rao, not an array")
        check_reach(NoiseField(0), (call.field.draw + call.draws) * rao, 0)
        check_conditioned(call.field, call.rows.n)
    dx, dtau, directions = tangents_of(d_x, d_tau, call.rows, call.axis)
    y = call.result("out[0]", out_y, None, (dx, dtau))
    dy = call.result("out[1]", out_dy, directions, (dx, dtau))
    if out is not None and np.may_share_memory(out_y, out_dy):
        raise ValueError("out must be two arrays that do not overlap")
    index = call.choices() if hard or rao is not None else None
    if rao is not None and index is not None:
        faulty = _softmax.rao(call.rows, call.field, call.ids, call.rates, index, rao, (dx, dtau, dy.flat), log)
    else:
        faulty = call.relax(y.flat if index is None else y.flat[:0], (dx, dtau, dy.flat), log)
    call.refuse(faulty)
    if index is not None:
        call.harden(y.flat, index, np.ones(call.rows.count, bool), log)
    return y.deliver(), dy.deliver()


def _pair(value: Any, name: str, what: str) -> tuple[Any, Any]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name} must be a pair {what}")
    return value[0], value[1]


@dataclass
class _Call:
    """What the two functions share: the arguments, checked, and the way of a result to the caller."""

    rows: Rows
    axis: int
    draw_shape: tuple[int, ...]
    taus: NDArray[np.float64]
    rates: NDArray[Any]
    field: NoiseField
    ids: NDArray[np.uint64]
    given: NDArray[Any]
    noise: Any
    mark: bool

    @property
    def draws(self) -> int:
        return math.prod(self.draw_shape)

    def relax(self, y: NDArray[Any], tangents: Tangents | None, log: bool) -> NDArray[np.uint8]:
        """Samples on the noise of the call; 1 by row without one."""
        return _softmax.softmax(self.rows, self.field, self.ids, self.given, self.rates, self.draws, y, tangents, log)

    def result(
        self, name: str, out: Any, directions: tuple[int, ...] | None = None, tangents: tuple[NDArray[Any], ...] = ()
    ) -> Result:
        """Where to compute a result, with axes of directions if there may be any."""
        inputs = (self.rows.values, self.given, *tangents)
        return Result(self.rows, self.axis, self.draw_shape, name, out, inputs, directions)

    def refuse(self, faulty: NDArray[Any]) -> None:
        """Raise for the first faulty row, unless such rows are marked; and for tangents that are not finite."""
        if not np.count_nonzero(faulty):
            return
        infinite = faulty == INFINITE_TANGENT
        if infinite.any():
            raise ValueError(tangent_message(self.rows.batch, int(infinite.argmax())))
        if not self.mark and self.draws:
            raise ValueError(self.rows.fault(int((faulty != 0).argmax())))

    def choices(self) -> NDArray[np.intp]:
        """Index of the hard sample by draw and row, -1 where there is none."""
        index = np.empty((self.draws, self.rows.count), np.intp)
        if self.given.size:
            noise = noise_rows(self.noise, self.axis, self.draw_shape, self.rows)
            search_given(self.rows, noise, index, None)
        else:
            search(self.rows, self.field, self.ids, index, None)
        return index

    def harden(self, y: NDArray[Any], index: NDArray[np.intp], hard_rows: NDArray[np.bool_], log: bool) -> None:
        """Overwrite rows of y with the one-hot of the hard sample."""
        self.refuse((index < 0).any(0) & hard_rows)
        everywhere = bool(hard_rows.all())
        part = y if everywhere else np.empty((self.draws, np.count_nonzero(hard_rows), self.rows.n), y.dtype)
        chosen = index[:, hard_rows]
        part[...] = -np.inf if log else 0
        if self.rows.n:
            np.put_along_axis(part, np.maximum(chosen, 0)[..., np.newaxis], 0 if log else 1, -1)
        part[chosen < 0] = np.nan
        if not everywhere:
            y[:, hard_rows] = part


def _prepare(
    log_potentials: Any, tau: Any, axis: Any, size: Any, where: Any, rng: Any, noise: Any, invalid: Any
) -> _Call:
    rows, axis = rows_of(log_potentials, axis, where)
    mark = choice_of(invalid, "invalid", ("raise", "mark")) == "mark"
    draw_shape = shape_of(size, "size")
    taus = _temperature.temperatures(tau, rows.batch)
    given = np.empty((0, 0, 0), rows.dtype)
    if noise is None or isinstance(noise, NoiseField):
        field = field_of(rng, noise)
        check_reach(field, math.prod(draw_shape), rows.n)
        rows = placed(rows, axis, field)
    else:
        if rng is not None:
            raise ValueError("give rng or noise, not both")
        field = NoiseField(0)
        given = given_noise(noise, axis, draw_shape, rows)
    rates, ids = rates_of(taus, rows.dtype), row_ids(field, rows.batch)
    return _Call(rows, axis, draw_shape, taus, rates, field, ids, given, noise, mark)
