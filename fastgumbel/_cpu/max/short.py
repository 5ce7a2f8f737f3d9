"""Gumbel-max over short rows: rows (and draws) as vector slots.

STAGE slots, each a row and a draw, go through the categories together, and race in exponential space. Their finishing
times are bounds from high words, in float32, which leave one category in most slots; others are decided in float64.
"""

import numpy as np

from fastgumbel._cpu.ids import draw_blocks, draw_own, enter_slots
from fastgumbel._cpu.max.rivals import Races, new_rivals, settle
from fastgumbel._cpu.max.run import enter_margins, enter_temperatures, new_scratch, run
from fastgumbel._cpu.max.times import (
    LATEST,
    LEAST,
    RATIO,
    SHARP_RATIO,
    UNKNOWN,
    begin,
    enter_blocks_of,
    enter_rates,
    race,
    sharpen,
    weigh,
)
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.slots import repeat, survey, turn
from fastgumbel._cpu.stage import STAGE, enter_draws, enter_rows, padded
from fastgumbel._law.field import HIGH_WORDS
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, put
from fastgumbel._numba.compile import kernel, scalar, stage
from fastgumbel._numba.vector import prefetch64

_1 = np.uint64(1)
_NONE = np.int64(0)
_INFINITE = np.float32(np.inf)
# Up to so many categories, sharp weights are worth their time.
_SHARP = 12


@stage
def _enter_limits(limits, margins, state, n):
    """Times beyond which nobody can win; infinite where little is known, and below 0 where there is no race."""
    for i in range(n):
        least, margin = state[LEAST + i], margins[i]
        known = least < LATEST and state[UNKNOWN + i] == 0
        limit = least * margin if known else _INFINITE
        limits[i] = limit if margin >= 0 else np.float32(-1)


@stage
def _first_largest(x, row):
    """Without noise, the first largest log-potential is the sample."""
    best, index = NOTHING, NO_INDEX
    for j in range(x.shape[1]):
        potential = np.float64(x[row, j])
        if potential > -LIMIT and beats(potential, j, best, index):
            best, index = potential, j
    return best, index


@stage
def _all_raced(margins, n):
    """Whether all of n slots have a race."""
    missing = _NONE
    for i in range(n):
        missing += margins[i] < 0
    return missing == 0


@stage
def _enter_unraced(rivals, x, largest, races, copies):
    """The results of rows without a race, in all their slots: without noise, or invalid."""
    for i in range(races.rows):
        best, arg = NOTHING, NO_INDEX
        if largest[i] == np.inf:
            best = np.nan
        elif races.temperatures[i] == 0:
            best, arg = _first_largest(x, races.row + i)
        else:
            continue
        for slot in range(i, copies * races.rows, races.rows):
            rivals.value[slot], rivals.index[slot] = best, arg


@stage
def _write(rivals, first, n, index, draw, row, column):
    """Store the indices of n slots from the first on, which count from `column`."""
    for i in range(n):
        arg = rivals.index[np.uint64(first) + np.uint64(i)]
        index[np.uint64(draw), np.uint64(row) + np.uint64(i)] = arg + column if arg >= 0 else arg


@scalar
def _run_ids(scratch, times, n, slots, key):
    """Race n categories in all slots, each by its id."""
    counters, state, _, blocks, words, planes = scratch
    begin(state)
    for j in range(n):
        draw_blocks(blocks, planes, j * STAGE, counters, slots, key)
        enter_blocks_of(state, blocks, planes, j * STAGE, slots)
        draw_own(words, planes, j * STAGE, counters, slots, key, HIGH_WORDS, _1)
        race(times, state, words, 0, 0, j, slots)


@kernel
def max_short(x, field, index, value, window, ids=None):
    """Gumbel-max of each row of x, for rows of few categories.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with. `ids` are
    category ids instead of those that count from `start`, one row for all or each.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    want_value = value.size > 0
    flat = x.reshape(n_rows * n)
    together = min(n_rows, STAGE)
    at_once = min(STAGE // together, window.last_draw - window.first_draw)
    potentials = np.empty((n + 7) * STAGE, x.dtype)
    times = np.empty(n * STAGE, np.float32)
    largest, rates, temperatures = np.empty(STAGE, x.dtype), np.empty(STAGE, x.dtype), np.ones(STAGE)
    tempered, sharp = field.temperatures.size > 0, n <= _SHARP
    margins, limits = np.empty(STAGE, np.float32), np.empty(STAGE, np.float32)
    scratch, rivals = new_scratch(ids, n), new_rivals(n)
    counters = scratch.counters
    enter_rates(rates, temperatures, STAGE)
    for r in range(0, n_rows, together):
        count = min(together, n_rows - r)
        to_row = window.row + r
        turn(potentials, flat, r * n, n, count)
        survey(largest, potentials, n, count)
        if tempered:
            enter_temperatures(temperatures, field.temperatures, r, count)
            enter_rates(rates, temperatures, count)
        enter_margins(margins, largest, temperatures, tempered, count, at_once, SHARP_RATIO if sharp else RATIO)
        enter_slots(scratch.planes, ids, r, n, count, at_once)
        races = Races(x, ids, r, count, temperatures, counters, field.key, field.start)
        for j in range(0, count * n, 64):
            prefetch64(flat, (r + count) * n + j)
        for d in range(at_once):
            enter_rows(counters, d * count, count, field, r)
        for s in range(window.first_draw, window.last_draw, at_once):
            raced = min(at_once, window.last_draw - s)
            slots = count * raced
            for d in range(raced):
                enter_draws(counters, d * count, count, field, r, s + d)
            weigh(times, largest, rates, potentials, n, count)
            if sharp:
                sharpen(times, n, count)
            repeat(times, n, count, raced)
            if ids is None:
                run(scratch, times, n, padded(slots), field.start, field.key)
            else:
                _run_ids(scratch, times, n, padded(slots), field.key)
            _enter_limits(limits, margins, scratch.state, padded(slots))
            settle(rivals, times, limits, n, slots, want_value, races)
            if not _all_raced(margins, count):
                _enter_unraced(rivals, x, largest, races, raced)
            for d in range(raced):
                if not want_value:
                    _write(rivals, d * count, count, index, s + d, to_row, window.column)
                    continue
                for i in range(d * count, (d + 1) * count):
                    put(rivals.value[i], rivals.index[i], index, value, s + d, to_row + i - d * count, window.column)
