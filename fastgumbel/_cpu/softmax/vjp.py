"""Reverse-mode derivatives of relaxed samples: their cotangents carried back to log-potentials and temperatures.

With z = (x + G) / tau, a cotangent w of the sample y gives g = y (w - sum(w y)) for z, and one of log y gives
g = w - y sum(w). As the sum of g is 0, log y stands for z in what it gives for tau: -sum(g log y) / tau.
"""

import numpy as np

from fastgumbel._cpu.row import dot, total
from fastgumbel._law.real import decay, log
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._numba.compile import kernel, stage


@stage
def _of_samples(g, logs, y, at, w, w_at, n):
    """What a cotangent of a sample gives for z, to g, and logarithms of the sample; both 0 where it is 0."""
    zero = g.dtype.type(0)
    for i in range(n):
        p = y[np.uint64(at) + np.uint64(i)]
        g[i] = w[np.uint64(w_at) + np.uint64(i)] if p > zero else zero
    mean = g.dtype.type(dot(g, 0, y, at, n))
    for i in range(n):
        p = y[np.uint64(at) + np.uint64(i)]
        g[i] = p * (g[i] - mean) if p > zero else zero
        logs[i] = log(p) if p > zero else zero
    return mean


@stage
def _of_logarithms(g, logs, y, at, w, w_at, n):
    """What a cotangent of the logarithm of a sample gives for z, to g, and that logarithm; 0 where it is -inf."""
    zero = g.dtype.type(0)
    for i in range(n):
        t = y[np.uint64(at) + np.uint64(i)]
        left = t > -np.inf
        g[i] = w[np.uint64(w_at) + np.uint64(i)] if left else zero
        logs[i] = t if left else zero
    sum_ = g.dtype.type(total(g, 0, n))
    for i in range(n):
        if y[np.uint64(at) + np.uint64(i)] > -np.inf:
            g[i] -= decay(logs[i]) * sum_
    return sum_


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
    g, logs = np.empty(n, y.dtype), np.empty(n, y.dtype)
    for r in range(first_row, last_row):
        of_row = np.uint64((to_row + r - first_row) * n)
        for s in range(n_draws):
            at, w_at = (s * n_rows + r) * n, (s // repeats * n_rows + r) * n
            if samples[at] != samples[at]:
                faulty[r] = INVALID_ROW
                break
            if logarithm:
                mean = _of_logarithms(g, logs, samples, at, weights, w_at, n)
            else:
                mean = _of_samples(g, logs, samples, at, weights, w_at, n)
            if not abs(mean) < np.inf:
                faulty[r] = INFINITE_TANGENT
                break
            for i in range(n):
                flat[of_row + np.uint64(i)] += np.float64(g[i])
            slopes[r] -= dot(g, 0, logs, 0, n)
