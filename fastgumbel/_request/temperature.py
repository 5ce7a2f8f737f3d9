"""Temperatures, one for all rows or one a row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.checks import real_array
from fastgumbel._request.faults import place_name


def temperatures(tau: Any, batch: tuple[int, ...]) -> NDArray[np.float64]:
    """One temperature a row, in C order of the batch."""
    if type(tau) is float and 0 <= tau < np.inf:
        return np.full(math.prod(batch), tau)
    return np.ascontiguousarray(spread_temperatures(tau, batch)).reshape(-1)


def spread_temperatures(tau: Any, batch: tuple[int, ...]) -> NDArray[np.float64]:
    """Temperatures in the shape of the batch, without a copy of those that are broadcast."""
    array = real_array(tau, "tau").astype(np.float64)
    try:
        spread = np.broadcast_to(array, batch)
    except ValueError:
        raise ValueError(f"tau of shape {array.shape} does not broadcast to the batch shape {batch}") from None
    if ((array >= 0) & (array < np.inf)).all() or spread.size == 0:
        return spread
    rows = spread.reshape(-1)
    row = int((~((rows >= 0) & (rows < np.inf))).argmax())
    raise ValueError(f"tau must be finite and at least 0, but {place_name(batch, row)} has {rows[row]}")


def rates_of(taus: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """1 / tau in a dtype; the largest number where that is beyond it."""
    with np.errstate(all="ignore"):
        return np.minimum(1 / taus, np.finfo(dtype).max).astype(dtype, copy=False)
