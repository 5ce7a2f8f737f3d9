"""The k best results of a row: a heap of perturbed values and indices, the worst of them at its root.

An empty place is (-inf, -1), which every result beats. An invalid row has NaN at its root and stays so. A heap lies in
arrays of many, from a place on.
"""

import numpy as np

from fastgumbel._law.reduce import NO_INDEX, beats
from fastgumbel._numba.compile import stage


@stage
def push(values, indices, at, k, value, index):
    """Put a result in the place of the root, which it must beat or which was taken out; the new root's value."""
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
def offer(values, indices, at, k, value, index):
    """Take a result in if it beats the root; the root's value."""
    if beats(value, index, values[at], indices[at]):
        return push(values, indices, at, k, value, index)
    return values[at]


@stage
def spoil(values, indices, at, k):
    """Mark the row as invalid."""
    for i in range(k):
        values[at + i], indices[at + i] = np.nan, NO_INDEX


@stage
def sort(values, indices, at, k):
    """Best first, empty places last."""
    for last in range(k - 1, 0, -1):
        value, index = values[at + last], indices[at + last]
        values[at + last], indices[at + last] = values[at], indices[at]
        push(values, indices, at, last, value, index)
