"""Validation, broadcasting and axes: from what users pass to what the kernels trust."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.ids import CATEGORIES
from fastgumbel._request.ndarrays import relaxed_dtype
from fastgumbel._request.scalars import integer

# Items that an array can have, as its bytes are counted in 63 bits.
ITEMS = 2**59


class Layout(NamedTuple):
    """The axis of n categories, counted from the end, the batch of rows and their number, the type of samples."""

    axis: int
    n: int
    batch: tuple[int, ...]
    rows: int
    dtype: np.dtype[Any]


@functools.lru_cache(maxsize=256)
def layout_of(shape: tuple[int, ...], dtype: np.dtype[Any], axis: int) -> Layout:
    """How log-potentials of a type are read; many calls have the same."""
    axis = category_axis(axis, len(shape))
    check_categories(shape[axis])
    batch = shape[:axis] + (shape[axis + 1 :] if axis < -1 else ())
    return Layout(axis, shape[axis], batch, math.prod(batch), relaxed_dtype(dtype))


def check_categories(n: int) -> None:
    """Refuse more categories than the field has."""
    if n > CATEGORIES:
        raise ValueError(f"log_potentials must have at most 2**32 categories, not {n}")


def category_axis(axis: Any, ndim: int) -> int:
    """The axis of the categories, counted from the end."""
    if ndim == 0:
        raise ValueError("log_potentials must have at least one axis, that of the categories")
    place = integer(axis, "axis")
    if not -ndim <= place < ndim:
        raise ValueError(f"axis must be from {-ndim} to {ndim - 1}, as log_potentials have {ndim} axes, not {axis}")
    return place % ndim - ndim


def fits(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another."""
    added = len(to) - len(shape)
    return shape == to or (added >= 0 and all(a in (1, b) for a, b in zip(shape, to[added:], strict=True)))


def with_categories(lead: tuple[int, ...], n: int, axis: int) -> tuple[int, ...]:
    """A shape with an axis of n categories, counted from the end, put into it."""
    at = len(lead) + 1 + axis
    return (*lead[:at], n, *lead[at:])


def categories_last(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """A view with the axis of the categories, counted from the end, moved there."""
    return array if axis == -1 else np.moveaxis(array, axis, -1)


def categories_back(array: NDArray[Any], axis: int) -> NDArray[Any]:
    """A view with the last axis moved to where that of the categories is, counted from the end."""
    return array if axis == -1 else np.moveaxis(array, -1, axis)
