"""Who may win races over short rows, by bounds of their finishing times; where several may, they are decided exactly.

A stage of rivals, each a lane and a category, is decided at a time.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.ids import category_at, draw_blocks, draw_own, enter_minima, id_scratch
from fastgumbel._cpu.lanes import noise_plane
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, fill, padded
from fastgumbel._law.field import HIGH_WORDS, LOW_WORDS
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.masks import at_most64, lowest_bit

_1 = np.uint64(1)
# Up to 64 rivals are found at a time.
_ROOM = STAGE + 64
# Python's integers would compile a function anew for each.
_STAGE, _NONE = np.int64(STAGE), np.int64(0)


class Races(NamedTuple):
    """Rows of x and their category ids, if any; of the races of all lanes the first row, how many rows, temperatures.

    `counters` are rows and draws of the lanes in the field, besides an index.
    """

    x: Any
    ids: Any
    row: Any
    rows: Any
    heat: Any
    counters: Any
    key: Any
    start: Any


class Rivals(NamedTuple):
    """Rivals that wait, lanes and columns; who may win by category; of each lane the best, and its value if rivals are.

    `exact` and `potentials` are of the rivals that are decided.
    """

    lanes: Any
    columns: Any
    masks: Any
    index: Any
    value: Any
    exact: Any
    potentials: Any


@maker
def new_rivals(n):
    """None waits, of n categories."""
    potentials = np.zeros(STAGE)
    return Rivals(
        np.zeros(_ROOM, np.int64),
        np.zeros(_ROOM, np.int64),
        np.zeros(n, np.uint64),
        np.zeros(STAGE, np.int64),
        np.zeros(STAGE),
        id_scratch(potentials),
        potentials,
    )


@scalar
def line_of(lane, rows):
    """The row of a lane among those of the races; a division takes long."""
    return lane if lane < rows else lane % rows


@stage
def draw_rivals(rivals, n, races):
    """Exact noise, to `exact`, and log-potentials of the first n that wait."""
    state, places, high, low, own, noise = rivals.exact
    potentials = rivals.potentials
    for i in range(n):
        lane, column = rivals.lanes[i], rivals.columns[i]
        row = races.row + line_of(lane, races.rows)
        places[ROW + i], places[DRAW + i] = races.counters[ROW + lane], races.counters[DRAW + lane]
        own[i] = category_at(races.ids, row, column, races.start)
        potentials[i] = races.x[row, column]
    lanes = padded(n)
    draw_blocks(high, own, 0, places, lanes, races.key)
    enter_minima(state, own, high, lanes)
    draw_own(high, own, 0, places, lanes, races.key, HIGH_WORDS, _1)
    draw_own(low, own, 0, places, lanes, races.key, LOW_WORDS, _1)
    noise_plane(noise, 0, rivals.exact, lanes, 0, 0)


@stage
def _decide(rivals, n, races):
    """Let the first n that wait take part in their races: the first largest float64 perturbed value wins."""
    draw_rivals(rivals, n, races)
    noise, potentials = rivals.exact.numbers, rivals.potentials
    for i in range(n):
        lane, column = rivals.lanes[i], rivals.columns[i]
        value = fma(races.heat[line_of(lane, races.rows)], noise[i], potentials[i])
        if potentials[i] > -LIMIT and beats(value, column, rivals.value[lane], rivals.index[lane]):
            rivals.value[lane], rivals.index[lane] = value, column


@scalar
def drop_decided(rivals, n):
    """Move what waits behind the first STAGE of n rivals to the front; how many they are."""
    for i in range(_ROOM - STAGE):
        rivals.lanes[i] = rivals.lanes[STAGE + i]
        rivals.columns[i] = rivals.columns[STAGE + i]
    return n - STAGE


@stage
def _settle_group(rivals, n, times, limits, group, lanes, exact):
    """Enter in `index` who alone may win in some lanes (a mask) of 64; the mask of lanes that have rivals.

    With `exact` all lanes count as such.
    """
    masks, index = rivals.masks, rivals.index
    some, several = np.uint64(0), np.uint64(0)
    for j in range(n):
        mask = at_most64(times, j * STAGE + group, limits, group) & lanes
        several |= some & mask
        some |= mask
        masks[j] = mask
    several = lanes if exact else several
    for j in range(n):
        alone = masks[j] & ~several
        while alone:
            index[np.uint64(group + lowest_bit(alone))] = j
            alone &= alone - _1
    return several


@stage
def settle(rivals, times, limits, n, lanes, exact, races):
    """Find the best of each lane: of n categories those may win whose time is at most the limit of the lane.

    `exact` asks for its value, too.
    """
    fill(rivals.index, 0, STAGE, NO_INDEX)
    fill(rivals.value, 0, STAGE, NOTHING)
    waiting = _NONE
    for group in range(0, lanes, 64):
        inside = ~np.uint64(0) >> np.uint64(max(group + 64 - lanes, 0))
        several = _settle_group(rivals, n, times, limits, np.int64(group), inside, exact)
        if several:
            for j in range(n):
                mask = rivals.masks[j] & several
                while mask:
                    rivals.lanes[waiting] = group + lowest_bit(mask)
                    rivals.columns[waiting] = j
                    mask &= mask - _1
                    waiting += 1
                if waiting >= STAGE:
                    _decide(rivals, _STAGE, races)
                    waiting = drop_decided(rivals, waiting)
    if waiting:
        _decide(rivals, waiting, races)
