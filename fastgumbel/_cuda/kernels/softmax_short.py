"""Relaxed samples of short rows on a device, and their tangents: a thread a row and draw."""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import block, first_draw, quad_noise
from fastgumbel._cuda.kernels.max import row_largest
from fastgumbel._cuda.kernels.parameters import Line
from fastgumbel._cuda.kernels.rows import infinity, note_fault, quad
from fastgumbel._cuda.kernels.softmax import (
    distance,
    is_noise,
    left_by,
    perturbed,
    raised,
    rate_of,
    slope_of,
    tangent,
    weighed,
    weight,
)
from fastgumbel._cuda.seam import cuda, device, kernel
from fastgumbel._law.ops import times
from fastgumbel._law.real import log as log_of
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_NOISE, INVALID_ROW, LIMIT

THREADS = 128

_0, _1, _2, _3, _4 = map(np.int64, range(5))


@device
def _place(column):
    """Where this thread keeps a column: each category has a plane of threads."""
    return np.int32(np.int32(column) * np.int32(cuda.blockDim.x)) + np.int32(cuda.threadIdx.x)


@device
def _put(tile, column, n, v, largest):
    """Keep a perturbed value, if the row has it; the largest so far."""
    if column < np.int64(0) or column >= n:
        return largest
    tile[_place(column)] = v
    return raised(largest, v, infinity(v))


@device
def _perturb(tile, x, mask, r, coordinates, top, largest):
    """Keep the row's perturbed values, above its largest potential `top`; the largest of them."""
    key, row, draw, start = coordinates
    n = np.int64(x.shape[1])
    column = -np.int64(start & np.uint64(3))
    lanes = start >> np.uint64(2)
    minimum, winner = block(key, row, draw, lanes >> np.uint64(4), largest)
    while column < n:
        if lanes & np.uint64(15) == np.uint64(0):
            minimum, winner = block(key, row, draw, lanes >> np.uint64(4), largest)
        g0, g1, g2, g3 = quad_noise(key, row, draw, lanes, minimum, winner)
        x0, x1, x2, x3 = quad(x, mask, np.uint64(r), column)
        largest = _put(tile, column, n, x0 - top + g0, largest)
        largest = _put(tile, column + _1, n, x1 - top + g1, largest)
        largest = _put(tile, column + _2, n, x2 - top + g2, largest)
        largest = _put(tile, column + _3, n, x3 - top + g3, largest)
        lanes += np.uint64(1)
        column += _4
    return largest


@device
def _perturb_given(tile, line, noise, flag, top, largest):
    """The same with noise: (array by draw, row and category; draw; the number of the row of noise among faults)."""
    given, s, number = noise
    n = np.int64(line.x.shape[1])
    most = tile.dtype.type(np.finfo(tile.dtype).max)
    j = _0
    while j < n:
        beside = given[np.uint64(s), line.row, np.uint64(j)]
        g = tile.dtype.type(beside)
        good = is_noise(g, beside, most)
        largest = _put(tile, j, n, perturbed(left_by(line, j, beside) - top, g, good), largest)
        if not good:
            note_fault(flag, number, INVALID_NOISE)
        j += _1
    return largest


@device
def _largest_beside(line, given, s, limit):
    """The largest potential of a row among what noise leaves, as `raised` tells it."""
    top = -infinity(line.x)
    j = _0
    while j < line.x.shape[1]:
        top = raised(top, left_by(line, j, given[np.uint64(s), line.row, np.uint64(j)]), limit)
        j += _1
    return top


@device
def _fill(out, at, n, value):
    j = _0
    while j < n:
        out[np.uint64(at + j)] = value
        j += _1


@device
def _sum_weights(tile, n, largest, rate, keep):
    """The sum of the weights of perturbed values; with `keep` they take the place of these."""
    total = tile.dtype.type(0)
    j = _0
    while j < n:
        w = weight(tile[_place(j)], largest, rate)
        total += w
        if keep:
            tile[_place(j)] = w
        j += _1
    return total


@device
def _write_sample(y, at, tile, n, known, total, forms):
    """Write a sample; `known` is (largest, rate, 1 / total, most).

    `forms` are (whether its logarithm is wanted, whether the tile has weights).
    """
    largest, rate, factor, most = known
    log, weights = forms
    log_total = log_of(total) if log else y.dtype.type(0)
    j = _0
    while j < n:
        v = tile[_place(j)]
        if log:
            y[np.uint64(at + j)] = distance(v, largest, rate, most) - log_total if v >= -most else v
        else:
            y[np.uint64(at + j)] = times(v if weights else weight(v, largest, rate), factor)
        j += _1


