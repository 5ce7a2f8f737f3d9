"""Which lanes that wait may be among the k best of their races, by bounds of all of them.

The k-th largest of lower bounds in a race is one of its k-th best value, and what stays below need not be evaluated.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.middle.contenders import bound_all, keep, race_of
from fastgumbel._cpu.middle.planes import LOWER, WAITING
from fastgumbel._cpu.middle.races import raise_least
from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.reduce import NOTHING
from fastgumbel._numba.compile import maker, stage
from fastgumbel._numba.memory import empty

_1 = np.uint64(1)


class Bounds(NamedTuple):
    """Lower bounds of the lanes that wait by race, and where those of each end."""

    by_race: Any
    ends: Any


@maker
def new_bounds():
    """No lane waits."""
    return Bounds(empty(WAITING, np.float64), empty(STAGE + 1, np.int64))


@stage
def kth_largest(values, first, last, k):
    """The k-th largest of values[first:last], which it moves; -inf where there are fewer."""
    while k <= last - first:
        middle = (first + last) // 2
        pivot, values[middle] = values[middle], values[last - 1]
        above = first
        # Without a branch, as it would be mispredicted.
        for i in range(first, last - 1):
            value = values[i]
            values[i] = values[above]
            values[above] = value
            above += np.int64(value > pivot)
        if above - first == k - 1 or (pivot == NOTHING and above - first < k):
            return pivot
        if above - first >= k:
            last = above
        else:
            k -= above - first + 1
            first, last = above, last - 1
    return NOTHING


@stage
def _sort_by_race(races, n, count, bounds):
    """Let the lower bounds of n lanes that wait stand together by race."""
    ends = bounds.ends
    for race in range(count + 1):
        ends[race] = 0
    for i in range(n):
        ends[race_of(races, i) + _1] += 1
    for race in range(count):
        ends[race + 1] += ends[race]
    for i in range(n):
        race = race_of(races, i)
        bounds.by_race[ends[race]] = races.reals[LOWER + i]
        ends[race] += 1


@stage
def narrow(races, n, count, flat, k, bounds):
    """Raise what matters in races to the k-th best of the first n lanes that wait; how many of these are left."""
    bound_all(races, n, flat)
    _sort_by_race(races, n, count, bounds)
    first = 0
    for race in range(count):
        last = bounds.ends[race]
        if last - first > k:
            raise_least(races.reals, race, races.pairs, kth_largest(bounds.by_race, first, last, k))
        first = last
    return keep(races, n)
