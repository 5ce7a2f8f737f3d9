"""Tangents of log-potentials and of temperatures, and their axis of directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._request.checks import real_array
from fastgumbel._request.faults import place_name
from fastgumbel._request.layout import categories_last, with_categories
from fastgumbel._request.shape import RowShape


def lead_of(shape: tuple[int, ...], batch: tuple[int, ...], n: int, axis: int) -> tuple[int, ...]:
    """The axis of directions, if there is one, before the shape of the log-potentials in that of their tangents."""
    expected = with_categories(batch, n, axis)
    if shape[-len(expected) :] != expected or len(shape) > len(expected) + 1:
        raise ValueError(
            f"tangents[0] must have the shape of the log-potentials, {expected}, with at most an axis of "
            f"directions before it, not {shape}"
        )
    return shape[: len(shape) - len(expected)]


def agreed_directions(counts: list[int]) -> tuple[int, ...]:
    """The number of directions of both tangents, of those that have such an axis."""
    if len(set(counts)) > 1:
        raise ValueError(f"tangents must have equally many directions, not {counts[0]} and {counts[1]}")
    return tuple(counts[:1])


def tangents_of(
    d_x: ArrayLike | None, d_tau: ArrayLike | None, rows: RowShape, axis: int
) -> tuple[NDArray[Any], NDArray[Any], tuple[int, ...]]:
    """Tangents by direction and row in the dtype of the rows, and the axis of directions, if there is one.

    An absent one stands as an empty array of log-potentials, or as zeros of temperatures.
    """
    kind, batch = rows.dtype, rows.batch
    dx, dtau = np.empty((0, 0, 0), kind), np.zeros((1, rows.count), kind)
    counts: list[int] = []
    if d_x is not None:
        dx, lead = tangents_of_potentials(d_x, rows, axis)
        counts += lead
    if d_tau is not None:
        spread, lead = tangents_of_tau(d_tau, kind, batch)
        counts += lead
        dtau = np.ascontiguousarray(spread, kind).reshape(*(lead or (1,)), rows.count)
    directions = agreed_directions(counts)
    if directions:
        dx = np.ascontiguousarray(np.broadcast_to(dx, (*directions, *dx.shape[1:]))) if dx.size else dx
        dtau = np.ascontiguousarray(np.broadcast_to(dtau, (*directions, *dtau.shape[1:])))
    return dx, dtau, directions


def tangents_of_potentials(d_x: ArrayLike, rows: RowShape, axis: int) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Tangents of log-potentials by direction (or one), row and category, and their axis of directions, if any."""
    array = real_array(d_x, "tangents[0]")
    lead = lead_of(array.shape, rows.batch, rows.n, axis)
    with np.errstate(over="ignore", under="ignore"):
        lines = np.ascontiguousarray(categories_last(array, axis), rows.dtype)
    return lines.reshape(*(lead or (1,)), rows.count, rows.n), lead


def tangents_of_tau(
    d_tau: ArrayLike, kind: np.dtype[Any], batch: tuple[int, ...]
) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Tangents of temperatures broadcast to lead + batch, without a copy, and lead: an axis of directions, if any."""
    with np.errstate(over="ignore", under="ignore"):
        array = real_array(d_tau, "tangents[1]").astype(kind, copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        where = place_name(array.shape, int(finite.argmin()))
        raise ValueError(f"tangents[1] must be finite in {kind}, but {where} has {array.flat[finite.argmin()]}")
    lead = array.shape[: max(0, array.ndim - len(batch))]
    if len(lead) > 1:
        raise ValueError(f"tangents[1] must have at most an axis of directions more than the batch, not {array.shape}")
    try:
        return np.broadcast_to(array, lead + batch), lead
    except ValueError:
        raise ValueError(f"tangents[1] of shape {array.shape} does not broadcast to the batch shape {batch}") from None
