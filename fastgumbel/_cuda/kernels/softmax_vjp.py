"""Cotangents of relaxed samples carried back on a device: what `_cpu/softmax/vjp.py` does, in the same order of sums.

Samples come first, each by itself: the mean of its cotangent, and what it gives for tau. Then every category goes
through the draws of its row, and so does every row.
"""

import numpy as np

from fastgumbel._cuda.kernels.rows import divided, note_fault
from fastgumbel._cuda.kernels.softmax import GROUP_REST, GROUP_SHIFT, group_sum, in_order, rate_of
from fastgumbel._cuda.seam import ALL_LANES, cuda, device, kernel
from fastgumbel._law.ops import times
from fastgumbel._law.real import decay
from fastgumbel._law.real import log as log_of
from fastgumbel._law.reduce import INFINITE_TANGENT
from fastgumbel._law.sums import GROUP

THREADS = 256
# Columns whose terms are summed between two barriers.
_WIDTH = 8192
_TERMS = _WIDTH // GROUP + GROUP - 1

_0, _1 = np.int64(0), np.int64(1)


@device
def _bound(y, log):
    """What samples are above where a category is left: 0, or -inf for logarithms."""
    return y.dtype.type(-np.inf) if log else y.dtype.type(0)


@device
def _pulled(w, t, log, mean):
    """What a cotangent of a sample, or logarithm, t gives for (x + G) / tau, where a category is left."""
    return w - times(decay(t), mean) if log else times(t, w - mean)


@device
def _term(cotangents, at, w_at, mean, of_tau):
    """A term of the mean of a cotangent or, for `of_tau`, of what it gives for tau."""
    y, log = cotangents.y, cotangents.log
    t = y[np.uint64(at)]
    if not t > _bound(y, log):
        return y.dtype.type(0)
    w = cotangents.w[np.uint64(w_at)]
    if of_tau:
        return times(_pulled(w, t, log, mean), t if log else log_of(t))
    return w if log else times(w, t)


@device
def _line(cotangents, item):
    """Where the cotangent of a sample begins."""
    s = divided(item, cotangents.rows)
    chosen = cotangents.first + divided(s, cotangents.repeats)
    return (chosen * cotangents.rows + item - s * cotangents.rows) * cotangents.n


@device
def _known(y, at, mean):
    """The mean; NaN where the sample is NaN, and +inf where the mean is not finite."""
    first = y[np.uint64(at)]
    infinite = y.dtype.type(np.inf)
    return np.float64(first if first != first else (mean if abs(mean) < infinite else infinite))


@device
def _sum_short(cotangents, places, mean, of_tau):
    """Sum of the terms of a row without a whole group, `total` of `_law/sums.py`."""
    at, w_at = places
    sum_ = np.float64(0)
    j = _0
    while j < cotangents.n:
        sum_ += np.float64(_term(cotangents, at + j, w_at + j, mean, of_tau))
        j += _1
    return sum_


@kernel(threads=THREADS)
def pull_short(means, slopes, cotangents):
    """Write means[s, r] and slopes[s, r], flat, of samples without a whole group of categories, a thread each.

    `cotangents` is (y, log, w, first, repeats, draws, rows, n), a `Cotangents`; the results are float64. The mean is
    sum(w y), or for logarithms sum(w); NaN where the row is invalid, and +inf where it is not finite. The slope is
    sum(g log y), where g is what the cotangent gives for (x + G) / tau.
    """
    y, n = cotangents.y, cotangents.n
    item = np.int64(cuda.blockIdx.x) * np.int64(cuda.blockDim.x) + np.int64(cuda.threadIdx.x)
    if item < cotangents.draws * cotangents.rows:
        places = item * n, _line(cotangents, item)
        mean = y.dtype.type(_sum_short(cotangents, places, y.dtype.type(0), False))
        means[np.uint64(item)] = _known(y, item * n, mean)
        slopes[np.uint64(item)] = _sum_short(cotangents, places, mean, True)


@device
def _sum(terms, cell, cotangents, places, mean, of_tau):
    """Sum of the terms of a row, `total` of `_law/sums.py`. All threads must call."""
    at, w_at = places
    n = cotangents.n
    thread = np.int32(cuda.threadIdx.x)
    lane = np.int64(thread & np.int32(31))
    half = np.int64(32)
    sum_ = np.float64(0)
    c = _0
    while c < n:
        count = min(n - c, np.int64(_WIDTH))
        groups = np.int32(np.int32(count) >> GROUP_SHIFT)
        group = np.int32(thread >> np.int32(5))
        while group < groups:
            j = c + np.int64(np.int32(group << GROUP_SHIFT)) + lane
            s = _term(cotangents, at + j, w_at + j, mean, of_tau)
            s = group_sum(s + _term(cotangents, at + j + half, w_at + j + half, mean, of_tau))
            if lane == _0:
                terms[group] = s
            group = np.int32(group + np.int32(np.int32(cuda.blockDim.x) >> np.int32(5)))
        j = np.int64(np.int32(groups << GROUP_SHIFT)) + np.int64(thread)
        while j < count:
            place = np.int32(np.int32(j) - np.int32(groups * GROUP_REST))
            terms[place] = _term(cotangents, at + c + j, w_at + c + j, mean, of_tau)
            j += np.int64(cuda.blockDim.x)
        cuda.syncthreads()
        if thread < np.int32(32):
            sum_ = in_order(sum_, terms, np.int32(groups + np.int32(np.int32(count) & GROUP_REST)))
        cuda.syncthreads()
        c += count
    if thread == np.int32(0):
        cell[0] = sum_
    cuda.syncthreads()
    return cell[0]


