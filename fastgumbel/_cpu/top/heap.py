"""The k best results of a row: a heap of perturbed values and indices, the worst of them at its root.

An empty place is (-inf, -1), which every result beats. An invalid row has NaN at its root and stays so.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._law.reduce import NO_INDEX, beats
from fastgumbel._numba.compile import stage


class Heap(NamedTuple):
    """A heap of k places that lies in arrays of many, from the place `at` on."""

    values: Any
    indices: Any
    at: Any
    k: Any


@stage
def push(heap, value, index):
    """Put a result in the place of the root, which it must beat or which was taken out; the new root's value."""
    values, indices, at, k = heap
    hole = 0
    child = 1
    while child < k:
        if child + 1 < k and beats(
            values[at + child], indices[at + child], values[at + child + 1], indices[at + child + 1]
        ):
            child += 1
        if not beats(value, index, values[at + child], indices[at + child]):
            break
        values[at + hole], indices[at + hole] = values[at + child], indices[at + child]
        hole = child
        child = 2 * hole + 1
    values[at + hole], indices[at + hole] = value, index
    return values[at]


@stage
def offer(heap, value, index):
    """Take a result in if it beats the root; the root's value."""
    if beats(value, index, heap.values[heap.at], heap.indices[heap.at]):
        return push(heap, value, index)
    return heap.values[heap.at]


@stage
def spoil(heap):
    """Mark the row as invalid."""
    values, indices, at, k = heap
    for i in range(k):
        values[at + i], indices[at + i] = np.nan, NO_INDEX


@stage
def _is_sorted(heap):
    """Whether the worst come first."""
    values, indices, at, k = heap
    ascending = True
    for i in range(at, at + k - 1):
        ascending &= indices[i] == NO_INDEX or beats(values[i + 1], indices[i + 1], values[i], indices[i])
    return ascending


@stage
def rank(heap):
    """Best first, empty places last; an invalid row stays as it is."""
    values, indices, at, k = heap
    if values[at] != values[at]:
        return
    if _is_sorted(heap):
        for i in range(k // 2):
            a, b = at + i, at + k - 1 - i
            values[a], values[b] = values[b], values[a]
            indices[a], indices[b] = indices[b], indices[a]
        return
    for last in range(k - 1, 0, -1):
        value, index = values[at + last], indices[at + last]
        values[at + last], indices[at + last] = values[at], indices[at]
        push(Heap(values, indices, at, last), value, index)
