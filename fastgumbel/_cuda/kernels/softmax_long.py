"""Relaxed samples of long rows on a device, and their tangents: a block of threads a row and draw.

A tile of the row's perturbed values lies in shared memory. Where a row is longer than a tile, each pass along the row
perturbs it anew, so no noise ever lies in device memory.
"""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import first_draw, held_block, hold_blocks, quad_noise
from fastgumbel._cuda.kernels.parameters import Line
from fastgumbel._cuda.kernels.rows import infinity, note_fault, quad
from fastgumbel._cuda.kernels.softmax import (
    GROUP_REST,
    GROUP_SHIFT,
    distance,
    group_sum,
    in_order,
    is_noise,
    largest_of,
    left_by,
    perturbed,
    raised,
    rate_of,
    slope_of,
    tangent,
    top_beside,
    top_of,
    weighed,
    weight,
)
from fastgumbel._cuda.seam import cuda, device, kernel, opaque
from fastgumbel._law.ops import times
from fastgumbel._law.real import log64
from fastgumbel._law.reduce import INFINITE_TANGENT, INVALID_NOISE, INVALID_ROW, LIMIT
from fastgumbel._law.sums import GROUP

THREADS = 128
# Columns of a tile at most: each of its groups has a term, and so has each of the numbers behind the last whole group.
TILE = 11520
_TERMS = TILE // GROUP + GROUP - 1
_WARPS = THREADS // 32

_0, _1, _2, _3 = map(np.int64, (0, 1, 2, 3))

# Passes along a row; two more for each direction.
_PERTURB, _TOTAL, _SAMPLE, _DISTANCE, _DIRECTIONS = map(np.int32, range(5))


@device
def _put(tile, column, c, end, v, largest):
    """Keep a perturbed value, if the tile has it; the largest so far."""
    if column < c or column >= end:
        return largest
    tile[np.int32(column - c)] = v
    return raised(largest, v, infinity(v))