@device
def _mean_distance(tile, n, known):
    """The mean of `distance` over the sample."""
    largest, rate, factor, most = known
    mean = tile.dtype.type(0)
    j = _0
    while j < n:
        v = tile[_place(j)]
        mean += times(times(weight(v, largest, rate), factor), distance(v, largest, rate, most))
        j += _1
    return mean


@device
def _mean_tangent(tile, n, known, dx, dx_at):
    """The mean of tangents of potentials over the sample; without any it is 0."""
    largest, rate, factor, most = known
    mean = tile.dtype.type(0)
    j = _0
    while j < n and dx.size:
        v = tile[_place(j)]
        # The tangent of what is excluded is not looked at: it may be NaN.
        if v >= -most:
            mean += times(times(weight(v, largest, rate), factor), dx[np.uint64(dx_at + j)])
        j += _1
    return mean


@device
def _write_tangent(tangents, to, tile, n, known, dx_at, change):
    """Write a tangent of the sample, or of its logarithm; `change` is (that of tau, the mean, whether `log`)."""
    largest, rate, factor, most = known
    slope, mean, log = change
    dx, dy = tangents.dx, tangents.dy
    j = _0
    while j < n:
        v = tile[_place(j)]
        t = distance(v, largest, rate, most)
        q = dx[np.uint64(dx_at + j)] if dx.size else tile.dtype.type(0)
        q = tangent(q, t, slope, tangents.moved, rate, mean, most)
        if log:
            dy[np.uint64(to + j)] = q if v >= -most else tile.dtype.type(0)
        else:
            dy[np.uint64(to + j)] = weighed(q, times(weight(v, largest, rate), factor))
        j += _1


@kernel(threads=THREADS)
def softmax_short(x, mask, field, given, rates, tangents, samples, window):
    """Relaxed samples of a piece of rows, and their tangents.

    `field` is a `Field`, `rates` are `Rates`, `tangents` `Tangents`, `samples` `Samples`, and `window` is a `Window`.
    `given` is noise by draw, row of the piece and category instead of the field, or empty. Dynamic shared memory has a
    place for each thread and category.
    """
    dx, dy, y, flag, faults, log = tangents.dx, tangents.dy, samples.y, samples.flag, samples.faults, samples.log
    moved, n_directions = tangents.moved, tangents.directions
    n_rows, n = np.int64(x.shape[0]), np.int64(x.shape[1])
    most = y.dtype.type(np.finfo(y.dtype).max)
    tile = cuda.shared.array(0, y.dtype)
    i = np.int64(cuda.blockIdx.x) * np.int64(cuda.blockDim.x) + np.int64(cuda.threadIdx.x)
    if i >= n_rows * window.draws:
        return
    s = np.int64(np.uint64(i) // np.uint64(n_rows))
    r = i - s * n_rows
    whole = window.row + r
    # The number of the result's row, but for directions.
    number = (window.first_draw + s) * window.rows + whole
    at = number * n
    rate, nan = rate_of(rates, whole), y.dtype.type(np.nan)
    line = Line(x, mask, np.uint64(r))
    top = _largest_beside(line, given, s, y.dtype.type(LIMIT)) if given.size else row_largest(x, mask, line.row)
    # Noise of an invalid row is looked at too, as its faults come first.
    top = top if top > -LIMIT and top < LIMIT else nan
    largest = y.dtype.type(-np.inf)
    if given.size:
        largest = _perturb_given(tile, line, (given, s, number), flag, top, largest)
    else:
        row = row_id(field.ids, field.row, line.row)
        coordinates = field.key, row, first_draw(field, r) + np.uint64(window.first_draw + s), field.start
        largest = _perturb(tile, x, mask, r, coordinates, top, largest)
    if not (largest >= -most and largest <= most):
        note_fault(flag, faults + whole, INVALID_ROW)
        if y.size:
            _fill(y, at, n, nan)
        d = _0
        while d < n_directions:
            _fill(dy, d * window.all_draws * window.rows * n + at, n, nan)
            d += _1
        return

    # Where nothing else is wanted of perturbed values, weights take their place.
    plain = not log and n_directions == _0
    total = _sum_weights(tile, n, largest, rate, plain)
    known = largest, rate, y.dtype.type(1) / total, most
    if y.size:
        _write_sample(y, at, tile, n, known, total, (log, plain))
    mean_distance = _mean_distance(tile, n, known) if moved else y.dtype.type(0)
    d = _0
    while d < n_directions:
        dx_at = d * tangents.dx_step + whole * n
        to = d * window.all_draws * window.rows * n + at
        slope = slope_of(tangents, d, whole)
        mean = _mean_tangent(tile, n, known, dx, dx_at)
        mean = times(mean - times(slope, mean_distance), rate)
        if not (mean >= -most and mean <= most):
            note_fault(flag, faults + whole, INFINITE_TANGENT)
        _write_tangent(tangents, to, tile, n, known, dx_at, (slope, mean, log))
        d += _1