@kernel(threads=THREADS, blocks=2)
def pull_long(means, slopes, cotangents):
    """Write what `pull_short` does, a block of threads a sample."""
    y = cotangents.y
    terms = cuda.shared.array(_TERMS, y.dtype)
    cell = cuda.shared.array(1, np.float64)
    item = np.int64(cuda.blockIdx.x)
    at = item * cotangents.n
    places = at, _line(cotangents, item)
    mean = y.dtype.type(_sum(terms, cell, cotangents, places, y.dtype.type(0), False))
    slope = _sum(terms, cell, cotangents, places, mean, True)
    if np.int32(cuda.threadIdx.x) == np.int32(0):
        means[np.uint64(item)] = _known(y, at, mean)
        slopes[np.uint64(item)] = slope


@kernel(threads=THREADS)
def add_gradients(out, sums, means, cotangents, factors, begins, ends):
    """Add what all draws give for (x + G) / tau to sums[r, j], or to 0 where the sum begins, a thread a category.

    Where it ends, the sum times the row's factor goes to out[r, j]; NaN where a mean is not finite. All arrays are
    flat, and `sums` is float64. `means` and `cotangents` are what `pull_short` writes and takes, and `factors` is
    (one, many), a `Rates`.
    """
    y, log, w, line = cotangents.y, cotangents.log, cotangents.w, cotangents.rows * cotangents.n
    i = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if i < line:
        row = divided(i, cotangents.n)
        bound = _bound(y, log)
        item, at, w_at = row, i, cotangents.first * line + i
        sum_ = np.float64(0) if begins else sums[np.uint64(i)]
        s, repeat = _0, _0
        while s < cotangents.draws:
            # Loads begin before any of them is waited for.
            t, q, mean = y[np.uint64(at)], w[np.uint64(w_at)], y.dtype.type(means[np.uint64(item)])
            if not abs(mean) < np.inf:
                sum_ = np.float64(np.nan)
                break
            if t > bound:
                sum_ += np.float64(_pulled(q, t, log, mean))
            item += cotangents.rows
            at += line
            repeat += _1
            if repeat == cotangents.repeats:
                repeat = _0
                w_at += line
            s += _1
        if ends:
            out[np.uint64(i)] = out.dtype.type(sum_ * rate_of(factors, row))
        else:
            sums[np.uint64(i)] = sum_


@kernel(threads=THREADS)
def add_slopes(out, sums, means, slopes, shape, factors, flag, ends_of_sum):
    """Take slopes[s, r] of all draws from sums[r], or from 0 where the sum begins, a thread a row.

    Where it ends, the sum times the row's factor goes to out[r]: 0 in invalid rows, NaN where a mean is not finite, of
    which `flag` is told. `means` and `slopes` are what `pull_short` writes, `shape` is (draws, rows), `factors` is
    (one, many), a `Rates`, and `ends_of_sum` is (whether the sum begins, whether it ends).
    """
    draws, rows = shape
    begins, ends = ends_of_sum
    r = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if r < rows:
        sum_ = np.float64(0) if begins else sums[np.uint64(r)]
        valid = True
        item = r
        while item < draws * rows:
            mean = means[np.uint64(item)]
            valid = mean == mean
            if not abs(mean) < np.inf:
                if valid:
                    note_fault(flag, r, INFINITE_TANGENT)
                sum_ = np.float64(np.nan)
                break
            sum_ -= slopes[np.uint64(item)]
            item += rows
        if ends:
            out[np.uint64(r)] = out.dtype.type(sum_ * rate_of(factors, r) if valid else np.float64(0))
        else:
            sums[np.uint64(r)] = sum_


@kernel(threads=THREADS)
def add_along(out, sums, length, inner):
    """Add sums[o, k, i] over k < length, one after another, to out[o, i], flat, with `inner` numbers i: a warp each."""
    thread = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    result = thread >> np.int64(5)
    lane = np.int32(np.int32(cuda.threadIdx.x) & np.int32(31))
    if result < np.int64(out.size):
        outer = divided(result, inner)
        at = outer * length * inner + result - outer * inner
        # Added to the first number, -0 gives it back.
        sum_ = np.float64(-0.0) if length > _0 else np.float64(0)
        step = np.int64(32) * inner
        at += np.int64(lane) * inner
        left = length - np.int64(lane)
        mine = sums[np.uint64(at)] if left > _0 else np.float64(0)
        k = _0
        while k < length:
            # The next numbers are on their way while these are added.
            at += step
            left -= np.int64(32)
            later = sums[np.uint64(at)] if left > _0 else np.float64(0)
            count = np.int32(min(length - k, np.int64(32)))
            i = np.int32(0)
            while i < count:
                sum_ += cuda.shfl_sync(ALL_LANES, mine, i)
                i = np.int32(i + np.int32(1))
            mine = later
            k += np.int64(32)
        if lane == np.int32(0):
            out[np.uint64(result)] = out.dtype.type(sum_)
