"""Noise conditioned on a choice, on a device: a block of threads a row and draw.

In exponential space the choice is the first of all to finish, at a time t that is exponential with rate Z = sum exp(x),
and by the lack of memory each other category finishes a fresh exponential later: E_c = t exp(x_c) + e_c. At another
temperature T than 1, x / T takes the place of x; at 0 the choice is the first of the largest, and tells nothing.
"""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import first_draw, other_exponential, other_exponentials
from fastgumbel._cuda.kernels.parameters import Line
from fastgumbel._cuda.kernels.rows import note_fault, potential
from fastgumbel._cuda.kernels.softmax import GROUP_REST, GROUP_SHIFT, group_sum, in_order, largest_of, raised
from fastgumbel._cuda.kernels.temperature import temperature_of
from fastgumbel._cuda.seam import cuda, device, kernel
from fastgumbel._law.ops import fma, times
from fastgumbel._law.real import decay, log, log64
from fastgumbel._law.reduce import INVALID_CHOICE, INVALID_ROW, LIMIT
from fastgumbel._law.sums import GROUP

THREADS = 256
# Columns whose weights are summed between two barriers.
_WIDTH = 4096
_TERMS = _WIDTH // GROUP + GROUP - 1
_WARPS = THREADS // 32

_0, _1, _2, _3 = map(np.int64, range(4))
_ONE, _ZERO = np.float64(1), np.float64(0)


@device
def _divisor(like, temperature):
    """The nearest temperature that is a normal number of the type of an array, as float64."""
    limits = np.finfo(like.dtype)
    return np.float64(like.dtype.type(min(max(temperature, np.float64(limits.tiny)), np.float64(limits.max))))


@device
def _weight(like, v, arrival):
    """Weight of a log-potential; `arrival` is (largest, temperature, divisor), and `like` an array of its type."""
    largest, temperature, by = arrival
    d = v - largest
    if temperature == _ONE:
        return decay(d)
    if temperature == _ZERO or not v > like.dtype.type(-LIMIT):
        return like.dtype.type(0)
    # The quotient of two float32 is not changed by being rounded to float64 first.
    return decay(like.dtype.type(np.float64(d) / by))


@device
def _total(terms, x, mask, row, arrival):
    """Sum of the weights of a row, `total` of `_law/sums.py`, in threads of the first warp. All threads must call."""
    thread = np.int32(cuda.threadIdx.x)
    lane = np.int64(thread & np.int32(31))
    n = np.int64(x.shape[1])
    sum_ = np.float64(0)
    c = np.int64(0)
    while c < n:
        count = min(n - c, np.int64(_WIDTH))
        groups = np.int32(np.int32(count) >> GROUP_SHIFT)
        group = np.int32(thread >> np.int32(5))
        while group < groups:
            j = c + np.int64(np.int32(group << GROUP_SHIFT)) + lane
            s = _weight(terms, potential(x, mask, row, j), arrival)
            s = group_sum(s + _weight(terms, potential(x, mask, row, j + np.int64(32)), arrival))
            if lane == np.int64(0):
                terms[group] = s
            group = np.int32(group + np.int32(np.int32(cuda.blockDim.x) >> np.int32(5)))
        j = np.int64(np.int32(groups << GROUP_SHIFT)) + np.int64(thread)
        while j < count:
            terms[np.int32(j) - np.int32(groups * GROUP_REST)] = _weight(terms, potential(x, mask, row, c + j), arrival)
            j += np.int64(cuda.blockDim.x)
        cuda.syncthreads()
        if thread < np.int32(32):
            sum_ = in_order(sum_, terms, np.int32(groups + np.int32(np.int32(count) & GROUP_REST)))
        cuda.syncthreads()
        c += count
    return sum_


@device
def _put(out, at, line, j, e, time, chosen):
    """Write noise from a fresh exponential, if the row has the category and it is not the choice.

    It is lowered by a rounding error or two where it would beat the choice in float64, or be equal and stand before it.
    """
    choice, best = chosen
    if j < np.int64(0) or j >= np.int64(line.x.shape[1]) or j == choice:
        return
    v = potential(line.x, line.mask, line.row, j)
    arrival, t = time
    temperature = arrival[1]
    g = -log(times(_weight(out, v, arrival), t) + e)
    step = np.float64(np.finfo(out.dtype).eps)
    v64 = np.float64(v)
    if temperature != _ONE and not v64 > -LIMIT:
        v64 = np.float64(-np.inf)
    value = fma(temperature, np.float64(g), v64)
    while value > best or (j < choice and value == best):
        g = g - out.dtype.type(times(step, max(np.float64(1), abs(np.float64(g)))))
        step = times(step, np.float64(2))
        value = fma(temperature, np.float64(g), v64)
    out[np.uint64(at + j)] = g


@device
def _is_only_choice(peaks, x, mask, row, choice, largest):
    """Whether a category is the first of the largest of a row. All threads must call."""
    limit = peaks.dtype.type(LIMIT)
    before = peaks.dtype.type(-np.inf)
    j = np.int64(cuda.threadIdx.x)
    while j < choice:
        before = raised(before, potential(x, mask, row, j), limit)
        j += np.int64(cuda.blockDim.x)
    cuda.syncthreads()
    before = largest_of(peaks, before, limit)
    return before < largest and potential(x, mask, row, choice) == largest


