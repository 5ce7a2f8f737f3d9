"""Noise of a nested logit, which is correlated within nests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastgumbel._host import nested as _nested
from fastgumbel._request.checks import float_type, result_shape
from fastgumbel._request.coordinates import check_reach, coordinates_of, field_of
from fastgumbel._request.device import is_device
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.nests import nests_of
from fastgumbel._request.outputs import check_out

Real = TypeVar("Real", np.float64, np.float32)
Out = TypeVar("Out")


@overload
def gumbel_nested(
    size: int | tuple[int, ...],
    nests: Sequence[Any],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    out: None = None,
) -> NDArray[np.float64]: ...


@overload
def gumbel_nested(
    size: int | tuple[int, ...],
    nests: Sequence[Any],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: type[Real],
    out: None = None,
) -> NDArray[Real]: ...


@overload
def gumbel_nested(
    size: int | tuple[int, ...],
    nests: Sequence[Any],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: DTypeLike,
    out: None = None,
) -> NDArray[Any]: ...


@overload
def gumbel_nested(
    size: int | tuple[int, ...],
    nests: Sequence[Any],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: DTypeLike = np.float64,
    out: Out,
) -> Out: ...


def gumbel_nested(
    size: int | tuple[int, ...],
    nests: Sequence[Any],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: DTypeLike = np.float64,
    out: Any = None,
) -> Any:
    """Noise of a nested logit: Gumbel noise that is correlated within nests.

    The result is an array that every function takes as `noise`: the choices of `gumbel_max` are then those of a nested
    logit. On one array of noise, who moves because a category improves moves to that category.

    Parameters
    ----------
    size : int or tuple of ints
        Shape of the result. The last axis counts categories, the others rows in C order.
    nests : sequence of (scale, members)
        Pairs, as tuples or lists. A scale, elsewhere called dissimilarity or logsum parameter, is above 0 and at most
        1, relative to the nest around: the smaller, the more alike the members; 1 changes nothing. Members are places
        along the last axis, whatever ids categories have, or again pairs, up to 64 levels deep. Categories in no nest
        are left out.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the field; see `NoiseField`.
    noise : NoiseField, optional
        Noise field to read instead, with its coordinates: row ids, one draw or one a row, first category or category
        ids (an empty place gets -inf). Nests draw by key, row, draw and their number, depth first: to append one
        changes no other.
    dtype : float64 or float32, optional
        float32 is the float64 result, rounded once. Where scales are small it tells members of a nest apart less well:
        by steps of 2**-22 divided by the product of scales.
    out : ndarray, optional
        Output array; must have exactly this shape and dtype.

    Returns
    -------
    ndarray
        Of shape `size`; `out` where it is given. Finite, but for empty places.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of the above, a category stands in two nests or twice, a nest is empty, a product of
        scales is below 2**-40, or the coordinates go beyond the field (2**32 categories).

    Notes
    -----
    The noise of category j is the sum of S_t log P_t over the nests t around it, plus s_j G_j. Here G is the field, S_t
    the product of the scales of nest t and of those around it, s_j the last of these products, and P_t a positive
    stable variable with the Laplace transform exp(-u**a) of the scale a of nest t [1]_, drawn by Kanter's formula [2]_
    [3]_. Then each category has standard Gumbel noise; two have the correlation 1 - s**2, where s is the product of
    the scales of the nests that they share; and the largest perturbed value is the logsum of the tree plus
    standard Gumbel noise, independent of the choice. With all scales 1 the result is that of `gumbel`, to the bit.

    For several draws of each row, write them as rows with the same ids; see the example.

    References
    ----------
    .. [1] A. Galichon, "On the representation of the nested logit model", 2019,
       https://doi.org/10.48550/arXiv.1907.08766
    .. [2] M. Kanter, "Stable densities under change of scale and total variation inequalities", Annals of Probability
       3, 1975, https://doi.org/10.1214/aop/1176996309
    .. [3] J. M. Chambers, C. L. Mallows and B. W. Stuck, "A method for simulating stable random variables", Journal of
       the American Statistical Association 71, 1976, https://doi.org/10.1080/01621459.1976.10480344

    Examples
    --------
    Of air, train, bus and car, the modes on the ground are alike, and of them train and bus more so. Who leaves a bus
    that ends rather takes the train than the car.

    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> ground = [(0.7, [3, (0.5, [1, 2])])]
    >>> noise = fg.gumbel_nested((100_000, 4), ground, rng=1)
    >>> np.corrcoef(noise[:, 1:].T).round(2)
    array([[1.  , 0.88, 0.51],
           [0.88, 1.  , 0.51],
           [0.51, 0.51, 1.  ]])
    >>> before = fg.gumbel_max(np.zeros((100_000, 4)), noise=noise)
    >>> after = fg.gumbel_max(np.zeros((100_000, 4)), where=[True, True, False, True], noise=noise)
    >>> bool((before == after)[before != 2].all())
    True
    >>> (np.bincount(after[before == 2]) / (before == 2).sum()).round(2)
    array([0.16, 0.62, 0.  , 0.21])

    Five draws of two rows: draw s of row r is one row of the batch, and has the numbers of that draw.

    >>> x, field = np.zeros((2, 4)), fg.NoiseField(1)
    >>> draws = field.at(rows=[0, 1], draw=np.arange(5)[:, np.newaxis])
    >>> choices = fg.gumbel_max(x, size=5, noise=fg.gumbel_nested((5, 2, 4), ground, noise=draws))
    >>> choices.shape
    (5, 2)
    """
    shape = result_shape(size)
    kind = float_type(dtype, "dtype")
    n = shape[-1] if shape else 1
    tree = nests_of(nests, n)
    if is_device(out):
        raise TypeError("out must be a host array: gumbel_nested writes there; copy its result to the device")
    result = np.empty(shape, kind) if out is None else check_out(out, "out", shape, kind)
    field = field_of(rng, noise)
    check_reach(field, 1, n)
    place = coordinates_of(field, shape[:-1], shape or (1,))
    _nested.write(result if shape else result.reshape(1), place, tree)
    return result
