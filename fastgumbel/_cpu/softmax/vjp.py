"""Reverse-mode derivatives of relaxed samples: their cotangents carried back to log-potentials and temperatures.

With z = (x + G) / tau, a cotangent w of the sample y gives g = y (w - sum(w y)) for z, and one of log y gives
g = w - y sum(w). As the sum of g is 0, log y stands for z in what it gives for tau: -sum(g log y) / tau.
"""

import numpy as np

from fastgumbel._cpu.row import dot, total
from fastgumbel._law.real import decay, log
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty


@stage
def take(g, y, at, w, w_at, n, logarithm):
    """Cotangents w[w_at + i] of what y[at + i] is, a sample or its logarithm, to g[i]; 0 where the sample is 0."""
    zero = g.dtype.type(0)
    least = g.dtype.type(-np.inf) if logarithm else zero
    for i in range(n):
        g[i] = w[np.uint64(w_at) + np.uint64(i)] if y[np.uint64(at) + np.uint64(i)] > least else zero


@stage
def pull(g, logs, y, at, n, logarithm, mean):
    """Cotangents from `take` to what they give for z, in place, and logarithms of the sample; both 0 where it is 0.

    `mean` is their sum, weighted by the sample unless they are those of its logarithm.
    """
    zero = g.dtype.type(0)
    if logarithm:
        for i in range(n):
            t = y[np.uint64(at) + np.uint64(i)]
            logs[i] = t if t > -np.inf else zero
        for i in range(n):
            if y[np.uint64(at) + np.uint64(i)] > -np.inf:
                g[i] -= decay(logs[i]) * mean
        return
    for i in range(n):
        p = y[np.uint64(at) + np.uint64(i)]
        g[i] = p * (g[i] - mean) if p > zero else zero
        logs[i] = log(p) if p > zero else zero


@kernel
def softmax_vjp(y, logarithm, cotangents, sums, slopes, faulty, window):
    """Add what all draws of a row give, but for the factor 1 / tau, to sums[row, :] and slopes[row], float64.

    `y` are relaxed samples by draw, row and category or, with `logarithm`, their logarithms: NaN in invalid rows, of
    which faulty[row] becomes INVALID_ROW; INFINITE_TANGENT where a cotangent is not finite. Every cotangent serves as
    many draws as there are more samples than cotangents. `window` is (first row, last row, row of the sums).
    """
    n_draws, n_rows, n = y.shape
    first_row, last_row, to_row = window
    repeats = n_draws // cotangents.shape[0]
    samples, weights = y.reshape(y.size), cotangents.reshape(cotangents.size)
    flat = sums.reshape(sums.size)
    g, logs = empty(n, y.dtype), empty(n, y.dtype)
    for r in range(first_row, last_row):
        of_row = np.uint64((to_row + r - first_row) * n)
        for s in range(n_draws):
            at, w_at = (s * n_rows + r) * n, (s // repeats * n_rows + r) * n
            if samples[at] != samples[at]:
                faulty[r] = INVALID_ROW
                break
            take(g, samples, at, weights, w_at, n, logarithm)
            mean = y.dtype.type(total(g, 0, n) if logarithm else dot(g, 0, samples, at, n))
            if not abs(mean) < np.inf:
                faulty[r] = INFINITE_TANGENT
                break
            pull(g, logs, samples, at, n, logarithm, mean)
            for i in range(n):
                flat[of_row + np.uint64(i)] += np.float64(g[i])
            slopes[r] -= dot(g, 0, logs, 0, n)


@kernel
def write_pulled(sums, factor, dx, slopes, faulty, row):
    """Write sums[i, :] times the factor of row + i, or that of all, to dx[row + i, :], and multiply its slope by it.

    In faulty rows, dx becomes NaN and the slope 0. A kernel does it, as NumPy would warn of numbers that are too large.
    """
    n_rows, n = sums.shape
    flat, results = sums.reshape(n_rows * n), dx.reshape(dx.size)
    # Rows together where they can be, as vector loops over a short one would be mostly remainder.
    together = max(1, n_rows) if factor.size == 1 else 1
    for i in range(0, n_rows, together):
        own = factor[min(row + i, factor.size - 1)]
        at, to = np.uint64(i * n), np.uint64((row + i) * n)
        for j in range(together * n):
            results[to + np.uint64(j)] = flat[at + np.uint64(j)] * own
        for j in range(together):
            slopes[np.uint64(row + i) + np.uint64(j)] *= own
    for r in range(row, row + n_rows):
        if faulty[r]:
            dx[r, :] = np.nan
            slopes[r] = 0
