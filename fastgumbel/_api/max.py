"""`gumbel_max`: the hard sample."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import max as _max
from fastgumbel._host.max import search_few
from fastgumbel._request.checks import flag_of
from fastgumbel._request.coordinates import field_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request


@overload
def gumbel_max(
    log_potentials: ArrayLike,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_max: Literal[False] = False,
    invalid: Literal["raise", "mark"] = "raise",
    out: None = None,
) -> Any: ...


@overload
def gumbel_max(
    log_potentials: ArrayLike,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_max: Literal[False] = False,
    invalid: Literal["raise", "mark"] = "raise",
    out: NDArray[np.intp],
) -> NDArray[np.intp]: ...


@overload
def gumbel_max(
    log_potentials: ArrayLike,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_max: Literal[True],
    invalid: Literal["raise", "mark"] = "raise",
    out: tuple[NDArray[np.intp], NDArray[np.float64]] | None = None,
) -> tuple[Any, Any]: ...


@overload
def gumbel_max(
    log_potentials: ArrayLike,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_max: bool,
    invalid: Literal["raise", "mark"] = "raise",
    out: Any = None,
) -> Any: ...


def gumbel_max(
    log_potentials: ArrayLike,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    return_max: bool = False,
    invalid: Literal["raise", "mark"] = "raise",
    out: Any = None,
) -> Any:
    """Sample categories from log-potentials: the argmax of them plus Gumbel noise.

    Parameters
    ----------
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights, as they come; -inf excludes a
        category. A device array, anything with `__cuda_array_interface__`, is sampled on its device, on the stream that
        it names, with the same bits; then `out`, and `noise` if it is an array, must be device arrays too.
    axis : int, optional
        The axis of the categories; the default is the last.
    size : int or tuple of ints, optional
        Draws of every row: these axes come before the batch.
    where : array_like or device array of bool, optional
        Broadcasts to `log_potentials`; False excludes a category, whatever its log-potential.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField or array_like, optional
        Noise field to read instead, with its coordinates; or an array of noise, of the shape of `log_potentials` with
        the axes of `size` before it: finite, also times the temperature, or -inf, which excludes its place.
    temperature : array_like of float, optional
        Factor of the noise, from 0 to 1e300, default 1: P(c) is proportional to exp(x_c / temperature), and values stay
        in units of the log-potentials. 0 is the plain argmax. Broadcasts to the batch, and may have an axis of one item
        where the categories are: one for each row.
    return_max : bool, optional
        Also return the perturbed value of the sample. Its law is T (logsumexp(log_potentials / T) + Gumbel) at the
        temperature T, whatever the sample; the larger of the values of two shards tells which shard's sample is that of
        the whole.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, a number of at least 2**46, or no category left (above -2**46): raise
        an error (the default), or mark the row alone with index -1 and value NaN. On a device, "raise" waits
        for the result, and "mark" does not: so it also marks rows whose `noise` is an array and not finite, for
        which there is an error elsewhere. -1 is a valid NumPy index: look at the marks first, and see
        `diagnose` for what is wrong.
    out : ndarray of intp, or with `return_max` a pair (intp, float64), optional
        Output array; must have exactly the result's shape and dtype.

    Returns
    -------
    index : ndarray or device array of intp
        Of shape `size + batch`, counted along the axis, also where the field has category ids.
    value : ndarray or device array of float64
        Of the same shape; only with `return_max`.

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
    gumbel : the noise that is added.

    Notes
    -----
    Defined as the first argmax over c of float64(x_c) + T G(key, row, draw, c) in float64, with one rounding, for every
    input type, and equal to it bit for bit; but noise that cannot win is never computed. At the temperature T, P(c) =
    exp(x_c / T) / sum_j exp(x_j / T), by the Gumbel-max trick (Gumbel 1954; Maddison, Tarlow and Minka 2014). The
    result depends neither on threads, nor on which rows share a call if row ids are given (`NoiseField.at`). Extra
    memory: some KiB a thread, plus 8 bytes for 64 categories of a row where `size` is given; with category ids, up to a
    MiB a thread, and on a device the ids, and noise of one row and draw, or of as many as 64 MiB hold.

    References
    ----------
    .. [1] J. I. Yellott, "The relationship between Luce's choice axiom, Thurstone's theory of comparative judgment,
       and the double exponential distribution", Journal of Mathematical Psychology 15, 1977,
       https://doi.org/10.1016/0022-2496(77)90026-8
    .. [2] C. J. Maddison, D. Tarlow and T. Minka, "A* sampling", NeurIPS 2014, https://doi.org/10.48550/arXiv.1411.0030

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.log([[1, 2, 7], [5, 5, 0]], where=[[True] * 3, [True, True, False]], out=np.full((2, 3), -np.inf))
    >>> draws = fg.gumbel_max(x, size=100_000, rng=0)
    >>> draws.shape
    (100000, 2)
    >>> (np.bincount(draws[:, 0]) / 100_000).round(2)
    array([0.1, 0.2, 0.7])

    The same noise before and after a change: only those who gain from it react.

    >>> field = fg.NoiseField(1)
    >>> before = fg.gumbel_max(np.zeros((1000, 3)), noise=field)
    >>> after = fg.gumbel_max(np.zeros((1000, 3)) + [0.5, 0, 0], noise=field)
    >>> bool((after[before != after] == 0).all())
    True

    Of choosers who are alike, those with a low temperature err less often:

    >>> temperature = np.repeat([0.1, 2.0], 5000)
    >>> choices = fg.gumbel_max(np.tile([0.0, 0.5], (10_000, 1)), temperature=temperature, rng=0)
    >>> choices.reshape(2, 5000).mean(-1).round(2)
    array([0.99, 0.57])

    Each of 1,000 choosers faces 30 of 5,000 zones, and keeps its taste for a zone wherever it stands.

    >>> zones = fg.gumbel_top_k(np.zeros((1000, 5000)), 30, rng=1)[0]
    >>> utilities = np.random.default_rng(0).normal(size=5000)
    >>> place = fg.gumbel_max(utilities[zones], noise=field.at(categories=zones))
    >>> again = fg.gumbel_max(utilities[zones[:, ::-1]], noise=field.at(categories=zones[:, ::-1]))
    >>> chooser = np.arange(1000)
    >>> bool((zones[chooser, place] == zones[:, ::-1][chooser, again]).all())
    True
    """
    plain = size is None and where is None and out is None and return_max is False
    if plain and type(invalid) is str and invalid == "raise":
        sample = None
        if type(noise) is NoiseField and rng is None:
            sample = search_few(log_potentials, axis, noise, temperature)
        elif noise is None and type(rng) is int:
            sample = search_few(log_potentials, axis, field_of(rng, None), temperature)
        if sample is not None:
            return sample
    request = Request(log_potentials, axis, size, where, rng, noise, invalid)
    request.scale_noise(temperature)
    return request.served_by(_max).sample(request, flag_of(return_max, "return_max"), out)
