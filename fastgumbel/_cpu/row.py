"""Steps over one row that lies in an array from a place on: 64 items at a time, and the rest one by one.

Sums are `total` of `_law/sums.py`.
"""

import numpy as np

from fastgumbel._law.real import decay
from fastgumbel._law.reduce import LIMIT
from fastgumbel._law.sums import GROUP
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.vector import dot64, max64, sum64


@scalar
def weighed(slope, p):
    """The product, or p where that is NaN: 0 where the sample underflows, though the slope is beyond its type."""
    product = slope * p
    return product if product == product else p


@stage
def largest_of(v, at, n):
    """Largest of v[at : at + n], NaN if any is NaN."""
    whole = n // 64 * 64
    largest = v.dtype.type(-np.inf)
    good = True
    for i in range(at, at + whole, 64):
        m = max64(v, i)
        good &= m == m
        largest = m if m > largest else largest
    for i in range(at + whole, at + n):
        good &= v[i] == v[i]
        largest = v[i] if v[i] > largest else largest
    return largest if good else v.dtype.type(np.nan)


@stage
def top_of(x, at, n):
    """Largest log-potential of the row x[at : at + n], NaN if the row is invalid."""
    largest = largest_of(x, at, n)
    return largest if -LIMIT < largest < LIMIT else x.dtype.type(np.nan)


@stage
def add_to(v, to, x, at, n, top):
    """Add x[at + i] - top to v[to + i] for i < n; the largest of the sums, NaN if any is NaN."""
    for i in range(n):
        v[np.uint64(to) + np.uint64(i)] += x[np.uint64(at) + np.uint64(i)] - top
    return largest_of(v, to, n)


@stage
def distances(out, v, at, n, largest, rate):
    """(v[at + i] - largest) rate to out[i], but not below the least number of its type."""
    least = -np.finfo(out.dtype).max
    for i in range(n):
        t = (v[np.uint64(at) + np.uint64(i)] - largest) * rate
        out[i] = t if t > least else least


@stage
def decays(p, at, n, largest, rate):
    """exp((p[at + i] - largest) rate) in place; their sum."""
    for i in range(n):
        place = np.uint64(at) + np.uint64(i)
        p[place] = decay((p[place] - largest) * rate)
    return total(p, at, n)


@stage
def total(p, at, n):
    """Sum of p[at : at + n] as float64."""
    whole = n // GROUP * GROUP
    sum_ = np.float64(0)
    for i in range(at, at + whole, GROUP):
        sum_ += np.float64(sum64(p, i))
    for i in range(at + whole, at + n):
        sum_ += np.float64(p[i])
    return sum_


@stage
def dot(a, at, b, other, n):
    """Sum of the products of a[at + i] and b[other + i] as float64."""
    whole = n // GROUP * GROUP
    sum_ = np.float64(0)
    for i in range(0, whole, GROUP):
        sum_ += np.float64(dot64(a, at + i, b, other + i))
    for i in range(whole, n):
        sum_ += np.float64(a[at + i] * b[other + i])
    return sum_


@stage
def terms(sums, p):
    """What the sum of p adds up one by one, in order: sums of whole groups, and the numbers behind the last of them."""
    groups = p.size // GROUP
    for g in range(groups):
        sums[g] = sum64(p, g * GROUP)
    for i in range(p.size - groups * GROUP):
        sums[groups + i] = p[groups * GROUP + i]


@stage
def dot_terms(sums, a, b):
    """As `terms`, of the products of a and b."""
    groups = b.size // GROUP
    for g in range(groups):
        sums[g] = dot64(a, g * GROUP, b, g * GROUP)
    for i in range(b.size - groups * GROUP):
        sums[groups + i] = a[groups * GROUP + i] * b[groups * GROUP + i]


@stage
def scale(p, at, n, factor):
    """Multiply p[at : at + n] by a factor."""
    for i in range(n):
        p[np.uint64(at) + np.uint64(i)] *= factor
