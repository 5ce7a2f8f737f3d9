"""The k best of perturbed values that lie side by side: few are left above a threshold, and these are sorted.

Sorting has no branch that depends on values, as it would be mispredicted half of the time: of few, each has a rank, the
number of those that are larger; runs of so many are merged. Who stands first is listed first, so sorting is stable.

Instead of -inf, excluded categories have values below all others, each another one, so that none of them is a tie.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.top.heap import Heap, offer, spoil
from fastgumbel._cpu.top.threshold import threshold_of
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import at_least64, lowest_bit
from fastgumbel._numba.memory import empty, zeros
from fastgumbel._numba.vector import greater, ranks16

# What is excluded is at most this, and differs by steps that are more than roundings.
_EXCLUDED, _STEP = np.float64(-1.79e308), np.float64(-1e294)
# Up to so many values are ranked.
RANKED = 32

_1 = np.uint64(1)
# Where an array begins; a literal would compile a function anew.
_FIRST = np.int64(0)


class Selection(NamedTuple):
    """Values at hand; largest values of groups of them; those that are listed, and their columns.

    Values and columns that are sorted, in two halves; ranks; and columns that count from 0. Loops read beyond what is
    there, so all have places to spare.
    """

    values: Any
    maxima: Any
    listed: Any
    columns: Any
    ordered: Any
    ordered_columns: Any
    ranks: Any
    count: Any


@maker
def new_selection(n, items):
    """Room for `items` values, of rows of n."""
    room = n + 64
    # `np.arange` would take as long to compile as all the others.
    count = zeros(RANKED, np.int64)
    for i in range(RANKED):
        count[i] = i
    return Selection(
        empty(items + 64, np.float64),
        empty(room, np.float64),
        zeros(room, np.float64),
        zeros(room, np.int64),
        zeros(2 * room, np.float64),
        zeros(2 * room, np.int64),
        zeros(RANKED, np.int64),
        count,
    )


@stage
def perturb(values, to, x, noise, n, temperature):
    """Perturbed values of n log-potentials, a `Line`, with their noise, another, to values[to:]; whether all are valid.

    Noise that is -inf excludes. Where a log-potential is NaN or not below LIMIT, the value is NaN.
    """
    potentials, x_at = x
    noises, noise_at = noise
    bad = np.uint64(0)
    for i in range(n):
        g = np.float64(noises[np.uint64(noise_at) + np.uint64(i)])
        potential = np.float64(potentials[np.uint64(x_at) + np.uint64(i)])
        counts = g > NOTHING
        valid = potential < LIMIT
        bad |= np.uint64(counts & ~valid)
        left = counts & (potential > -LIMIT)
        value = fma(temperature, g, potential) if left else fma(np.float64(i), _STEP, _EXCLUDED)
        values[np.uint64(to) + np.uint64(i)] = value if valid | ~counts else np.nan
    return bad == np.uint64(0)


@scalar
def _any_nan(values, at, n):
    """Whether any of n values is NaN."""
    found = np.uint64(0)
    for i in range(n):
        value = values[np.uint64(at) + np.uint64(i)]
        found |= np.uint64(value != value)
    return found != np.uint64(0)


@stage
def _enter_maxima(maxima, values, at, n, groups):
    """Largest values of `groups` groups: of those that stand so many places apart."""
    for i in range(groups):
        maxima[i] = values[np.uint64(at) + np.uint64(i)]
    whole = n // groups
    for group in range(1, whole):
        first = np.uint64(at + group * groups)
        for i in range(groups):
            maxima[i] = greater(values[first + np.uint64(i)], maxima[i])
    first = np.uint64(at + whole * groups)
    for i in range(n - whole * groups):
        maxima[i] = greater(values[first + np.uint64(i)], maxima[i])


@scalar
def _list_reaching(selection, at, n, threshold):
    """List the columns of n values, and these, that reach a threshold; how many do."""
    values, listed, columns = selection.values, selection.listed, selection.columns
    count = 0
    for first in range(0, n, 64):
        mask = at_least64(values, at + first, threshold)
        if n - first < 64:
            mask &= (_1 << np.uint64(n - first)) - _1
        while mask:
            column = first + lowest_bit(mask)
            mask &= mask - _1
            listed[count], columns[count] = values[at + column], column
            count += 1
    return count


@stage
def _insert(values, columns, at, n):
    """Sort n values where they are, best first."""
    for i in range(at + 1, at + n):
        value, column = values[i], columns[i]
        j = i
        while j > at and values[j - 1] < value:
            values[j], columns[j] = values[j - 1], columns[j - 1]
            j -= 1
        values[j], columns[j] = value, column


@scalar
def rank_values(selection, values, at, columns, columns_at, n, to):
    """Sort n values, at most RANKED, and their columns by their ranks, to the place `to`."""
    ordered, ordered_columns, ranks = selection.ordered, selection.ordered_columns, selection.ranks
    for i in range(0, n, 16):
        ranks16(ranks, i, values, at + i, at, n)
    total = 0
    for i in range(n):
        rank = ranks[i]
        total += rank
        place = np.uint64(to) + np.uint64(rank)
        ordered[place] = values[np.uint64(at) + np.uint64(i)]
        ordered_columns[place] = columns[np.uint64(columns_at) + np.uint64(i)]
    if total != n * (n - 1) // 2:
        for i in range(n):
            ordered[to + i], ordered_columns[to + i] = values[at + i], columns[columns_at + i]
        _insert(ordered, ordered_columns, to, n)


@scalar
def _merge(values, columns, first, middle, end, to):
    """Merge two sorted runs to the place `to`; of equals, those of the first run come first."""
    i, j = first, middle
    for place in range(to, to + end - first):
        right = (i >= middle) | ((j < end) & (values[np.uint64(j)] > values[np.uint64(i)]))
        taken = np.uint64(j if right else i)
        values[np.uint64(place)], columns[np.uint64(place)] = values[taken], columns[taken]
        j += np.int64(right)
        i += np.int64(not right)


@scalar
def sort_values(selection, values, columns, at, n):
    """Sort n values and their columns, best first; the place in `ordered` where they then are."""
    ordered, ordered_columns = selection.ordered, selection.ordered_columns
    here, there = 0, ordered.size // 2
    for first in range(0, n, RANKED):
        rank_values(selection, values, at + first, columns, at + first, min(RANKED, n - first), here + first)
    run = RANKED
    while run < n:
        for first in range(0, n, 2 * run):
            middle, end = min(first + run, n), min(first + 2 * run, n)
            _merge(ordered, ordered_columns, here + first, here + middle, here + end, there + first)
        here, there = there, here
        run *= 2
    return here


@scalar
def _is_empty(heap):
    """Whether nothing has been offered."""
    taken = NO_INDEX
    for i in range(heap.k):
        taken = max(taken, heap.indices[np.uint64(heap.at) + np.uint64(i)])
    return taken == NO_INDEX


@scalar
def enter_sorted(selection, at, n, column, heap):
    """Make n sorted values from a place on an empty heap; columns count from `column`. The worst come first."""
    ordered, columns = selection.ordered, selection.ordered_columns
    values, indices, to, k = heap
    for i in range(min(k, n)):
        value = ordered[np.uint64(at) + np.uint64(i)]
        left = value > _EXCLUDED
        place = np.uint64(to + k - 1 - i)
        values[place] = value if left else NOTHING
        indices[place] = column + columns[np.uint64(at) + np.uint64(i)] if left else NO_INDEX


@scalar
def _offer_reaching(selection, count, column, heap):
    """Offer the first `count` that are listed."""
    listed, columns = selection.listed, selection.columns
    for i in range(count):
        if listed[i] > _EXCLUDED:
            offer(heap, listed[i], column + columns[i])


@stage
def _select(selection, at, n, temperature, column, heap):
    """Offer n values from a place on to a heap."""
    values, maxima, listed, columns = selection.values, selection.maxima, selection.listed, selection.columns
    k = heap.k
    threshold = NOTHING
    if 2 * k <= n:
        groups = (4 * k + 63) // 64 * 64
        if 2 * groups <= n:
            _enter_maxima(maxima, values, at, n, groups)
            threshold = threshold_of(maxima, _FIRST, groups, 1, k, NOTHING, temperature)
        else:
            threshold = threshold_of(values, at, n, 1, k, NOTHING, temperature)
    if _is_empty(heap):
        count = _list_reaching(selection, at, n, threshold)
        enter_sorted(selection, sort_values(selection, listed, columns, _FIRST, count), count, column, heap)
    else:
        count = _list_reaching(selection, at, n, max(threshold, heap.values[heap.at]))
        _offer_reaching(selection, count, column, heap)


@stage
def select(selection, valid, rows, n, temperature, column, heap):
    """Offer the values at hand, of rows of n, to as many heaps that follow each other; columns count from `column`.

    A row with a NaN is invalid; `valid` says that there is none.
    """
    values, indices, to, k = heap
    for i in range(rows):
        own = Heap(values, indices, to + i * k, k)
        if own.values[own.at] == own.values[own.at]:
            if not valid and _any_nan(selection.values, i * n, n):
                spoil(own)
            elif n <= RANKED // 2 and _is_empty(own):
                rank_values(selection, selection.values, i * n, selection.count, _FIRST, n, _FIRST)
                enter_sorted(selection, _FIRST, n, column, own)
            else:
                _select(selection, i * n, n, temperature, column, own)
