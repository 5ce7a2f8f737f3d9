"""Relaxed samples of short rows, and their tangents: rows (and draws) as vector slots.

Sums are taken as `_law/sums.py` says: in the type of the row up to SHORT categories, and beyond as `total`, in float64.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.parameters import Field, Samples, Tangents, Window
from fastgumbel._cpu.row import weighed
from fastgumbel._cpu.slot_sums import SPARE, total_of_planes
from fastgumbel._cpu.slots import noise_planes, repeat, slot_scratch, survey_valid, turn, turn_back
from fastgumbel._cpu.stage import STAGE, enter_draws, enter_rows, fill
from fastgumbel._law.real import decay, log, log64
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_ROW
from fastgumbel._law.sums import SHORT
from fastgumbel._numba.compile import kernel, maker, stage
from fastgumbel._numba.memory import empty, zeros

# Planes of what is known of a slot.
_LARGEST = 0
_TOTAL = STAGE
_RATE = 2 * STAGE
_MEAN = 3 * STAGE
_SLOPE = 4 * STAGE
_DISTANCE = 5 * STAGE
_TOP = 6 * STAGE
_PLANES = 7


class _Long(NamedTuple):
    """For rows beyond SHORT: sums of samples and of their products with distances and tangents; and those products."""

    sums: Any
    distances: Any
    means: Any
    products: Any


@maker
def _new_long(like, n):
    """Room for products of n categories, of the type of an array."""
    return _Long(
        empty(STAGE, np.float64),
        zeros(STAGE, np.float64),
        empty(STAGE, np.float64),
        empty((n + SPARE) * STAGE, like.dtype),
    )


@stage
def _perturb(v, x, known, n, slots):
    """Add log-potentials, less their largest, to noise; the largest sum of each slot, -inf where the row is invalid."""
    for i in range(slots):
        known[_LARGEST + i] = -np.inf
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            s = v[at + np.uint64(i)] + (x[at + np.uint64(i)] - known[_TOP + i])
            v[at + np.uint64(i)] = s
            known[_LARGEST + i] = s if s > known[_LARGEST + i] else known[_LARGEST + i]


@stage
def _add_up(known, plane, numbers, n, slots):
    """Sum of the first n planes of numbers, one by one in their type, to a plane of `known`."""
    for i in range(slots):
        known[plane + i] = 0
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            known[plane + i] += numbers[at + np.uint64(i)]


@stage
def _decays(p, v, known, sums, n, slots):
    """Relaxed samples of perturbed values, and the sums they were divided by; NaN where a slot has no sample."""
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            p[at + np.uint64(i)] = decay((v[at + np.uint64(i)] - known[_LARGEST + i]) * known[_RATE + i])
    if n <= SHORT:
        _add_up(known, _TOTAL, p, n, slots)
        for i in range(slots):
            known[_MEAN + i] = 1 / known[_TOTAL + i]
    else:
        total_of_planes(sums, p, n, slots)
        for i in range(slots):
            known[_TOTAL + i], known[_MEAN + i] = sums[i], 1 / sums[i]
    for i in range(slots):
        good = known[_LARGEST + i] > -np.inf
        known[_TOTAL + i] = known[_TOTAL + i] if good else np.nan
        known[_MEAN + i] = known[_MEAN + i] if good else np.nan
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            p[at + np.uint64(i)] *= known[_MEAN + i]


@stage
def _distances(v, known, n, slots):
    """Perturbed values less the largest over tau, at least the least number."""
    least = -np.finfo(v.dtype).max
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            t = (v[at + np.uint64(i)] - known[_LARGEST + i]) * known[_RATE + i]
            v[at + np.uint64(i)] = t if t > least else least


@stage
def _logs(p, t, x, known, sums, n, slots):
    """Logarithms of the sample, by slot; -inf where excluded."""
    excluded = t.dtype.type(-np.inf)
    for i in range(slots):
        known[_MEAN + i] = log(known[_TOTAL + i]) if known[_TOTAL + i] > 0 else known[_TOTAL + i]
    if n > SHORT:
        for i in range(slots):
            known[_MEAN + i] = log64(sums[i]) if known[_TOTAL + i] > 0 else known[_TOTAL + i]
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            logarithm = t[at + np.uint64(i)] if x[at + np.uint64(i)] > -np.inf else excluded
            p[at + np.uint64(i)] = logarithm - known[_MEAN + i]


@stage
def _add_up_products(known, plane, numbers, p, n, slots):
    """As `_add_up`, of the products of numbers and sample."""
    for i in range(slots):
        known[plane + i] = 0
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            known[plane + i] += p[at + np.uint64(i)] * numbers[at + np.uint64(i)]


@stage
def _total_of_products(sums, products, numbers, p, n, slots):
    """`total` of the products of numbers and sample, which go to planes of their own."""
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            products[at + np.uint64(i)] = p[at + np.uint64(i)] * numbers[at + np.uint64(i)]
    total_of_planes(sums, products, n, slots)


@stage
def _means(q, p, known, long, n, slots):
    """Mean slope of each slot under its sample, where q holds tangents of log-potentials."""
    if n <= SHORT:
        _add_up_products(known, _MEAN, q, p, n, slots)
        for i in range(slots):
            known[_MEAN + i] = (known[_MEAN + i] - known[_SLOPE + i] * known[_DISTANCE + i]) * known[_RATE + i]
    else:
        _total_of_products(long.means, long.products, q, p, n, slots)
        for i in range(slots):
            mean = long.means[i] - np.float64(known[_SLOPE + i]) * long.distances[i]
            known[_MEAN + i] = mean * np.float64(known[_RATE + i])


@stage
def _slopes(q, t, known, n, slots):
    """Tangents of the log-potentials in q into those of (x + G) / tau, up to a constant."""
    most = np.finfo(q.dtype).max
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            s = (q[at + np.uint64(i)] - t[at + np.uint64(i)] * known[_SLOPE + i]) * known[_RATE + i]
            s = s if s < most else most
            q[at + np.uint64(i)] = s if s > -most else -most


@stage
def _tangents(q, p, known, n, slots, logarithm, moved):
    """Slopes (without moved temperatures: tangents of log-potentials) into tangents of the sample or its logarithm."""
    for j in range(n):
        at = np.uint64(j * STAGE)
        if logarithm and moved:
            for i in range(slots):
                q[at + np.uint64(i)] -= known[_MEAN + i]
        elif logarithm:
            for i in range(slots):
                q[at + np.uint64(i)] = q[at + np.uint64(i)] * known[_RATE + i] - known[_MEAN + i]
        elif moved:
            for i in range(slots):
                q[at + np.uint64(i)] = weighed(q[at + np.uint64(i)] - known[_MEAN + i], p[at + np.uint64(i)])
        else:
            for i in range(slots):
                slope = q[at + np.uint64(i)] * known[_RATE + i]
                q[at + np.uint64(i)] = weighed(slope - known[_MEAN + i], p[at + np.uint64(i)])


@stage
def _clear_excluded(q, x, known, n, slots):
    """0 where a category is excluded; what is NaN by slot stays so."""
    for i in range(slots):
        known[_MEAN + i] = 0 if known[_MEAN + i] == known[_MEAN + i] else np.nan
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(slots):
            q[at + np.uint64(i)] = q[at + np.uint64(i)] if x[at + np.uint64(i)] > -np.inf else known[_MEAN + i]


@kernel
def softmax_short(x, field, rates, noise, samples, tangents, window):
    """Relaxed samples of short rows, and tangents where dy is not empty.

    `field` is a `Field`. `rates` are 1 / tau by row of the whole, or one for all. `noise` replaces the field, [draw,
    row, category] of those at hand, unless it is empty. `samples` are (y, log, faulty), `Samples`, and `tangents` (dx,
    dtau, moved, dy), `Tangents`; faulty[r] becomes INFINITE_TANGENT for rows where these are not finite. `window` is
    (first_draw, last_draw, row, column), a `Window` of them.
    """
    field, window = Field(*field), Window(*window)
    y, logarithm, faulty = Samples(*samples)
    dx, dtau, moved, dy = Tangents(*tangents)
    n_rows, n = x.shape
    n_directions = dy.shape[0]
    n_draws, all_rows = (dy.shape[1], dy.shape[2]) if n_directions else (y.shape[0], y.shape[1])
    flat = x.reshape(n_rows * n)
    results, changes = y.reshape(y.size), dy.reshape(dy.size)
    directions, noises = dx.reshape(dx.size), noise.reshape(noise.size)
    together = min(n_rows, STAGE)
    at_once = min(STAGE // together, window.last_draw - window.first_draw)
    kind = rates.dtype
    potentials = empty((n + 7) * STAGE, x.dtype)
    t = empty((n + 7) * STAGE, kind)
    p = empty((n + SPARE) * STAGE, kind)
    q = empty((n + 7) * STAGE if n_directions or logarithm else 0, kind)
    known = empty(_PLANES * STAGE, kind)
    long = _new_long(p, n if n > SHORT and n_directions else 0)
    fill(known, _DISTANCE, STAGE, kind.type(0))
    fill(known, _RATE, STAGE, rates[0])
    scratch = slot_scratch(rates)
    counters = scratch.counters
    for r in range(0, n_rows, together):
        count, to_row = min(together, n_rows - r), window.row + r
        turn(potentials, flat, r * n, n, count)
        survey_valid(known[_TOP:], potentials, n, count)
        repeat(potentials, n, count, at_once)
        for d in range(at_once):
            enter_rows(counters, d * count, count, field, r)
            for i in range(count):
                known[_TOP + d * count + i] = known[_TOP + i]
            for i in range(count if rates.size > 1 else 0):
                known[_RATE + d * count + i] = rates[to_row + i]
        for s in range(window.first_draw, window.last_draw, at_once):
            raced = min(at_once, window.last_draw - s)
            slots = count * raced
            if noise.size:
                for d in range(raced):
                    base = ((s + d - window.first_draw) * n_rows + r) * n
                    turn(t[d * count :], noises, base, n, count)
            else:
                for d in range(raced):
                    enter_draws(counters, d * count, count, field, r, s + d)
                noise_planes(t, scratch, n, slots, field.start, field.key)
            _perturb(t, potentials, known, n, slots)
            _decays(p, t, known, long.sums, n, slots)
            if moved or logarithm:
                _distances(t, known, n, slots)
            for i in range(count):
                if known[_LARGEST + i] == -np.inf:
                    faulty[to_row + i] = INVALID_ROW
            if y.size and logarithm:
                _logs(q, t, potentials, known, long.sums, n, slots)
            if y.size:
                for d in range(raced):
                    base = ((s + d) * all_rows + to_row) * n
                    turn_back(results, base, q if logarithm else p, d * count, n, count)
            if moved and n <= SHORT:
                _add_up_products(known, _DISTANCE, t, p, n, slots)
            elif moved:
                _total_of_products(long.distances, long.products, t, p, n, slots)
            for k in range(n_directions):
                if dx.size:
                    turn(q, directions, (k * all_rows + to_row) * n, n, count)
                    repeat(q, n, count, raced)
                else:
                    fill(q, 0, n * STAGE, kind.type(0))
                for d in range(raced):
                    for i in range(count):
                        known[_SLOPE + d * count + i] = dtau[k, to_row + i]
                _means(q, p, known, long, n, slots)
                for i in range(slots):
                    if known[_TOTAL + i] > 0 and not abs(known[_MEAN + i]) < np.inf:
                        faulty[to_row + i % count] = INFINITE_TANGENT
                if moved:
                    _slopes(q, t, known, n, slots)
                _tangents(q, p, known, n, slots, logarithm, moved)
                if logarithm:
                    _clear_excluded(q, potentials, known, n, slots)
                for d in range(raced):
                    base = ((k * n_draws + s + d) * all_rows + to_row) * n
                    turn_back(changes, base, q, d * count, n, count)
