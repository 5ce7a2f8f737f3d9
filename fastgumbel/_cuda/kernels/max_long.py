"""Gumbel-max over long rows: the pruned search, a thread block a segment of a row.

As on the CPU, a block of 64 cannot win where its largest log-potential plus the Gumbel of its smallest exponential
stays below the best value so far. float64 is scarce on most devices, so all ruling out is done in float32, on distances
from the segment's largest potential, with bounds on either side of the truth; only what they leave open, one lane a
segment as a rule, is computed in float64.
"""

import numpy as np
from numba import types

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import first_draw
from fastgumbel._cuda.kernels.max import finish, larger, warp_combined, warp_largest
from fastgumbel._cuda.kernels.parameters import Coordinates, Line, Team
from fastgumbel._cuda.kernels.rows import inside, potential
from fastgumbel._cuda.kernels.survey import largest_of_warps, survey
from fastgumbel._cuda.kernels.temperature import COLDEST, HOTTEST, moderated, rate32, temperature_of
from fastgumbel._cuda.seam import ALL_LANES, cuda, device, kernel, opaque
from fastgumbel._law.bounds import LEAST, SLACK, at_least, at_most, block_ceiling, block_floor, lane_ceiling, lane_floor
from fastgumbel._law.field import BLOCK_WORDS, HIGH_WORDS, block_word, gumbel, winner_lane, words
from fastgumbel._law.ops import fma, times
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, combined

THREADS = 128
_WARPS = 4

_0, _1, _2, _5, _31 = map(np.int32, (0, 1, 2, 5, 31))
_32 = np.uint64(32)
_FAR = np.float64(128)
_LOWEST = np.float32(-np.inf)
_ROUNDING = np.float64(2.0**-51)
# What distances in units of a temperature err by in addition, by two more roundings; and more than the noise at the
# coldest temperature that is moderate, beside which that at a colder one may be anything.
_ROUNDED, _COLD = np.float32(2.0**-14), np.float32(128)


def dynamic_bytes(pairs, itemsize):
    """Shared bytes for maxima and bounds of so many pairs of blocks, of potentials of a size."""
    return 2 * pairs * (itemsize + 4)


@device
def _scaled(p, scale):
    """How far a potential is from the largest, in units of the temperature."""
    largest, rate = scale
    return times(np.float32(p - largest), rate)


@device
def _slack(largest, temperature):
    """What bounds err by, and what the definition rounds away where potentials are large; beyond float32, infinity."""
    magnitude = abs(np.float64(largest))
    if temperature == np.float64(1):
        return SLACK + np.float32((magnitude + _FAR) * _ROUNDING)
    slack = SLACK + _ROUNDED + np.float32((magnitude / moderated(temperature) + _FAR) * _ROUNDING)
    if temperature < COLDEST:
        slack += _COLD
    return slack if temperature <= HOTTEST else np.float32(np.inf)


@device
def _draw_bounds(coordinates, first_pair, maxima, bounds, base, scale, pairs, team):
    """Store bounds of the distances that the blocks of this thread's pairs reach; the highest, and its block.

    Distances are in units of the temperature, here and below; `scale` is (largest potential, 1 / T).
    """
    key, row, draw = coordinates.key, coordinates.row, coordinates.draw
    top, block = _LOWEST, _0
    pair = team.thread
    while pair < pairs:
        even, odd = np.int32(pair << _1), np.int32(np.int32(pair << _1) + _1)
        _, w1, _, w3 = words(opaque(key), row, draw, BLOCK_WORDS | (first_pair + np.uint64(pair)))
        high = at_most(_scaled(maxima[np.uint64(even)], scale), block_floor(np.uint32(w1)))
        bounds[np.uint64(base + even)] = high
        if high > top:
            top, block = high, even
        high = at_most(_scaled(maxima[np.uint64(odd)], scale), block_floor(np.uint32(w3)))
        bounds[np.uint64(base + odd)] = high
        if high > top:
            top, block = high, odd
        pair = np.int32(pair + team.threads)
    return top, block


@device
def _distance(line, column, scale):
    """How far a potential is from the largest; -inf where it is excluded, so that nothing is reached by its bounds."""
    p = inside(line.x, line.mask, line.row, column)
    return _scaled(p, scale) if p > -LIMIT else _LOWEST


