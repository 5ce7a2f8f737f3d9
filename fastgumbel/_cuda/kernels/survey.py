"""The pass over a segment of a long row: the largest log-potential of each of its blocks of 64, in shared memory."""

import numpy as np

from fastgumbel._cuda.kernels.max import larger, largest_of
from fastgumbel._cuda.kernels.rows import infinity, is_plain, quad
from fastgumbel._cuda.seam import ALL_LANES, cuda, device, is_aligned4, load4, overload

_0, _1, _2, _4, _15 = map(np.int32, (0, 1, 2, 4, 15))
_PAIR = np.int64(128)


@device
def _half_warp_largest(value):
    value = larger(value, cuda.shfl_xor_sync(ALL_LANES, value, 8))
    value = larger(value, cuda.shfl_xor_sync(ALL_LANES, value, 4))
    value = larger(value, cuda.shfl_xor_sync(ALL_LANES, value, 2))
    return larger(value, cuda.shfl_xor_sync(ALL_LANES, value, 1))


@device
def _keep(maxima, pair, lane, value):
    """Store the maximum of each half-warp's block of a pair, and give it."""
    value = _half_warp_largest(value)
    if lane & _15 == _0:
        maxima[np.uint64(np.int32(pair << _1) + np.int32(lane >> _4))] = value
    return value


def _whole_pairs(line, column, maxima, first, end, team):
    """Maxima of pairs `first`, `first + team.warps`, ... below `end`, four at a time; their largest and the next pair.

    All of them are inside of the row; `column` is that of this lane in pair 0. None, where `load4` cannot be used.
    """
    raise NotImplementedError("compiled only")


@overload(_whole_pairs)
def _whole_pairs_of(line, column, maxima, first, end, team):
    def vectors(line, column, maxima, first, end, team):
        x, _, row = line
        lane, warps = team.lane, team.warps
        top, pair = -infinity(x), first
        place = row * np.uint64(x.shape[1]) + np.uint64(column + np.int64(pair) * _PAIR)
        step = np.uint64(warps) * np.uint64(128)
        if is_aligned4(x, place):
            while np.int32(pair + np.int32(3) * warps) < end:
                a = load4(x, place)
                b = load4(x, place + step)
                c = load4(x, place + np.uint64(2) * step)
                d = load4(x, place + np.uint64(3) * step)
                first_two = larger(
                    _keep(maxima, pair, lane, largest_of(a)),
                    _keep(maxima, np.int32(pair + warps), lane, largest_of(b)),
                )
                last_two = larger(
                    _keep(maxima, np.int32(pair + _2 * warps), lane, largest_of(c)),
                    _keep(maxima, np.int32(pair + np.int32(3) * warps), lane, largest_of(d)),
                )
                top = larger(top, larger(first_two, last_two))
                pair = np.int32(pair + _4 * warps)
                place += np.uint64(4) * step
        return top, pair

    def none(line, column, maxima, first, end, team):
        return -infinity(line.x), first

    return vectors if is_plain(line.types[0], line.types[1]) else none


@device
def survey(line, column, maxima, pairs, team):
    """Store the maxima of all blocks of a segment whose first pair begins at a column; largest of those of the warp.

    +inf where a potential is NaN or not below LIMIT.
    """
    x, mask, row = line
    _, _, lane, warp, warps = team
    mine = column + np.int64(np.int32(lane << _2))
    # The first pair may begin before the row, and the last one may end after it.
    first = warp if column >= np.int64(0) else np.int32(warp + warps)
    end = np.int32(min(np.int64(pairs), (np.int64(x.shape[1]) - column) // _PAIR))
    top, after = _whole_pairs(line, mine, maxima, first, end, team)
    pair = after if column >= np.int64(0) else warp
    while pair < pairs:
        four = quad(x, mask, row, mine + np.int64(pair) * _PAIR)
        top = larger(top, _keep(maxima, pair, lane, largest_of(four)))
        pair = max(np.int32(pair + warps), after)
    return larger(top, cuda.shfl_xor_sync(ALL_LANES, top, 16))


@device
def largest_of_warps(cells, top, team):
    """The largest of what `survey` gave to each warp, by a shared cell for each. All threads must call."""
    if team.lane == _0:
        cells[np.uint64(team.warp)] = top
    cuda.syncthreads()
    largest = cells[0]
    other = _1
    while other < team.warps:
        largest = larger(largest, cells[np.uint64(other)])
        other = np.int32(other + _1)
    return largest
