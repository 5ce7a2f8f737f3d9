"""Where the lanes of a block stand in a row: side by side, or where ids that ascend put them.

`present` is None, or of rows with ids a `Present`. A row begins at flat[base], and a block's first column is `first`.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.blocks import block_maxima, reaching
from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import SCALAR_OPTIONS, STAGE_OPTIONS, stage
from fastgumbel._numba.vector import at_least64, count_bits, lowest_bit, max4, max_part64, part_at_least64

_1, _4, _6 = np.uint64(1), np.uint64(4), np.uint64(6)
_LANE, _QUAD = np.uint64(63), np.uint64(15)
# From here on, ids are those of empty places.
_EMPTY = np.uint64(2**63)


class Present(NamedTuple):
    """Which lanes the block at each place has, as bits; and ids that ascend, of one row for all or each."""

    lanes: Any
    ids: Any


@stage
def _count_ids(ids, r):
    """How many ids row r has, before the empty places at its end."""
    n = ids.shape[1]
    while n and ids[r, n - 1] >= _EMPTY:
        n -= 1
    return n


@stage
def _span(ids):
    """The first id, and how many there are from it to the last, of rows whose ids ascend; 0 if they are none."""
    first, last = _EMPTY, np.uint64(0)
    for r in range(ids.shape[0]):
        n = _count_ids(ids, r)
        if n:
            first, last = min(first, ids[r, 0]), max(last, ids[r, n - 1])
    return first, (np.int64(last - first) + 1 if last >= first else 0)


@stage
def _enter_row(present, r, to, plane, columns, pairs, first_block):
    """Enter which lanes the blocks of row r have, and their first columns; whether its ids ascend.

    There are `pairs` even blocks from `first_block` on, which go to the places from `to` on; odd ones a plane later.
    """
    lanes, ids = present
    for i in range(to, to + pairs):
        lanes[i], columns[i] = 0, 0
        lanes[plane + i], columns[plane + i] = 0, 0
    n = _count_ids(ids, r)
    j, least, ascending = 0, np.uint64(0), True
    while j < n:
        begin, block, bits = j, ids[r, j] >> _6, np.uint64(0)
        while j < n and ids[r, j] >> _6 == block:
            ascending &= ids[r, j] >= least
            least = ids[r, j] + _1
            bits |= _1 << (ids[r, j] & _LANE)
            j += 1
        at = np.int64(block - first_block)
        if not (ascending and 0 <= at < 2 * pairs):
            return False
        place = to + (at >> 1) + (at & 1) * plane
        lanes[place], columns[place] = bits, begin
    return True


@stage
def _repeat(present, columns, own, n, plane):
    """Repeat what the first `own` places have up to n places."""
    for i in range(own, n):
        for place in (i, i + plane):
            present.lanes[place] = present.lanes[place - own]
            columns[place] = columns[place - own]


def enter_columns(present, r, rows, races, columns, pairs, first_block):
    """Enter what blocks of rows from r on have, for so many races at a time; whether their ids ascend.

    Where all rows have the same ids, the first call does it for all.
    """
    raise NotImplementedError("compiled only")


@overload(enter_columns, jit_options=STAGE_OPTIONS)
def _enter_columns(present, r, rows, races, columns, pairs, first_block):
    def by_ids(present, r, rows, races, columns, pairs, first_block):
        plane, n = present.lanes.size // 2, races * pairs
        if present.ids.shape[0] > 1:
            for i in range(rows):
                if not _enter_row(present, r + i, i * pairs, plane, columns, pairs, first_block):
                    return False
            _repeat(present, columns, rows * pairs, n, plane)
        elif r == 0:
            if not _enter_row(present, 0, 0, plane, columns, pairs, first_block):
                return False
            _repeat(present, columns, pairs, n, plane)
        return True

    if isinstance(present, types.NoneType):
        return lambda present, r, rows, races, columns, pairs, first_block: True
    return by_ids


def place_of_ids(ids, start, n, most):
    """Which ids rows span, counted from which, and `Present`, with room for `most` blocks; n from `start` without ids.

    0 where there are too many.
    """
    raise NotImplementedError("compiled only")


@overload(place_of_ids)
def _place_of_ids(ids, start, n, most):
    def by_ids(ids, start, n, most):
        first, span = _span(ids)
        span = span if span + np.int64(first & np.uint64(127)) <= 64 * most else 0
        return first, span, Present(np.zeros(most, np.uint64), ids)

    if isinstance(ids, types.NoneType | types.Omitted):
        return lambda ids, start, n, most: (start, n, None)
    return by_ids


def maxima_of(present, out, at, plane, x, columns, pairs):
    """Write the largest log-potentials of a row's blocks to `out`; see `block_maxima`. `columns` stand from `at` on too."""
    raise NotImplementedError("compiled only")


