"""`categorical`: draws of the same law that read no field."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import categorical as _categorical
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request


@overload
def categorical(
    log_potentials: ArrayLike,
    size: int,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
    out: None = None,
) -> NDArray[np.intp]: ...


@overload
def categorical(
    log_potentials: ArrayLike,
    size: int | tuple[int, ...] | None = None,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
    out: NDArray[np.intp],
) -> NDArray[np.intp]: ...


@overload
def categorical(
    log_potentials: ArrayLike,
    size: int | tuple[int, ...] | None = None,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
    out: None = None,
) -> Any: ...


def categorical(
    log_potentials: ArrayLike,
    size: int | tuple[int, ...] | None = None,
    *,
    axis: int = -1,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
    out: Any = None,
) -> Any:
    """Sample categories from log-potentials, at one uniform number a draw.

    The fastest way to very many draws from one distribution, and to one draw from each of very many short rows. Use
    `gumbel_max` instead where a draw must react to a change of log-potentials only if its own category gains or loses
    by it, where shards of a row are sampled apart, where relaxed samples or ranks go with it, and for a few draws of
    long rows.

    Parameters
    ----------
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights, as they come; -inf excludes a
        category. A device array, anything with `__cuda_array_interface__`, is sampled on its device, on the stream that
        it names, with the same bits; then `out` must be a device array too.
    size : int or tuple of ints, optional
        Draws of every row: these axes come before the batch.
    axis : int, optional
        The axis of the categories; the default is the last.
    where : array_like or device array of bool, optional
        Broadcasts to `log_potentials`; False excludes a category, whatever its log-potential.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the draws; see `NoiseField`.
    noise : NoiseField, optional
        Names the draws instead, by key, row ids and first draw. The field's numbers are not read: draws are independent
        of all other functions' on the same field. `start` must be 0, and there must be no category ids, which these
        draws do not read.
    temperature : array_like of float, optional
        From 0 to 1e300, default 1: P(c) is proportional to exp(x_c / temperature), and 0 is the plain argmax.
        Broadcasts to the batch, and may have an axis of one item where the categories are: one for each row.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, a number of at least 2**46, or no category left (above -2**46): raise
        an error (the default), or mark the row alone with -1. On a device, "raise" waits for the result, and
        "mark" does not.
    out : ndarray or device array of intp, optional
        Output array; must have exactly the result's shape and dtype.

    Returns
    -------
    ndarray or device array of intp
        Of shape `size + batch`, counted along the axis; `out` where it is given.

    Raises
    ------
    ValueError
        If a row is invalid: the first one and its first bad category are named. If a shape or a value does not fit.
    TypeError
        If an argument is of the wrong type.
    ImportError, RuntimeError
        If `log_potentials` is a device array, and CUDA support, or a driver, is missing.

    See Also
    --------
    gumbel_max : the same law on a noise field.

    Notes
    -----
    P(c) = exp(x_c / T) / sum_j exp(x_j / T) at the temperature T, by inversion of the distribution function (Devroye
    1986, chapter III.2; with a guide table, Chen and Asau 1974). A draw is a function of the key, the row id, the draw
    and the row's log-potentials: neither threads, nor `size`, nor which rows share a call can change it. exp((x_c -
    max(x)) / T) in float64 is rounded to a grid of 2**-60 of the sum or finer (for up to 2**30 categories), and all
    that follows is exact arithmetic of integers, with 64 random bits a draw: P(c) is off by at most 2**-60 + P(c)
    (2**-47 + n 2**-60). A category far below that grid is never drawn, and an excluded one never is either.

    Extra memory, a thread: 8 bytes a category of one row, and 8 to 32 more where many draws make a guide table worth
    its while. On a device: 8 bytes a category of one row, or of as many rows as 128 MiB hold.

    References
    ----------
    .. [1] L. Devroye, "Non-uniform random variate generation", 1986, https://doi.org/10.1007/978-1-4613-8643-8
    .. [2] H.-C. Chen and Y. Asau, "On generating random variates from an empirical distribution", AIIE Transactions 6,
       1974, https://doi.org/10.1080/05695557408974949

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log([1.0, 2.0, 7.0])
    >>> draws = fg.categorical(x, 1_000_000, rng=0)
    >>> (np.bincount(draws) / 1_000_000).round(2)
    array([0.1, 0.2, 0.7])

    One draw from each of many rows, and one of them again:

    >>> rows = np.random.default_rng(0).normal(size=(1000, 10))
    >>> field = fg.NoiseField(1)
    >>> choices = fg.categorical(rows, noise=field)
    >>> choices.shape
    (1000,)
    >>> bool(fg.categorical(rows[17], noise=field.at(rows=17)) == choices[17])
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, field_only=True)
    request.scale_noise(temperature)
    return request.served_by(_categorical).sample(request, out)
