"""Relaxed sample of one row that lies in an array of any strides; nothing is allocated.

The sums are taken in the order of the kernels for many rows, so that the bits are theirs.
"""

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.one.max import largest_of, max_of_row
from fastgumbel._law.field import (
    BLOCK_SHIFT,
    HIGH_WORDS,
    LANE_MASK,
    LOW_WORDS,
    block_exponential,
    block_word,
    join,
    winner_lane,
    word_of,
    words,
)
from fastgumbel._law.real import decay, exponential32, exponential64, log
from fastgumbel._law.reduce import LIMIT
from fastgumbel._law.sums import GROUP, SHORT
from fastgumbel._numba.compile import SCALAR_OPTIONS, scalar, stage

_0 = np.uint64(0)
_1 = np.uint64(1)
_2 = np.uint64(2)
_8 = np.uint64(8)
_16 = np.uint64(16)
_32 = np.uint64(32)
_GROUP = np.uint64(GROUP)


def _fresh(high, low, like):
    """Exponential of a lane, in the type of `like`, from the halves of its word."""
    raise NotImplementedError("compiled only")


@overload(_fresh, jit_options=SCALAR_OPTIONS)
def _compiled_fresh(high, low, like):
    return {
        types.float32: lambda high, low, like: exponential32(np.uint32(high)),
        types.float64: lambda high, low, like: exponential64(join(high, low)),
    }.get(like)


@stage
def _perturb(out, x, top, coordinates):
    """Log-potentials less the largest of them, `top`, and noise to `out`; the largest sum."""
    key, row, draw, _, _ = coordinates
    kind = out.dtype.type
    n = np.uint64(x.size)
    winner, minimum = _0, kind(0)
    h0 = h1 = h2 = h3 = l0 = l1 = l2 = l3 = _0
    largest = kind(-np.inf)
    for j in range(n):
        if j & LANE_MASK == _0:
            w = block_word(key, row, draw, j >> BLOCK_SHIFT)
            winner, minimum = winner_lane(w), kind(block_exponential(w))
        if j & np.uint64(3) == _0:
            h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | (j >> _2))
            if out.itemsize == 8:
                l0, l1, l2, l3 = words(key, row, draw, LOW_WORDS | (j >> _2))
        fresh = _fresh(word_of(h0, h1, h2, h3, j), word_of(l0, l1, l2, l3, j), minimum)
        value = -log(minimum + (kind(0) if j & LANE_MASK == winner else fresh)) + (kind(x[j]) - top)
        largest = value if value > largest else largest
        out[j] = value
    return largest


@scalar
def _sum8(p, at):
    """Sum of every eighth of 64 items, in the order of `sum64`."""
    left = (p[at] + p[at + _32]) + (p[at + _16] + p[at + _16 + _32])
    at += _8
    return left + ((p[at] + p[at + _32]) + (p[at + _16] + p[at + _16 + _32]))


@scalar
def _sum64(p, at):
    """Sum of 64 items, in the order of `sum64`."""
    left = (_sum8(p, at) + _sum8(p, at + np.uint64(4))) + (_sum8(p, at + _2) + _sum8(p, at + np.uint64(6)))
    at += _1
    return left + ((_sum8(p, at) + _sum8(p, at + np.uint64(4))) + (_sum8(p, at + _2) + _sum8(p, at + np.uint64(6))))


@stage
def _total(p):
    """Sum of all items: of few one by one in their type, of many as `total` of `_law/sums.py`."""
    n = np.uint64(p.size)
    if n <= SHORT:
        few = p.dtype.type(0)
        for j in range(n):
            few += p[j]
        return np.float64(few)
    whole = n // _GROUP * _GROUP
    many = np.float64(0)
    for j in range(_0, whole, _GROUP):
        many += np.float64(_sum64(p, j))
    for j in range(whole, n):
        many += np.float64(p[j])
    return many


@stage
def _fill(out, value):
    for j in range(np.uint64(out.size)):
        out[j] = value


@stage
def softmax_of_row(x, tau, coordinates, out):
    """Write the relaxed sample of x to `out`, in its type; NaN if the row or the temperature is invalid.

    Categories count from 0, and so does the start of the coordinates.
    """
    kind = out.dtype.type
    if tau == 0:
        index = max_of_row(x, coordinates)
        _fill(out, kind(0) if index >= 0 else kind(np.nan))
        if index >= 0:
            out[np.uint64(index)] = kind(1)
        return
    top = largest_of(x, _0, np.uint64(x.size))
    if not (0 < tau < np.inf and -LIMIT < top < LIMIT):
        _fill(out, kind(np.nan))
        return
    largest = _perturb(out, x, kind(top), coordinates)
    rate = kind(min(1 / tau, np.float64(np.finfo(out.dtype).max)))
    n = np.uint64(x.size)
    for j in range(n):
        out[j] = decay((out[j] - largest) * rate)
    factor = kind(1 / _total(out))
    for j in range(n):
        out[j] *= factor
