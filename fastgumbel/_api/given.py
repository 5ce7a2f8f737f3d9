"""`gumbel_given_choice`: noise conditioned on an observed choice."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import given as _given
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.request import Request


def gumbel_given_choice(
    log_potentials: ArrayLike,
    choice: ArrayLike,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Gumbel noise conditioned on the choice that it led to.

    Parameters
    ----------
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Unnormalised logarithms of weights; -inf excludes a category. A
        device array, anything with `__cuda_array_interface__`, is read on its device, on the stream that it names, and
        the noise has the same bits; then `out` must be a device array too.
    choice : array_like of int
        The observed choices, of shape `batch` or `size + batch`; beside log-potentials on a device, on either side.
    axis : int, optional
        The axis of the categories; the default is the last.
    size : int or tuple of ints, optional
        Draws of every row: these axes come first.
    where : array_like or device array of bool, optional
        Broadcasts to `log_potentials`; False excludes a category.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the noise field; see `NoiseField`.
    noise : NoiseField, optional
        Noise field to read instead, with its coordinates. Conditioned noise reads words that no other function reads,
        so it is independent of the field's own noise; its categories, and category ids, are below 2**31 - 4.
    temperature : array_like of float, optional
        Factor of the noise, from 0 to 1e300, default 1, as in `gumbel_max`: the choice is the argmax of log-potentials
        plus temperature times noise. At 0 it must be the first of the largest, and the noise is not conditioned.
        Broadcasts to the batch, and may have an axis of one item where the categories are: one for each row.
    invalid : {"raise", "mark"}, optional
        What to do about a row with NaN, a number of at least 2**46, or no category left (above -2**46): raise
        an error (the default), or make the row alone NaN. On a device, "raise" waits for the result, and "mark"
        does not: so it also marks rows of which no choice is left.
    out : ndarray, optional
        Output array; must have exactly the result's shape and dtype.

    Returns
    -------
    ndarray or device array
        Of shape `size + log_potentials.shape`; float32 for float16 and float32, else float64. On this noise, at this
        temperature, `gumbel_max` gives the choice. Finite in a valid row. Excluded categories get noise that is not
        conditioned, and places that category ids leave empty get 0.

    Raises
    ------
    ValueError
        If a row is invalid, a choice is out of range or excluded, a temperature so low that noise given the choice is
        infinite, or on a device, may be (the row is named), a category lies beyond 2**31 - 5, or a shape does not fit.
    TypeError
        If an argument is of the wrong type.
    ImportError, RuntimeError
        If `log_potentials` is a device array, and CUDA support, or a driver, is missing.

    See Also
    --------
    gumbel_max : what the choice is the result of.

    Notes
    -----
    Top-down: the choice's perturbed value is logsumexp(x) + Gumbel, whatever the choice, and the others are Gumbels
    truncated below it (Maddison, Tarlow and Minka 2014). With t exponential of rate sum(exp(x)), which is the choice's
    arrival: G = -log(t exp(x_c) + e_c), where e_c is 0 for the choice and Exp(1) for the others. At a temperature T,
    x / T takes the place of x; the noise is that of x / T, to the bit where T is a power of two.

    Two uses. A counterfactual: what would this traveller, who took the train, choose at another fare? Add the noise
    given the choice to the other log-potentials (Oberst and Sontag 2019). And Gumbel-Rao, which averages gradients over
    noise that leaves the sample as it is: `gumbel_softmax_jvp` with `rao`.

    References
    ----------
    .. [1] C. J. Maddison, D. Tarlow and T. Minka, "A* sampling", NeurIPS 2014, https://doi.org/10.48550/arXiv.1411.0030
    .. [2] M. Oberst and D. Sontag, "Counterfactual off-policy evaluation with Gumbel-max structural causal models",
       ICML 2019, https://doi.org/10.48550/arXiv.1905.05824

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> utilities = np.array([1.0, 2.0, 0.5])
    >>> g = fg.gumbel_given_choice(utilities, 0, size=1000, rng=1)
    >>> bool(((utilities + g).argmax(-1) == 0).all())
    True

    Of those who chose the first, how many would with 1 less?

    >>> still = ((utilities - [1, 0, 0] + g).argmax(-1) == 0).mean()
    >>> afresh = (fg.gumbel_max(utilities - [1, 0, 0], size=1000, rng=2) == 0).mean()
    >>> bool(still > afresh)
    True

    Choosers of whom some err more than others, and what led to their choices:

    >>> temperature = [0.5, 2.0]
    >>> choices = fg.gumbel_max(np.tile(utilities, (2, 1)), temperature=temperature, rng=3)
    >>> g = fg.gumbel_given_choice(np.tile(utilities, (2, 1)), choices, temperature=temperature, rng=1)
    >>> bool((fg.gumbel_max(np.tile(utilities, (2, 1)), noise=g, temperature=temperature) == choices).all())
    True
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, field_only=True)
    request.scale_noise(temperature)
    conditioned: NDArray[Any] = request.served_by(_given).sample(request, choice, out)
    return conditioned
