"""Parts of a Gumbel-max that its kernels share: maxima, combining within a warp, and results."""

import numpy as np
from numba import types

from fastgumbel._cuda.kernels.rows import infinity, note_fault, quad
from fastgumbel._cuda.seam import ALL_LANES, cuda, device, overload
from fastgumbel._law.reduce import INVALID_ROW, LIMIT, NO_INDEX, combined


def larger(a, b):
    """The larger of two numbers; of a number and NaN, the number."""
    raise NotImplementedError("compiled only")


@overload(larger)
def _larger(a, b):
    if a != b:
        return None
    return {
        types.float32: lambda a, b: cuda.libdevice.fmaxf(a, b),
        types.float64: lambda a, b: cuda.libdevice.fmax(a, b),
    }.get(a)


@device
def largest_of(four):
    """Largest of four potentials; +inf where one is NaN or not below LIMIT."""
    a, b, c, d = four
    good = a < LIMIT and b < LIMIT and c < LIMIT and d < LIMIT
    return larger(larger(a, b), larger(c, d)) if good else infinity(a)


@device
def row_largest(x, mask, line):
    """Largest potential of a row; +inf where one is NaN or not below LIMIT."""
    largest = -infinity(x)
    category = np.int64(0)
    while category < x.shape[1]:
        largest = larger(largest, largest_of(quad(x, mask, line, category)))
        category += np.int64(4)
    return largest


@device
def warp_largest(value):
    """Largest value of a warp, all of whose lanes must call."""
    step = np.int32(16)
    while step > np.int32(0):
        value = larger(value, cuda.shfl_xor_sync(ALL_LANES, value, step))
        step = np.int32(step >> np.int32(1))
    return value


@device
def warp_combined(value, index):
    """Results of the lanes of a warp, all of which must call, combined."""
    step = np.int32(16)
    while step > np.int32(0):
        other = cuda.shfl_xor_sync(ALL_LANES, value, step)
        value, index = combined(value, index, other, cuda.shfl_xor_sync(ALL_LANES, index, step))
        step = np.int32(step >> np.int32(1))
    return value, index


@device
def finish(index, value, flag, draw, row, number, best, arg):
    """Store the result of a row and draw (uint64); one without an index is a fault of a row of this number."""
    if arg == NO_INDEX:
        note_fault(flag, number, INVALID_ROW)
        best = np.nan
    index[draw, row] = arg
    if value.size:
        value[draw, row] = best
