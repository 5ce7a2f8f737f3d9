"""Gumbel-max over short rows, and on noise that the caller computed."""

import numpy as np

from fastgumbel._cpu.stage import row_id
from fastgumbel._cuda.kernels.field import block, first_draw
from fastgumbel._cuda.kernels.max import finish, row_largest, warp_combined
from fastgumbel._cuda.kernels.parameters import Coordinates, Line
from fastgumbel._cuda.kernels.rows import note_fault, potential, quad
from fastgumbel._cuda.kernels.temperature import is_moderate, is_unfit, rate32, temperature_of
from fastgumbel._cuda.seam import ALL_LANES, cuda, device, kernel
from fastgumbel._law.field import HIGH_WORDS, gumbel, words
from fastgumbel._law.ops import fma
from fastgumbel._law.race import VAGUE_FROM, margin_of
from fastgumbel._law.real import exp32, exponential32
from fastgumbel._law.reduce import INVALID_NOISE, LIMIT, NO_INDEX, NOTHING, beats

THREADS = 128

_0, _1, _4 = np.int64(0), np.int64(1), np.int64(4)
_INFINITE = np.float32(np.inf)
_ONE, _FAR = np.float64(1), np.float64(64)
# A weight is cut at exp(80), which cannot win against the largest potential's finishing time of at most 38.
_CUT = np.float32(80)
# A vague exponential is at least so much of what the middle of its words gives. A lane like this that leads is its own
# runner-up, so that the row is undecided.
_AT_LEAST = np.float32(15 / 16)
# What the words of two times leave open.
_WORD = np.float32(2.0**-31)
# Distances in units of the temperature round twice more, by 2^-24 each, of 45 at most, in two categories.
_TWO_MORE = np.float32(1 + 2.0**-16)


@device
def _enter(state, x, category, scale, minimum, is_winner, high):
    """Let one category take part in a race, whose state is (best time, second time, index of the best).

    `scale` is (largest potential, 1 / T).
    """
    best, second, index = state
    largest, rate = scale
    v = np.float32(largest - np.float64(x)) * rate
    weight = exp32(v if v < _CUT else _CUT) if v < _INFINITE else _INFINITE
    vague = not is_winner and high >= VAGUE_FROM
    time = (minimum if is_winner else minimum + exponential32(high)) * weight
    time = time * _AT_LEAST if vague else time
    ahead = time < best
    chaser = best if ahead and not vague else time
    return time if ahead else best, min(second, chaser), category if ahead else index


@device
def _margin(largest, temperature):
    """What `margin_of` is at a temperature; infinite where float32 does not do."""
    if temperature == _ONE:
        return margin_of(largest)
    # What could win may not be beyond the limit of magnitude.
    if is_moderate(temperature) and abs(largest) + _FAR * temperature < LIMIT:
        return margin_of(largest / temperature) * _TWO_MORE
    return _INFINITE


@device
def _race(line, coordinates, largest):
    """Index of the row's best in a float32 race; NO_INDEX where it cannot decide."""
    x, mask, r = line
    key, row, draw, start, temperature = coordinates
    scale = largest, rate32(temperature)
    state = _INFINITE, _INFINITE, NO_INDEX
    smallest = _INFINITE
    category = -np.int64(start & np.uint64(3))
    quad_id = start >> np.uint64(2)
    minimum, winner = block(key, row, draw, quad_id >> np.uint64(4), np.float32(0))
    while category < x.shape[1]:
        if quad_id & np.uint64(15) == np.uint64(0):
            minimum, winner = block(key, row, draw, quad_id >> np.uint64(4), np.float32(0))
        smallest = min(smallest, minimum)
        h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | quad_id)
        a, b, c, d = quad(x, mask, r, category)
        w = np.int32(winner - np.int32(np.int32(quad_id & np.uint64(15)) * np.int32(4)))
        state = _enter(state, a, category, scale, minimum, w == 0, np.uint32(h0))
        state = _enter(state, b, category + _1, scale, minimum, w == 1, np.uint32(h1))
        state = _enter(state, c, category + np.int64(2), scale, minimum, w == 2, np.uint32(h2))
        state = _enter(state, d, category + np.int64(3), scale, minimum, w == 3, np.uint32(h3))
        quad_id += np.uint64(1)
        category += _4
    best, second, index = state
    # Times differ by less than a factor of the margin plus _WORD over the smallest minimum.
    return NO_INDEX if second * smallest <= best * fma(_margin(largest, temperature), smallest, _WORD) else index


