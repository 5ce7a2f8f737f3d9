"""Observed choices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._request.scalars import array_of


def check_choices(dtype: np.dtype[Any], own: tuple[int, ...], shape: tuple[int, ...], batch: tuple[int, ...]) -> None:
    """Whether choices have a type and a shape of theirs."""
    if dtype.kind not in "iu":
        raise TypeError(f"choice must be integers, not {dtype}")
    if own not in (shape, batch):
        raise ValueError(f"choice must have shape {shape} or {batch}, not {own}")


def choices_of(choice: ArrayLike, shape: tuple[int, ...], batch: tuple[int, ...]) -> NDArray[np.intp]:
    """Indices of shape size + batch, of an array of that shape or of the batch's."""
    array = array_of(choice, "choice")
    check_choices(array.dtype, array.shape, shape, batch)
    return np.ascontiguousarray(np.broadcast_to(array, shape), np.intp)
