"""Where the lanes of a block stand in a row: side by side, or where ids that ascend put them.

`present` is None, or of rows with ids `Present`.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.blocks import block_maxima, reaching
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import SCALAR_OPTIONS, STAGE_OPTIONS, stage
from fastgumbel._numba.vector import at_least64, count_bits, lowest_bit, max4, max_part64, part_at_least64

_1, _4 = np.uint64(1), np.uint64(4)
_LANE = np.uint64(63)
_FOUR = np.uint64(15)
# From here on, ids are those of empty places.
_EMPTY = np.uint64(2**63)


class Present(NamedTuple):
    """Which lanes the block at each place has, as bits; and ids that ascend, of one row for all or each."""

    lanes: Any
    ids: Any


@stage
def survey_ids(ids):
    """First and last id of rows whose ids ascend; empty places may stand behind them. None left: first is above last."""
    first, last = _EMPTY, np.uint64(0)
    for r in range(ids.shape[0]):
        if ids[r, 0] < _EMPTY:
            first = min(first, ids[r, 0])
            j = ids.shape[1] - 1
            while ids[r, j] >= _EMPTY:
                j -= 1
            last = max(last, ids[r, j])
    return first, last


@stage
def enter_present(lanes, columns, own, blocks, first_block, plane):
    """Enter which lanes `blocks` blocks have, and the column of the first, from the ids of a row; whether they ascend.

    Even blocks go to the front of `lanes` and `columns`, odd ones a plane later.
    """
    for block in range(blocks):
        place = np.uint64((block >> 1) + (block & 1) * plane)
        lanes[place], columns[place] = 0, 0
    n = own.size
    while n and own[n - 1] >= _EMPTY:
        n -= 1
    ascending = True
    previous, j = np.uint64(0), 0
    while j < n:
        begin, block = j, own[j] >> np.uint64(6)
        bits = np.uint64(0)
        while j < n and own[j] >> np.uint64(6) == block:
            ascending &= own[j] >= previous
            previous = own[j] + _1
            bits |= _1 << (own[j] & _LANE)
            j += 1
        at = np.int64(block - first_block)
        if not ascending or not 0 <= at < blocks:
            return False
        place = np.uint64((at >> 1) + (at & 1) * plane)
        lanes[place], columns[place] = bits, begin
    return True


@stage
def _present_maxima(out, at, plane, x, lanes, columns):
    """As `block_maxima`, of the columns that blocks have."""


def maxima_of(out, at, plane, x, columns, present, pairs):
    """Largest log-potentials of `pairs` pairs of blocks of a row; see `block_maxima`. `columns` are from `at` on too."""
    raise NotImplementedError("compiled only")


@overload(maxima_of, jit_options=STAGE_OPTIONS)
def _maxima_of(out, at, plane, x, columns, present, pairs):
    def side_by_side(out, at, plane, x, columns, present, pairs):
        return block_maxima(out, at, plane, x, np.int64(columns[at]), pairs)

    def by_ids(out, at, plane, x, columns, present, pairs):
        good = True
        for odd in range(2):
            for i in range(pairs):
                place = np.uint64(at + odd * plane + i)
                count = count_bits(present.lanes[place])
                largest = np.float64(max_part64(x, np.int64(columns[place]), 0, count))
                good &= largest < LIMIT
                out[place] = largest
        return good

    return side_by_side if isinstance(present, types.NoneType) else by_ids


def column_of(present, first, place, lane):
    """Column of a lane of the block at a place whose columns begin at `first`; one outside of the row if none is."""
    raise NotImplementedError("compiled only")


@overload(column_of, jit_options=SCALAR_OPTIONS)
def _column_of(present, first, place, lane):
    def by_ids(present, first, place, lane):
        lanes = present.lanes[place]
        before = count_bits(lanes & ((_1 << lane) - _1))
        return np.int64(first) + before if lanes >> lane & _1 else np.int64(-1)

    if isinstance(present, types.NoneType):
        return lambda present, first, place, lane: np.int64(first + lane)
    return by_ids


def lanes_reaching(present, line, first, place, threshold):
    """Lanes of the block at a place, whose columns begin at `first`, with log-potentials that reach a threshold."""
    raise NotImplementedError("compiled only")


@overload(lanes_reaching, jit_options=SCALAR_OPTIONS)
def _lanes_reaching(present, line, first, place, threshold):
    def by_ids(present, line, first, place, threshold):
        count = count_bits(present.lanes[place])
        columns = part_at_least64(line.values, line.at + first, 0, count, line.values.dtype.type(threshold))
        ids = present.ids.reshape(present.ids.size)
        lanes = np.uint64(0)
        at = (line.at if present.ids.shape[0] > 1 else 0) + first
        while columns:
            lanes |= _1 << (ids[np.uint64(at + lowest_bit(columns))] & _LANE)
            columns &= columns - _1
        return lanes

    def side_by_side(present, line, first, place, threshold):
        if 0 <= first <= line.n - 64:
            return at_least64(line.values, line.at + first, line.values.dtype.type(threshold))
        return reaching(line.values[line.at : line.at + line.n], first, threshold)

    return side_by_side if isinstance(present, types.NoneType) else by_ids
