"""The k best of short rows, where k is far below the categories: rows (and draws) as vector lanes.

All lanes race as in `max/short.py`, in exponential space, by bounds of finishing times. About k categories may be among
the k best by these; they are decided in float64. Then the k-th best has to beat all that any other category can have,
by its time. Where it does not, as a bound is none where a word tells too little, the row is looked at in whole.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.lane_words import new_rounds
from fastgumbel._cpu.lanes import repeat, turn
from fastgumbel._cpu.max.rivals import Races, draw_rivals, drop_decided, line_of, new_rivals
from fastgumbel._cpu.max.run import Scratch, enter_margins, enter_temperatures, run, survey
from fastgumbel._cpu.max.times import PLANES, enter_rates, weigh
from fastgumbel._cpu.noise_row import row_scratch
from fastgumbel._cpu.parameters import Field, Line, Window
from fastgumbel._cpu.stage import ROW, STAGE, coordinates_at, enter_draws, fill, padded, row_id
from fastgumbel._cpu.top.every import offer_row
from fastgumbel._cpu.top.heap import Heap, clear, rank
from fastgumbel._cpu.top.select import new_selection, sort_values
from fastgumbel._law.ops import fma
from fastgumbel._law.real import log64
from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import kernel, maker, stage
from fastgumbel._numba.masks import at_most64, lowest_bit
from fastgumbel._numba.vector import greater, lesser, prefetch64

_1 = np.uint64(1)
_STAGE = np.int64(STAGE)
_INFINITE = np.float32(np.inf)
# Groups of categories for each of the k best.
_GROUPS = 3
# Groups that are compared at a time.
_TOGETHER = 4
# By what a time may be larger than what stands for it, where words tell enough.
_ROUNDING = np.float64(1.001)


class _Found(NamedTuple):
    """How many categories of each lane may be among the best; their perturbed values and columns, `room` a lane."""

    counts: Any
    values: Any
    columns: Any
    room: Any


@maker
def _new_found(k):
    """Room for some more than k in each lane."""
    room = 2 * k + 16
    return _Found(np.zeros(STAGE, np.int64), np.zeros(STAGE * room + 64), np.zeros(STAGE * room + 64, np.int64), room)


@stage
def _enter_minima(minima, times, n, groups):
    """Least times of groups of the n categories, those that stand so many places apart; a plane each."""
    items = groups * STAGE
    for i in range(items):
        minima[i] = times[np.uint64(i)]
    for first in range(items, n * STAGE, items):
        for i in range(min(items, n * STAGE - first)):
            minima[i] = lesser(times[np.uint64(first) + np.uint64(i)], minima[i])


@stage
def _sink(least, minima, group, place, n):
    """Of some planes and one of the least, let the least be the lesser ones."""
    at, own = np.uint64(group * STAGE), np.uint64(place * STAGE)
    for i in range(n):
        top = least[own + np.uint64(i)]
        a, b = minima[at + np.uint64(i)], minima[at + np.uint64(STAGE) + np.uint64(i)]
        c, d = minima[at + np.uint64(2 * STAGE) + np.uint64(i)], minima[at + np.uint64(3 * STAGE) + np.uint64(i)]
        minima[at + np.uint64(i)] = greater(a, top)
        top = lesser(a, top)
        minima[at + np.uint64(STAGE) + np.uint64(i)] = greater(b, top)
        top = lesser(b, top)
        minima[at + np.uint64(2 * STAGE) + np.uint64(i)] = greater(c, top)
        top = lesser(c, top)
        minima[at + np.uint64(3 * STAGE) + np.uint64(i)] = greater(d, top)
        least[own + np.uint64(i)] = lesser(d, top)


@stage
def _enter_least(least, minima, groups, k, n):
    """The k least of the minima of each of n lanes, a plane each, in order."""
    for i in range(k * STAGE):
        least[i] = _INFINITE
    for group in range(0, groups, _TOGETHER):
        for place in range(min(k, group + _TOGETHER)):
            _sink(least, minima, group, place, n)


@stage
def _enter_limits(limits, floors, last, margins, largest, heat, rows, copies):
    """Times beyond which none is among the best, and above which perturbed values are then not, by the k-th time."""
    for d in range(copies):
        at = np.uint64(d * rows)
        for i in range(rows):
            time = last[at + np.uint64(i)]
            limits[at + np.uint64(i)] = time * margins[at + np.uint64(i)]
            floors[at + np.uint64(i)] = fma(-heat[i], log64(np.float64(time) * _ROUNDING), np.float64(largest[i]))


@stage
def _decide(found, rivals, n, races):
    """Enter the perturbed values of the first n that wait."""
    draw_rivals(rivals, n, races)
    noise, potentials = rivals.exact.numbers, rivals.potentials
    for i in range(n):
        lane, column = rivals.lanes[i], rivals.columns[i]
        temperature = races.heat[line_of(lane, races.rows)]
        count = found.counts[lane]
        place = np.uint64(lane * found.room + min(count, found.room - 1))
        found.values[place], found.columns[place] = fma(temperature, noise[i], potentials[i]), column
        found.counts[lane] = count + np.int64(potentials[i] > -LIMIT)


@stage
def _find(found, rivals, times, limits, n, lanes, races):
    """Find which of n categories may be among the best of each lane."""
    fill(found.counts, 0, STAGE, 0)
    waiting = 0
    for group in range(0, lanes, 64):
        inside = ~np.uint64(0) >> np.uint64(max(group + 64 - lanes, 0))
        for j in range(n):
            mask = at_most64(times, j * STAGE + group, limits, group) & inside
            while mask:
                rivals.lanes[waiting], rivals.columns[waiting] = group + lowest_bit(mask), j
                mask &= mask - _1
                waiting += 1
            if waiting >= STAGE:
                _decide(found, rivals, _STAGE, races)
                waiting = drop_decided(rivals, waiting)
    if waiting:
        _decide(found, rivals, waiting, races)


@stage
def _finish(undecided, selection, found, margins, floors, lanes, rows, step, column, heap):
    """Write the best of all lanes, best first, where the list of the first one is given, and others follow it.

    Lists of a draw are `step` places from those of the draw before. Returns how many lanes are undecided.
    """
    values, indices, to, k = heap
    left, d, i = 0, 0, 0
    for lane in range(lanes):
        count = found.counts[lane]
        decided = margins[lane] >= 0 and k <= count <= found.room
        if decided:
            here = sort_values(selection, found.values, found.columns, lane * found.room, count)
            decided = selection.ordered[here + k - 1] > floors[lane]
            place = to + d * step + i * k
            for j in range(k):
                values[np.uint64(place) + np.uint64(j)] = selection.ordered[np.uint64(here) + np.uint64(j)]
                own = selection.ordered_columns[np.uint64(here) + np.uint64(j)]
                indices[np.uint64(place) + np.uint64(j)] = column + own
        undecided[left] = lane
        left += 0 if decided else 1
        i += 1
        if i == rows:
            d, i = d + 1, 0
    return left


@kernel
def top_short(x, field, index, value, window):
    """Write the k best of the rows of x, best first, to index[s, r, :] and value[s, r, :].

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of the heaps.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat = x.reshape(n_rows * n)
    values, indices = value.reshape(value.size), index.reshape(index.size)
    together = min(n_rows, STAGE)
    at_once = min(STAGE // together, window.last_draw - window.first_draw)
    potentials = np.empty((n + 7) * STAGE, x.dtype)
    times = np.empty(n * STAGE, np.float32)
    groups = n // max(n // (_GROUPS * k), 1)
    minima = np.full((groups + _TOGETHER) * STAGE, _INFINITE)
    least = np.empty(k * STAGE, np.float32)
    largest, rates, heat = np.empty(STAGE, x.dtype), np.ones(STAGE, x.dtype), np.ones(STAGE)
    tempered = field.temperatures.size > 0
    margins, limits, floors = np.empty(STAGE, np.float32), np.empty(STAGE, np.float32), np.empty(STAGE)
    counters = np.zeros(3 * STAGE, np.uint64)
    blocks, words = np.zeros(4 * STAGE, np.uint32), np.zeros(4 * STAGE, np.uint32)
    scratch = Scratch(np.ones(PLANES * STAGE, np.float32), new_rounds(), blocks, words, np.empty(0, np.uint64))
    rivals, found, undecided = new_rivals(1), _new_found(k), np.empty(STAGE, np.int64)
    noise = np.empty(n)
    whole, selection = (noise, row_scratch(noise)), new_selection(max(n, found.room), n)
    enter_rates(rates, heat, STAGE)
    for r in range(0, n_rows, together):
        count = min(together, n_rows - r)
        turn(potentials, flat, r * n, n, count)
        survey(largest, potentials, n, count)
        if tempered:
            enter_temperatures(heat, field.temperatures, r, count)
            enter_rates(rates, heat, count)
        enter_margins(margins, largest, heat, tempered, count, at_once)
        races = Races(x, None, r, count, heat, counters, field.key, field.start)
        for j in range(0, count * n, 64):
            prefetch64(flat, (r + count) * n + j)
        for d in range(at_once):
            for i in range(count):
                counters[ROW + d * count + i] = row_id(field.ids, field.row, r + i)
        for s in range(window.first_draw, window.last_draw, at_once):
            raced = min(at_once, window.last_draw - s)
            lanes = count * raced
            for d in range(raced):
                enter_draws(counters, d * count, count, field, r, s + d)
            weigh(times, largest, rates, potentials, n, count)
            repeat(times, n, count, raced)
            run(scratch, times, counters, n, padded(lanes), field.start, field.key)
            _enter_minima(minima, times, n, groups)
            _enter_least(least, minima, groups, k, padded(lanes))
            _enter_limits(limits, floors, least[(k - 1) * STAGE :], margins, largest, heat, count, raced)
            _find(found, rivals, times, limits, n, lanes, races)
            heap = Heap(values, indices, (s * all_rows + window.row + r) * k, k)
            left = _finish(
                undecided, selection, found, margins, floors, lanes, count, all_rows * k, window.column, heap
            )
            for lane in undecided[:left]:
                d, i = lane // count, lane % count
                heap = Heap(values, indices, ((s + d) * all_rows + window.row + r + i) * k, k)
                coordinates = coordinates_at(field, r + i, s + d)
                clear(heap)
                offer_row(Line(flat, (r + i) * n), n, coordinates, window.column, heap, whole, selection)
                rank(heap)
