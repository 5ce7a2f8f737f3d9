"""`gumbel_softmax`, the relaxed sample, and `gumbel_softmax_jvp`, the same with derivatives."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import softmax as _softmax
from fastgumbel._request.checks import flag_of, pair_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request


def gumbel_softmax(
    log_potentials: ArrayLike,
    tau: ArrayLike = 1.0,
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
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights; -inf excludes a category. A
        device array, anything with `__cuda_array_interface__`, is sampled on its device, on the stream that it names,
        with the same bits; then `out`, and `noise` if it is an array, must be device arrays too.
    tau : array_like of float, optional
        Temperature, finite and at least 0; an array broadcasts to the batch, and may have an axis of one item where the
        categories are. 0 is the hard limit, a one-hot. A device array beside log-potentials on a device is waited for
        and read.
    axis : int, optional
        The axis of the categories; the default is the last.
    size : int or tuple of ints, optional
        Draws of every row: these axes come first.
    where : array_like or device array of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    hard : bool, optional
        The one-hot of `gumbel_max` on the same noise instead.
    log : bool, optional
        The logarithm of the sample instead: finite also where the sample underflows.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField or array_like, optional
        Noise field to read instead, with its coordinates; or an array of noise, of the result's shape: finite, or -inf,
        which excludes its place.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, a number of at least 2**46, or no category left (above -2**46): raise
        an error (the default), or make the row alone NaN. On a device, "raise" waits for the result, and "mark"
        does not: so it also marks rows whose `noise` is an array and not finite, for which there is an error
        elsewhere.
    out : ndarray, optional
        Output array; must have exactly the result's shape and dtype.

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
    request = Request(log_potentials, axis, size, where, rng, noise, invalid)
    y: NDArray[Any] = request.served_by(_softmax).sample(request, tau, flag_of(hard, "hard"), flag_of(log, "log"), out)
    return y


def gumbel_softmax_jvp(
    primals: tuple[ArrayLike, ArrayLike],
    tangents: tuple[ArrayLike | None, ArrayLike | None],
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
        Of the shapes of the primals (`d_tau` may have that of the batch, too), or None for zero. An axis of
        directions may come before: then there is a tangent for each, on one noise. Of `d_tau` alone, it comes before
        all axes of the batch.
    axis, size, where, rng, noise, invalid
        As in `gumbel_softmax`; `axis` counts the axes of the log-potentials. With `invalid="mark"`, a row of
        `d_log_potentials` that are not finite has tangents of NaN; on a device they come out as they may, as nothing is
        waited for. `d_tau` must be finite.
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
        Output arrays for both; they must have exactly the results' shapes and dtype.

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
    gumbel_softmax_vjp : reverse mode.
    gumbel_given_choice : the conditioned noise of Gumbel-Rao.

    Notes
    -----
    With z = (x + G) / tau and dz = (dx - z dtau) / tau, the tangent is y (dz - sum(y dz)), of the logarithm
    dz - sum(y dz). The Jacobian of the sample in the log-potentials, (diag(y) - y y') / tau, is symmetric, that of its
    logarithm, (I - 1 y') / tau, is not; `gumbel_softmax_vjp` carries gradients back through either, one for each draw.
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
    """
    x, tau = pair_of(primals, "primals", "(log_potentials, tau)")
    slopes = pair_of(tangents, "tangents", "(d_log_potentials, d_tau)")
    request = Request(x, axis, size, where, rng, noise, invalid)
    pair: tuple[NDArray[Any], NDArray[Any]] = request.served_by(_softmax).sample_jvp(
        request, tau, slopes, flag_of(hard, "hard"), flag_of(log, "log"), rao, out
    )
    return pair
