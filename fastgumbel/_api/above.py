"""`gumbel_above`: Poisson samples, all categories above a threshold."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgumbel._host import above as _above
from fastgumbel._request.arrays import HOST
from fastgumbel._request.field import NoiseField, Rng
from fastgumbel._request.request import Request


def gumbel_above(
    log_potentials: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    axis: int = -1,
    size: int | tuple[int, ...] | None = None,
    where: ArrayLike | None = None,
    rng: Rng = None,
    noise: NoiseField | ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    invalid: Literal["raise", "mark"] = "raise",
) -> tuple[tuple[NDArray[np.intp], ...], NDArray[np.float64]]:
    """Sample each category independently: all whose perturbed value is above a threshold.
    """
    request = Request(log_potentials, axis, size, where, rng, noise, invalid, HOST)
    request.scale_noise(temperature)
    sample: tuple[tuple[NDArray[Any], ...], NDArray[Any]] = _above.sample(request, request.thresholds(threshold))
    return sample
