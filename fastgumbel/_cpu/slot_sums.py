"""Sums over the categories of short rows as vector slots, a plane for each category: `total` of `_law/sums.py`."""

import numpy as np

from fastgumbel._cpu.stage import STAGE, fill
from fastgumbel._law.sums import GROUP
from fastgumbel._numba.compile import stage

# Planes that sums of halves need.
SPARE = GROUP // 2


@stage
def _add_planes(w, to, first, second, rows):
    """Add two planes of w to each other, into a third."""
    at, a, b = np.uint64(to * STAGE), np.uint64(first * STAGE), np.uint64(second * STAGE)
    for i in range(rows):
        w[at + np.uint64(i)] = w[a + np.uint64(i)] + w[b + np.uint64(i)]


@stage
def _add_to(sums, w, plane, rows):
    """Add a plane of w to sums."""
    at = np.uint64(plane * STAGE)
    for i in range(rows):
        sums[i] += np.float64(w[at + np.uint64(i)])


@stage
def total_of_planes(sums, w, n, rows):
    """`total` of the first n planes of w, which has SPARE planes behind them."""
    fill(sums, 0, rows, 0.0)
    whole = n // GROUP * GROUP
    for group in range(0, whole, GROUP):
        begin, half = group, GROUP // 2
        while half:
            for j in range(half):
                _add_planes(w, n + j, begin + j, begin + half + j, rows)
            begin, half = n, half // 2
        _add_to(sums, w, n, rows)
    for j in range(whole, n):
        _add_to(sums, w, j, rows)
