"""Thresholds of perturbed values: one for all rows, one a row, or one a draw and row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.checks import check_real
from fastgumbel._request.faults import row_name
from fastgumbel._request.layout import fits
from fastgumbel._request.ndarrays import frozen


def thresholds(
    threshold: NDArray[Any], draw_shape: tuple[int, ...], batch: tuple[int, ...], axis: int
) -> NDArray[np.float64]:
    """Thresholds by draw and row, read-only; an axis has one item where all along it are the same.

    An array by row may have an axis of one item where the log-potentials have their categories.
    """
    check_real(threshold.dtype, "threshold")
    array = threshold.astype(np.float64, copy=False)
    if draw_shape and array.shape == draw_shape + batch:
        return frozen(np.ascontiguousarray(array).reshape(math.prod(draw_shape), math.prod(batch)))
    if array.ndim == len(batch) + 1 and array.shape[axis] == 1:
        array = array.squeeze(axis)
    if not fits(array.shape, batch):
        by_draw = f", nor is it of the shape {draw_shape + batch} of draws and rows" if draw_shape else ""
        raise ValueError(f"threshold of shape {threshold.shape} does not broadcast to the batch shape {batch}{by_draw}")
    own = array if array.size == 1 else np.ascontiguousarray(np.broadcast_to(array, batch))
    return frozen(own.reshape(1, -1))


def threshold_message(own: NDArray[np.float64], batch: tuple[int, ...], ids: NDArray[np.uint64]) -> str | None:
    """What is wrong with thresholds of which one is NaN; None if none is."""
    bad = np.isnan(own)
    if not bad.any():
        return None
    draw, row = divmod(int(bad.argmax()), own.shape[1])
    name = row_name(batch, row, ids) if own.shape[1] == math.prod(batch) else "every row"
    at = f"draw {draw} of {name}" if len(own) > 1 else name
    return f"threshold must be a real number, -inf or +inf, but {at} has nan; invalid='mark' leaves such rows out"
