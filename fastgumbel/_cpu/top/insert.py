"""The k best of short rows by insertion, rows (and draws) as vector slots: where k is not much less than n, or small.

All perturbed values are computed exactly; each goes down the list of its slot, best first, and changes places with
those that it beats: of equals, the first index stands in front.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.precomputed import any_wrong, first_wrong
from fastgumbel._cpu.slot_values import perturb_plane, temper
from fastgumbel._cpu.slots import noise_planes, repeat, slot_scratch, turn, turn_back
from fastgumbel._cpu.stage import STAGE, enter_draws, enter_rows, fill, padded
from fastgumbel._law.reduce import NO_INDEX, NOTHING
from fastgumbel._numba.compile import kernel, maker, stage
from fastgumbel._numba.memory import empty


class _Lists(NamedTuple):
    """Rows at hand: log-potentials and noise, a plane for each category, and temperatures.

    Of each slot the k best values and indices, a plane for each place; a value and an index on their way down; and 0,
    or NaN where the row is invalid.
    """

    potentials: Any
    noise: Any
    temperatures: Any
    values: Any
    indices: Any
    value: Any
    index: Any
    faults: Any


@maker
def _new_lists(x, noise, n, k):
    """Room for lists of k of n categories, of the types of two arrays."""
    return _Lists(
        empty((n + 7) * STAGE, x.dtype),
        empty((n + 7) * STAGE, noise.dtype),
        np.ones(STAGE),
        empty((k + 7) * STAGE, np.float64),
        empty((k + 7) * STAGE, np.int64),
        empty(STAGE, np.float64),
        empty(STAGE, np.int64),
        empty(STAGE, np.float64),
    )


@stage
def _sink(lists, place, slots):
    """Let what was taken up change places with what stands at a place, if it is better."""
    _, _, _, values, indices, value, index, _ = lists
    at = np.uint64(place * STAGE)
    for i in range(slots):
        own, other = value[i], values[at + np.uint64(i)]
        own_index, other_index = index[i], indices[at + np.uint64(i)]
        better = (own > other) | ((own == other) & (own_index < other_index))
        values[at + np.uint64(i)], value[i] = (own, other) if better else (other, own)
        indices[at + np.uint64(i)], index[i] = (own_index, other_index) if better else (other_index, own_index)


@stage
def _mark_faults(lists, k, slots):
    """NaN and -1 in the lists of invalid rows."""
    values, indices, faults = lists.values, lists.indices, lists.faults
    for place in range(k):
        at = np.uint64(place * STAGE)
        for i in range(slots):
            valid = faults[i] == 0
            values[at + np.uint64(i)] = values[at + np.uint64(i)] if valid else np.nan
            indices[at + np.uint64(i)] = indices[at + np.uint64(i)] if valid else NO_INDEX


@stage
def _insert(lists, n, k, slots, column):
    """Make the lists of the k best of n categories, whose indices count from `column`."""
    fill(lists.values, 0, k * STAGE, NOTHING)
    fill(lists.indices, 0, k * STAGE, NO_INDEX)
    fill(lists.faults, 0, slots, 0.0)
    for j in range(n):
        at = j * STAGE
        perturb_plane(lists.value, 0, lists.faults, lists.temperatures, lists.potentials, lists.noise, at, slots)
        fill(lists.index, 0, slots, column + j)
        for place in range(min(k, j + 1)):
            _sink(lists, place, slots)
    _mark_faults(lists, k, slots)


@kernel
def top_insert(x, field, index, value, window):
    """Write the k best of the rows of x, best first, to index[s, r, :] and value[s, r, :].

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of the lists.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat, values, indices = x.reshape(n_rows * n), value.reshape(value.size), index.reshape(index.size)
    together = min(n_rows, STAGE)
    at_once = min(STAGE // together, window.last_draw - window.first_draw)
    lists = _new_lists(x, value, n, k)
    scratch = slot_scratch(value)
    for r in range(0, n_rows, together):
        rows = min(together, n_rows - r)
        turn(lists.potentials, flat, r * n, n, rows)
        repeat(lists.potentials, n, rows, at_once)
        temper(lists.temperatures, field.temperatures, r, rows, at_once)
        for d in range(at_once):
            enter_rows(scratch.counters, d * rows, rows, field, r)
        for s in range(window.first_draw, window.last_draw, at_once):
            copies = min(at_once, window.last_draw - s)
            for d in range(copies):
                enter_draws(scratch.counters, d * rows, rows, field, r, s + d)
            slots = padded(rows * copies, 16)
            noise_planes(lists.noise, scratch, n, slots, field.start, field.key)
            _insert(lists, n, k, slots, window.column)
            for d in range(copies):
                base = ((s + d) * all_rows + window.row + r) * k
                turn_back(values, base, lists.values, d * rows, k, rows)
                turn_back(indices, base, lists.indices, d * rows, k, rows)


@kernel
def top_insert_given(x, noise, index, value, window, temperatures):
    """As `top_insert`, of one draw, on the noise beside x, of which items that are -inf exclude their places.

    `temperatures` scale the noise, as those of a `Field`. Returns the place in `noise`, counted through its rows, of
    the first one that is NaN or +inf; -1 if there is none.
    """
    window = Window(*window)
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat, noises = x.reshape(n_rows * n), noise.reshape(n_rows * n)
    values, indices = value.reshape(value.size), index.reshape(index.size)
    if any_wrong(noises, n_rows * n):
        return first_wrong(noises, 0)
    lists = _new_lists(x, noise, n, k)
    for r in range(0, n_rows, STAGE):
        rows = min(STAGE, n_rows - r)
        turn(lists.potentials, flat, r * n, n, rows)
        turn(lists.noise, noises, r * n, n, rows)
        temper(lists.temperatures, temperatures, r, rows, 1)
        _insert(lists, n, k, padded(rows, 16), window.column)
        base = (window.first_draw * all_rows + window.row + r) * k
        turn_back(values, base, lists.values, 0, k, rows)
        turn_back(indices, base, lists.indices, 0, k, rows)
    return -1
