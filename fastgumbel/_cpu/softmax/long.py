"""Relaxed samples of long rows, and their tangents: row by row, in cache."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.parameters import Field, Line, Samples, Tangents, Window
from fastgumbel._cpu.row import add_to, decays, distances, dot, scale, top_of, weighed
from fastgumbel._cpu.stage import coordinates_at, fill
from fastgumbel._law.real import log64
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty


@stage
def _copy(out, to, values, at, n):
    for i in range(n):
        out[np.uint64(to) + np.uint64(i)] = values[np.uint64(at) + np.uint64(i)]


@stage
def logs(out, to, v, at, n, largest, rate, log_total):
    """Logarithms of a relaxed sample from perturbed values; -inf where excluded, finite elsewhere."""
    least = -np.finfo(out.dtype).max
    for i in range(n):
        x = v[np.uint64(at) + np.uint64(i)]
        t = (x - largest) * rate
        t = (t if t > least else least) - log_total
        out[np.uint64(to) + np.uint64(i)] = t if x > -np.inf else x


class Change(NamedTuple):
    """How the exponent (x - top + G) rate of a sample changes: the tangent of tau, the rate, the mean slope."""

    dtau: Any
    rate: Any
    mean: Any


@stage
def tangent(out, dx, x, p, t, change, n, log):
    """Tangent p (slope - mean), without p for a logarithm, where slope = rate (dx - t dtau); an empty `dx` is zero.

    `out`, `dx`, `x` and `p` are a `Line` each: of tangents, of those of log-potentials, of log-potentials and of the
    sample. `t` are distances. A slope beyond the type is cut, so that it is finite times 0 where the sample underflows.
    """
    tangents, to = out
    directions, dx_at = dx
    potentials, x_at = x
    sample, p_at = p
    dtau, rate, mean = change
    most = np.finfo(tangents.dtype).max
    zero = tangents.dtype.type(0)
    if directions.size == 0:
        for i in range(n):
            s = (zero - t[i] * dtau) * rate if dtau != 0 else zero
            s = s if s < most else most
            tangents[np.uint64(to) + np.uint64(i)] = s if s > -most else -most
    elif dtau == 0:
        if not log:
            for i in range(n):
                j = np.uint64(i)
                slope = directions[np.uint64(dx_at) + j] * rate
                tangents[np.uint64(to) + j] = weighed(slope - mean, sample[np.uint64(p_at) + j])
            return
        for i in range(n):
            tangents[np.uint64(to) + np.uint64(i)] = directions[np.uint64(dx_at) + np.uint64(i)] * rate
    else:
        for i in range(n):
            s = (directions[np.uint64(dx_at) + np.uint64(i)] - t[i] * dtau) * rate
            s = s if s < most else most
            tangents[np.uint64(to) + np.uint64(i)] = s if s > -most else -most
    if log:
        for i in range(n):
            place = np.uint64(to) + np.uint64(i)
            left = potentials[np.uint64(x_at) + np.uint64(i)] > -np.inf
            tangents[place] = tangents[place] - mean if left else zero
    else:
        for i in range(n):
            place = np.uint64(to) + np.uint64(i)
            tangents[place] = weighed(tangents[place] - mean, sample[np.uint64(p_at) + np.uint64(i)])


@kernel
def softmax_long(x, field, rates, noise, samples, window):
    """Relaxed samples of the rows of x.

    `field` is a `Field`. `rates` are 1 / tau by row of the whole, or one for all. `noise` replaces the field, [draw,
    row, category] of those at hand, unless it is empty. `samples` are (y, log, faulty), `Samples`, and `window` is
    (first_draw, last_draw, row, column), a `Window` of them.
    """
    field, samples, window = Field(*field), Samples(*samples), Window(*window)
    out, log, faulty = samples
    n_rows, n = x.shape
    all_rows = out.shape[1]
    potentials = x.reshape(n_rows * n)
    results = out.reshape(out.size)
    noises = noise.reshape(noise.size)
    scratch = row_scratch(out)
    p = empty(n if log else 0, out.dtype)
    for r in range(n_rows):
        to_row = window.row + r
        rate, top = rates[min(to_row, rates.size - 1)], top_of(potentials, r * n, n)
        if top != top:
            faulty[to_row] = INVALID_ROW
        for s in range(window.first_draw, window.last_draw):
            at = (s * all_rows + to_row) * n
            if top != top:
                fill(results, at, n, np.nan)
                continue
            if noise.size:
                _copy(results, at, noises, ((s - window.first_draw) * n_rows + r) * n, n)
            else:
                noise_row(results, at, n, coordinates_at(field, r, s), scratch)
            largest = add_to(results, at, potentials, r * n, n, top)
            if log:
                _copy(p, 0, results, at, n)
                log_total = out.dtype.type(log64(decays(p, 0, n, largest, rate)))
                logs(results, at, results, at, n, largest, rate, log_total)
            else:
                total = decays(results, at, n, largest, rate)
                scale(results, at, n, out.dtype.type(1 / total))


@kernel
def softmax_jvp_long(x, field, rates, noise, samples, tangents, window):
    """Relaxed samples and their tangents; faulty[r] becomes INFINITE_TANGENT for rows where these are not finite.

    `tangents` are (dx, dtau, moved, dy), `Tangents`. The other arguments are those of `softmax_long`.
    """
    field, samples, tangents, window = Field(*field), Samples(*samples), Tangents(*tangents), Window(*window)
    y, log, faulty = samples
    dx, dtau, moved, dy = tangents
    n_rows, n = x.shape
    n_directions, n_draws, all_rows = dy.shape[0], dy.shape[1], dy.shape[2]
    potentials = x.reshape(n_rows * n)
    results = y.reshape(y.size)
    changes = dy.reshape(dy.size)
    directions = dx.reshape(dx.size)
    noises = noise.reshape(noise.size)
    scratch = row_scratch(dy)
    t = empty(n if moved else 0, dy.dtype)
    # The sample is computed where it is wanted, if anywhere.
    in_place = y.size > 0 and not log
    p = results if in_place else empty(n, dy.dtype)
    for r in range(n_rows):
        to_row = window.row + r
        rate, top = rates[min(to_row, rates.size - 1)], top_of(potentials, r * n, n)
        if top != top:
            faulty[to_row] = INVALID_ROW
        for s in range(window.first_draw, window.last_draw):
            at = (s * all_rows + to_row) * n
            if top != top:
                if y.size:
                    fill(results, at, n, np.nan)
                for d in range(n_directions):
                    fill(changes, d * n_draws * all_rows * n + at, n, np.nan)
                continue
            p_at = at if in_place else 0
            if noise.size:
                _copy(p, p_at, noises, ((s - window.first_draw) * n_rows + r) * n, n)
            else:
                noise_row(p, p_at, n, coordinates_at(field, r, s), scratch)
            largest = add_to(p, p_at, potentials, r * n, n, top)
            if moved:
                distances(t, p, p_at, n, largest, rate)
            if log and y.size:
                _copy(results, at, p, p_at, n)
            total = decays(p, p_at, n, largest, rate)
            scale(p, p_at, n, dy.dtype.type(1 / total))
            if log and y.size:
                logs(results, at, results, at, n, largest, rate, dy.dtype.type(log64(total)))
            mean_distance = dot(t, 0, p, p_at, n) if moved else 0.0
            for d in range(n_directions):
                to = d * n_draws * all_rows * n + at
                dx_at = (d * all_rows + to_row) * n
                slope = dtau[d, to_row]
                mean = (dot(directions, dx_at, p, p_at, n) if dx.size else 0.0) - slope * mean_distance
                mean = dy.dtype.type(mean * rate)
                if not abs(mean) < np.inf:
                    faulty[to_row] = INFINITE_TANGENT
                of_x, of_p = Line(potentials, r * n), Line(p, p_at)
                change = Change(slope, rate, mean)
                tangent(Line(changes, to), Line(directions, dx_at), of_x, of_p, t, change, n, log)
