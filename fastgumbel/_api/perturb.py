"""`perturb`, the family of increasing maps of perturbed values, and `log_partition`, what their maxima tell."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import perturb as _perturb
from fastgumbel._host.arguments import noise_rows, placed, rows_of
from fastgumbel._host.max import search, search_given
from fastgumbel._host.perturb import EXPONENTIAL, GUMBEL, UNIFORM, Map
from fastgumbel._host.result import Result
from fastgumbel._host.rows import Rows
from fastgumbel._request.checks import choice_of, real_array, shape_of
from fastgumbel._request.coordinates import check_reach, field_of, row_ids
from fastgumbel._request.field import NoiseField, Rng
from fastgumbel._request.scalars import whole

# Maxima at once, and the fewest of a row.
_MAXIMA = 2**20
_FEWEST = 8


def perturb(
    log_potentials: ArrayLike,
    trick: str | Callable[[NDArray[np.float64]], ArrayLike] = "gumbel",
    /,
    *,
    alpha: float | None = None,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    invalid: Literal["raise", "mark"] = "raise",
    out: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Perturbed values, whose argmax is the sample, or an increasing map of them.

    Parameters
    ----------
    log_potentials : array_like of float16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms x of weights w = exp(x); -inf excludes a
        category. Device arrays are refused.
    trick : {"gumbel", "exponential", "uniform", "weibull", "frechet"} or callable, optional
        What is maximised, with u = exp(-E) a uniform number and E = exp(-G) an exponential one from the noise G:

        - "gumbel": x + G = x - log E;
        - "exponential": log(u) / w = -E / w;
        - "uniform": u ** (1 / w);
        - "weibull": -(E / w) ** (1 / alpha), minus a Weibull number of shape `alpha`;
        - "frechet": (E / w) ** (-1 / alpha), a Frechet number of shape `alpha`;
        - a callable: a strictly increasing function of u ** (1 / w), number by number. It is called several times, in
          this thread, with float64 arrays of any shape, between 0 and 1: 0 where a category is excluded and only there.
    alpha : float, optional
        The shape, above 0 and finite; for "weibull" and "frechet", and only for them.
    axis : int, optional
        The axis of the categories.
    size : int or tuple of ints, optional
        Draws of every row: these axes come first.
    where : array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        What names the noise field, as in `NoiseField`.
    noise : NoiseField or array_like, optional
        The field instead, with its coordinates; or an array of finite noise, of the result's shape.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, +inf, or no category left: raise an error, or make the row alone NaN.
    out : ndarray of float64, optional
        Where to write: of exactly the result's shape.

    Returns
    -------
    ndarray of float64
        Of shape `size + log_potentials.shape`. On a noise field all named tricks give finite numbers to categories
        that are left, and the least value of the trick to those that are excluded: -inf, or 0 for "uniform" and
        "frechet".

    Raises
    ------
    ValueError
        If a row is invalid: the first one and its first bad category are named. If a callable falls, or gives NaN. If a
        shape or a value does not fit.
    TypeError
        If an argument is of the wrong type.

    See Also
    --------
    gumbel_max : the argmax, without the values that cannot win.
    gumbel_top_k : the largest values of "gumbel", in order.

    Notes
    -----
    Every trick is an increasing function of s = x + G, so on the same noise all have the same winner, and the same
    ranking: -exp(-s), exp(-exp(-s)), -exp(-s / alpha) and exp(s / alpha). They are computed so, from s, and neither w
    nor u nor 1 / w is ever at hand: the winner survives where those would over- or underflow. Of "gumbel" the argmax
    and the maximum are those of `gumbel_max` to the bit. The others are rounded numbers with an end to their range:

    ===========  =======================  ==============================================
    trick        s that are told apart    if they differ by more than some
    ===========  =======================  ==============================================
    gumbel       all                      units in the last place of s
    exponential  -709 to 745              units in the last place of s, or 1e-16
    weibull      -709 alpha to 745 alpha  units in the last place of s, or 1e-16 alpha
    frechet      -745 alpha to 709 alpha  units in the last place of s, or 1e-16 alpha
    uniform      -6.6 to 37               units in the last place of s, or 1e-16 exp(s)
    ===========  =======================  ==============================================

    Nearer values may tie, which happens to about one row in 10**15, or for "uniform" in 10**15 / sum(w). All beyond the
    range tie, clipped to the number next to its limit: "uniform" stays between 5e-324 and 1 - 2**-53, however near to 1
    it ought to be. The remedy is to move the log-potentials of a row by a constant, so that the largest is near 0: this
    changes the scale of the values (of "uniform" the power), and not the winner. A callable is a function of the values
    of "uniform", and tells no more apart.

    The maximum of "exponential" is minus an exponential number of rate sum(w), and so on for the others, which
    `log_partition` makes use of. The family is that of Balog, Tripuraneni, Ghahramani and Weller (2017); u ** (1 / w)
    is due to Efraimidis and Spirakis (2006). Only the noise and "gumbel" have the same bits on all machines: the maps
    are NumPy's `exp`, whose last bit may differ.

    References
    ----------
    .. [1] M. Balog, N. Tripuraneni, Z. Ghahramani and A. Weller, "Lost relatives of the Gumbel trick", ICML 2017,
       https://doi.org/10.48550/arXiv.1706.04161
    .. [2] P. S. Efraimidis and P. G. Spirakis, "Weighted random sampling with a reservoir", Information Processing
       Letters 97, 2006, https://doi.org/10.1016/j.ipl.2005.11.003

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log([1.0, 2.0, 7.0])
    >>> fg.perturb(x, rng=1).round(4)
    array([0.8361, 0.4102, 1.2432])
    >>> fg.perturb(x, "exponential", rng=1).round(4)
    array([-0.4334, -0.6635, -0.2885])
    >>> fg.perturb(x, "uniform", rng=1).round(4)
    array([0.6483, 0.515 , 0.7494])
    >>> fg.perturb(x, lambda v: v / (1 - v), rng=1).round(4)
    array([1.8434, 1.062 , 2.9905])
    >>> int(fg.gumbel_max(x, rng=1))
    2
    """
    mapped, function = _trick_of(trick, alpha)
    rows, axis = rows_of(log_potentials, axis, where)
    mark = choice_of(invalid, "invalid", ("raise", "mark")) == "mark"
    draw_shape = shape_of(size, "size")
    rows, field, ids = _noise_of(rng, noise, axis, draw_shape, rows)
    inputs = (rows.values, field.values) if isinstance(field, Rows) else (rows.values,)
    result = Result(rows, axis, draw_shape, "out", out, inputs, dtype=np.float64)

    def finish(v: NDArray[np.float64], x: NDArray[Any]) -> None:
        if function is not None:
            values = _called(function, v)
            # Log-potentials that are NaN are another matter.
            nan = np.isnan(values) & ~np.isnan(x)
            if nan.any():
                raise ValueError(f"trick must give numbers, but gives nan for {v[nan][0]}")
            v[...] = values

    faulty = _perturb.perturb(rows, field, ids, result.flat, mapped, None if function is None else finish)
    if math.prod(draw_shape) and faulty.any():
        if not mark:
            raise ValueError(rows.fault(int(faulty.argmax())))
        result.flat[:, faulty] = np.nan
    return result.deliver()


