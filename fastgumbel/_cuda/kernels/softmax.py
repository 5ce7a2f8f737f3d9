"""Steps of relaxed samples on a device, with the CPU's roundings: no product may be contracted with a sum."""

import numpy as np

from fastgumbel._cuda.kernels.max import larger
from fastgumbel._cuda.kernels.max import largest_of as largest_of_four
from fastgumbel._cuda.kernels.rows import infinity, potential, quad
from fastgumbel._cuda.seam import ALL_LANES, cuda, device
from fastgumbel._law.ops import times
from fastgumbel._law.real import decay
from fastgumbel._law.reduce import LIMIT
from fastgumbel._law.sums import GROUP

# Groups of a sum are cut by shifts: where they begin, and how many numbers may be left behind the last whole one.
GROUP_SHIFT, GROUP_REST = np.int32(GROUP.bit_length() - 1), np.int32(GROUP - 1)


@device
def weight(v, largest, rate):
    """A perturbed value's exponential, before the division by their sum."""
    return decay(times(v - largest, rate))


@device
def rate_of(rates, row):
    """1 / tau of a row of the whole."""
    return rates.many[np.uint64(row)] if rates.many.size else rates.one


@device
def slope_of(tangents, direction, row):
    """Tangent of a row's temperature."""
    rows = tangents.slope_rows
    return tangents.slopes[np.uint64(direction * rows + row if rows else direction)]


@device
def raised(largest, v, limit):
    """The larger number; one that is NaN or not below a limit, for ever after such a one."""
    return v if v > largest or not v < limit else largest


@device
def top_of(cells, line):
    """Largest potential of a row, +inf where one is NaN or not below LIMIT. All threads must call."""
    x, mask, row = line
    largest = -infinity(x)
    category = np.int64(cuda.threadIdx.x) << np.int64(2)
    while category < x.shape[1]:
        largest = larger(largest, largest_of_four(quad(x, mask, row, category)))
        category += np.int64(cuda.blockDim.x) << np.int64(2)
    return largest_of(cells, largest, infinity(x))


@device
def top_beside(cells, line, given, draw):
    """The same among what noise by draw, row and category leaves. All threads must call."""
    limit = cells.dtype.type(LIMIT)
    largest = -infinity(line.x)
    category = np.int64(cuda.threadIdx.x)
    while category < line.x.shape[1]:
        v = left_by(line, category, given[draw, line.row, np.uint64(category)])
        largest = raised(largest, v, limit)
        category += np.int64(cuda.blockDim.x)
    return largest_of(cells, largest, limit)


@device
def distance(v, largest, rate, most):
    """Perturbed value less the largest over tau, at least the least number."""
    t = times(v - largest, rate)
    return t if t > -most else -most


@device
def tangent(slope, t, dtau, moved, rate, mean, most):
    """Tangent of (x + G) / tau above its mean, of a tangent `slope` of x; beyond the type it is cut if tau moves."""
    s = times(slope - times(t, dtau) if moved else slope, rate)
    if moved:
        s = s if s < most else most
        s = s if s > -most else -most
    return s - mean


@device
def weighed(slope, p):
    """The product, or p where that is NaN: 0 where the sample underflows, though the slope is beyond its type."""
    product = times(slope, p)
    return product if product == product else p


@device
def left_by(line, category, given):
    """One potential; -inf where it is excluded, also by precomputed noise."""
    return potential(line.x, line.mask, line.row, category) if given != -np.inf else -infinity(line.x)


@device
def is_noise(g, given, most):
    """Whether precomputed noise, which is g in the type of the sample, is finite there or excludes."""
    return given == -np.inf or (g >= -most and g <= most)


@device
def perturbed(v, g, good):
    """Potential less the largest, and precomputed noise; NaN if that is not good."""
    return v + g if good else g - g


@device
def group_sum(s):
    """Sum of 32 numbers, one a lane: halves added down to one, in all lanes."""
    s = s + cuda.shfl_xor_sync(ALL_LANES, s, 16)
    s = s + cuda.shfl_xor_sync(ALL_LANES, s, 8)
    s = s + cuda.shfl_xor_sync(ALL_LANES, s, 4)
    s = s + cuda.shfl_xor_sync(ALL_LANES, s, 2)
    return s + cuda.shfl_xor_sync(ALL_LANES, s, 1)


@device
def in_order(sum_, terms, count):
    """The sum with terms added one after another in float64."""
    i = np.int32(0)
    while i < count:
        sum_ += np.float64(terms[i])
        i = np.int32(i + np.int32(1))
    return sum_


@device
def largest_of(cells, v, limit):
    """What `raised` makes of the numbers of all threads, with a shared cell for each warp. All threads must call."""
    thread = np.int32(cuda.threadIdx.x)
    for step in (16, 8, 4, 2, 1):
        v = raised(v, cuda.shfl_xor_sync(ALL_LANES, v, step), limit)
    if np.int32(thread & np.int32(31)) == np.int32(0):
        cells[thread >> np.int32(5)] = v
    cuda.syncthreads()
    w = np.int32(0)
    while w < np.int32(np.int32(cuda.blockDim.x) >> np.int32(5)):
        v = raised(v, cells[w], limit)
        w = np.int32(w + np.int32(1))
    return v