@device
def _fault_of(peaks, line, choice, largest, temperature):
    """What is wrong with a row or its choice; 0 if nothing is. All threads must call."""
    x, mask, row = line
    limit = peaks.dtype.type(LIMIT)
    if not (largest > -limit and largest < limit):
        return np.int64(INVALID_ROW)
    if choice < _0 or choice >= np.int64(x.shape[1]) or not potential(x, mask, row, choice) > -limit:
        return np.int64(INVALID_CHOICE)
    if temperature == _ZERO and not _is_only_choice(peaks, x, mask, row, choice, largest):
        return np.int64(INVALID_CHOICE)
    return _0


@device
def _write_nan(out, at, n):
    """Fill a row with NaN. All threads must call."""
    j = np.int64(cuda.threadIdx.x)
    while j < n:
        out[np.uint64(at + j)] = out.dtype.type(np.nan)
        j += np.int64(cuda.blockDim.x)


@device
def _put_drawn(out, at, line, due, yields):
    """`_put` for each category, from exponentials that stand in `out`; negative ones stand in empty places."""
    j = np.int64(cuda.threadIdx.x)
    while j < np.int64(line.x.shape[1]):
        if j != yields[0]:
            e = out[np.uint64(at + j)]
            if e < out.dtype.type(0):
                out[np.uint64(at + j)] = out.dtype.type(0)
            else:
                _put(out, at, line, j, e, due, yields)
        j += np.int64(cuda.blockDim.x)


@device
def _put_field(out, at, line, coordinates, due, yields):
    """`_put` for each category, from exponentials of the field; `coordinates` are (key, row, draw, first category)."""
    key, row, draw, start = coordinates
    largest = due[0][0]
    quad = (start >> np.uint64(2)) + np.uint64(cuda.threadIdx.x)
    j = np.int64(quad << np.uint64(2)) - np.int64(start)
    while j < np.int64(line.x.shape[1]):
        e0, e1, e2, e3 = other_exponentials(key, row, draw, quad, largest)
        _put(out, at, line, j, e0, due, yields)
        _put(out, at, line, j + _1, e1, due, yields)
        _put(out, at, line, j + _2, e2, due, yields)
        _put(out, at, line, j + _3, e3, due, yields)
        quad += np.uint64(cuda.blockDim.x)
        j += np.int64(4) * np.int64(cuda.blockDim.x)


@kernel(threads=THREADS, blocks=2)
def condition(x, mask, field, choices, out, flag, shape, drawn):
    """Noise of a piece of rows given choices[first + s // repeats, r], into out[s, r, :]; both flat, of all rows.

    `shape` is (first row of the piece in the whole, rows of the whole, first, repeats). `drawn` says that fresh
    exponentials stand in `out` already, and negative numbers in empty places, which get 0.
    """
    to_row, all_rows, first, repeats = shape
    n_rows, n = np.int64(x.shape[0]), np.int64(x.shape[1])
    limit = out.dtype.type(LIMIT)
    terms = cuda.shared.array(_TERMS, out.dtype)
    peaks = cuda.shared.array(_WARPS, out.dtype)
    cell = cuda.shared.array(1, np.float64)
    thread = np.int32(cuda.threadIdx.x)
    s = np.int64(np.uint64(cuda.blockIdx.x) // np.uint64(n_rows))
    r = np.uint64(np.int64(cuda.blockIdx.x) - s * n_rows)
    line = Line(x, mask, r)
    whole = to_row + np.int64(r)
    at = (s * all_rows + whole) * n
    chosen_draw = first + np.int64(np.uint64(s) // np.uint64(repeats))
    choice = np.int64(choices[np.uint64(chosen_draw * all_rows + whole)])

    largest = out.dtype.type(-np.inf)
    j = np.int64(thread)
    while j < n:
        largest = raised(largest, potential(x, mask, r, j), limit)
        j += np.int64(cuda.blockDim.x)
    largest = largest_of(peaks, largest, limit)
    temperature = temperature_of(field.temperatures, r)
    fault = _fault_of(peaks, line, choice, largest, temperature)
    if fault != _0:
        if thread == np.int32(0):
            note_fault(flag, whole, fault)
        _write_nan(out, at, n)
        return

    arrival = largest, temperature, _divisor(out, temperature)
    sum_ = _total(terms, x, mask, r, arrival)
    coordinates = field.key, row_id(field.ids, field.row, r), first_draw(field, r) + np.uint64(s), field.start
    key, row, draw, start = coordinates
    e = out[np.uint64(at + choice)] if drawn else other_exponential(key, row, draw, start + np.uint64(choice), largest)
    if thread == np.int32(0):
        # Of temperature 0 nothing is known of the noise, as if the choice had been alone.
        cell[0] = _ONE if temperature == _ZERO else sum_
    cuda.syncthreads()
    time = np.float64(e) / cell[0]
    chosen = np.float64(potential(x, mask, r, choice))
    below = chosen - np.float64(largest)
    g = out.dtype.type(-log64(time) - (below if below == _ZERO or temperature == _ONE else below / temperature))
    if thread == np.int32(0):
        out[np.uint64(at + choice)] = g
    due, yields = (arrival, out.dtype.type(time)), (choice, fma(temperature, np.float64(g), chosen))
    if drawn:
        _put_drawn(out, at, line, due, yields)
    else:
        _put_field(out, at, line, coordinates, due, yields)
