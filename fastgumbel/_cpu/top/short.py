"""The k best of short rows, several of them: rows (and draws) as vector slots.

All slots race as in `max/short.py`, in exponential space, by bounds of finishing times. About k categories may be among
the k best by these; they are decided in float64. Then the k-th best has to beat all that any other category can have,
by its time. Where it does not, as a bound is none where a word tells too little, all of the slot are decided.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.max.rivals import Races, draw_rivals, drop_decided, line_of, new_rivals
from fastgumbel._cpu.max.run import enter_margins, new_scratch, run
from fastgumbel._cpu.max.times import RATIO, enter_rates, weigh
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.slots import enter_temperatures, repeat, survey, turn
from fastgumbel._cpu.stage import STAGE, enter_draws, enter_rows, fill, padded
from fastgumbel._cpu.top.heap import Heap, spoil
from fastgumbel._cpu.top.select import new_selection, sort_values
from fastgumbel._law.ops import fma
from fastgumbel._law.real import log64
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING
from fastgumbel._numba.compile import kernel, maker, scalar, stage
from fastgumbel._numba.masks import at_most64, lowest_bit
from fastgumbel._numba.memory import empty, zeros
from fastgumbel._numba.vector import greater, lesser, prefetch64

_1 = np.uint64(1)
_STAGE = np.int64(STAGE)
_INFINITE = np.float32(np.inf)
# Groups of categories for each of the k best.
_GROUPS = 3
# Groups that are compared at a time.
_TOGETHER = 4
# A literal would compile a function anew.
_NONE = np.int64(0)
_ONE_SLOT = np.int64(1)
# By what a time may be larger than what stands for it, where words tell enough.
_ROUNDING = np.float64(1.001)


class _Found(NamedTuple):
    """Of each slot, how many categories are decided; their perturbed values and columns.

    There is room for some of each slot, and the lists of slots are `step` apart.
    """

    counts: Any
    values: Any
    columns: Any
    room: Any
    step: Any


@maker
def _new_found(slots, room, step):
    """Room for so many of each slot."""
    items = slots * step + room
    return _Found(zeros(STAGE, np.int64), zeros(items + 64, np.float64), zeros(items, np.int64), room, step)


class _Lists(NamedTuple):
    """Lists of k values and indices, from the place `at` on; `step` lies between those of a row in two draws."""

    values: Any
    indices: Any
    at: Any
    k: Any
    step: Any


@scalar
def _place_of(lists, slot, rows):
    """Where the list of a slot begins."""
    draw = 0 if slot < rows else slot // rows
    return lists.at + draw * lists.step + (slot - draw * rows) * lists.k


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
    """The k least of the minima of each of n slots, a plane each, in order."""
    for i in range(k * STAGE):
        least[i] = _INFINITE
    for group in range(0, groups, _TOGETHER):
        for place in range(min(k, group + _TOGETHER)):
            _sink(least, minima, group, place, n)


@stage
def _enter_limits(limits, floors, last, margins, largest, temperatures, rows, copies):
    """Times beyond which none is among the best, and above which perturbed values are then not, by the k-th time."""
    for d in range(copies):
        at = np.uint64(d * rows)
        for i in range(rows):
            time, margin = last[at + np.uint64(i)], margins[at + np.uint64(i)]
            floor = fma(-temperatures[i], log64(np.float64(time) * _ROUNDING), np.float64(largest[i]))
            limits[at + np.uint64(i)] = time * margin if margin >= 0 else np.float32(-1)
            floors[at + np.uint64(i)] = floor if margin >= 0 else np.inf


@stage
def _decide(found, rivals, n, races):
    """Enter the perturbed values of the first n that wait."""
    draw_rivals(rivals, n, races)
    noise, potentials = rivals.exact.numbers, rivals.potentials
    for i in range(n):
        slot, column = rivals.slots[i], rivals.columns[i]
        temperature = races.temperatures[line_of(slot, races.rows)]
        if potentials[i] > -LIMIT:
            count = found.counts[slot]
            place = np.uint64(slot * found.step + min(count, found.room - 1))
            found.values[place], found.columns[place] = fma(temperature, noise[i], potentials[i]), column
            found.counts[slot] = count + 1


@stage
def _find(found, rivals, times, limits, n, slots, races):
    """Find which of n categories may be among the best of each slot."""
    fill(found.counts, 0, STAGE, 0)
    waiting = _NONE
    for group in range(0, slots, 64):
        inside = ~np.uint64(0) >> np.uint64(max(group + 64 - slots, 0))
        for j in range(n):
            mask = at_most64(times, j * STAGE + group, limits, group) & inside
            while mask:
                rivals.slots[waiting], rivals.columns[waiting] = group + lowest_bit(mask), j
                mask &= mask - _1
                waiting += 1
            if waiting >= STAGE:
                _decide(found, rivals, _STAGE, races)
                waiting = drop_decided(rivals, waiting)
    if waiting:
        _decide(found, rivals, waiting, races)


@stage
def _find_all(found, rivals, slot, n, races):
    """Decide all of the n categories of a slot."""
    found.counts[slot] = 0
    waiting = _NONE
    for j in range(n):
        rivals.slots[waiting], rivals.columns[waiting] = slot, j
        waiting += 1
        if waiting == STAGE or j == n - 1:
            _decide(found, rivals, waiting, races)
            waiting = _NONE


@stage
def _finish(which, n, selection, found, floors, rows, lists):
    """Write the k best of n slots, best first; how many are undecided, which then are the first of the slots.

    Those are slots of which the k-th best is not above the floor, or which had too little room.
    """
    ordered, columns, room = selection.ordered, selection.ordered_columns, found.room
    values, indices, k = lists.values, lists.indices, lists.k
    left = 0
    for i in range(n):
        slot = which[i]
        count, to = found.counts[slot], _place_of(lists, slot, rows)
        here = sort_values(selection, found.values, found.columns, slot * found.step, min(count, room))
        for j in range(k):
            value, index = ordered[np.uint64(here) + np.uint64(j)], columns[np.uint64(here) + np.uint64(j)]
            values[np.uint64(to) + np.uint64(j)] = value if j < count else NOTHING
            indices[np.uint64(to) + np.uint64(j)] = index if j < count else NO_INDEX
        which[left] = slot
        left += 0 if count <= room and values[to + k - 1] > floors[slot] else 1
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
    potentials = empty((n + 7) * STAGE, x.dtype)
    times = empty(n * STAGE, np.float32)
    groups = n // max(n // (_GROUPS * k), 1)
    minima = empty((groups + _TOGETHER) * STAGE, np.float32)
    fill(minima, groups * STAGE, _TOGETHER * STAGE, _INFINITE)
    least = empty(k * STAGE, np.float32)
    largest, rates, temperatures = empty(STAGE, x.dtype), empty(STAGE, x.dtype), np.ones(STAGE)
    tempered = field.temperatures.size > 0
    margins, limits, floors = empty(STAGE, np.float32), empty(STAGE, np.float32), empty(STAGE, np.float64)
    scratch = new_scratch(None, n)
    counters = scratch.counters
    rivals, which = new_rivals(1), empty(STAGE, np.int64)
    found, whole = _new_found(together * at_once, 2 * k + 16, 2 * k + 16), _new_found(1, n, 0)
    selection = new_selection(max(n, found.room), 0)
    enter_rates(rates, temperatures, STAGE)
    for r in range(0, n_rows, together):
        count = min(together, n_rows - r)
        turn(potentials, flat, r * n, n, count)
        survey(largest, potentials, n, count)
        if tempered:
            enter_temperatures(temperatures, field.temperatures, r, count)
            enter_rates(rates, temperatures, count)
        enter_margins(margins, largest, temperatures, tempered, count, at_once, RATIO)
        races = Races(x, None, r, count, temperatures, counters, field.key, field.start)
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
            repeat(times, n, count, raced)
            run(scratch, times, n, padded(slots), field.start, field.key)
            _enter_minima(minima, times, n, groups)
            _enter_least(least, minima, groups, k, padded(slots))
            _enter_limits(limits, floors, least[(k - 1) * STAGE :], margins, largest, temperatures, count, raced)
            _find(found, rivals, times, limits, n, slots, races)
            lists = _Lists(values, indices, (s * all_rows + window.row + r) * k, k, all_rows * k)
            for slot in range(slots):
                which[slot] = slot
            left = _finish(which, slots, selection, found, floors, count, lists)
            for i in range(left):
                slot = which[i]
                _find_all(whole, rivals, slot, n, races)
                _finish(which[i:], _ONE_SLOT, selection, whole, floors, count, lists)
                if largest[slot % count] == np.inf:
                    spoil(Heap(values, indices, _place_of(lists, slot, count), k))
