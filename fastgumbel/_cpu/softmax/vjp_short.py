"""Cotangents of relaxed samples of short rows carried back: what `vjp.py` does, with rows as vector slots."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.slot_sums import SPARE, total_of_planes
from fastgumbel._cpu.slots import turn, turn_back
from fastgumbel._cpu.stage import STAGE, fill
from fastgumbel._law.real import decay, log
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._numba.compile import kernel, maker, stage
from fastgumbel._numba.memory import empty

_VALID = np.int64(0)
# A literal would compile functions anew.
_FIRST = np.int64(0)


class _Planes(NamedTuple):
    """Rows at hand, a plane for each category, and planes of numbers a row.

    Samples, or their logarithms; cotangents, which become what these give for z; terms of a sum; what all draws give,
    in float64. The sum of the terms, the mean cotangent, and what is wrong.
    """

    samples: Any
    cotangents: Any
    terms: Any
    pulled: Any
    sums: Any
    means: Any
    faults: Any


@maker
def _new_planes(like, n):
    """Room for rows of n categories, of the type of an array."""
    return _Planes(
        empty((n + 7) * STAGE, like.dtype),
        empty((n + 7) * STAGE, like.dtype),
        empty((n + SPARE) * STAGE, like.dtype),
        empty((n + 7) * STAGE, np.float64),
        empty(STAGE, np.float64),
        empty(STAGE, like.dtype),
        empty(STAGE, np.int64),
    )


@stage
def _take(g, terms, y, n, rows, logarithm):
    """Let cotangents be 0 where the sample is 0; the terms of their mean."""
    zero = g.dtype.type(0)
    least = g.dtype.type(-np.inf) if logarithm else zero
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            place = at + np.uint64(i)
            p = y[place]
            w = g[place] if p > least else zero
            g[place] = w
            terms[place] = w if logarithm else w * p


@stage
def _enter_means(means, faults, sums, y, rows):
    """Means from their sums; what is first wrong with a row, and stays so."""
    for i in range(rows):
        mean = means.dtype.type(sums[i])
        means[i] = mean
        fault = _VALID if abs(mean) < np.inf else np.int64(INFINITE_TANGENT)
        fault = fault if y[i] == y[i] else np.int64(INVALID_ROW)
        faults[i] = faults[i] if faults[i] != _VALID else fault


@stage
def _pull(g, terms, pulled, y, means, n, rows):
    """Cotangents to what they give for z, which is added up; the terms of what they give for tau."""
    zero = g.dtype.type(0)
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            place = at + np.uint64(i)
            p = y[place]
            w = p * (g[place] - means[i]) if p > zero else zero
            g[place] = w
            pulled[place] += np.float64(w)
        # Another loop, as one has more constants than the processor has registers.
        for i in range(rows):
            place = at + np.uint64(i)
            p = y[place]
            terms[place] = g[place] * (log(p) if p > zero else zero)


@stage
def _pull_logs(g, terms, pulled, y, means, n, rows):
    """As `_pull`, of cotangents of logarithms."""
    zero = g.dtype.type(0)
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            place = at + np.uint64(i)
            left = y[place] > -np.inf
            t = y[place] if left else zero
            w = g[place] - decay(t) * means[i] if left else g[place]
            terms[place] = w * t
            pulled[place] += np.float64(w)


@kernel
def softmax_vjp_short(y, logarithm, cotangents, sums, slopes, faulty, window):
    """What `softmax_vjp` does, with the same arguments; sums and slopes of faulty rows mean nothing."""
    n_draws, n_rows, n = y.shape
    first_row, last_row, to_row = window
    repeats = n_draws // cotangents.shape[0]
    samples, weights, flat = y.reshape(y.size), cotangents.reshape(cotangents.size), sums.reshape(sums.size)
    planes = _new_planes(y, n)
    for r in range(first_row, last_row, STAGE):
        rows = min(STAGE, last_row - r)
        of_rows = (to_row + r - first_row) * n
        turn(planes.pulled, flat, of_rows, n, rows)
        fill(planes.faults, _FIRST, rows, _VALID)
        for s in range(n_draws):
            turn(planes.samples, samples, (s * n_rows + r) * n, n, rows)
            turn(planes.cotangents, weights, (s // repeats * n_rows + r) * n, n, rows)
            _take(planes.cotangents, planes.terms, planes.samples, n, rows, logarithm)
            total_of_planes(planes.sums, planes.terms, n, rows)
            _enter_means(planes.means, planes.faults, planes.sums, planes.samples, rows)
            if logarithm:
                _pull_logs(planes.cotangents, planes.terms, planes.pulled, planes.samples, planes.means, n, rows)
            else:
                _pull(planes.cotangents, planes.terms, planes.pulled, planes.samples, planes.means, n, rows)
            total_of_planes(planes.sums, planes.terms, n, rows)
            for i in range(rows):
                slopes[r + i] -= planes.sums[i]
        turn_back(flat, of_rows, planes.pulled, _FIRST, n, rows)
        for i in range(rows):
            if planes.faults[i] != _VALID:
                faulty[r + i] = planes.faults[i]
