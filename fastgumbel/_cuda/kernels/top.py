"""Parts of the search for the k best on a device: entries, a buffer of the best so far, and results.

An entry is a perturbed value and its index. (-inf, -1) is an empty place; (inf, -1) stands for a log-potential that is
NaN or not below LIMIT, beats every other entry and so comes first in the list of an invalid row. A buffer is two shared
arrays, `values` and `indices`, whose size is a power of two, and `count` of one int32, how many entries they hold.
"""

import numpy as np

from fastgumbel._cuda.kernels.rows import divided, note_fault
from fastgumbel._cuda.seam import cuda, device
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import INVALID_ROW, LIMIT, NO_INDEX, NOTHING, TOO_FEW, beats

INVALID = np.float64(np.inf)

_0, _1 = np.int32(0), np.int32(1)


@device
def entry(potential, noise, temperature, category):
    """The entry of a category from its potential, its noise and the temperature, all float64."""
    if not potential < LIMIT:
        return INVALID, NO_INDEX
    value = fma(temperature, noise, potential)
    if potential > -LIMIT and value > NOTHING:
        return value, category
    return NOTHING, NO_INDEX


@device
def is_invalid(value, index):
    """Whether an entry stands for an invalid row."""
    return value == INVALID and index == NO_INDEX


@device
def offer(values, indices, count, value, index, least):
    """Put an entry into a buffer, which must have room, if it beats `least`."""
    least_value, least_index = least
    if beats(value, index, least_value, least_index):
        place = np.int32(cuda.atomic.add(count, 0, _1))
        values[np.uint64(place)] = value
        indices[np.uint64(place)] = index


@device
def _order(values, indices, size, thread, threads):
    """Sort `size` entries, a power of two, best first: Batcher's bitonic network. All threads must call."""
    width = np.int32(2)
    while width <= size:
        step = np.int32(width >> _1)
        while step > _0:
            i = thread
            while i < np.int32(size >> _1):
                a = np.int32(np.int32(i << _1) - np.int32(i & np.int32(step - _1)))
                first, second = np.uint64(a), np.uint64(np.int32(a + step))
                v, w = values[first], values[second]
                j, k = indices[first], indices[second]
                if beats(w, k, v, j) if np.int32(a & width) == _0 else beats(v, j, w, k):
                    values[first], values[second] = w, v
                    indices[first], indices[second] = k, j
                i = np.int32(i + threads)
            cuda.syncthreads()
            step = np.int32(step >> _1)
        width = np.int32(width << _1)


@device
def _settle(values, indices, count, filled, places):
    """Sort a buffer and keep the best of it; give the entry that others must beat. All threads must call."""
    thread, threads = np.int32(cuda.threadIdx.x), np.int32(cuda.blockDim.x)
    size = _1
    while size < filled:
        size = np.int32(size << _1)
    i = np.int32(filled + thread)
    while i < size:
        values[np.uint64(i)] = NOTHING
        indices[np.uint64(i)] = NO_INDEX
        i = np.int32(i + threads)
    cuda.syncthreads()
    _order(values, indices, size, thread, threads)
    if thread == _0:
        count[0] = min(filled, places)
    cuda.syncthreads()
    if filled < places:
        return NOTHING, NO_INDEX
    last = np.uint64(np.int32(places - _1))
    return values[last], indices[last]


@device
def with_room(values, indices, count, places, least, at_end):
    """Make room for two entries a thread in a buffer, and give what is to be beaten now; at the end, settle it.

    A buffer that is settled is sorted and has no more entries than places. All threads must call.
    """
    cuda.syncthreads()
    filled = np.int32(count[0])
    cuda.syncthreads()
    if at_end or np.int32(filled + np.int32(np.int32(cuda.blockDim.x) << _1)) > np.int32(values.size):
        return _settle(values, indices, count, filled, places)
    return least


@device
def kept(values, indices, count, rank):
    """The entry of a rank in a buffer that is settled."""
    if rank < np.int32(count[0]):
        return values[np.uint64(rank)], indices[np.uint64(rank)]
    return NOTHING, NO_INDEX


@device
def deliver(outs, place, item, rank, value, index, bad):
    """Store an entry by its rank in the list of an item, or, in place k, as the threshold; note faults.

    `outs` is (indices, values, threshold, flag), all flat, the third empty if nobody wants it. `place` is (first row of
    the items, their rows, first draw, all rows, k, trailing, number of row 0 among faults): items count through the
    rows of a draw, then of the next; `trailing` rows lie side by side behind the axis of the ranks.
    """
    indices, values, threshold, flag = outs
    first_row, rows, first_draw, all_rows, k, trailing, number = place
    s = divided(item, rows)
    row = first_row + item - s * rows
    result = (first_draw + s) * all_rows + row
    if rank < k:
        before = divided(result, trailing)
        at = np.uint64((before * k + rank) * trailing + result - before * trailing)
        indices[at] = NO_INDEX if bad else index
        values[at] = np.nan if bad else value
        if rank == k - np.int64(1) and (bad or index == NO_INDEX):
            note_fault(flag, number + row, INVALID_ROW if bad else TOO_FEW)
    elif threshold.size:
        threshold[np.uint64(result)] = np.nan if bad else value
