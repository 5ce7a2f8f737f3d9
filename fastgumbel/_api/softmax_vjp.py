"""`gumbel_softmax_vjp`: relaxed samples, and their cotangents carried back."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import softmax_vjp as _softmax_vjp
from fastgumbel._request.checks import flag_of, pair_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request


def gumbel_softmax_vjp(
    primals: tuple[ArrayLike, ArrayLike],
    cotangent: ArrayLike,
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
) -> tuple[NDArray[Any], tuple[NDArray[Any], Any]]:
    """Relaxed samples and gradients through them: reverse-mode derivatives.

    Parameters
    ----------
    primals : (log_potentials, tau)
        As in `gumbel_softmax`, but every temperature is above 0. Log-potentials on a device give samples and both
        gradients there, with the same bits; temperatures may come from either side, and are read from a device.
    cotangent : array_like or device array of float
        The gradient of a loss in the samples, of their shape, `size + log_potentials.shape`: one for each draw. What
        stands where a category is excluded is not looked at. With log-potentials on a device, it may come from either
        side.
    axis, size, where, rng, noise
        As in `gumbel_softmax`; the same noise gives the same samples, forward and backward.
    hard : bool, optional
        The straight-through estimator: the value is the one-hot of `gumbel_max`, the gradient goes through the relaxed
        sample. The default is False.
    log : bool, optional
        The value is the logarithm of the sample, and the cotangent that of the logarithm. The default is False.
    rao : int, optional
        Gumbel-Rao with so many samples, as in `gumbel_softmax_jvp`: the gradient is averaged over relaxed samples on
        noise conditioned on the choice. Implies `hard`; takes a field, no precomputed noise.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, a number of at least 2**46, or no category left (above -2**46): raise
        an error (the default), or make its samples and its gradient NaN; and about a row whose cotangent is not finite,
        or whose gradient is infinite in its type: an error, or a gradient of NaN. Marked rows add nothing to the
        gradient of a temperature that others share, which is infinite where the sum of these is. On a device, infinite
        gradients of finite cotangents stay as they are, and as "mark" waits for nothing, a cotangent that is not finite
        makes the gradient of the temperature NaN too.
    out : (ndarray, ndarray) or (device array, device array), optional
        Output arrays for the samples and the gradient of the log-potentials; they must have exactly their shapes and
        dtype, and lie on the device if the log-potentials do.

    Returns
    -------
    y : ndarray or device array
        The sample, as `gumbel_softmax` gives it.
    gradients : (d_log_potentials, d_tau)
        The gradients of the primals, each of its primal's shape (for a single temperature a scalar, or a device array
        of no axes), summed over the draws, `d_tau` also over the rows that share a temperature. Exactly 0 where a
        category is excluded.

    Raises
    ------
    ValueError
        If a row is invalid, if a cotangent is not finite, or so large that a gradient overflows (its row is named,
        unless it is the gradient of a temperature that others share), if a temperature is 0, if a shape does not
        fit, or if there is `rao` with an array of noise or below 1.
    TypeError
        If an argument is of the wrong type.
    ImportError, RuntimeError
        If log-potentials are a device array, and CUDA support, or a driver, is missing.

    See Also
    --------
    gumbel_softmax_jvp : forward mode, for few directions.

    Notes
    -----
    The meaning is that of ``jax.vjp``. With z = (x + G) / tau and a cotangent w, g = y (w - sum(w y)) for the sample,
    g = w - y sum(w) for its logarithm; then d_log_potentials = g / tau and d_tau = -sum(g log y) / tau, as the sum of g
    is 0. Both are added up in float64, draw by draw, and rounded once.

    References
    ----------
    .. [1] C. J. Maddison, A. Mnih and Y. W. Teh, "The Concrete distribution: a continuous relaxation of discrete random
       variables", ICLR 2017, https://doi.org/10.48550/arXiv.1611.00712
    .. [2] M. B. Paulus, C. J. Maddison and A. Krause, "Rao-Blackwellizing the straight-through Gumbel-softmax gradient
       estimator", ICLR 2021, https://doi.org/10.48550/arXiv.2010.04838

    Examples
    --------
    The gradient of the mean of ``w @ y`` over 100 draws:

    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x, w, field = np.log([1.0, 2.0, 7.0]), np.array([0.0, 1.0, 3.0]), fg.NoiseField(1)
    >>> y, (dx, dtau) = fg.gumbel_softmax_vjp((x, 0.5), np.tile(w / 100, (100, 1)), size=100, noise=field)
    >>> y.shape, dx.shape
    ((100, 3), (3,))
    >>> def loss(x, tau):
    ...     return (fg.gumbel_softmax(x, tau, size=100, noise=field) @ w).mean()
    >>> step = 1e-6
    >>> bool(abs((loss(x, 0.5 + step) - loss(x, 0.5)) / step - dtau) < 1e-4)
    True
    >>> moved = [(loss(x + step * e, 0.5) - loss(x, 0.5)) / step for e in np.eye(3)]
    >>> bool(np.allclose(moved, dx, atol=1e-4))
    True
    """
    x, tau = pair_of(primals, "primals", "(log_potentials, tau)")
    request = Request(x, axis, size, where, rng, noise, invalid)
    results: tuple[NDArray[Any], tuple[NDArray[Any], Any]] = request.served_by(_softmax_vjp).sample(
        request, tau, cotangent, flag_of(hard, "hard"), flag_of(log, "log"), rao, out
    )
    return results