@device
def _open(line, column, coordinates, block, scale, lane):
    """Distances that two neighbouring lanes of a block can reach, and the larger one that they do reach, by bounds."""
    key, row, draw = opaque(coordinates.key), coordinates.row, coordinates.draw
    w = block_word(key, row, draw, block)
    winner = np.int32(winner_lane(w))
    floor, ceiling = block_floor(np.uint32(w >> _32)), block_ceiling(np.uint32(w >> _32))
    h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | ((block << np.uint64(4)) + np.uint64(lane >> _1)))
    late = lane & _1 != _0
    first, second = np.uint32(h2 if late else h0), np.uint32(h3 if late else h1)
    here = np.int32(lane << _1)
    d = _distance(line, column + np.int64(here), scale)
    wins = winner == here
    high0 = at_most(d, floor if wins else lane_floor(first, floor))
    low = at_least(d, ceiling if wins else lane_ceiling(first, ceiling))
    d = _distance(line, column + np.int64(here) + np.int64(1), scale)
    wins = winner == np.int32(here + _1)
    high1 = at_most(d, floor if wins else lane_floor(second, floor))
    return high0, high1, larger(low, at_least(d, ceiling if wins else lane_ceiling(second, ceiling)))


@device
def _decide(line, column, coordinates, best, arg):
    """The better of (best, arg) and the perturbed value at a column, by the definition."""
    x, mask, r = line
    key, row, draw, start, temperature = coordinates
    p = np.float64(potential(x, mask, r, column))
    value = fma(temperature, gumbel(opaque(key), row, draw, start + np.uint64(column)), p)
    if p > -LIMIT and beats(value, column, best, arg):
        return value, column
    return best, arg


@device
def _search(line, coordinates, first_pair, limits, bounds, base, pairs, team):
    """Best result of the warp's blocks: of all that can reach a distance, which the best one does reach.

    `limits` are (that distance, what bounds err by, scale).
    """
    reach, slack, scale = limits
    start, n, lane = coordinates.start, np.int64(line.x.shape[1]), team.lane
    best, arg = NOTHING, NO_INDEX
    first = np.int32(team.thread - lane)
    while first < pairs:
        pair = np.int32(first + lane)
        parity = _0
        while parity < _2:
            high = _LOWEST
            if pair < pairs:
                high = bounds[np.uint64(np.int32(base + np.int32(pair << _1)) + parity)] + slack
            # Written so that NaN, of infinite slack, rules nothing out.
            todo = np.uint32(cuda.ballot_sync(ALL_LANES, pair < pairs and not high < reach))
            while todo:
                source = np.int32(cuda.ffs(todo)) - _1
                todo = np.uint32(todo & np.uint32(todo - np.uint32(1)))
                if cuda.shfl_sync(ALL_LANES, high, source) < reach:
                    continue
                block = ((first_pair + np.uint64(np.int32(first + source))) << np.uint64(1)) + np.uint64(parity)
                column = np.int64(block << np.uint64(6)) - np.int64(start)
                high0, high1, low = _open(line, column, coordinates, block, scale, lane)
                reach = larger(reach, warp_largest(low - slack))
                at = column + np.int64(np.int32(lane << _1))
                open_ = _1 if at >= np.int64(0) and at < n and not high0 + slack < reach else _0
                if at >= np.int64(-1) and at + np.int64(1) < n and not high1 + slack < reach:
                    open_ = np.int32(open_ | _2)
                # A loop, as the definition is long, and both lanes hardly ever come to it.
                while open_:
                    which = np.int32(np.int32(open_ & _1) ^ _1)
                    best, arg = _decide(line, at + np.int64(which), coordinates, best, arg)
                    open_ = np.int32(open_ & np.int32(open_ - _1))
            parity = np.int32(parity + _1)
        first = np.int32(first + team.threads)
    return warp_combined(best, arg)


