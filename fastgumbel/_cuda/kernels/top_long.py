"""The k best of long rows: the pruned search, a thread block a segment of a row.

As on the CPU, the winner lanes of all blocks are offered first, since they have their blocks' largest noise; then the
others of a block are looked at only where its largest log-potential plus its largest noise reaches the k-th best.
"""

import numpy as np
from numba import types

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import first_draw
from fastgumbel._cuda.kernels.parameters import Coordinates, Line, Team
from fastgumbel._cuda.kernels.rows import inside
from fastgumbel._cuda.kernels.survey import largest_of_warps, survey
from fastgumbel._cuda.kernels.temperature import temperature_of
from fastgumbel._cuda.kernels.top import INVALID, entry, kept, offer, with_room
from fastgumbel._cuda.seam import cuda, device, kernel, opaque
from fastgumbel._law.field import (
    BLOCK_WORDS,
    HIGH_WORDS,
    block_exponential,
    block_word,
    join,
    lane_exponential,
    winner_lane,
    words,
)
from fastgumbel._law.ops import fma
from fastgumbel._law.real import gumbel64, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING

THREADS = 128
_WARPS = 4

_0, _1, _2, _5, _31 = map(np.int32, (0, 1, 2, 5, 31))
_ROUNDING = np.float64(2.0**-50)
_STEP = np.float64(2.0**-32)
_HALF, _ONE = np.float64(0.5), np.float64(1)


def dynamic_bytes(span, capacity, itemsize):
    """Shared bytes for so many pairs of blocks, of potentials of a size, and a buffer of so many entries."""
    return 2 * span * (itemsize + 12) + 16 * capacity


@device
def _meet(line, column, w, block, known, temperature, buffer, least):
    """Store the bound of a block with word w, which begins at a column, and offer its winner.

    `known` are (maxima of blocks, their bounds).
    """
    maxima, bounds = known
    values, indices, count = buffer
    g = gumbel64(block_exponential(w))
    # Others may have a rounding error more noise.
    bounds[np.uint64(block)] = fma(temperature, fma(abs(g), _ROUNDING, g), np.float64(maxima[np.uint64(block)]))
    mine = column + np.int64(winner_lane(w))
    value, index = entry(np.float64(inside(line.x, line.mask, line.row, mine)), g, temperature, mine)
    offer(values, indices, count, value, index, least)


@device
def _try(line, coordinates, column, high, minimum, buffer, least):
    """Offer a lane that is not the winner, if a quick bound of its noise reaches what is to be beaten."""
    p = np.float64(inside(line.x, line.mask, line.row, column))
    u = np.float64(np.uint32(high)) * _STEP
    key, row, draw, start, temperature = coordinates
    if p > -LIMIT and fma(temperature, gumbel_bound(fma(u, fma(u, _HALF, _ONE), minimum)), p) >= least[0]:
        values, indices, count = buffer
        g = gumbel64(minimum + lane_exponential(opaque(key), row, draw, start + np.uint64(column)))
        offer(values, indices, count, fma(temperature, g, p), column, least)


@device
def _open(line, coordinates, block, column, lane, buffer, least):
    """Offer what of a block, which begins at a column, may be among the best, but not the winner: two lanes each."""
    key, row, draw = opaque(coordinates.key), coordinates.row, coordinates.draw
    w = block_word(key, row, draw, block)
    winner, minimum = np.int32(winner_lane(w)), block_exponential(w)
    h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | ((block << np.uint64(4)) + np.uint64(lane >> _1)))
    late = lane & _1 != _0
    mine = np.int32(lane << _1)
    # A loop, as the definition is long.
    i = _0
    while i < _2:
        if np.int32(mine + i) != winner:
            high = (h2 if late else h0) if i == _0 else (h3 if late else h1)
            j = column + np.int64(np.int32(mine + i))
            _try(line, coordinates, j, high, minimum, buffer, least)
        i = np.int32(i + _1)


@device
def _carve(numbers, span, capacity):
    """Shared memory: of all blocks, maxima, bounds of perturbed values and the numbers of those to open; a buffer."""
    maxima = cuda.shared.array(0, numbers.dtype)
    blocks = span << np.int64(1)
    begin = span * np.int64(maxima.itemsize) >> np.int64(2)
    bounds = cuda.shared.array(0, types.float64)[begin : begin + blocks]
    begin += blocks
    values = cuda.shared.array(0, types.float64)[begin : begin + capacity]
    begin += capacity
    indices = cuda.shared.array(0, types.int64)[begin : begin + capacity]
    begin = (begin + capacity) << np.int64(1)
    chosen = cuda.shared.array(0, types.int32)[begin : begin + blocks]
    return maxima, bounds, chosen, (values, indices, cuda.shared.array(1, types.int32))


@device
def _offer_winners(line, here, stretch, known, buffer, places, team):
    """Offer the winners of all blocks; gives what a perturbed value has to reach. All threads must call.

    `stretch` is (first pair of blocks, pairs, column that the first begins at), `known` as in `_meet`.
    """
    first_pair, pairs, column = stretch
    values, indices, count = buffer
    least = NOTHING, NO_INDEX
    pair = team.thread
    going = True
    while going:
        going = np.int32(pair - team.thread) < pairs
        least = with_room(values, indices, count, places, least, not going)
        if pair < pairs:
            number = first_pair + np.uint64(pair)
            w0, w1, w2, w3 = words(opaque(here.key), here.row, here.draw, BLOCK_WORDS | number)
            even, w = np.int32(pair << _1), join(w1, w0)
            begins = column + np.int64(np.int32(pair << np.int32(7)))
            _meet(line, begins, w, even, known, here.temperature, buffer, least)
            odd, w = np.int32(even + _1), join(w3, w2)
            begins += np.int64(64)
            _meet(line, begins, w, odd, known, here.temperature, buffer, least)
        pair = np.int32(pair + team.threads)
    return least


