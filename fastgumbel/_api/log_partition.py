"""`log_partition`: what the maxima of perturbed values tell about logsumexp."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from numpy.typing import ArrayLike

from fastgumbel._host import log_partition as _log_partition
from fastgumbel._request.arrays import HOST
from fastgumbel._request.checks import choice_of, shape_parameter
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request
from fastgumbel._request.scalars import whole


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
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights; -inf excludes a category.
        Device arrays are refused.
    size : int
        Maxima of every row, M in what follows; at least 1.
    trick : {"gumbel", "exponential", "weibull", "frechet"}, optional
        Which values are maximised, as in `perturb`.
    alpha : float, optional
        The shape for "weibull" and "frechet", and only for them: above 0.01 and above 1.
    axis : int, optional
        The axis of the categories; the default is the last.
    where : array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField or array_like, optional
        Noise field to read instead, with its coordinates; or an array of noise, of shape
        `(size,) + log_potentials.shape`: finite, or -inf, which excludes its place.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, a number of at least 2**46, or no category left (above -2**46): raise
        an error (the default), or make the row alone NaN.

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

    There is no `temperature`: to estimate logsumexp(x / T) pass x / T; for a soft maximum, T logsumexp(x / T), multiply
    the estimate and its standard error by T.

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
    power = _power_of(trick, alpha)
    request = Request(log_potentials, axis, whole(size, "size", 1), where, rng, noise, invalid, HOST)
    return LogPartition(*_log_partition.estimate(request, power))


def _power_of(trick: Any, alpha: Any) -> float:
    """The t of the family of estimators."""
    name = choice_of(trick, "trick", ("gumbel", "exponential", "weibull", "frechet"))
    shape = shape_parameter(name, alpha, 1.0 if name == "frechet" else 0.01)
    return {"gumbel": 0.0, "exponential": 1.0, "weibull": 1 / shape, "frechet": -1 / shape}[name]
