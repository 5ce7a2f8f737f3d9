"""`gumbel_top_k`: samples without replacement, best first."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import top as _top
from fastgumbel._request.checks import flag_of, places_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request


@overload
def gumbel_top_k(
    log_potentials: ArrayLike,
    k: int,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_threshold: Literal[False] = False,
    invalid: Literal["raise", "mark"] = "raise",
    out: tuple[NDArray[np.intp], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]: ...


@overload
def gumbel_top_k(
    log_potentials: ArrayLike,
    k: int,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_threshold: Literal[True],
    invalid: Literal["raise", "mark"] = "raise",
    out: tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]: ...


@overload
def gumbel_top_k(
    log_potentials: ArrayLike,
    k: int,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_threshold: bool,
    invalid: Literal["raise", "mark"] = "raise",
    out: tuple[NDArray[Any], ...] | None = None,
) -> tuple[NDArray[Any], ...]: ...


def gumbel_top_k(
    log_potentials: ArrayLike,
    k: int,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_threshold: bool = False,
    invalid: Literal["raise", "mark"] = "raise",
    out: Any = None,
) -> Any:
    """Sample k categories without replacement, best first.

    Parameters
    ----------
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights; -inf excludes a category. A
        device array, anything with `__cuda_array_interface__`, is sampled on its device, on the stream that it names,
        with the same bits; then `out`, and `noise` if it is an array, must be device arrays too.
    k : int
        How many, from 1 to n.
    axis : int, optional
        The axis of the categories; in the results it counts the ranks.
    size : int or tuple of ints, optional
        Draws of every row: these axes come first.
    where : array_like or device array of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField or array_like, optional
        Noise field to read instead, with its coordinates; or an array of noise, of the shape of `log_potentials` with
        the axes of `size` before it: finite, also times the temperature, or -inf, which excludes its place.
    temperature : array_like of float, optional
        Factor of the noise, from 0 to 1e300, default 1: P(c) is proportional to exp(x_c / temperature), and values stay
        in units of the log-potentials. 0 is the plain stable sort. Broadcasts to the batch, and may have an axis of one
        item where the categories are: one for each row.
    return_threshold : bool, optional
        Also return the (k+1)-th largest perturbed value, -inf where there is no further category.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN or a number of at least 2**46, or with fewer than k categories left
        (above -2**46): raise an error (the default); or mark it. In the first case all its indices are -1, its
        values and threshold NaN. In the second the categories that are left come first, as ever, and the places that
        stay empty have index -1 and value -inf. On a device, "raise" waits for the result, and "mark" does not: so
        it also marks rows whose `noise` is an array and not finite, for which there is an error elsewhere.
    out : tuple of ndarray or device array, optional
        Output arrays, as many as are returned; they must have exactly the results' shapes and dtypes.

    Returns
    -------
    indices : ndarray or device array of intp
        Shape `size + batch + (k,)` for the default axis.
    values : ndarray or device array of float64
        Their perturbed values, of the same shape, falling.
    threshold : ndarray or device array of float64
        Shape `size + batch`; only with `return_threshold`.

    Raises
    ------
    ValueError
        If a row is invalid: the first one is named. If k, a shape or a value does not fit.
    TypeError
        If an argument is of the wrong type.
    ImportError, RuntimeError
        If `log_potentials` is a device array, and CUDA support, or a driver, is missing.

    See Also
    --------
    gumbel_max : the first of the k, from the same noise.

    Notes
    -----
    Defined by float64(x_c) + T G(key, row, draw, c) in float64, with one rounding, at the temperature T; of equal
    values the first index comes first. The order is a Plackett-Luce ranking: each next category is drawn in proportion
    to exp(x / T) among those that are left (Yellott 1977; Efraimidis and Spirakis 2006; Kool, van Hoof and Welling
    2019). For small k noise that cannot matter is never computed. On a device, noise of rows that are not at least 64
    times as long, or that is an array, takes scratch memory: 16 bytes a category of one row, or of as many as 128 MiB
    hold; for k beyond 512, which take a sort of whole rows, up to 32.

    With the threshold t, a category of the sample was included with probability 1 - exp(-exp((x_c - t) / T)), given t.
    So the sum of f(c) exp(x_c / T) over all categories has the unbiased estimate: the sum over the sample of f(c)
    exp(x_c / T) / (1 - exp(-exp((x_c - t) / T))) (Vieira 2017; Kool et al. 2019; in priority sampling, Duffield, Lund
    and Thorup 2007).

    References
    ----------
    .. [1] J. I. Yellott, "The relationship between Luce's choice axiom, Thurstone's theory of comparative judgment,
       and the double exponential distribution", Journal of Mathematical Psychology 15, 1977,
       https://doi.org/10.1016/0022-2496(77)90026-8
    .. [2] P. S. Efraimidis and P. G. Spirakis, "Weighted random sampling with a reservoir", Information Processing
       Letters 97, 2006, https://doi.org/10.1016/j.ipl.2005.11.003
    .. [3] W. Kool, H. van Hoof and M. Welling, "Stochastic beams and where to find them", ICML 2019,
       https://doi.org/10.48550/arXiv.1903.06059
    .. [4] N. Duffield, C. Lund and M. Thorup, "Priority sampling for estimation of arbitrary subset sums", Journal of
       the ACM 54, 2007, https://doi.org/10.1145/1314690.1314696

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log(np.arange(1.0, 1001.0))
    >>> indices, values = fg.gumbel_top_k(x, 3, rng=0)
    >>> bool(indices[0] == fg.gumbel_max(x, rng=0))
    True

    A sum over 1,000 categories from 100 of them, with its importance weights:

    >>> indices, values, threshold = fg.gumbel_top_k(x, 100, rng=0, return_threshold=True)
    >>> weights = np.exp(x[indices]) / -np.expm1(-np.exp(x[indices] - threshold))
    >>> bool(abs(weights.sum() / np.exp(x).sum() - 1) < 0.1)
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid)
    places = places_of(k, request.n)
    request.scale_noise(temperature)
    return request.served_by(_top).sample(request, places, flag_of(return_threshold, "return_threshold"), out)
