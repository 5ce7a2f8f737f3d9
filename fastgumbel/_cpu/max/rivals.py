"""Who may win races over short rows, by bounds of their finishing times; where several may, they are decided exactly.

A stage of rivals, each a slot and a category, is decided at a time.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.ids import category_at, draw_blocks, draw_own, enter_minima, id_scratch
from fastgumbel._cpu.slots import noise_plane
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, fill, padded
from fastgumbel._law.field import HIGH_WORDS, LOW_WORDS
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import at_most64, count_bits, lowest_bit
from fastgumbel._numba.memory import zeros
from fastgumbel._numba.vector import fill_where64

_1 = np.uint64(1)
# Up to 64 rivals are found at a time.
_ROOM = STAGE + 64
# More slots of 64 than these are written together.
_MANY = 6
# Python's integers would compile a function anew for each.
_STAGE, _NONE = np.int64(STAGE), np.int64(0)


class Races(NamedTuple):
    """Rows of x and their category ids, if any; of the races of all slots the first row, how many rows, temperatures.

    `counters` are rows and draws of the slots in the field, besides an index.
    """

    x: Any
    ids: Any
    row: Any
    rows: Any
    temperatures: Any
    counters: Any
    key: Any
    start: Any


class Rivals(NamedTuple):
    """Rivals that wait, slots and columns; who may win by category; of each slot the best, and its value if rivals are.

    `exact` and `potentials` are of the rivals that are decided.
    """

    slots: Any
    columns: Any
    masks: Any
    index: Any
    value: Any
    exact: Any
    potentials: Any


@maker
def new_rivals(n):
    """None waits, of n categories."""
    potentials = zeros(STAGE, np.float64)
    return Rivals(
        zeros(_ROOM, np.int64),
        zeros(_ROOM, np.int64),
        zeros(n, np.uint64),
        zeros(STAGE, np.int64),
        zeros(STAGE, np.float64),
        id_scratch(potentials),
        potentials,
    )


@scalar
def line_of(slot, rows):
    """The row of a slot among those of the races; a division takes long."""
    return slot if slot < rows else slot % rows


@scalar
def draw_rivals(rivals, n, races):
    """Exact noise, to `exact`, and log-potentials of the first n that wait."""
    state, places, high, low, own, noise = rivals.exact
    potentials = rivals.potentials
    for i in range(n):
        slot, column = rivals.slots[i], rivals.columns[i]
        row = races.row + line_of(slot, races.rows)
        places[ROW + i], places[DRAW + i] = races.counters[ROW + slot], races.counters[DRAW + slot]
        own[i] = category_at(races.ids, row, column, races.start)
        potentials[i] = races.x[row, column]
    slots = padded(n, 16)
    draw_blocks(high, own, 0, places, slots, races.key)
    enter_minima(state, own, high, slots)
    draw_own(high, own, 0, places, slots, races.key, HIGH_WORDS, _1)
    draw_own(low, own, 0, places, slots, races.key, LOW_WORDS, _1)
    noise_plane(noise, 0, rivals.exact, slots, 0, 0)


@stage
def _decide(rivals, n, races):
    """Let the first n that wait take part in their races: the first largest float64 perturbed value wins."""
    draw_rivals(rivals, n, races)
    noise, potentials = rivals.exact.numbers, rivals.potentials
    for i in range(n):
        slot, column = rivals.slots[i], rivals.columns[i]
        value = fma(races.temperatures[line_of(slot, races.rows)], noise[i], potentials[i])
        if potentials[i] > -LIMIT and beats(value, column, rivals.value[slot], rivals.index[slot]):
            rivals.value[slot], rivals.index[slot] = value, column


@scalar
def drop_decided(rivals, n):
    """Move what waits behind the first STAGE of n rivals to the front; how many they are."""
    for i in range(_ROOM - STAGE):
        rivals.slots[i] = rivals.slots[STAGE + i]
        rivals.columns[i] = rivals.columns[STAGE + i]
    return n - STAGE


@stage
def _settle_group(rivals, n, times, limits, group, slots, exact):
    """Enter in `index` who alone may win in some slots (a mask) of 64; the mask of slots that have rivals.

    With `exact` all slots count as such.
    """
    masks, index = rivals.masks, rivals.index
    some, several = np.uint64(0), np.uint64(0)
    for j in range(n):
        mask = at_most64(times, j * STAGE + group, limits, group) & slots
        several |= some & mask
        some |= mask
        masks[j] = mask
    several = slots if exact else several
    for j in range(n):
        alone = masks[j] & ~several
        if count_bits(alone) > _MANY:
            fill_where64(index, group, alone, j)
            continue
        while alone:
            index[np.uint64(group + lowest_bit(alone))] = j
            alone &= alone - _1
    return several


@stage
def settle(rivals, times, limits, n, slots, exact, races):
    """Find the best of each slot: of n categories those may win whose time is at most the limit of the slot.

    `exact` asks for its value, too.
    """
    fill(rivals.index, 0, STAGE, NO_INDEX)
    fill(rivals.value, 0, STAGE, NOTHING)
    waiting = _NONE
    for group in range(0, slots, 64):
        inside = ~np.uint64(0) >> np.uint64(max(group + 64 - slots, 0))
        several = _settle_group(rivals, n, times, limits, np.int64(group), inside, exact)
        if several:
            for j in range(n):
                mask = rivals.masks[j] & several
                while mask:
                    rivals.slots[waiting] = group + lowest_bit(mask)
                    rivals.columns[waiting] = j
                    mask &= mask - _1
                    waiting += 1
                if waiting >= STAGE:
                    _decide(rivals, _STAGE, races)
                    waiting = drop_decided(rivals, waiting)
    if waiting:
        _decide(rivals, waiting, races)
