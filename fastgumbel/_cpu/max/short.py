"""Gumbel-max over short rows: rows (and draws) as vector slots.

STAGE slots, each a row and a draw, go through the categories together, and race in exponential space. Their finishing
times are bounds from high words, in float32, which leave one category in most slots; others are decided in float64.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.ids import draw_blocks, draw_own, enter_slots
from fastgumbel._cpu.max.rivals import Races, new_rivals, settle
from fastgumbel._cpu.max.run import enter_margins, new_scratch, run
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
from fastgumbel._cpu.slots import enter_temperatures, repeat, survey, turn
from fastgumbel._cpu.stage import STAGE, enter_draws, enter_rows, padded
from fastgumbel._law.field import HIGH_WORDS
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, put
from fastgumbel._numba.compile import kernel, maker, scalar, stage
from fastgumbel._numba.memory import empty
from fastgumbel._numba.vector import prefetch64

_1 = np.uint64(1)
_NONE = np.int64(0)
_INFINITE = np.float32(np.inf)
# Up to so many categories, sharp weights are worth their time.
_SHARP = 12


class _Tile(NamedTuple):
    """Rows that race together: their log-potentials and times by category, a plane each, and planes of numbers a row.

    The largest log-potential, what a distance from it adds to the bits of a weight, the temperature; by how much the
    least time may be too large, and the limit of times.
    """

    potentials: Any
    times: Any
    largest: Any
    rates: Any
    temperatures: Any
    margins: Any
    limits: Any


@maker
def _new_tile(x, n):
    """Room for rows of n categories, of the type of an array."""
    return _Tile(
        empty((n + 7) * STAGE, x.dtype),
        empty(n * STAGE, np.float32),
        empty(STAGE, x.dtype),
        empty(STAGE, x.dtype),
        np.ones(STAGE),
        empty(STAGE, np.float32),
        empty(STAGE, np.float32),
    )


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
def _write(rivals, copies, rows, index, value, window, to):
    """Store what rows have in some draws, from `to` on, a pair of draw and row."""
    for d in range(copies):
        draw, row, first = np.uint64(to[0] + d), np.uint64(to[1]), np.uint64(d * rows)
        for i in range(rows):
            best, arg = rivals.value[first + np.uint64(i)], rivals.index[first + np.uint64(i)]
            put(best, arg, index, value, draw, row + np.uint64(i), window.column)


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


@stage
def _enter_tile(tile, flat, field, r, rows, n, copies):
    """Enter rows from r on, of n categories, which are raced in some draws at once."""
    turn(tile.potentials, flat, r * n, n, rows)
    survey(tile.largest, tile.potentials, n, rows)
    tempered = field.temperatures.size > 0
    if tempered:
        enter_temperatures(tile.temperatures, field.temperatures, r, rows)
        enter_rates(tile.rates, tile.temperatures, rows)
    ratio = SHARP_RATIO if n <= _SHARP else RATIO
    enter_margins(tile.margins, tile.largest, tile.temperatures, tempered, rows, copies, ratio)
    for j in range(0, rows * n, 64):
        prefetch64(flat, (r + rows) * n + j)


@stage
def _enter_times(tile, n, rows, copies):
    """Enter the weights of n categories where their times will be."""
    weigh(tile.times, tile.largest, tile.rates, tile.potentials, n, rows)
    if n <= _SHARP:
        sharpen(tile.times, n, rows)
    repeat(tile.times, n, rows, copies)


@stage
def _search(x, flat, field, index, value, window, ids, planes):
    """What `max_short` does, with room for it, in which no array is counted."""
    tile, scratch, rivals = planes
    n_rows, n = x.shape
    together = min(n_rows, STAGE)
    at_once = min(STAGE // together, window.last_draw - window.first_draw)
    enter_rates(tile.rates, tile.temperatures, STAGE)
    for r in range(0, n_rows, together):
        rows = min(together, n_rows - r)
        _enter_tile(tile, flat, field, r, rows, n, at_once)
        enter_slots(scratch.planes, ids, r, n, rows, at_once)
        races = Races(x, ids, r, rows, tile.temperatures, scratch.counters, field.key, field.start)
        for d in range(at_once):
            enter_rows(scratch.counters, d * rows, rows, field, r)
        for s in range(window.first_draw, window.last_draw, at_once):
            copies = min(at_once, window.last_draw - s)
            slots = rows * copies
            for d in range(copies):
                enter_draws(scratch.counters, d * rows, rows, field, r, s + d)
            _enter_times(tile, n, rows, copies)
            if ids is None:
                run(scratch, tile.times, n, padded(slots), field.start, field.key)
            else:
                _run_ids(scratch, tile.times, n, padded(slots), field.key)
            _enter_limits(tile.limits, tile.margins, scratch.state, padded(slots))
            settle(rivals, tile.times, tile.limits, n, slots, value.size > 0, races)
            if not _all_raced(tile.margins, rows):
                _enter_unraced(rivals, x, tile.largest, races, copies)
            _write(rivals, copies, rows, index, value, window, (s, window.row + r))


@kernel
def max_short(x, field, index, value, window, ids=None):
    """Gumbel-max of each row of x, for rows of few categories.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with. `ids` are
    category ids instead of those that count from `start`, one row for all or each.
    """
    n = x.shape[1]
    planes = _new_tile(x, n), new_scratch(ids, n), new_rivals(n)
    _search(x, x.reshape(x.size), Field(*field), index, value, Window(*window), ids, planes)
