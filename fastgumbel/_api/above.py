"""`gumbel_above`: Poisson samples, all categories above a threshold."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import above as _above
from fastgumbel._request.arrays import HOST
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request


def gumbel_above(
    log_potentials: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
) -> tuple[tuple[NDArray[np.intp], ...], NDArray[np.float64]]:
    """Sample categories independently: all whose perturbed value is above a threshold.

    Parameters
    ----------
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Category c is in the sample with probability 1 - exp(-exp((x_c -
        threshold) / temperature)); -inf excludes it. Device arrays are refused: copy them to the host, or use
        `gumbel_top_k`, which takes them.
    threshold : array_like of float, optional
        What perturbed values must be above, default 0; -inf lets in all categories that are left, +inf none. Broadcasts
        to the batch, and may have an axis of one item where the categories are: one for each row. Or of exactly the
        shape `size + batch`: one for each draw of a row, as `gumbel_top_k` returns it.
    axis : int, optional
        The axis of the categories; the default is the last. It is the last one of the coordinates all the same.
    size : int or tuple of ints, optional
        Draws of every row: these axes come first.
    where : array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField or array_like, optional
        Noise field to read instead, with its coordinates; or an array of noise, of the shape of `log_potentials` with
        the axes of `size` before it: finite, also times the temperature, or -inf, which excludes its place.
    temperature : array_like of float, optional
        Factor of the noise, from 0 to 1e300, default 1. 0 compares the log-potentials themselves. Broadcasts to the
        batch, and may have an axis of one item where the categories are: one for each row.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN or a number of at least 2**46, or whose threshold is NaN: raise an error (the
        default), or leave such a row without a sample; `diagnose` tells which rows these are. A row of which no
        category is left (above -2**46) has an empty sample, and is not invalid.

    Returns
    -------
    coordinates : tuple of ndarray of intp
        Where the categories stand in an array of shape `size + batch + (n,)`, in C order, as `numpy.nonzero` gives it:
        an array for each axis, of one item for each category that is in a sample. For a single row it has one array,
        the categories.
    values : ndarray of float64
        Their perturbed values, of the same length.

    Raises
    ------
    ValueError
        If a row is invalid: the first one and its first bad category are named. If a shape or a value does not fit.
    TypeError
        If an argument is of the wrong type.

    See Also
    --------
    gumbel_top_k : a sample of fixed size from the same noise.
    gumbel_max : the largest perturbed value of a row.

    Notes
    -----
    Defined by float64(x_c) + T G(key, row, draw, c) > threshold in float64, with one rounding, at temperature T, for
    every input type. Categories are in the sample independently of each other: this is Poisson sampling (Hajek 1964).
    Its size is random, with the sum of the probabilities as expectation, and at most that as variance. A row has about
    m categories at the threshold logsumexp(x) - log(m), if none of them is likely by itself. Where p are probabilities,
    x = log(-S log1p(-p)) with the threshold 0 lets each category in as often as S draws with replacement would pick it
    at least once: with 1 - (1 - p) ** S.

    The noise of a category stays with it (permanent random numbers, Ohlsson 1995). So a higher threshold gives a
    subset, samples of two years or scenarios have as much in common as their probabilities allow, and the threshold of
    `gumbel_top_k` gives its sample (but for equal values). A sum over all categories has the unbiased estimate of
    Horvitz and Thompson (1952), the sum over the sample of f(c) divided by the probability of c. In a choice model
    that is estimated on sampled alternatives, the one that was chosen is added to them if it is not there, and every
    alternative's utility has the correction -log(probability) (McFadden 1978).

    Blocks of 64 categories that cannot reach the threshold are never drawn. Extra memory: about a MiB a
    thread, 9 bytes a row and draw, and the result once more.

    References
    ----------
    .. [1] J. Hajek, "Asymptotic theory of rejective sampling with varying probabilities from a finite population",
       Annals of Mathematical Statistics 35, 1964, https://doi.org/10.1214/aoms/1177700375
    .. [2] E. Ohlsson, "Coordination of samples using permanent random numbers", in: Business Survey Methods, Wiley
       1995, https://doi.org/10.1002/9781118150504.ch9
    .. [3] D. G. Horvitz and D. J. Thompson, "A generalization of sampling without replacement from a finite universe",
       Journal of the American Statistical Association 47, 1952, https://doi.org/10.1080/01621459.1952.10483446
    .. [4] D. McFadden, "Modelling the choice of residential location", in: Spatial Interaction Theory and Planning
       Models, North-Holland 1978

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log([[1.0, 2.0, 0.5], [0.1, 3.0, 1.0]])
    >>> (row, category), values = fg.gumbel_above(x, rng=0)
    >>> row, category
    (array([0, 0, 1, 1]), array([0, 1, 1, 2]))

    Each of 500 households samples destinations from 1,454 zones, about 30 of them, in proportion to their size.

    >>> size = np.random.default_rng(0).gamma(1.0, size=1454)
    >>> x = np.log(30 * size / size.sum())
    >>> probability = -np.expm1(-np.exp(x))
    >>> float(probability.sum().round(1))
    29.4
    >>> (household, zone), _ = fg.gumbel_above(np.broadcast_to(x, (500, 1454)), rng=1)
    >>> float(np.bincount(household, minlength=500).mean().round(1))
    29.3

    Their choice is then modelled on these, with the sampling correction; and a sum over all zones is estimated.

    >>> correction = -np.log(probability[zone])
    >>> estimates = np.bincount(household, size[zone] / probability[zone], minlength=500)
    >>> bool(abs(estimates.mean() / size.sum() - 1) < 0.02)
    True

    With ``axis=0`` the coordinates are those of the transposed array, the categories last:

    >>> y = np.log(np.array([[1.0, 0.1], [2.0, 3.0], [0.5, 1.0]]))
    >>> [np.array_equal(a, b) for a, b in zip(fg.gumbel_above(y, axis=0, rng=0)[0], (row, category))]
    [True, True]

    The threshold of the ten largest gives these ten:

    >>> best, _, threshold = fg.gumbel_top_k(x, 10, rng=2, return_threshold=True)
    >>> (above,), _ = fg.gumbel_above(x, threshold, rng=2)
    >>> np.array_equal(above, np.sort(best))
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, HOST)
    request.scale_noise(temperature)
    sample: tuple[tuple[NDArray[Any], ...], NDArray[Any]] = _above.sample(request, request.thresholds(threshold))
    return sample