@kernel(threads=THREADS, blocks=3)
def max_long(x, mask, numbers, field, plan, index, value, flag):
    """Gumbel-max of each segment of each row of a piece, a thread block (of whole warps) a segment.

    `field` is a `Field`. index[s, r] gets the indices, and value[s, r], unless it is
    empty, the perturbed values. `numbers` is an empty array of the type that potentials are read as. `plan` is (first
    row, segments a row, pairs of blocks a segment, draws that a thread block makes). More than one segment a row go
    side by side, for `max_of_segments`.
    """
    start = field.start
    to_row, segments, span, group = plan
    thread, threads = np.int32(cuda.threadIdx.x), np.int32(cuda.blockDim.x)
    lane, warp, warps = np.int32(thread & _31), np.int32(thread >> _5), np.int32(threads >> _5)
    team = Team(thread, threads, lane, warp, warps)
    item = np.uint32(cuda.blockIdx.x)
    segment = np.uint32(item % np.uint32(segments))
    item = np.uint32(item // np.uint32(segments))
    line = np.uint64(np.uint32(item % np.uint32(x.shape[0])))
    s = np.uint64(np.uint32(item // np.uint32(x.shape[0]))) * np.uint64(group)
    last = min(s + np.uint64(group), np.uint64(index.shape[0]))

    whole = np.int64((start + np.uint64(x.shape[1]) - np.uint64(1)) >> np.uint64(7)) + np.int64(1)
    first_pair = (start >> np.uint64(7)) + np.uint64(segment) * np.uint64(span)
    pairs = np.int32(min(span, whole - np.int64(first_pair)))
    column = np.int64(first_pair << np.uint64(7)) - np.int64(start)
    row, draw = row_id(field.ids, field.row, line), first_draw(field, line)
    temperature = temperature_of(field.temperatures, line)

    maxima, bounds = cuda.shared.array(0, numbers.dtype), cuda.shared.array(0, types.float32)
    base = np.int32(_2 * np.int32(span) * np.int32(maxima.itemsize // 4))
    tops, lows = cuda.shared.array(_WARPS, numbers.dtype), cuda.shared.array(_WARPS, types.float32)
    values, args = cuda.shared.array(_WARPS, types.float64), cuda.shared.array(_WARPS, types.int64)

    top = survey(Line(x, mask, line), column, maxima, pairs, team)
    largest = largest_of_warps(tops, top, team)
    good = largest < np.inf and largest > -LIMIT
    slack, scale = _slack(largest, temperature), (largest, rate32(temperature))

    while s < last:
        best, arg = NOTHING if largest < np.inf else np.nan, NO_INDEX
        if good:
            at = Coordinates(field.key, row, draw + s, start, temperature)
            high, block = _draw_bounds(at, first_pair, maxima, bounds, base, scale, pairs, team)
            # The block that can reach highest tells what is reached, and so what need not be looked at.
            highest = warp_largest(high)
            reach = LEAST - slack
            if highest > _LOWEST:
                leader = np.int32(cuda.ffs(np.uint32(cuda.ballot_sync(ALL_LANES, high == highest)))) - _1
                leading = (first_pair << np.uint64(1)) + np.uint64(cuda.shfl_sync(ALL_LANES, block, leader))
                begin = np.int64(leading << np.uint64(6)) - np.int64(start)
                _, _, low = _open(Line(x, mask, line), begin, at, leading, scale, lane)
                reach = larger(reach, warp_largest(low - slack))
            if lane == _0:
                lows[np.uint64(warp)] = reach
            cuda.syncthreads()
            other = _0
            while other < warps:
                reach = larger(reach, lows[np.uint64(other)])
                other = np.int32(other + _1)
            limits = reach, slack, scale
            best, arg = _search(Line(x, mask, line), at, first_pair, limits, bounds, base, pairs, team)
            if lane == _0:
                values[np.uint64(warp)] = best
                args[np.uint64(warp)] = arg
            cuda.syncthreads()
            if thread == _0:
                other = _1
                while other < warps:
                    best, arg = combined(best, arg, values[np.uint64(other)], args[np.uint64(other)])
                    other = np.int32(other + _1)
        if thread == _0:
            # Opaque, so that the place is not kept in registers throughout.
            place = (opaque(line) + np.uint64(to_row)) * np.uint64(segments) + np.uint64(segment)
            if segments == np.int64(1):
                finish(index, value, flag, s, place, place, best, arg)
            else:
                index[s, place] = arg
                value[s, place] = best
        s += np.uint64(1)


@kernel(threads=THREADS)
def max_of_segments(segment_index, segment_value, plan, index, value, flag):
    """Combine results of the segments of rows, a warp a row and draw.

    `plan` is (segments, rows, first draw, first row), the last two in `index` and `value`.
    """
    segments, count, first_draw, first_row = plan
    thread = np.int32(cuda.threadIdx.x)
    lane = np.int64(np.int32(thread & _31))
    item = np.int64(cuda.blockIdx.x) * np.int64(_WARPS) + np.int64(np.int32(thread >> _5))
    if item < np.int64(segment_index.shape[0]) * count:
        draw = np.uint64(item) // np.uint64(count)
        row = item - np.int64(draw) * count
        best, arg = NOTHING, NO_INDEX
        segment = lane
        while segment < segments:
            place = np.uint64(row * segments + segment)
            best, arg = combined(best, arg, segment_value[draw, place], segment_index[draw, place])
            segment += np.int64(32)
        best, arg = warp_combined(best, arg)
        if lane == np.int64(0):
            number = np.uint64(first_row + row)
            finish(index, value, flag, np.uint64(first_draw) + draw, number, number, best, arg)
