"""Estimates of logsumexp from the maxima of perturbed values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._host.max import refuse, search
from fastgumbel._host.rows import noise_of, rows_of
from fastgumbel._request.request import Request

# Maxima at once, and the fewest of a row.
_MAXIMA = 2**20
_FEWEST = 8


def estimate(request: Request, t: float) -> tuple[Any, Any]:
    """What `log_partition` does, with the power t of the estimator: estimates, and their standard errors."""
    rows, noise, size = rows_of(request), noise_of(request), request.draws
    step = max(_FEWEST, _MAXIMA // max(1, rows.count)) if noise is None else size
    origin, total = np.zeros(rows.count), np.zeros(rows.count)
    for s in range(0, size, step):
        index = np.empty((min(step, size - s), rows.count), np.intp)
        value = np.empty(index.shape)
        search(rows.moved(s), noise, index, value)
        if refuse(request, rows, index):
            value[:, (index < 0).any(0)] = np.nan
        if s == 0:
            # Differences to an extreme one neither overflow nor leave a mean of nothing but zeros.
            origin = (np.min if t > 0 else np.max)(value[:_FEWEST], axis=0)
        value -= origin
        powers: NDArray[Any] = value if t == 0 else np.expm1(np.multiply(value, -t, out=value), out=value)
        # One by one: the sum depends neither on the rows beside it nor on how many are drawn at once.
        powers[0] += total
        total = np.add.accumulate(powers, axis=0, out=powers)[-1].copy()
    mean = total / size
    estimated = origin + (mean if t == 0 else -np.log1p(mean) / t) + _log_gamma_ratio(t)
    error = np.where(np.isnan(estimated), np.nan, _standard_error(size, t))
    return estimated.reshape(rows.batch)[()], error.reshape(rows.batch)[()]


def _log_gamma_ratio(t: float) -> float:
    """log(Gamma(1 + t)) / t."""
    if abs(t) < 1e-5:
        return -float(np.euler_gamma) + t * math.pi**2 / 12
    return math.lgamma(1 + t) / t


def _standard_error(size: int, t: float) -> float:
    """Standard error of the estimate from so many maxima."""
    if t == 1:
        return math.sqrt(_trigamma(size))
    of_one = math.pi**2 / 6
    if t <= -0.5:
        return math.sqrt(of_one)
    # What each maximum adds to the inverse of the variance, in the limit of many.
    spread = math.expm1(math.lgamma(1 + 2 * t) - 2 * math.lgamma(1 + t)) / t**2 if abs(t) >= 1e-5 else of_one
    return 1 / math.sqrt((size - 1) / spread + 1 / of_one)


def _trigamma(m: int) -> float:
    """The variance of the logarithm of a sum of m exponentials."""
    total = 0.0
    while m < 16:
        total += 1 / m**2
        m += 1
    return total + 1 / m + 1 / (2 * m**2) + 1 / (6 * m**3) - 1 / (30 * m**5)
