"""Tangents of log-potentials and of temperatures, and their axis of directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.checks import check_real
from fastgumbel._request.faults import place_name
from fastgumbel._request.layout import fits
from fastgumbel._request.shape import converted, count_set


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
