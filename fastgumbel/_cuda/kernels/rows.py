"""Log-potentials where they lie: any layout, type and mask, read as float32 (of float16 and float32) or float64.

`x` has the axes [row, category]; `mask` has too, with False for what is excluded, or is True. Rows are uint64 and
categories int64.
"""

import numpy as np
from numba import types

from fastgumbel._cuda.seam import cuda, device, is_aligned4, load4, overload

_1, _2, _3 = np.int64(1), np.int64(2), np.int64(3)


def _single(x):
    dtype = x.dtype if isinstance(x, types.Array) else x
    return isinstance(dtype, types.Float) and dtype.bitwidth <= 32


def infinity(x):
    """Positive infinity in the type that potentials of `x` are read as; x may be a potential too."""
    raise NotImplementedError("compiled only")


@overload(infinity)
def _infinity(x):
    return (lambda x: np.float32(np.inf)) if _single(x) else (lambda x: np.float64(np.inf))


def potential(x, mask, row, category):
    """One potential; -inf where it is excluded."""
    raise NotImplementedError("compiled only")


@overload(potential)
def _potential_of(x, mask, row, category):
    kind = np.float32 if _single(x) else np.float64

    def masked(x, mask, row, category):
        return kind(x[row, np.uint64(category)]) if mask[row, np.uint64(category)] else kind(-np.inf)

    def plain(x, mask, row, category):
        return kind(x[row, np.uint64(category)])

    return masked if isinstance(mask, types.Array) else plain


def _four(x, mask, row, category):
    """Four potentials that are inside."""
    raise NotImplementedError("compiled only")


@overload(_four)
def _four_of(x, mask, row, category):
    def scattered(x, mask, row, category):
        return (
            potential(x, mask, row, category),
            potential(x, mask, row, category + _1),
            potential(x, mask, row, category + _2),
            potential(x, mask, row, category + _3),
        )

    def vectors(x, mask, row, category):
        place = row * np.uint64(x.shape[1]) + np.uint64(category)
        return load4(x, place) if is_aligned4(x, place) else scattered_four(x, mask, row, category)

    scattered_four = device(scattered)
    return vectors if is_plain(x, mask) else scattered


def is_plain(x, mask):
    """Tell of types whether potentials are read as they lie, so that `load4` may read them."""
    return isinstance(x.dtype, types.Float) and x.dtype.bitwidth >= 32 and x.layout == "C" and mask == types.boolean


@device
def quad(x, mask, row, category):
    """Four potentials from a category on, which may lie outside of the row; -inf for those that do."""
    n = np.int64(x.shape[1])
    if category >= np.int64(0) and category + _3 < n:
        return _four(x, mask, row, category)
    return (
        inside(x, mask, row, category),
        inside(x, mask, row, category + _1),
        inside(x, mask, row, category + _2),
        inside(x, mask, row, category + _3),
    )


@device
def inside(x, mask, row, category):
    """One potential; -inf where it is excluded, or outside of the row."""
    if category >= np.int64(0) and category < np.int64(x.shape[1]):
        return potential(x, mask, row, category)
    return -infinity(x)


@device
def divided(a, b):
    """Quotient, rounded down, of integers that are not negative."""
    return np.int64(np.uint64(a) // np.uint64(b))


@device
def note_fault(flag, row, code):
    """Keep the first row that has a fault, and the least of its codes; nowhere if the flag is empty."""
    if flag.size:
        cuda.atomic.min(flag, 0, np.int64(np.int64(np.int64(row) << _3) | np.int64(code)))
