"""Draws that read no field, from tables: running sums of integer weights, a thread block a segment of a row.

See `weights` for the definition. All sums are of integers, so in whatever order they are taken the bits are the same. A
segment's sums begin at its own first category; `ends` has where the segments end.
"""

import numpy as np
from numba import types

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import first_draw
from fastgumbel._cuda.kernels.rows import note_fault, potential
from fastgumbel._cuda.kernels.softmax import largest_of, raised
from fastgumbel._cuda.kernels.temperature import cooled, temperature_of
from fastgumbel._cuda.seam import ALL_LANES, cuda, device, kernel
from fastgumbel._law.ops import bits
from fastgumbel._law.real import decay64
from fastgumbel._law.reduce import INVALID_ROW, LIMIT, NO_INDEX
from fastgumbel._law.weights import grains, halves, last_shift, target, weight

THREADS = 256
_WARPS = THREADS // 32

_0, _1, _5, _31 = map(np.int32, (0, 1, 5, 31))


@device
def _place(n, plan):
    """Row of the batch, its line in x, and the first and the last category, plus one, of this block's segment."""
    first_line, segments, span = plan
    here = np.int64(cuda.blockIdx.x)
    r = np.int64(np.uint64(here) // np.uint64(segments))
    begin = (here - r * segments) * span
    return r, np.uint64(first_line + r), begin, min(begin + span, n)


@device
def _decay(x, mask, line, j, largest, temperature):
    """The exponential of a category, e_c."""
    return decay64(cooled(np.float64(potential(x, mask, line, j)) - largest, temperature))


@device
def _total(cells, v):
    """Sum of the int64 of all threads, with a shared cell for each warp. All threads must call."""
    thread = np.int32(cuda.threadIdx.x)
    for step in (16, 8, 4, 2, 1):
        v += cuda.shfl_xor_sync(ALL_LANES, v, step)
    if np.int32(thread & _31) == _0:
        cells[thread >> _5] = v
    cuda.syncthreads()
    sum_ = np.int64(0)
    w = _0
    while w < np.int32(np.int32(cuda.blockDim.x) >> _5):
        sum_ += cells[w]
        w = np.int32(w + _1)
    return sum_


@device
def _row_largest(cells, tops, r, segments):
    """Largest potential of a row from those of its segments. All threads must call."""
    largest = np.float64(-np.inf)
    s = np.int64(cuda.threadIdx.x)
    while s < segments:
        largest = raised(largest, tops[np.uint64(r * segments + s)], LIMIT)
        s += np.int64(cuda.blockDim.x)
    return largest_of(cells, largest, LIMIT)


@kernel(threads=THREADS)
def largest_of_segments(x, mask, plan, tops):
    """Largest potentials; NaN or not below LIMIT where one is.

    `plan` is (first row, segments a row, categories in one).
    """
    cells = cuda.shared.array(_WARPS, types.float64)
    _, line, begin, end = _place(np.int64(x.shape[1]), plan)
    largest = np.float64(-np.inf)
    j = begin + np.int64(cuda.threadIdx.x)
    while j < end:
        largest = raised(largest, np.float64(potential(x, mask, line, j)), LIMIT)
        j += np.int64(cuda.blockDim.x)
    largest = largest_of(cells, largest, LIMIT)
    if cuda.threadIdx.x == 0:
        tops[np.uint64(cuda.blockIdx.x)] = largest


@kernel(threads=THREADS)
def masses_of_segments(x, mask, temperatures, plan, tops, masses):
    """What each segment adds to its row's A, but for n; `temperatures` are `Temperatures`."""
    cells, sums = cuda.shared.array(_WARPS, types.float64), cuda.shared.array(_WARPS, types.int64)
    r, line, begin, end = _place(np.int64(x.shape[1]), plan)
    largest, temperature = _row_largest(cells, tops, r, plan[1]), temperature_of(temperatures, line)
    mass = np.int64(0)
    j = begin + np.int64(cuda.threadIdx.x)
    while j < end:
        mass += np.int64(grains(_decay(x, mask, line, j, largest, temperature)))
        j += np.int64(cuda.blockDim.x)
    mass = _total(sums, mass)
    if cuda.threadIdx.x == 0:
        masses[np.uint64(cuda.blockIdx.x)] = mass


@kernel(threads=THREADS)
def cumulate_segments(x, mask, temperatures, plan, tops, masses, sums, totals):
    """Running sums of each segment's weights, and their total: 0 in invalid rows."""
    cells, parts = cuda.shared.array(_WARPS, types.float64), cuda.shared.array(_WARPS, types.int64)
    ends = cuda.shared.array(_WARPS, types.int64)
    n, segments = np.int64(x.shape[1]), plan[1]
    r, line, begin, end = _place(n, plan)
    thread, threads = np.int32(cuda.threadIdx.x), np.int32(cuda.blockDim.x)
    lane, warp = np.int32(thread & _31), np.int32(thread >> _5)
    largest, temperature = _row_largest(cells, tops, r, segments), temperature_of(temperatures, line)
    mass = np.int64(0)
    s = np.int64(thread)
    while s < segments:
        mass += masses[np.uint64(r * segments + s)]
        s += np.int64(threads)
    last = last_shift(np.uint64(n + _total(parts, mass)))
    good = largest > -LIMIT and largest < LIMIT

    before = np.int64(0)
    first = begin
    while first < end:
        j = first + np.int64(thread)
        sum_ = np.int64(0)
        if good and j < end:
            sum_ = np.int64(weight(bits(_decay(x, mask, line, j, largest, temperature)), last))
        step = _1
        while step < np.int32(32):
            other = cuda.shfl_up_sync(ALL_LANES, sum_, step)
            sum_ += other if lane >= step else np.int64(0)
            step = np.int32(step << _1)
        if lane == _31:
            ends[warp] = sum_
        cuda.syncthreads()
        sum_ += before
        w = _0
        while w < np.int32(threads >> _5):
            end_ = ends[w]
            sum_ += end_ if w < warp else np.int64(0)
            before += end_
            w = np.int32(w + _1)
        if j < end:
            sums[np.uint64(r * n + j)] = np.uint64(sum_)
        cuda.syncthreads()
        first += np.int64(threads)
    if thread == _0:
        totals[np.uint64(cuda.blockIdx.x)] = np.uint64(before)


@kernel(threads=THREADS)
def end_segments(totals, segments):
    """Turn the totals of segments into the places at which they end, a thread a row."""
    r = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    if (r + np.int64(1)) * segments <= np.int64(totals.size):
        sum_ = np.uint64(0)
        s = r * segments
        while s < (r + np.int64(1)) * segments:
            sum_ += totals[np.uint64(s)]
            totals[np.uint64(s)] = sum_
            s += np.int64(1)


@device
def _first_above(sums, begin, end, t):
    """First place from `begin` on at which a sum is above t; the last one, before `end`, is."""
    low, high = begin, end - np.int64(1)
    while low < high:
        middle = np.int64(np.uint64(low + high) >> np.uint64(1))
        above = sums[np.uint64(middle)] > t
        low = low if above else middle + np.int64(1)
        high = middle if above else high
    return low


@kernel(threads=THREADS)
def draw_of_tables(sums, ends, field, n, plan, to_row, index, flag):
    """Draws of rows whose tables are made, a thread a draw: to index[:, to_row + first row:].

    `field` is a `Field`, whose `start` is not read; `plan` is that of the tables.
    """
    first_line, segments, span = plan
    item = np.int64(cuda.blockIdx.x) * np.int64(THREADS) + np.int64(cuda.threadIdx.x)
    count = np.int64(np.uint64(ends.size) // np.uint64(segments))
    if item < count * np.int64(index.shape[0]):
        s = np.uint64(item) // np.uint64(count)
        r = item - np.int64(s) * count
        line = first_line + r
        total = ends[np.uint64((r + np.int64(1)) * segments - np.int64(1))]
        category = np.int64(NO_INDEX)
        if total > np.uint64(0):
            row = row_id(field.ids, field.row, np.uint64(line))
            low, high = halves(field.key, row, first_draw(field, line) + s)
            # At temperature 0 the first of the largest has the first weight.
            t = target(low, high, total) if temperature_of(field.temperatures, line) > np.float64(0) else np.uint64(0)
            at = _first_above(ends, r * segments, (r + np.int64(1)) * segments, t)
            begin = (at - r * segments) * span
            if begin > np.int64(0):
                t -= ends[np.uint64(at - np.int64(1))]
            category = _first_above(sums, r * n + begin, r * n + min(begin + span, n), t) - r * n
        else:
            note_fault(flag, to_row + line, INVALID_ROW)
        index[s, np.uint64(to_row + line)] = category