@device
def _perturb(tile, line, coordinates, c, end, tops, largest):
    """Perturbed values of columns c to end, above the row's largest potential, the only item of `tops`, to the tile.

    Gives the largest that this thread met. All threads must call.
    """
    key, row, draw, start = coordinates
    lane = np.int32(np.int32(cuda.threadIdx.x) & np.int32(31))
    warps = np.int32(np.int32(cuda.blockDim.x) >> np.int32(5))
    first_pair = (start + np.uint64(c)) >> np.uint64(7)
    pairs = np.int32(np.int64(((start + np.uint64(end - _1)) >> np.uint64(7)) - first_pair) + _1)
    steps = np.int32(np.uint32(pairs + warps - np.int32(1)) // np.uint32(warps))
    mine = np.int32(np.int32(np.int32(cuda.threadIdx.x) >> np.int32(5)) * steps)
    pair = first_pair + np.uint64(min(np.int32(mine + lane), np.int32(pairs - np.int32(1))))
    held = hold_blocks(key, row, draw, pair, largest, lane)
    steps = min(steps, np.int32(pairs - mine))
    lanes = ((first_pair + np.uint64(mine)) << np.uint64(5)) + np.uint64(lane)
    column = np.int64(lanes << np.uint64(2)) - np.int64(start)
    step = np.int32(0)
    while step < steps:
        # Round keys that are kept through the loop take twenty registers.
        key = opaque(key)
        minimum, winner = held_block(held, step, lane)
        if column + _3 >= c and column < end:
            g0, g1, g2, g3 = quad_noise(key, row, draw, lanes, minimum, winner)
            x0, x1, x2, x3 = quad(line.x, line.mask, line.row, column)
            # Read anew, as registers are scarce here.
            top = tops[0]
            largest = _put(tile, column, c, end, x0 - top + g0, largest)
            largest = _put(tile, column + _1, c, end, x1 - top + g1, largest)
            largest = _put(tile, column + _2, c, end, x2 - top + g2, largest)
            largest = _put(tile, column + _3, c, end, x3 - top + g3, largest)
        step = np.int32(step + np.int32(1))
        lanes += np.uint64(32)
        column += np.int64(128)
    return largest


@device
def _perturb_given(tile, line, noise, flag, columns, tops, largest):
    """The same with noise: (array by draw, row and category; draw; the number of the row of noise among faults)."""
    given, s, number = noise
    c, end = columns
    most = tile.dtype.type(np.finfo(tile.dtype).max)
    j = c + np.int64(cuda.threadIdx.x)
    while j < end:
        beside = given[np.uint64(s), line.row, np.uint64(j)]
        g = tile.dtype.type(beside)
        good = is_noise(g, beside, most)
        largest = _put(tile, j, c, end, perturbed(left_by(line, j, beside) - tops[0], g, good), largest)
        if not good:
            note_fault(flag, number, INVALID_NOISE)
        j += np.int64(cuda.blockDim.x)
    return largest


@device
def _term(tile, i, known, dx, dx_at, phase):
    """What place i of the tile adds to the sum of a pass; `known` is (largest, rate, factor, most)."""
    largest, rate, factor, most = known
    w = weight(tile[i], largest, rate)
    if phase == _TOTAL:
        return w
    p = times(w, factor)
    if phase == _DISTANCE:
        return times(distance(tile[i], largest, rate, most), p)
    # The tangent of what is excluded is not looked at: it may be NaN.
    return times(dx[np.uint64(dx_at + np.int64(i))], p) if tile[i] >= -most else p


@device
def _terms(terms, tile, count, known, dx, dx_at, phase):
    """Terms of a sum over a tile, in order: the sums of its groups, then what is left. All threads must call."""
    thread = np.int32(cuda.threadIdx.x)
    lane = np.int32(thread & np.int32(31))
    groups = np.int32(count >> GROUP_SHIFT)
    group = np.int32(thread >> np.int32(5))
    while group < groups:
        i = np.int32(np.int32(group << GROUP_SHIFT) + lane)
        s = _term(tile, i, known, dx, dx_at, phase) + _term(tile, np.int32(i + np.int32(32)), known, dx, dx_at, phase)
        s = group_sum(s)
        if lane == np.int32(0):
            terms[group] = s
        group = np.int32(group + np.int32(np.int32(cuda.blockDim.x) >> np.int32(5)))
    i = np.int32(np.int32(groups << GROUP_SHIFT) + thread)
    while i < count:
        terms[np.int32(i - np.int32(groups * GROUP_REST))] = _term(tile, i, known, dx, dx_at, phase)
        i = np.int32(i + np.int32(cuda.blockDim.x))


@device
def _write_invalid(samples, tangents, window, number, n):
    """Fill the row of the sample, and of each tangent, with NaN. All threads must call."""
    y, dy = samples.y, tangents.dy
    nan = y.dtype.type(np.nan)
    j = np.int64(cuda.threadIdx.x)
    while j < n:
        if y.size:
            y[np.uint64(number * n + j)] = nan
        d = _0
        while d < tangents.directions:
            dy[np.uint64((d * window.all_draws * window.rows + number) * n + j)] = nan
            d += _1
        j += np.int64(cuda.blockDim.x)


@device
def _write_sample(y, to, tile, count, known, log):
    """Write what a tile has of a sample; `log` is (whether its logarithm is wanted, that of the total)."""
    largest, rate, factor, most = known
    i = np.int32(cuda.threadIdx.x)
    while i < count:
        v = tile[i]
        if log[0]:
            y[np.uint64(to + np.int64(i))] = distance(v, largest, rate, most) - log[1] if v >= -most else v
        else:
            y[np.uint64(to + np.int64(i))] = times(weight(v, largest, rate), factor)
        i = np.int32(i + np.int32(cuda.blockDim.x))


@device
def _write_tangent(tangents, to, tile, count, known, dx_at, change):
    """Write what a tile has of a tangent; `change` is (tangent of tau, mean, whether that of logarithms is wanted)."""
    largest, rate, factor, most = known
    slope, mean, log = change
    dx, dy = tangents.dx, tangents.dy
    zero = tile.dtype.type(0)
    i = np.int32(cuda.threadIdx.x)
    while i < count:
        v = tile[i]
        t = distance(v, largest, rate, most)
        q = dx[np.uint64(dx_at + np.int64(i))] if dx.size else zero
        q = tangent(q, t, slope, slope != zero, rate, mean, most)
        if log:
            dy[np.uint64(to + np.int64(i))] = q if v >= -most else zero
        else:
            dy[np.uint64(to + np.int64(i))] = weighed(q, times(weight(v, largest, rate), factor))
        i = np.int32(i + np.int32(cuda.blockDim.x))


@kernel(threads=THREADS, blocks=3)
def softmax_long(x, mask, field, given, rates, tangents, samples, window):
    """Relaxed samples of a piece of long rows, and their tangents; sums are `total` of `_law/sums.py`.

    `field` is a `Field`, `rates` are `Rates`, `tangents` `Tangents` and `samples` `Samples`. `given` is noise by draw,
    row of the piece and category instead of the field, or empty. `window` is (columns of a tile, a `Window`): a tile
    has a multiple of GROUP columns, at most TILE, and is the dynamic shared memory.
    """
    width, window = window
    dx, y, flag, faults, log = tangents.dx, samples.y, samples.flag, samples.faults, samples.log
    moved, n_directions = tangents.moved, tangents.directions
    n_rows, n = np.int64(x.shape[0]), np.int64(x.shape[1])
    zero = y.dtype.type(0)
    most = y.dtype.type(np.finfo(y.dtype).max)
    tile = cuda.shared.array(0, y.dtype)
    terms = cuda.shared.array(_TERMS, y.dtype)
    peaks, tops = cuda.shared.array(_WARPS, y.dtype), cuda.shared.array(1, y.dtype)
    cell = cuda.shared.array(1, np.float64)
    thread = np.int32(cuda.threadIdx.x)
    s = np.int64(np.uint64(cuda.blockIdx.x) // np.uint64(n_rows))
    r = np.int64(cuda.blockIdx.x) - s * n_rows
    line, nan = Line(x, mask, np.uint64(r)), y.dtype.type(np.nan)
    top = top_beside(peaks, line, given, np.uint64(s)) if given.size else top_of(peaks, line)
    # Noise of an invalid row is looked at too, as its faults come first.
    if thread == np.int32(0):
        tops[0] = top if top > -LIMIT and top < LIMIT else nan
    whole = window.row + r
    # The number of the result's row, but for directions.
    number = (window.first_draw + s) * window.rows + whole
    noise = given, s, number
    rate = rate_of(rates, whole)
    row = row_id(field.ids, field.row, np.uint64(r))
    coordinates = field.key, row, first_draw(field, r) + np.uint64(window.first_draw + s), field.start

    largest = y.dtype.type(-np.inf)
    factor, log_total, mean, slope = zero, zero, zero, zero
    mean_distance = np.float64(0)
    d = _0
    phases = np.int32(_DIRECTIONS + np.int32(np.int32(n_directions) * np.int32(2)))
    phase = _PERTURB
    while phase < phases:
        writes_tangent = phase > _DIRECTIONS and np.int32(phase & np.int32(1)) == np.int32(1)
        sums = phase == _TOTAL or (phase == _DISTANCE and moved)
        if phase >= _DIRECTIONS and not writes_tangent:
            slope = slope_of(tangents, d, whole)
            sums = dx.size > 0
        dx_at = d * tangents.dx_step + whole * n
        passes = phase == _PERTURB or sums or writes_tangent or (phase == _SAMPLE and y.size > 0)
        sum_ = np.float64(0)
        c = _0 if passes else n
        while c < n:
            end = min(c + width, n)
            count = np.int32(end - c)
            if phase == _PERTURB or width < n:
                cuda.syncthreads()
                if given.size:
                    largest = _perturb_given(tile, line, noise, flag, (c, end), tops, largest)
                else:
                    largest = _perturb(tile, line, coordinates, c, end, tops, largest)
                cuda.syncthreads()
            if sums:
                known = largest, rate, factor, most
                _terms(terms, tile, count, known, dx, dx_at + c, phase)
                cuda.syncthreads()
                if thread < np.int32(32):
                    terms_left = np.int32(np.int32(count >> GROUP_SHIFT) + np.int32(count & GROUP_REST))
                    sum_ = in_order(sum_, terms, terms_left)
            elif phase == _SAMPLE or writes_tangent:
                known = largest, rate, factor, most
                to = number + d * window.all_draws * window.rows if writes_tangent else number
                # Opaque, so that the product is not kept in registers throughout.
                to = to * np.int64(opaque(np.uint64(n))) + c
                if phase == _SAMPLE:
                    _write_sample(y, to, tile, count, known, (log, log_total))
                else:
                    _write_tangent(tangents, to, tile, count, known, dx_at + c, (slope, mean, log))
            c = end
        if sums:
            if thread == np.int32(0):
                cell[0] = sum_
            cuda.syncthreads()
            sum_ = cell[0]
        if phase == _PERTURB:
            largest = largest_of(peaks, largest, infinity(largest))
            if not (largest >= -most and largest <= most):
                if thread == np.int32(0):
                    note_fault(flag, faults + whole, INVALID_ROW)
                _write_invalid(samples, tangents, window, number, n)
                return
        elif phase == _TOTAL:
            factor = y.dtype.type(np.float64(1) / sum_)
            if log:
                log_total = y.dtype.type(log64(sum_))
        elif phase == _DISTANCE:
            mean_distance = sum_
        elif writes_tangent:
            d += _1
        elif phase >= _DIRECTIONS:
            mean64 = times(sum_ - times(np.float64(slope), mean_distance), np.float64(rate))
            mean = y.dtype.type(mean64)
            if thread == np.int32(0) and not (mean >= -most and mean <= most):
                note_fault(flag, faults + whole, INFINITE_TANGENT)
        phase = np.int32(phase + np.int32(1))
