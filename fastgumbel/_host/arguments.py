"""NumPy arrays as rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host.rows import Rows
from fastgumbel._request.checks import real_array
from fastgumbel._request.coordinates import named
from fastgumbel._request.faults import infinite_message
from fastgumbel._request.field import NoiseField
from fastgumbel._request.layout import categories_last, category_axis, check_categories, with_categories
from fastgumbel._request.scalars import array_of


def placed(rows: Rows, axis: int, field: NoiseField) -> Rows:
    """The rows with the category ids of a field, if it has them."""
    if field.categories is None:
        return rows
    return rows.at(categories_last(named(field, with_categories(rows.batch, rows.n, axis)), axis))


def rows_of(log_potentials: ArrayLike, axis: Any, where: ArrayLike | None) -> tuple[Rows, int]:
    """Rows of what a user passed, and the axis of the categories counted from the end."""
    x = real_array(log_potentials, "log_potentials")
    axis = category_axis(axis, x.ndim)
    check_categories(x.shape[axis])
    mask = None
    if where is not None:
        mask = array_of(where, "where")
        if mask.dtype != np.bool_:
            raise TypeError(f"where must be boolean, not {mask.dtype}")
        try:
            mask = np.broadcast_to(mask, x.shape)
        except ValueError:
            raise ValueError(
                f"where of shape {mask.shape} does not broadcast to the shape of log_potentials, {x.shape}"
            ) from None
        mask = categories_last(mask, axis)
    return Rows(categories_last(x, axis), mask), axis


def noise_rows(noise: ArrayLike, axis: int, draw_shape: tuple[int, ...], rows: Rows) -> Rows:
    """Rows of precomputed noise: those of all rows for the first draw, then for the second, ..."""
    array = real_array(noise, "noise")
    expected = draw_shape + with_categories(rows.batch, rows.n, axis)
    if array.shape != expected:
        raise ValueError(f"noise must have shape {expected}, not {array.shape}")
    return Rows(categories_last(array, axis), None)


def given_noise(noise: ArrayLike, axis: int, draw_shape: tuple[int, ...], rows: Rows) -> NDArray[Any]:
    """Precomputed noise as draws by rows by categories, in the dtype of the rows."""
    with np.errstate(over="ignore", under="ignore"):
        array = np.ascontiguousarray(noise_rows(noise, axis, draw_shape, rows).values, rows.dtype)
    finite = np.isfinite(array)
    if not finite.all():
        row, at = divmod(int(finite.argmin()), rows.n)
        raise ValueError(infinite_message(array.shape[:-1], row, array.flat[row * rows.n + at], at))
    return array.reshape(math.prod(draw_shape), rows.count, rows.n)
