"""`perturb`: perturbed values, and the family of increasing maps of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import perturb as _perturb
from fastgumbel._host.perturb import EXPONENTIAL, GUMBEL, UNIFORM, Map
from fastgumbel._request.arrays import HOST
from fastgumbel._request.checks import choice_of, real_array, shape_parameter
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request

# So many values of a part are put in order to see whether a callable rises, but for what its own rounding can do.
_IN_ORDER = 4096
_ROUNDING = 1e-9


def perturb(
    log_potentials: ArrayLike,
    trick: str | Callable[[NDArray[np.float64]], ArrayLike] = "gumbel",
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
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
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
        The axis of the categories; the default is the last.
    size : int or tuple of ints, optional
        Draws of every row: these axes come first.
    where : array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField or array_like, optional
        Noise field to read instead, with its coordinates; or an array of noise, of the result's shape: finite, or -inf,
        which excludes its place.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, a number of at least 2**46, or no category left (above -2**46): raise
        an error (the default), or make the row alone NaN.
    out : ndarray of float64, optional
        Output array; must have exactly the result's shape and dtype.

    Returns
    -------
    ndarray of float64
        Of shape `size + log_potentials.shape`. On a noise field all named tricks give finite numbers to categories
        that are left, and the least value of the trick to those that are excluded: -inf, or 0 for "uniform" and
        "frechet".

    Raises
    ------
    ValueError
        If a row is invalid: the first one and its first bad category are named. If a callable gives NaN, or falls where
        the best of a row, or some thousand values of each part, tell so. If a shape or a value does not fit.
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
    is due to Efraimidis and Spirakis (2006). There is no `temperature`, as of most tricks it could mean two things: for
    weights exp(x / T) pass x / T; the values of `gumbel_max` at the temperature T are then T times those of "gumbel",
    but for roundings. Only the noise and "gumbel" have the same bits on all machines: the maps
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

    def finish(v: NDArray[np.float64], x: NDArray[Any]) -> None:
        if function is not None:
            values = _called(function, v)
            # Log-potentials that are NaN are another matter.
            nan = np.isnan(values) & ~np.isnan(x)
            if nan.any():
                raise ValueError(f"trick must give numbers, but gives nan for {v[nan][0]}")
            _check_order(v, values)
            v[...] = values

    request = Request(log_potentials, axis, size, where, rng, noise, invalid, HOST)
    values: NDArray[np.float64] = _perturb.sample(request, mapped, None if function is None else finish, out)
    return values


def _trick_of(trick: Any, alpha: Any) -> tuple[Map, Callable[[NDArray[np.float64]], ArrayLike] | None]:
    """The map of perturbed values that a trick is, and a function to follow."""
    if callable(trick):
        if alpha is not None:
            raise ValueError("alpha is for 'weibull' and 'frechet', not for a callable")
        if not (np.diff(_called(trick, np.arange(1, 8) / 8)) > 0).all():
            raise ValueError("trick must be strictly increasing, but is not at 1/8, 2/8, ..., 7/8")
        return UNIFORM, trick
    name = choice_of(trick, "trick", ("gumbel", "exponential", "uniform", "weibull", "frechet"))
    shape = shape_parameter(name, alpha, 0.0)
    named = {"gumbel": GUMBEL, "exponential": EXPONENTIAL, "uniform": UNIFORM}
    if name in named:
        return named[name], None
    return (_perturb.weibull if name == "weibull" else _perturb.frechet)(shape), None


def _check_order(before: NDArray[np.float64], after: NDArray[np.float64]) -> None:
    """Refuse values of which the best of a line is not the best any more, or of some thousand the order is another."""
    best = before.argmax(-1)[:, np.newaxis]
    _check_rise(np.take_along_axis(before, best, -1)[:, 0], after.max(-1), np.take_along_axis(after, best, -1)[:, 0])
    step = max(1, before.size // _IN_ORDER)
    some, mapped = before.reshape(-1)[::step], after.reshape(-1)[::step]
    order = some.argsort()
    _check_rise(some[order][1:], mapped[order][:-1], mapped[order][1:])


def _check_rise(points: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """Refuse values that are higher for less than for these points, but for roundings."""
    with np.errstate(all="ignore"):
        falls = high < low - np.where(np.isfinite(low), _ROUNDING * np.abs(low), 0)
    if falls.any():
        at = int(falls.argmax())
        raise ValueError(
            f"trick must be strictly increasing, but gives {high[at]} for {points[at]}, and {low[at]} for less"
        )


def _called(function: Callable[[NDArray[np.float64]], ArrayLike], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a user's function gives for points: as many real numbers."""
    # At the ends of the range it may well be infinite.
    with np.errstate(all="ignore"):
        values = real_array(function(points.copy()), "what trick returns")
    if values.shape != points.shape:
        raise ValueError(f"what trick returns must have the shape of its argument, {points.shape}, not {values.shape}")
    return values.astype(np.float64, copy=False)
