"""Tangents of log-potentials and of temperatures, and their axis of directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.checks import check_real
from fastgumbel._request.faults import place_name
from fastgumbel._request.layout import fits
from fastgumbel._request.ndarrays import converted, count_set


def lead_of(shape: tuple[int, ...], expected: tuple[int, ...]) -> tuple[int, ...]:
    """The axis of directions, if there is one, before the shape of the log-potentials in that of their tangents."""
    if shape == expected:
        return ()
    if shape[-len(expected) :] != expected or len(shape) > len(expected) + 1:
        raise ValueError(
            f"tangents[0] must have the shape of the log-potentials, {expected}, with at most an axis of "
            f"directions before it, not {shape}"
        )
    return shape[: len(shape) - len(expected)]


def agreed_directions(lead: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """The axis of directions of both tangents, of those that have one."""
    if lead and other and lead != other:
        raise ValueError(f"tangents must have equally many directions, not {lead[0]} and {other[0]}")
    return lead or other


def beside_rows(
    d_tau: NDArray[Any], tau: tuple[int, ...], lead: tuple[int, ...], batch: tuple[int, ...], axis: int
) -> NDArray[Any]:
    """Tangents of temperatures of the shape `tau`, so that axes before those of the batch are directions alone.

    `lead` is the axis of directions of the other tangents, if they have one.
    """
    if len(tau) == len(batch) + 1 and d_tau.ndim >= len(tau) and d_tau.shape[axis] == 1:
        return d_tau.squeeze(axis)
    if not lead or d_tau.ndim != len(tau) + 1 or d_tau.ndim > len(batch):
        return d_tau
    if d_tau.shape != lead + tau:
        raise ValueError(
            f"tangents[1] must have the shape of tau, {tau}, with the {lead[0]} directions of tangents[0] before it or "
            f"without, or as many axes as the batch, {batch}, not the shape {d_tau.shape}"
        )
    return d_tau.reshape(lead + (1,) * (len(batch) - len(tau)) + tau)


def slopes_of(d_tau: NDArray[Any], kind: np.dtype[Any], batch: tuple[int, ...]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Tangents of temperatures, which broadcast to lead + batch, and lead: an axis of directions, if any."""
    check_real(d_tau.dtype, "tangents[1]")
    array = converted(d_tau, kind)
    finite = np.isfinite(array)
    if count_set(finite.reshape(-1)) < finite.size:
        where = place_name(array.shape, int(finite.argmin()))
        raise ValueError(f"tangents[1] must be finite in {kind}, but {where} has {array.flat[finite.argmin()]}")
    lead = array.shape[: max(0, array.ndim - len(batch))]
    if len(lead) > 1:
        raise ValueError(f"tangents[1] must have at most an axis of directions more than the batch, not {array.shape}")
    if not fits(array.shape, lead + batch):
        raise ValueError(f"tangents[1] of shape {array.shape} does not broadcast to the batch shape {batch}")
    return array, lead
