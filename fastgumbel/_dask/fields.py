"""The noise field and noise of a nested logit as dask arrays: documentation and signatures, for `fastgumbel.dask`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastgumbel._dask import noise as _noise
from fastgumbel._request.checks import float_type, result_shape
from fastgumbel._request.coordinates import check_reach, field_of
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.nests import nests_of


def gumbel(
    size: int | tuple[int, ...],
    *,
    chunks: Any = "auto",
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: DTypeLike = np.float64,
) -> Any:
    """The noise field as a dask array, written out chunk by chunk.

    Parameters
    ----------
    size : int or tuple of ints
        Shape of the result. The last axis counts categories, the others rows in C order.
    chunks : int, tuple or "auto", optional
        As `dask.array.zeros` takes them. They do not change the numbers.
    rng, noise, dtype
        As in `fastgumbel.gumbel`.

    Returns
    -------
    dask.array.Array
        Of shape `size`.

    Raises
    ------
    TypeError, ValueError
        As `fastgumbel.gumbel`, and if the chunks do not fit.

    Examples
    --------
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> noise = fgd.gumbel((100, 1000), chunks=(30, 300), rng=1)
    >>> bool((noise.compute() == fg.gumbel((100, 1000), rng=1)).all())
    True
    """
    shape = result_shape(size)
    kind, field = float_type(dtype, "dtype"), field_of(rng, noise)
    check_reach(field, 1, shape[-1] if shape else 1)
    if not shape:
        return gumbel(1, noise=field, dtype=kind)[0]
    return _noise.write(field, shape, chunks, kind)


def gumbel_nested(
    size: int | tuple[int, ...],
    nests: Sequence[Any],
    *,
    chunks: Any = "auto",
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: DTypeLike = np.float64,
) -> Any:
    """Noise of a nested logit as a dask array, written out chunk by chunk.

    The result is an array that every function takes as `noise`, also those of `fastgumbel.dask`.

    Parameters
    ----------
    size : int or tuple of ints
        Shape of the result. The last axis counts categories, the others rows in C order.
    nests : sequence of (scale, members)
        As in `fastgumbel.gumbel_nested`; members are places along the whole last axis.
    chunks : int, tuple or "auto", optional
        As `dask.array.zeros` takes them, along the categories too, through nests as it may be. They do not change the
        numbers; but every chunk draws all nests of its rows, so that few chunks along the categories are less work.
    rng, noise, dtype
        As in `fastgumbel.gumbel_nested`.

    Returns
    -------
    dask.array.Array
        Of shape `size`.

    Raises
    ------
    TypeError, ValueError
        As `fastgumbel.gumbel_nested`, and if the chunks do not fit.

    See Also
    --------
    fastgumbel.gumbel_nested : the same of NumPy arrays, with the law.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.dask as fgd
    >>> ground = [(0.7, [3, (0.5, [1, 2])])]
    >>> noise = fgd.gumbel_nested((1000, 4), ground, chunks=(300, 2), rng=1)
    >>> choices = fgd.gumbel_max(da.zeros((1000, 4), chunks=(300, 4)), noise=noise)
    >>> expected = fg.gumbel_max(np.zeros((1000, 4)), noise=fg.gumbel_nested((1000, 4), ground, rng=1))
    >>> bool((choices.compute() == expected).all())
    True
    """
    shape = result_shape(size)
    kind = float_type(dtype, "dtype")
    n = shape[-1] if shape else 1
    tree = nests_of(nests, n)
    field = field_of(rng, noise)
    check_reach(field, 1, n)
    if not shape:
        return _noise.write_nested(field, (1,), -1, kind, tree)[0]
    return _noise.write_nested(field, shape, chunks, kind, tree)
