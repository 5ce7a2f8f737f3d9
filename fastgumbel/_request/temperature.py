"""Temperatures, one for all rows or one a row, of relaxed samples or of the noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._law.reduce import HOTTEST, LIMIT
from fastgumbel._request.checks import check_real
from fastgumbel._request.coordinates import NOWHERE
from fastgumbel._request.faults import place_name
from fastgumbel._request.layout import fits
from fastgumbel._request.ndarrays import frozen

# From here on, up to its inverse, 1 / tau is a normal number of every dtype.
_ORDINARY = 1e-30
_MOST = np.finfo(np.float64).max


def temperatures(
    tau: NDArray[Any], batch: tuple[int, ...], axis: int, name: str = "tau", most: float = np.inf
) -> NDArray[np.float64]:
    """One temperature a row, in C order of the batch, or a single one if all rows have the same.

    An array may have an axis of one item where the log-potentials have their categories. If there is a `most`, it is
    allowed, but nothing above.
    """
    check_real(tau.dtype, name)
    # A copy, as results may be written where they stand.
    array = tau.astype(np.float64)
    if array.ndim == len(batch) + 1 and array.shape[axis] == 1:
        array = array.squeeze(axis)
    if not fits(array.shape, batch):
        raise ValueError(f"{name} of shape {tau.shape} does not broadcast to the batch shape {batch}")
    own = array.reshape(1) if array.size == 1 else np.ascontiguousarray(np.broadcast_to(array, batch)).reshape(-1)
    most = min(most, _MOST)
    # NaN is neither.
    if own.size and not (own.min() >= 0 and own.max() <= most) and 0 not in batch:
        row = int(((own >= 0) & (own <= most)).argmin())
        allowed = "finite and at least 0" if most == _MOST else f"from 0 to {most:g}"
        found = f"not {own[0]}" if own.size == 1 else f"but {place_name(batch, row)} has {own[row]}"
        raise ValueError(f"{name} must be {allowed}, {found}")
    return own


def scales(temperature: NDArray[Any], batch: tuple[int, ...], axis: int) -> NDArray[np.float64]:
    """Temperatures of the noise, read-only: one a row, or one for all, or none where all are 1."""
    own = temperatures(temperature, batch, axis, "temperature", float(HOTTEST))
    all_one = own.size == 0 or (own[0] == 1 and bool((own == 1).all()))
    return NOWHERE.temperatures if all_one else frozen(own)


def rates_of(taus: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """1 / tau in a dtype; the largest number where that is beyond it."""
    if taus.size == 1 and _ORDINARY <= (tau := taus.item()) <= 1 / _ORDINARY:
        # To name a number when its array is made takes twice as long.
        rates = np.empty(1, dtype)
        rates[0] = 1 / tau
        return rates
    with np.errstate(all="ignore"):
        return np.minimum(1 / taus, np.finfo(dtype).max).astype(dtype, copy=False)


def sums_of(shape: tuple[int, ...], batch: tuple[int, ...], axis: int) -> list[tuple[int, int, int]]:
    """How numbers by row add up to the shape of temperatures: the sums along an axis, one step after another.

    Each step is (outer, length, inner), which stand for an array of that shape, summed along its second axis in order:
    all rows at once where there is a single temperature.
    """
    own = list(shape)
    if len(shape) == len(batch) + 1 and shape[axis] == 1:
        del own[axis]
    if math.prod(own) == 1:
        return [(1, math.prod(batch), 1)]
    steps, left, added = [], list(batch), len(batch) - len(own)
    for place, length in enumerate(batch):
        if place < added or own[place - added] != length:
            steps.append((math.prod(left[:place]), length, math.prod(left[place + 1 :])))
            left[place] = 1
    return steps


def safe_from(kind: np.dtype[Any]) -> float:
    """From this temperature on, no noise given a choice is infinite in a type."""
    return float(4 * LIMIT / np.finfo(kind).max)
