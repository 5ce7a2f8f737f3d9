"""Few draws from each of many short rows, a thread a draw.

As on the CPU, running sums and targets are float32, and where a target lies so near a sum that float32 cannot tell on
which side, the integers of the definition decide.
"""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import first_draw
from fastgumbel._cuda.kernels.max import row_largest
from fastgumbel._cuda.kernels.parameters import Line
from fastgumbel._cuda.kernels.rows import note_fault, potential, quad
from fastgumbel._cuda.kernels.temperature import cooled, is_moderate, rate32, temperature_of
from fastgumbel._cuda.seam import cuda, device, kernel
from fastgumbel._law.ops import bits, fma
from fastgumbel._law.real import decay32, decay64
from fastgumbel._law.reduce import INVALID_ROW, LIMIT, NO_INDEX
from fastgumbel._law.weights import grains, halves, last_shift, target, weight

THREADS = 128

_0, _1, _4 = np.int64(0), np.int64(1), np.int64(4)
_NONE = np.float32(0)
_STEP24 = np.float32(2.0**-24)
_STEP23 = np.float32(2.0**-23)


@device
def _four_sums(line, category, scale, sum_):
    """Running sums of exp((x - largest) / T) in float32 at four categories, from the sum before them.

    `scale` is (largest, 1 / T).
    """
    largest, rate = scale
    a, b, c, d = quad(line.x, line.mask, line.row, category)
    sum0 = sum_ + decay32(np.float32(a - largest) * rate)
    sum1 = sum0 + decay32(np.float32(b - largest) * rate)
    sum2 = sum1 + decay32(np.float32(c - largest) * rate)
    return sum0, sum1, sum2, sum2 + decay32(np.float32(d - largest) * rate)


@device
def _guess(line, scale, word):
    """Category of the draw with this high word; NO_INDEX where float32 cannot tell."""
    x, total = line.x, _NONE
    category = _0
    while category < x.shape[1]:
        _, _, _, total = _four_sums(line, category, scale, total)
        category += _4
    # An exp32 is within 2^-23 of the total, a difference, 1 / T and their product within 0.4 2^-24 each, and each sum
    # rounds once more.
    slack = np.float32(np.int32(x.shape[1]) * np.int32(2) + np.int32(8)) * _STEP23
    u = np.float32(np.int32(word >> np.uint64(8)))
    below, above = total * fma(u, _STEP24, -slack), total * fma(u, _STEP24, slack)
    passed = reached = np.int32(0)
    sum_ = _NONE
    category = _0
    while category < x.shape[1] and sum_ <= above:
        sum0, sum1, sum2, sum_ = _four_sums(line, category, scale, sum_)
        for s in (sum0, sum1, sum2, sum_):
            passed = np.int32(passed + np.int32(s <= below))
            reached = np.int32(reached + np.int32(s <= above))
        category += _4
    return np.int64(passed) if passed == reached else NO_INDEX


@device
def _decay(line, category, largest, temperature):
    return decay64(cooled(np.float64(potential(line.x, line.mask, line.row, category)) - largest, temperature))


@device
def _decide(line, largest, temperature, low, high):
    """The definition."""
    n = np.int64(line.x.shape[1])
    mass, total = np.uint64(n), np.uint64(0)
    category = _0
    while category < n:
        mass += grains(_decay(line, category, largest, temperature))
        category += _1
    last = last_shift(mass)
    category = _0
    while category < n:
        total += weight(bits(_decay(line, category, largest, temperature)), last)
        category += _1
    # At temperature 0 the first of the largest has the first weight.
    t = target(low, high, total) if temperature > np.float64(0) else np.uint64(0)
    sum_ = np.uint64(0)
    category = -_1
    while sum_ <= t:
        category += _1
        sum_ += weight(bits(_decay(line, category, largest, temperature)), last)
    return category


@kernel(threads=THREADS)
def draw_short(x, mask, field, to_row, index, flag):
    """Draws of each row of a piece, a thread a row and draw, to index[:, to_row:].

    `field` is a `Field`, whose `start` is not read.
    """
    item = np.uint64(cuda.blockIdx.x) * np.uint64(THREADS) + np.uint64(cuda.threadIdx.x)
    count = np.uint64(x.shape[0])
    if item < count * np.uint64(index.shape[0]):
        s = item // count
        r = item - s * count
        line, temperature = Line(x, mask, r), temperature_of(field.temperatures, r)
        largest = row_largest(x, mask, r)
        category = NO_INDEX
        if largest > -LIMIT and largest < np.inf:
            low, high = halves(field.key, row_id(field.ids, field.row, r), first_draw(field, r) + s)
            if is_moderate(temperature):
                category = _guess(line, (largest, rate32(temperature)), high)
            if category == NO_INDEX:
                category = _decide(line, np.float64(largest), temperature, low, high)
        else:
            note_fault(flag, np.uint64(to_row) + r, INVALID_ROW)
        index[s, np.uint64(to_row) + r] = category