@device
def _choose(chosen, choices, bounds, blocks, least, team):
    """List the blocks that may reach the least of the best. All threads must call."""
    block = team.thread
    while block < blocks:
        high = bounds[np.uint64(block)]
        if high > NOTHING and high >= least[0]:
            chosen[np.uint64(np.int32(cuda.atomic.add(choices, 0, _1)))] = block
        block = np.int32(block + team.threads)
    cuda.syncthreads()


@device
def _open_chosen(line, here, stretch, listed, buffer, places, least, team):
    """Offer what else of the listed blocks may be among the best, a warp a block. All threads must call.

    `listed` are (blocks, how many, bounds of all blocks).
    """
    first_pair, _, column = stretch
    chosen, todo, bounds = listed
    values, indices, count = buffer
    i = _0
    going = True
    while going:
        going = i < todo
        least = with_room(values, indices, count, places, least, not going)
        if np.int32(i + team.warp) < todo:
            block = chosen[np.uint64(np.int32(i + team.warp))]
            # What is to be beaten may have risen since.
            if bounds[np.uint64(block)] >= least[0]:
                number = (first_pair << np.uint64(1)) + np.uint64(block)
                begins = column + np.int64(np.int32(block << np.int32(6)))
                _open(line, here, number, begins, team.lane, buffer, least)
        i = np.int32(i + team.warps)


@device
def _write_best(lists, to, places, buffer, valid, team):
    """Write a list, best first; where the row is not valid, it begins with what tells that."""
    list_values, list_indices = lists
    values, indices, count = buffer
    rank = team.thread
    while rank < places:
        value, index = kept(values, indices, count, rank)
        if not valid and rank == _0:
            value, index = INVALID, NO_INDEX
        list_values[to + np.uint64(rank)] = value
        list_indices[to + np.uint64(rank)] = index
        rank = np.int32(rank + team.threads)


@kernel(threads=THREADS, blocks=3)
def top_long(x, mask, numbers, field, plan, list_values, list_indices):
    """Write the best of each segment of rows and draws to a list of entries, best first, a thread block a segment.

    `field` is a `Field`. `numbers` is an empty array of the type that potentials are read as. `plan` is (first row,
    rows, first draw, draws, draws that a thread block makes, segments a row, pairs of blocks a segment, places of a
    list, of the buffer). Lists lie side by side: segments of a row, rows, draws.
    """
    key, start = field.key, field.start
    first_row, n_rows, to_draw, draws, group, segments, span, list_places, capacity = plan
    thread, threads = np.int32(cuda.threadIdx.x), np.int32(cuda.blockDim.x)
    team = Team(thread, threads, np.int32(thread & _31), np.int32(thread >> _5), np.int32(threads >> _5))
    places = np.int32(list_places)
    item = np.uint32(cuda.blockIdx.x)
    segment = np.uint32(item % np.uint32(segments))
    item = np.uint32(item // np.uint32(segments))
    r = np.uint32(item % np.uint32(n_rows))
    s = np.int64(np.uint32(item // np.uint32(n_rows))) * group
    last = min(s + group, draws)
    line = Line(x, mask, np.uint64(first_row) + np.uint64(r))

    whole = np.int64((start + np.uint64(x.shape[1]) - np.uint64(1)) >> np.uint64(7)) + np.int64(1)
    first_pair = (start >> np.uint64(7)) + np.uint64(segment) * np.uint64(span)
    pairs = np.int32(min(span, whole - np.int64(segment) * span))
    stretch = first_pair, pairs, np.int64(first_pair << np.uint64(7)) - np.int64(start)
    row, draw = row_id(field.ids, field.row, line.row), first_draw(field, line.row)
    temperature = temperature_of(field.temperatures, line.row)

    maxima, bounds, chosen, buffer = _carve(numbers, span, capacity)
    tops, choices = cuda.shared.array(_WARPS, numbers.dtype), cuda.shared.array(1, types.int32)
    top = survey(line, stretch[2], maxima, pairs, team)
    largest = largest_of_warps(tops, top, team)

    while s < last:
        here = Coordinates(key, row, draw + np.uint64(to_draw + s), start, temperature)
        if thread == _0:
            buffer[2][0] = _0
            choices[0] = _0
        cuda.syncthreads()
        if largest < np.inf and largest > -LIMIT:
            least = _offer_winners(line, here, stretch, (maxima, bounds), buffer, places, team)
            _choose(chosen, choices, bounds, np.int32(pairs << _1), least, team)
            listed = chosen, np.int32(choices[0]), bounds
            _open_chosen(line, here, stretch, listed, buffer, places, least, team)
        # Opaque, so that the place is not kept in registers throughout.
        to = ((np.uint64(s) * np.uint64(n_rows) + opaque(np.uint64(r))) * np.uint64(segments) + np.uint64(segment)) * (
            np.uint64(places)
        )
        _write_best((list_values, list_indices), to, places, buffer, largest < np.inf, team)
        cuda.syncthreads()
        s += np.int64(1)
