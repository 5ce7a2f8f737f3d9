"""Relaxed samples of long rows, and their tangents: row by row, in cache."""

import numpy as np

from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.row import add_to, decays, distances, dot, scale, weighed
from fastgumbel._cpu.stage import fill, row_id
from fastgumbel._law.real import log64
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._numba.compile import kernel, stage


@stage
def _copy(out, to, values, at, n):
    for i in range(n):
        out[np.uint64(to) + np.uint64(i)] = values[np.uint64(at) + np.uint64(i)]


@stage
def _logs(out, to, v, at, n, largest, rate, log_total):
    """Logarithms of a relaxed sample from perturbed values; -inf where excluded, finite elsewhere."""
    least = -np.finfo(out.dtype).max
    for i in range(n):
        x = v[np.uint64(at) + np.uint64(i)]
        t = (x - largest) * rate
        t = (t if t > least else least) - log_total
        out[np.uint64(to) + np.uint64(i)] = t if x > -np.inf else x


@stage
def _tangent(out, to, dx, dx_at, dtau, t, p, p_at, rate, mean, x, x_at, n, log):
    """Tangent p (slope - mean), without p for a logarithm, where slope = rate (dx - t dtau); an empty `dx` is zero.

    A slope beyond the type is cut, so that it is finite times 0 where the sample underflows.
    """
    most = np.finfo(out.dtype).max
    zero = out.dtype.type(0)
    if dx.size == 0:
        for i in range(n):
            s = (zero - t[i] * dtau) * rate if dtau != 0 else zero
            s = s if s < most else most
            out[np.uint64(to) + np.uint64(i)] = s if s > -most else -most
    elif dtau == 0:
        if not log:
            for i in range(n):
                j = np.uint64(i)
                slope = dx[np.uint64(dx_at) + j] * rate
                out[np.uint64(to) + j] = weighed(slope - mean, p[np.uint64(p_at) + j])
            return
        for i in range(n):
            out[np.uint64(to) + np.uint64(i)] = dx[np.uint64(dx_at) + np.uint64(i)] * rate
    else:
        for i in range(n):
            s = (dx[np.uint64(dx_at) + np.uint64(i)] - t[i] * dtau) * rate
            s = s if s < most else most
            out[np.uint64(to) + np.uint64(i)] = s if s > -most else -most
    if log:
        for i in range(n):
            place = np.uint64(to) + np.uint64(i)
            out[place] = out[place] - mean if x[np.uint64(x_at) + np.uint64(i)] > -np.inf else zero
    else:
        for i in range(n):
            place = np.uint64(to) + np.uint64(i)
            out[place] = weighed(out[place] - mean, p[np.uint64(p_at) + np.uint64(i)])


@kernel
def relax_long(x, rows, field, rates, given, out, faulty, place, log):
    """Relaxed samples of the rows of x, into out[s, r, :].

    `rates` are 1 / tau by row of the whole, `given` is noise instead of the field, [draw, row, category] of those
    at hand, or empty; `faulty` becomes INVALID_ROW for rows without a sample, which become NaN. `place` is (first draw,
    last draw, first row) of the whole; `rows` and `field` as in `max_long`.
    """
    key, first_row, draw, start = field
    first_draw, last_draw, to_row = place
    n_rows, n = x.shape
    all_rows = out.shape[1]
    potentials = x.reshape(n_rows * n)
    results = out.reshape(out.size)
    noises = given.reshape(given.size)
    scratch = row_scratch(out)
    p = np.empty(n if log else 0, out.dtype)
    for r in range(n_rows):
        row = row_id(rows, first_row, r)
        rate = rates[to_row + r]
        for s in range(first_draw, last_draw):
            at = (s * all_rows + to_row + r) * n
            if given.size:
                _copy(results, at, noises, ((s - first_draw) * n_rows + r) * n, n)
            else:
                noise_row(results, at, n, key, row, draw + np.uint64(s), start, scratch)
            largest = add_to(results, at, potentials, r * n, n)
            if not -np.inf < largest < np.inf:
                faulty[to_row + r] = INVALID_ROW
                fill(results, at, n, np.nan)
            elif log:
                _copy(p, 0, results, at, n)
                log_total = out.dtype.type(log64(decays(p, 0, n, largest, rate)))
                _logs(results, at, results, at, n, largest, rate, log_total)
            else:
                total = decays(results, at, n, largest, rate)
                scale(results, at, n, out.dtype.type(1 / total))


@kernel
def relax_jvp_long(x, rows, field, rates, given, dx, dtau, moved, y, dy, faulty, place, log):
    """Relaxed samples into y[s, r, :] (unless empty) and their tangents into dy[d, s, r, :].

    `dx[d, r, :]` (or empty for none) and `dtau[d, r]` are tangents, `moved` tells whether any of `dtau` is not 0;
    `faulty` becomes INFINITE_TANGENT for rows where tangents are not finite. The rest is as in `relax_long`.
    """
    key, first_row, draw, start = field
    first_draw, last_draw, to_row = place
    n_rows, n = x.shape
    n_directions, n_draws, all_rows = dy.shape[0], dy.shape[1], dy.shape[2]
    potentials = x.reshape(n_rows * n)
    results = y.reshape(y.size)
    tangents = dy.reshape(dy.size)
    directions = dx.reshape(dx.size)
    noises = given.reshape(given.size)
    scratch = row_scratch(dy)
    t = np.empty(n if moved else 0, dy.dtype)
    # The sample is computed where it is wanted, if anywhere.
    in_place = y.size > 0 and not log
    p = results if in_place else np.empty(n, dy.dtype)
    for r in range(n_rows):
        row = row_id(rows, first_row, r)
        rate = rates[to_row + r]
        for s in range(first_draw, last_draw):
            at = (s * all_rows + to_row + r) * n
            p_at = at if in_place else 0
            if given.size:
                _copy(p, p_at, noises, ((s - first_draw) * n_rows + r) * n, n)
            else:
                here = draw + np.uint64(s)
                noise_row(p, p_at, n, key, row, here, start, scratch)
            largest = add_to(p, p_at, potentials, r * n, n)
            if not -np.inf < largest < np.inf:
                faulty[to_row + r] = INVALID_ROW
                if y.size:
                    fill(results, at, n, np.nan)
                for d in range(n_directions):
                    fill(tangents, d * n_draws * all_rows * n + at, n, np.nan)
                continue
            if moved:
                distances(t, p, p_at, n, largest, rate)
            if log and y.size:
                _copy(results, at, p, p_at, n)
            total = decays(p, p_at, n, largest, rate)
            scale(p, p_at, n, dy.dtype.type(1 / total))
            if log and y.size:
                _logs(results, at, results, at, n, largest, rate, dy.dtype.type(log64(total)))
            mean_distance = dot(t, 0, p, p_at, n) if moved else 0.0
            for d in range(n_directions):
                to = d * n_draws * all_rows * n + at
                dx_at = (d * all_rows + to_row + r) * n
                slope = dtau[d, to_row + r]
                mean = (dot(directions, dx_at, p, p_at, n) if dx.size else 0.0) - slope * mean_distance
                mean = dy.dtype.type(mean * rate)
                if not abs(mean) < np.inf:
                    faulty[to_row + r] = INFINITE_TANGENT
                _tangent(tangents, to, directions, dx_at, slope, t, p, p_at, rate, mean, potentials, r * n, n, log)
