"""One draw of `categorical` of one row that lies in an array of any strides; nothing is allocated."""

import numpy as np

from fastgumbel._law.field import words
from fastgumbel._law.ops import bits
from fastgumbel._law.race import COLDEST
from fastgumbel._law.real import decay32, decay64
from fastgumbel._law.reduce import HOTTEST, LIMIT, NO_INDEX, NOTHING
from fastgumbel._law.weights import DRAW_WORDS, grains, last_shift, target, weight
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.local import PLACES, places32

_1 = np.uint64(1)
_8 = np.uint64(8)
_STEP24 = np.float32(2.0**-24)
_STEP23 = np.float32(2.0**-23)
_HOT = np.float64(1e30)


@stage
def _decide(x, largest, temperature, low, high):
    """The definition: exponentials are computed anew wherever they are needed."""
    n = np.uint64(x.size)
    sum_ = n
    for j in range(n):
        sum_ += grains(decay64((np.float64(x[j]) - largest) / temperature))
    last = last_shift(sum_)
    total = np.uint64(0)
    for j in range(n):
        total += weight(bits(decay64((np.float64(x[j]) - largest) / temperature)), last)
    t = target(low, high, total)
    passed = np.uint64(0)
    for j in range(n):
        passed += weight(bits(decay64((np.float64(x[j]) - largest) / temperature)), last)
        if passed > t:
            return np.int64(j)
    return NO_INDEX


@scalar
def draw_of_row(x, coordinates):
    """Category of a draw; -1 if the row or the temperature is invalid."""
    key, row, draw, _, temperature = coordinates
    n = np.uint64(x.size)
    if not 0 <= temperature <= HOTTEST:
        return NO_INDEX
    w0, w1, w2, w3 = words(key, row, draw >> _1, DRAW_WORDS)
    low, high = (w2, w3) if draw & _1 else (w0, w1)
    largest = NOTHING
    for j in range(n):
        potential = np.float64(x[j])
        if not potential < LIMIT:
            return NO_INDEX
        largest = potential if potential > largest else largest
    if not largest > -LIMIT:
        return NO_INDEX
    if temperature == 0:
        for j in range(n):
            if np.float64(x[j]) == largest:
                return np.int64(j)
    if n <= PLACES and COLDEST <= temperature <= _HOT:
        # Sums in float32, unless the target lies too near one of them.
        sums = places32()
        rate = 1 / temperature
        total = np.float32(0)
        for j in range(n):
            total += decay32(np.float32((np.float64(x[j]) - largest) * rate))
            sums[j] = total
        u = np.float32(np.int32(high >> _8)) * _STEP24
        slack = np.float32(np.int32(n + n + _8)) * _STEP23
        below, above = total * (u - slack), total * (u + slack)
        passed = reached = 0
        for j in range(n):
            passed += sums[j] <= below
            reached += sums[j] <= above
        if passed == reached:
            return passed
    return _decide(x, largest, temperature, low, high)