@device
def _perturbed(line, coordinates, category):
    """The perturbed value of a category."""
    key, row, draw, start, temperature = coordinates
    p = np.float64(potential(line.x, line.mask, line.row, category))
    return fma(temperature, gumbel(key, row, draw, start + np.uint64(category)), p)


@device
def _decide(line, coordinates):
    """The definition: the index of the first largest float64 perturbed value of a row."""
    best, arg = NOTHING, NO_INDEX
    category = _0
    while category < line.x.shape[1]:
        value = np.float64(potential(line.x, line.mask, line.row, category))
        if value > -LIMIT:
            # At temperature 0 the noise makes no difference.
            if coordinates.temperature > np.float64(0):
                value = _perturbed(line, coordinates, category)
            if beats(value, category, best, arg):
                best, arg = value, category
        category += _1
    return arg


@kernel(threads=THREADS, blocks=4)
def max_short(x, mask, field, to_row, index, value, flag):
    """Gumbel-max of each row of a piece, a thread a row and draw.

    `mask` is False where a category is excluded, or True alone. `field` is a `Field`. Results of the piece go to
    index[s, to_row:] and, unless it is empty, value[s, to_row:], and faults to `flag`.
    """
    item = np.uint64(cuda.blockIdx.x) * np.uint64(THREADS) + np.uint64(cuda.threadIdx.x)
    count = np.uint64(x.shape[0])
    if item < count * np.uint64(index.shape[0]):
        s = item // count
        r = item - s * count
        line, temperature = Line(x, mask, r), temperature_of(field.temperatures, r)
        row = row_id(field.ids, field.row, r)
        at = Coordinates(field.key, row, first_draw(field, r) + s, field.start, temperature)
        largest = np.float64(row_largest(x, mask, r))
        best, arg = NOTHING, NO_INDEX
        if largest > -LIMIT and largest < np.inf:
            arg = _race(line, at, largest)
            if arg == NO_INDEX:
                arg = _decide(line, at)
            if value.size:
                best = _perturbed(line, at, arg)
        number = np.uint64(to_row) + r
        finish(index, value, flag, s, number, number, best, arg)


@kernel(threads=THREADS)
def max_given(x, mask, noise, temperatures, place, index, value, flag):
    """Gumbel-max of each row of a piece on the noise beside it, a warp a row.

    `temperatures` are `Temperatures`; `place` is (draw, first row, rows of all noise). Noise of -inf excludes; what
    is unfit is a fault of the row of noise, and comes before faults of rows, whose numbers follow.
    """
    draw, to_row, noise_rows = place
    thread = np.int32(cuda.threadIdx.x)
    lane = np.int64(np.int32(thread & np.int32(31)))
    warp = np.int64(np.int32(thread >> np.int32(5)))
    line = np.int64(cuda.blockIdx.x) * np.int64(THREADS // 32) + warp
    if line < x.shape[0]:
        best, arg = NOTHING, NO_INDEX
        bad_row = bad_noise = False
        temperature = temperature_of(temperatures, line)
        category = lane
        while category < x.shape[1]:
            g = np.float64(potential(noise, True, np.uint64(line), category))
            p = np.float64(potential(x, mask, np.uint64(line), category)) if g > NOTHING else NOTHING
            bad_noise |= is_unfit(g, temperature)
            bad_row |= not p < LIMIT
            perturbed = fma(temperature, g, p)
            if p > -LIMIT and (arg == NO_INDEX or beats(perturbed, category, best, arg)):
                best, arg = perturbed, category
            category += np.int64(32)
        bad_row = cuda.any_sync(ALL_LANES, bad_row)
        bad_noise = cuda.any_sync(ALL_LANES, bad_noise)
        best, arg = warp_combined(best, arg)
        if lane == _0:
            row = to_row + line
            if bad_noise:
                note_fault(flag, draw * np.int64(index.shape[1]) + row, INVALID_NOISE)
            if bad_row or bad_noise:
                best, arg = np.nan, NO_INDEX
            finish(index, value, flag, np.uint64(draw), np.uint64(row), noise_rows + row, best, arg)
