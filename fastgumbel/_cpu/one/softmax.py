"""Relaxed sample of one row that lies in an array of any strides; nothing is allocated.

The sums are taken in the order of the kernels for many rows, so that the bits are theirs.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.one.max import fits, index_of_row, largest_of
from fastgumbel._cpu.one.places import field_of, is_empty, is_id, potential_of
from fastgumbel._law.field import (
    BLOCK_SHIFT,
    HIGH_WORDS,
    LANE_MASK,
    LOW_WORDS,
    block_exponential,
    block_word,
    join,
    lane_half,
    winner_lane,
    word_of,
    words,
)
from fastgumbel._law.real import decay, exponential32, exponential64, log
from fastgumbel._law.reduce import LIMIT
from fastgumbel._law.sums import GROUP, SHORT
from fastgumbel._numba.compile import SCALAR_OPTIONS, STAGE_OPTIONS, scalar, stage

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
def _perturb(out, x, where, top, coordinates):
    """Log-potentials less the largest of them, `top`, and noise to `out`; the largest sum."""
    key, row, draw, start, _ = coordinates
    kind = out.dtype.type
    n = np.uint64(x.size)
    winner, minimum = _0, kind(0)
    h0 = h1 = h2 = h3 = l0 = l1 = l2 = l3 = _0
    largest = kind(-np.inf)
    for j in range(n):
        category = start + j
        if j == _0 or category & LANE_MASK == _0:
            w = block_word(key, row, draw, category >> BLOCK_SHIFT)
            winner, minimum = winner_lane(w), kind(block_exponential(w))
        if j == _0 or category & np.uint64(3) == _0:
            h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | (category >> _2))
            if out.itemsize == 8:
                l0, l1, l2, l3 = words(key, row, draw, LOW_WORDS | (category >> _2))
        fresh = _fresh(word_of(h0, h1, h2, h3, category), word_of(l0, l1, l2, l3, category), minimum)
        noise = -log(minimum + (kind(0) if category & LANE_MASK == winner else fresh))
        value = noise + (kind(potential_of(x, where, j)) - top)
        largest = value if value > largest else largest
        out[j] = value
    return largest


@stage
def _perturb_ids(out, categories, top, coordinates):
    """Add noise to the log-potentials in `out`, less the largest of them, `top`; the largest sum."""
    key, row, draw, _, _ = coordinates
    kind = out.dtype.type
    largest = kind(-np.inf)
    for j in range(np.uint64(out.size)):
        if out[j] > -np.inf:
            own, category = field_of(key, np.uint64(categories[j]))
            w = block_word(own, row, draw, category >> BLOCK_SHIFT)
            exponential = kind(block_exponential(w))
            if category & LANE_MASK != winner_lane(w):
                high = lane_half(own, row, draw, HIGH_WORDS, category)
                low = lane_half(own, row, draw, LOW_WORDS, category) if out.itemsize == 8 else _0
                exponential += _fresh(high, low, exponential)
            out[j] = -log(exponential) + (out[j] - top)
            largest = out[j] if out[j] > largest else largest
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
def _gather(out, x, where, categories):
    """Log-potentials of the places that take part to `out`, -inf for all others; whether all ids are ids."""
    above, ascending = _0, True
    for j in range(np.uint64(x.size)):
        potential = np.float64(-np.inf)
        if not is_empty(categories, j):
            number = np.uint64(categories[j])
            if not is_id(number):
                return False
            ascending &= number >= above
            above = number + _1
            potential = potential_of(x, where, j)
        out[j] = potential
    if not ascending:
        _keep_representatives(out, categories)
    return True


@stage
def _keep_representatives(out, categories):
    """Exclude all but the first place with the largest log-potential of each id.

    In the order of the places: what is excluded early is below or behind another place of its id, which is not.
    """
    n = np.uint64(out.size)
    for j in range(n):
        own, potential = np.int64(categories[j]), out[j]
        lesser = False
        for i in range(j):
            lesser |= np.int64(categories[i]) == own and out[i] >= potential
        for i in range(j + _1, n):
            lesser |= np.int64(categories[i]) == own and out[i] > potential
        if lesser:
            out[j] = -np.inf


@stage
def _one_hot(out, index):
    """Write a one-hot to `out`, NaN for no index."""
    kind = out.dtype.type
    _fill(out, kind(0) if index >= 0 else kind(np.nan))
    if index >= 0:
        out[np.uint64(index)] = kind(1)


@stage
def _normalise(out, largest, tau):
    """Perturbed values into the relaxed sample."""
    kind = out.dtype.type
    rate = kind(min(1 / tau, np.float64(np.finfo(out.dtype).max)))
    n = np.uint64(out.size)
    for j in range(n):
        out[j] = decay((out[j] - largest) * rate)
    factor = kind(1 / _total(out))
    for j in range(n):
        out[j] *= factor


@stage
def _softmax_of_places(x, where, tau, coordinates, out):
    """Relaxed sample, above the temperature 0, where categories count from the start of the coordinates."""
    n = np.uint64(x.size)
    top = largest_of(x, where, _0, n)
    if 0 < tau < np.inf and -LIMIT < top < LIMIT and fits(coordinates, n):
        _normalise(out, _perturb(out, x, where, out.dtype.type(top), coordinates), tau)
    else:
        _fill(out, np.nan)


@stage
def _softmax_of_ids(x, where, categories, tau, coordinates, out):
    """Relaxed sample, above the temperature 0, where places have ids."""
    known = _gather(out, x, where, categories)
    top = largest_of(out, None, _0, np.uint64(out.size))
    if known and 0 < tau < np.inf and -LIMIT < top < LIMIT:
        _normalise(out, _perturb_ids(out, categories, out.dtype.type(top), coordinates), tau)
    else:
        _fill(out, np.nan)


def softmax_of_row(x: Any, where: Any, categories: Any, tau: Any, coordinates: Any, out: Any) -> None:
    """Write the relaxed sample of x to `out`, in its type; NaN if the row, its ids or the temperature are invalid.

    `where` and `categories` are arrays or None.
    """
    raise NotImplementedError("compiled only")


@overload(softmax_of_row, jit_options=STAGE_OPTIONS)
def _softmax_of_row(x, where, categories, tau, coordinates, out):
    def counted(x, where, categories, tau, coordinates, out):
        if tau == 0:
            _one_hot(out, index_of_row(x, where, categories, coordinates))
        else:
            _softmax_of_places(x, where, tau, coordinates, out)

    def named(x, where, categories, tau, coordinates, out):
        if tau == 0:
            _one_hot(out, index_of_row(x, where, categories, coordinates))
        else:
            _softmax_of_ids(x, where, categories, tau, coordinates, out)

    return counted if categories == types.none else named