class LogPartition(NamedTuple):
    """An estimate of logsumexp and its standard error: the result of `log_partition`.

    Attributes
    ----------
    estimate : float64 array
        The estimate of each row, of the batch's shape; a scalar for a single row.
    standard_error : float64 array
        Its standard error, of the same shape.

    Examples
    --------
    >>> import fastgumbel as fg
    >>> result = fg.log_partition([0.0, 1.0, 2.0], 10_000, trick="exponential", rng=0)
    >>> print(f"{result.estimate:.2f} and {result.standard_error:.2f}")  # of logsumexp = 2.41
    2.41 and 0.01
    """

    estimate: Any
    standard_error: Any


def log_partition(
    log_potentials: ArrayLike,
    size: int,
    /,
    *,
    trick: str = "gumbel",
    alpha: float | None = None,
    axis: int = -1,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    invalid: Literal["raise", "mark"] = "raise",
) -> LogPartition:
    """Estimate logsumexp of log-potentials from maxima of perturbed values.

    Parameters
    ----------
    log_potentials : array_like of float16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights; -inf excludes a category.
        Device arrays are refused.
    size : int
        Maxima of every row, M in what follows; at least 1.
    trick : {"gumbel", "exponential", "weibull", "frechet"}, optional
        Which values are maximised, as in `perturb`.
    alpha : float, optional
        The shape for "weibull" and "frechet", and only for them: above 0.01 and above 1.
    axis : int, optional
        The axis of the categories.
    where : array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    rng : None, int, SeedSequence, BitGenerator or Generator, optional
        What names the noise field, as in `NoiseField`.
    noise : NoiseField or array_like, optional
        The field instead, with its coordinates; or an array of finite noise, of shape `(size,) + log_potentials.shape`.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, +inf, or no category left: raise an error, or make the row alone NaN.

    Returns
    -------
    estimate : ndarray of float64
        Of the batch's shape.
    standard_error : ndarray of float64
        Of the same shape: the law's, which depends on `size` and the trick alone. Exact for "gumbel" and
        "exponential". For the others exact for one maximum and to first order in 1 / M; between, right to 7 per cent
        from `alpha` 0.5 ("weibull") or 4 ("frechet") on. Below, it may be far too large: up to 8 times at `alpha` 0.02
        and M = 1000, and for "frechet" with `alpha` of at most 2, where 1 / M says nothing, it is that of one maximum.

    Raises
    ------
    ValueError
        If a row is invalid: the first one and its first bad category are named. If a shape or a value does not fit.
    TypeError
        If an argument is of the wrong type.

    See Also
    --------
    gumbel_max : the maxima, with `return_max`.

    Notes
    -----
    The maximum V of "gumbel" is log Z plus a Gumbel number, so that exp(-V) is exponential with rate Z. With t = 0 for
    "gumbel", 1 for "exponential", 1 / alpha for "weibull" and -1 / alpha for "frechet", the mean of exp(-t V) over the
    M maxima, whose expectation is Z ** -t Gamma(1 + t), gives the estimate (Balog, Tripuraneni, Ghahramani and Weller
    2017)

        -log(mean(exp(-t V))) / t + log(Gamma(1 + t)) / t,

    in the limit mean(V) - 0.5772 for "gumbel", without bias. That of "exponential" is off by log(M) - digamma(M) in
    the mean, about 1 / (2 M), which can be subtracted. The mean squared errors are pi**2 / (6 M), and
    trigamma(M) + (log(M) - digamma(M))**2, about 1 / M: "exponential" needs 0.61 times as many maxima. The bias of the
    others is small beside the spread of the estimates near t = 0, but as large at "weibull" with `alpha` 0.1 and
    "frechet" with 1.1, even for M = 1000. "uniform" is not offered: what its mean tells depends on the scale of the
    weights.

    For V itself, or any t with M = 1, the variance is pi**2 / 6; for many maxima, with D the relative variance of
    exp(-t V), Gamma(1 + 2 t) / Gamma(1 + t)**2 - 1, it is D / (t**2 M). The standard error takes for all M the
    variance whose inverse is (M - 1) t**2 / D + 6 / pi**2, which is right at both ends and at all M for t = 0.

    The estimate is for what can only be maximised; where all log-potentials are at hand, their logsumexp is exact. The
    maxima are those of `gumbel_max`, found without the noise that cannot win. They are summed in the order of the
    draws, and at most 2**20 at a time are stored (or 8 a row).

    References
    ----------
    .. [1] M. Balog, N. Tripuraneni, Z. Ghahramani and A. Weller, "Lost relatives of the Gumbel trick", ICML 2017,
       https://doi.org/10.48550/arXiv.1706.04161

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log(np.arange(1.0, 1001.0))
    >>> exact = np.log(1000 * 1001 / 2)
    >>> estimate, error = fg.log_partition(x, 10_000, trick="exponential", rng=0)
    >>> error.round(6)
    np.float64(0.01)
    >>> bool(abs(estimate - exact) < 3 * error)
    True
    """
    t = _power_of(trick, alpha)
    rows, axis = rows_of(log_potentials, axis, where)
    size = whole(size, "size", 1)
    mark = choice_of(invalid, "invalid", ("raise", "mark")) == "mark"
    rows, field, ids = _noise_of(rng, noise, axis, (size,), rows)
    step = max(_FEWEST, _MAXIMA // max(1, rows.count)) if isinstance(field, NoiseField) else size
    origin, total = np.zeros(rows.count), np.zeros(rows.count)
    for s in range(0, size, step):
        index = np.empty((min(step, size - s), rows.count), np.intp)
        value = np.empty(index.shape)
        if isinstance(field, NoiseField):
            search(rows, field.at(draw=field.draw + s), ids, index, value)
        else:
            search_given(rows, field, index, value)
        faulty = (index < 0).any(0)
        if faulty.any():
            if not mark:
                raise ValueError(rows.fault(int(faulty.argmax())))
            value[:, faulty] = np.nan
        if s == 0:
            # Differences to an extreme one neither overflow nor leave a mean of nothing but zeros.
            origin = (np.min if t > 0 else np.max)(value[:_FEWEST], axis=0)
        value -= origin
        powers = value if t == 0 else np.expm1(np.multiply(value, -t, out=value), out=value)
        # One by one: the sum depends neither on the rows beside it nor on how many are drawn at once.
        powers[0] += total
        total = np.add.accumulate(powers, axis=0, out=powers)[-1].copy()
    mean = total / size
    estimate = origin + (mean if t == 0 else -np.log1p(mean) / t) + _log_gamma_ratio(t)
    error = np.where(np.isnan(estimate), np.nan, _standard_error(size, t))
    return LogPartition(estimate.reshape(rows.batch)[()], error.reshape(rows.batch)[()])


def _noise_of(
    rng: Any, noise: Any, axis: int, draw_shape: tuple[int, ...], rows: Rows
) -> tuple[Rows, NoiseField | Rows, NDArray[np.uint64]]:
    """The rows at their category ids, the field and the ids of its rows, or rows of precomputed noise."""
    if noise is None or isinstance(noise, NoiseField):
        field = field_of(rng, noise)
        check_reach(field, math.prod(draw_shape), rows.n)
        return placed(rows, axis, field), field, row_ids(field, rows.batch)
    if rng is not None:
        raise ValueError("give rng or noise, not both")
    return rows, noise_rows(noise, axis, draw_shape, rows), np.empty(0, np.uint64)


def _shape_parameter(trick: str, alpha: Any, least: float) -> float:
    """`alpha` of a trick that has it, above `least`; else it must be None, and is 1."""
    if trick not in ("weibull", "frechet"):
        if alpha is not None:
            raise ValueError(f"alpha is for 'weibull' and 'frechet', not for {trick!r}")
        return 1.0
    if alpha is None:
        raise ValueError(f"alpha must be given for {trick!r}")
    value = real_array(alpha, "alpha")
    if value.ndim or not least < value < np.inf:
        raise ValueError(f"alpha must be a finite number above {least:g}, not {alpha!r}")
    return float(value)


def _trick_of(trick: Any, alpha: Any) -> tuple[Map, Callable[[NDArray[np.float64]], ArrayLike] | None]:
    """The map of perturbed values that a trick is, and a function to follow."""
    if callable(trick):
        if alpha is not None:
            raise ValueError("alpha is for 'weibull' and 'frechet', not for a callable")
        if not (np.diff(_called(trick, np.arange(1, 8) / 8)) > 0).all():
            raise ValueError("trick must be strictly increasing, but is not at 1/8, 2/8, ..., 7/8")
        return UNIFORM, trick
    name = choice_of(trick, "trick", ("gumbel", "exponential", "uniform", "weibull", "frechet"))
    shape = _shape_parameter(name, alpha, 0.0)
    named = {"gumbel": GUMBEL, "exponential": EXPONENTIAL, "uniform": UNIFORM}
    if name in named:
        return named[name], None
    return (_perturb.weibull if name == "weibull" else _perturb.frechet)(shape), None


def _called(function: Callable[[NDArray[np.float64]], ArrayLike], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a user's function gives for points: as many real numbers."""
    # At the ends of the range it may well be infinite.
    with np.errstate(all="ignore"):
        values = real_array(function(points.copy()), "what trick returns")
    if values.shape != points.shape:
        raise ValueError(f"what trick returns must have the shape of its argument, {points.shape}, not {values.shape}")
    return values.astype(np.float64, copy=False)


def _power_of(trick: Any, alpha: Any) -> float:
    """The t of the family of estimators."""
    name = choice_of(trick, "trick", ("gumbel", "exponential", "weibull", "frechet"))
    shape = _shape_parameter(name, alpha, 1.0 if name == "frechet" else 0.01)
    return {"gumbel": 0.0, "exponential": 1.0, "weibull": 1 / shape, "frechet": -1 / shape}[name]


def _log_gamma_ratio(t: float) -> float:
    """log(Gamma(1 + t)) / t."""
    if abs(t) < 1e-5:
        return -float(np.euler_gamma) + t * math.pi**2 / 12
    return math.lgamma(1 + t) / t


def _standard_error(size: int, t: float) -> float:
    """Standard error of the estimate from so many maxima."""
    if t == 1:
        return math.sqrt(_trigamma(size))
    of_one = math.pi**2 / 6
    if t <= -0.5:
        return math.sqrt(of_one)
    # What each maximum adds to the inverse of the variance, in the limit of many.
    spread = math.expm1(math.lgamma(1 + 2 * t) - 2 * math.lgamma(1 + t)) / t**2 if abs(t) >= 1e-5 else of_one
    return 1 / math.sqrt((size - 1) / spread + 1 / of_one)


def _trigamma(m: int) -> float:
    """The variance of the logarithm of a sum of m exponentials."""
    total = 0.0
    while m < 16:
        total += 1 / m**2
        m += 1
    return total + 1 / m + 1 / (2 * m**2) + 1 / (6 * m**3) - 1 / (30 * m**5)
