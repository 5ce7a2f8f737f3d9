"""Steps of a relaxed sample, and of its derivatives, over part of a long row, which begins with a group of its sums.

Terms are what a sum adds up one by one: `terms` of `row`. They go to `sums`.
"""

import numpy as np

from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.parameters import Field, Line
from fastgumbel._cpu.row import add_to, distances, dot_terms, largest_of, terms
from fastgumbel._cpu.softmax.long import Change, logs, tangent
from fastgumbel._cpu.softmax.vjp import pull, take
from fastgumbel._cpu.stage import coordinates_at
from fastgumbel._law.real import decay, log64
from fastgumbel._numba.compile import kernel
from fastgumbel._numba.memory import empty


@kernel
def largest_of_part(x):
    """Largest log-potential of x[0, :], NaN if any is NaN."""
    n = x.shape[1]
    return largest_of(x.reshape(n), 0, n)


@kernel
def perturb_part(x, field, top, v):
    """Write noise, and log-potentials x[0, :] less `top`, to v; the largest sum. `field` is a `Field`."""
    n = v.size
    noise_row(v, 0, n, coordinates_at(Field(*field), 0, 0), row_scratch(v))
    return add_to(v, 0, x.reshape(n), 0, n, top)


@kernel
def decay_part(p, largest, rate, sums):
    """exp((p - largest) rate) in place, and the terms of their sum."""
    n = p.size
    for i in range(n):
        p[i] = decay((p[i] - largest) * rate)
    terms(sums, p)


@kernel
def distances_part(t, v, largest, rate):
    """(v - largest) rate to t, but not below the least number of its type."""
    distances(t, v, 0, v.size, largest, rate)


@kernel
def dot_part(a, p, sums):
    """Terms of the sum of the products of a and p."""
    dot_terms(sums, a, p)


@kernel
def tangent_part(out, dx, x, p, t, change, log):
    """Tangent to `out`: as `tangent`, of a sample p, distances t, log-potentials x[0, :] and a plain `Change`."""
    n = out.size
    of_x = Line(x.reshape(n), 0)
    tangent(Line(out, 0), Line(dx, 0), of_x, Line(p, 0), t, Change(*change), n, log)


@kernel
def log_part(v, largest, rate, total):
    """Logarithms of a sample from perturbed values, in place."""
    logs(v, 0, v, 0, v.size, largest, rate, v.dtype.type(log64(total)))


@kernel
def take_part(y, logarithm, cotangent, sums):
    """Terms of the sum of cotangents of a sample y, weighted by it, or of those of its logarithm."""
    n = y.size
    g = empty(n, y.dtype)
    take(g, y, 0, cotangent, 0, n, logarithm)
    if logarithm:
        terms(sums, g)
    else:
        dot_terms(sums, g, y)


@kernel
def pull_part(y, logarithm, cotangent, mean, gradient, sums):
    """Add what cotangents with a mean give, but for the factor 1 / tau, to the gradient; terms of what tau gets."""
    n = y.size
    g, logs_ = empty(n, y.dtype), empty(n, y.dtype)
    take(g, y, 0, cotangent, 0, n, logarithm)
    pull(g, logs_, y, 0, n, logarithm, mean)
    for i in range(n):
        gradient[i] += np.float64(g[i])
    dot_terms(sums, g, logs_)
