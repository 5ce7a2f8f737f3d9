"""Gumbel-max over short rows: rows (and draws) as vector lanes.

STAGE lanes, each a row and a draw, go through the categories together. The race is run in exponential space in float32;
what it leaves undecided is decided anew in float64.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.ids import category_at, draw_blocks, draw_own, enter_lanes, id_planes
from fastgumbel._cpu.lanes import MINIMUM, WINNER, draw_quad, repeat, turn
from fastgumbel._cpu.parameters import Coordinates, Field, Window
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, enter_draws, exponentials, fill, row_id
from fastgumbel._law.field import BLOCK_RATE, HIGH_WORDS, LANE_MASK, gumbel, winner_lane
from fastgumbel._law.ops import fma
from fastgumbel._law.race import AT_LEAST, COLDEST, CUT, VAGUE_FROM, WORD, margin_at, margin_of
from fastgumbel._law.real import exp32, exponential32
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, put
from fastgumbel._numba.compile import kernel, scalar, stage
from fastgumbel._numba.vector import prefetch64

# Planes of the float32 state of the race, after those of the block at hand.
_BEST = 2 * STAGE
_SECOND = 3 * STAGE
_INDEX = 4 * STAGE  # exact in float32, as rows are short; -1 where nothing is left
_SMALLEST = 5 * STAGE  # smallest E_b of all blocks
_MARGIN = 6 * STAGE  # ratio of two finishing times of which float32 cannot tell the order
_FRESH = 7 * STAGE  # what a lane waits beyond its block's minimum
_PLANES = 8

_INFINITE = np.float32(np.inf)
_UNDECIDED = np.float32(-2)


class _Scratch(NamedTuple):
    """Planes of the race: its state; rows and draws; words of a quad; exp(-x / T) and ids, if any, by category."""

    state: Any
    counters: Any
    words: Any
    weights: Any
    planes: Any


@stage
def _survey(largest, potentials, n, rows):
    """Largest log-potential of each row; 0 where all are -inf, +inf where one is NaN or not below LIMIT."""
    kind = largest.dtype.type
    nothing, infinite, limit, zero = kind(-np.inf), kind(np.inf), kind(LIMIT), kind(0)
    for i in range(rows):
        largest[i] = nothing
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            v = potentials[at + np.uint64(i)]
            top = v if v > largest[i] else largest[i]
            largest[i] = top if v < limit else infinite
    for i in range(rows):
        largest[i] = largest[i] if largest[i] > nothing else zero


@stage
def _enter_temperatures(heat, rates, temperatures, r, rows):
    """Temperatures of rows from r on, and their inverses, in the type of log-potentials: 1 where nothing is decided."""
    if temperatures.size == 1:
        fill(heat, 0, rows, temperatures[0])
    else:
        for i in range(rows):
            heat[i] = temperatures[np.uint64(r) + np.uint64(i)]
    for i in range(rows):
        rates[i] = 1 / (heat[i] if heat[i] >= COLDEST else np.float64(1))


@stage
def _weigh(weights, largest, rates, potentials, n, rows, copies):
    """exp((largest - x) / T), float32, one plane a category, once for each draw that is raced; infinite in bad rows."""
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            v = np.float32((largest[i] - potentials[at + np.uint64(i)]) * rates[i])
            weight = exp32(v if v < CUT else CUT)
            weights[at + np.uint64(i)] = weight if v < _INFINITE else _INFINITE
    repeat(weights, n, rows, copies)


@stage
def _set_margins(state, largest, heat, tempered, rows, copies):
    """The margin of each lane; not `tempered` means that all temperatures are 1."""
    if tempered:
        for i in range(rows):
            state[_MARGIN + i] = margin_at(np.float64(largest[i]), heat[i])
    else:
        for i in range(rows):
            state[_MARGIN + i] = margin_of(np.float64(largest[i]))
    for i in range(rows * (copies - 1)):
        state[np.uint64(_MARGIN + rows) + np.uint64(i)] = state[_MARGIN + i]


@stage
def _start(state):
    for i in range(STAGE):
        state[_BEST + i] = _INFINITE
        state[_SECOND + i] = _INFINITE
        state[_INDEX + i] = np.float32(-1)
        state[_SMALLEST + i] = _INFINITE


@stage
def _note_smallest(state, n):
    for i in range(n):
        smaller = state[MINIMUM + i] < state[_SMALLEST + i]
        state[_SMALLEST + i] = state[MINIMUM + i] if smaller else state[_SMALLEST + i]


@stage
def _enter_blocks(state, planes, at, words, n):
    """Minima of blocks from their high words, in float32, and whether they are those of the ids in planes[at:].

    Where one is vague, the smallest is 0, so that nothing is decided.
    """
    exponentials(state, MINIMUM, n, words, words, STAGE)
    for i in range(n):
        minimum = state[MINIMUM + i] * np.float32(BLOCK_RATE)
        other = winner_lane(np.uint64(words[i])) ^ planes[np.uint64(at) + np.uint64(i)]
        known = minimum if words[STAGE + i] < VAGUE_FROM else np.float32(0)
        state[MINIMUM + i] = minimum
        state[WINNER + i] = np.float32(np.int32(other & LANE_MASK))
        state[_SMALLEST + i] = known if known < state[_SMALLEST + i] else state[_SMALLEST + i]


@stage
def _race(state, n, words, word, lane, weights, column):
    """Let one category take part; `word` is its word of the quad."""
    drawn = np.uint64(word * STAGE)
    entered = np.uint64(column * STAGE)
    here = np.float32(lane)
    index = np.float32(column)
    # Two loops, as one has more constants than the processor has registers.
    for i in range(n):
        state[_FRESH + i] = exponential32(words[drawn + np.uint64(i)])
    for i in range(n):
        e = state[MINIMUM + i] + (np.float32(0) if state[WINNER + i] == here else state[_FRESH + i])
        # Near its top, a high word tells little of how long the wait is, only how long at least.
        vague = words[drawn + np.uint64(i)] >= VAGUE_FROM
        time = e * weights[entered + np.uint64(i)]
        time = time * AT_LEAST if vague else time
        best = state[_BEST + i]
        second = state[_SECOND + i]
        ahead = time < best
        chaser = best if ahead and not vague else time
        state[_SECOND + i] = chaser if chaser < second else second
        state[_BEST + i] = time if ahead else best
        state[_INDEX + i] = index if ahead else state[_INDEX + i]


@stage
def _judge(state, n):
    """Mark the races that float32 cannot decide; their number."""
    undecided = 0
    for i in range(n):
        best = state[_BEST + i]
        close = state[_SECOND + i] <= best * (state[_MARGIN + i] + WORD / state[_SMALLEST + i])
        close &= best < _INFINITE
        state[_INDEX + i] = _UNDECIDED if close else state[_INDEX + i]
        undecided += close
    return undecided


@stage
def _decide(x, r, n, coordinates, ids):
    """The definition: the first largest float64 perturbed value of row r, and its index."""
    key, row, draw, start, temperature = coordinates
    best, index = NOTHING, NO_INDEX
    for j in range(n):
        potential = np.float64(x[r * n + j])
        if potential > -LIMIT:
            value = potential
            if temperature > 0:
                value = fma(temperature, gumbel(key, row, draw, category_at(ids, r, j, start)), potential)
            if beats(value, j, best, index):
                best, index = value, j
    return best, index


@stage
def _write(index, draw, row, column, state, lane, n):
    """Store n decided races."""
    for i in range(n):
        arg = np.int64(state[np.uint64(_INDEX + lane) + np.uint64(i)])
        index[np.uint64(draw), np.uint64(row) + np.uint64(i)] = arg if arg < 0 else arg + column


@scalar
def _run(scratch, n, lanes, start, key):
    """Race the n categories from `start` on in all lanes."""
    state, counters, words, weights, _ = scratch
    _start(state)
    first_quad = start >> np.uint64(2)
    skipped = np.int64(start & np.uint64(3))
    for q in range((skipped + n + 3) // 4):
        quad = first_quad + np.uint64(q)
        if draw_quad(state, words, counters, lanes, quad, q == 0, key):
            _note_smallest(state, lanes)
        for word in range(4):
            j = 4 * q + word - skipped
            if 0 <= j < n:
                _race(state, lanes, words, word, 4 * np.int64(quad & np.uint64(15)) + word, weights, j)


@scalar
def _run_ids(scratch, n, lanes, key):
    """Race n categories in all lanes, each by its id.

    A block's minimum serves one place, so it is drawn as roughly as the place itself. Its high word leaves it open by
    1/64 of what that of a lane does, and what float32 can decide stays the same.
    """
    state, counters, words, weights, planes = scratch
    _start(state)
    for j in range(n):
        draw_blocks(words, planes, j * STAGE, counters, lanes, key)
        _enter_blocks(state, planes, j * STAGE, words, lanes)
        draw_own(words, planes, j * STAGE, counters, lanes, key, HIGH_WORDS, np.uint64(1))
        _race(state, lanes, words, 0, 0, weights, j)


@kernel
def max_short(x, field, index, value, window, ids=None):
    """Gumbel-max of each row of x, for rows of few categories.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with. `ids` are
    category ids instead of those that count from `start`, one row for all or each.
    """
    field, window = Field(*field), Window(*window)
    key, start = field.key, field.start
    n_rows, n = x.shape
    want_value = value.size > 0
    flat = x.reshape(n_rows * n)
    together = min(n_rows, STAGE)
    at_once = min(STAGE // together, window.last_draw - window.first_draw)
    potentials = np.empty((n + 7) * STAGE, x.dtype)
    weights = np.empty(n * STAGE, np.float32)
    largest, rates, heat = np.empty(STAGE, x.dtype), np.ones(STAGE, x.dtype), np.ones(STAGE)
    tempered = field.temperatures.size > 0
    state = np.ones(_PLANES * STAGE, np.float32)
    counters = np.zeros(3 * STAGE, np.uint64)
    words = np.zeros(4 * STAGE, np.uint32)
    planes = id_planes(ids, n)
    scratch = _Scratch(state, counters, words, weights, planes)
    for r in range(0, n_rows, together):
        count = min(together, n_rows - r)
        to_row = window.row + r
        turn(potentials, flat, r * n, n, count)
        _survey(largest, potentials, n, count)
        if tempered:
            _enter_temperatures(heat, rates, field.temperatures, r, count)
        _weigh(weights, largest, rates, potentials, n, count, at_once)
        _set_margins(state, largest, heat, tempered, count, at_once)
        enter_lanes(planes, ids, r, n, count, at_once)
        for j in range(0, count * n, 64):
            prefetch64(flat, (r + count) * n + j)
        for d in range(at_once):
            for i in range(count):
                counters[ROW + d * count + i] = row_id(field.ids, field.row, r + i)
        for s in range(window.first_draw, window.last_draw, at_once):
            raced = min(at_once, window.last_draw - s)
            for d in range(raced):
                enter_draws(counters, d * count, count, field, r, s + d)
            if ids is None:
                _run(scratch, n, count * raced, start, key)
            else:
                _run_ids(scratch, n, count * raced, key)
            decided = _judge(state, count * raced) == 0 and not want_value
            for d in range(raced):
                if decided:
                    _write(index, s + d, to_row, window.column, state, d * count, count)
                    continue
                for i in range(count):
                    best, arg = NOTHING, np.int64(state[_INDEX + d * count + i])
                    row, draw = counters[ROW + i], counters[DRAW + d * count + i]
                    temperature = heat[i]
                    if arg == _UNDECIDED:
                        best, arg = _decide(flat, r + i, n, Coordinates(key, row, draw, start, temperature), ids)
                    elif arg >= 0 and want_value:
                        g = gumbel(key, row, draw, category_at(ids, r + i, arg, start))
                        best = fma(temperature, g, np.float64(flat[(r + i) * n + arg]))
                    elif largest[i] == np.inf:
                        best = np.nan
                    put(best, arg, index, value, s + d, to_row + i, window.column)