@overload(maxima_of, jit_options=STAGE_OPTIONS)
def _maxima_of(present, out, at, plane, x, columns, pairs):
    def by_ids(present, out, at, plane, x, columns, pairs):
        good = True
        for i in range(pairs):
            for place in (at + i, at + i + plane):
                count = count_bits(present.lanes[place])
                out[place] = max_part64(x, np.int64(columns[place]), 0, count)
                good &= out[place] < LIMIT
        return good

    def side_by_side(present, out, at, plane, x, columns, pairs):
        return block_maxima(out, at, plane, x, np.int64(columns[at]), pairs)

    return side_by_side if isinstance(present, types.NoneType) else by_ids


def column_of(present, first, place, lane):
    """Column of a lane of the block at a place; outside of the row, and -1 where there are ids, if it has none."""
    raise NotImplementedError("compiled only")


@overload(column_of, jit_options=SCALAR_OPTIONS)
def _column_of(present, first, place, lane):
    def by_ids(present, first, place, lane):
        lanes = present.lanes[place]
        column = np.int64(first) + count_bits(lanes & ((_1 << lane) - _1))
        return column if lanes >> lane & _1 else np.int64(-1)

    if isinstance(present, types.NoneType):
        return lambda present, first, place, lane: np.int64(first + lane)
    return by_ids


def lanes_reaching(present, flat, base, width, first, place, threshold):
    """Lanes of the block at a place whose log-potentials reach a threshold: a mask."""
    raise NotImplementedError("compiled only")


@overload(lanes_reaching, jit_options=SCALAR_OPTIONS)
def _lanes_reaching(present, flat, base, width, first, place, threshold):
    def by_ids(present, flat, base, width, first, place, threshold):
        count = count_bits(present.lanes[place])
        columns = part_at_least64(flat, base + first, 0, count, flat.dtype.type(threshold))
        ids = present.ids.reshape(present.ids.size)
        at = first + (base if present.ids.shape[0] > 1 else 0)
        lanes = np.uint64(0)
        while columns:
            lanes |= _1 << (ids[np.uint64(at + lowest_bit(columns))] & _LANE)
            columns &= columns - _1
        return lanes

    def side_by_side(present, flat, base, width, first, place, threshold):
        if 0 <= first <= width - 64:
            return at_least64(flat, base + first, flat.dtype.type(threshold))
        return reaching(flat[base : base + width], first, threshold)

    return side_by_side if isinstance(present, types.NoneType) else by_ids


def largest_of_quad(present, flat, base, width, first, place, number):
    """Largest log-potential of a quad that has any; +inf where it reaches over an end of the row."""
    raise NotImplementedError("compiled only")


@overload(largest_of_quad, jit_options=SCALAR_OPTIONS)
def _largest_of_quad(present, flat, base, width, first, place, number):
    def by_ids(present, flat, base, width, first, place, number):
        lanes = present.lanes[place]
        before = count_bits(lanes & ((_1 << (_4 * number)) - _1))
        last = count_bits(lanes >> (_4 * number) & _QUAD) - 1
        begin = base + first + before
        a = max(flat[np.uint64(begin)], flat[np.uint64(begin + min(last, 1))])
        return np.float64(max(a, flat[np.uint64(begin + min(last, 2))], flat[np.uint64(begin + last)]))

    def side_by_side(present, flat, base, width, first, place, number):
        column = first + np.int64(_4 * number)
        return np.float64(max4(flat, base + column)) if 0 <= column <= width - 4 else np.inf

    return side_by_side if isinstance(present, types.NoneType) else by_ids
