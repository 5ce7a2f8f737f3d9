"""All categories whose perturbed value is above a threshold.

The threshold is known beforehand, so there is no race. Pairs of blocks, of one row or of many short ones, fill a tile.
Of a tile, blocks whose bound does not reach their threshold are left alone. The others are listed, and
`decide_others` opens them. What is found comes out in the order of draws, rows and categories.
"""

import numpy as np

from fastgumbel._cpu.above.list import ENOUGH, PLACES, decide_winners, list_reaching, new_list
from fastgumbel._cpu.above.open import decide_others, new_lanes, new_quads
from fastgumbel._cpu.above.tile import TILE, draw_reaching, enter_maxima, enter_pairs, new_tile
from fastgumbel._cpu.parameters import Field, Found
from fastgumbel._cpu.precomputed import ROOM, any_invalid, first_wrong, perturb
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.masks import count_bits, lowest_bit, part_at_least64
from fastgumbel._numba.memory import empty

# So much can the blocks of a list have.
MOST = 64 * PLACES

# A literal would compile functions anew.
_NONE = np.int64(0)
_1 = np.uint64(1)


@stage
def _count(listed, n):
    """How much n listed blocks have above their thresholds."""
    count = 0
    for k in range(n):
        count += count_bits(listed.above[k])
    return count


@stage
def _put_out(found, filled, listed, n, n_categories):
    """Append what n listed blocks have above their thresholds to what is found; how much that is then."""
    for k in range(n):
        mask, r = listed.above[k], listed.rows[k]
        first = listed.firsts[k] - r * n_categories + found.column
        before = filled
        while mask:
            lane = lowest_bit(mask)
            mask &= mask - _1
            found.categories[filled] = first + lane
            found.values[filled] = listed.values[64 * k + lane]
            filled += 1
        found.counts[listed.steps[k], r] += filled - before
    return filled


@kernel
def above_field(x, field, thresholds, found, resume):
    """All categories of each row of x above its threshold, from the step `resume` on, as many as there is room for.

    `field` is a `Field`; `thresholds` are by draw and row, or one for all along an axis. `found` is a `Found`, with an
    axis of draws and one of rows, and a place for each category or at least MOST. Returns the step to go on with, or -1
    where all is done; and how many are found.
    """
    field, found = Field(*field), Found(*found)
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    pairs = np.int64(((field.start + np.uint64(n - 1)) >> np.uint64(7)) - (field.start >> np.uint64(7))) + 1
    places = n_rows * pairs
    tiles = (places + TILE - 1) // TILE
    draws = found.counts.shape[0]
    # One draw needs the maxima of a tile at a time; many draws share those of all.
    plane = tiles * TILE if draws > 1 else TILE
    maxima = empty(2 * plane, np.float64)
    tile, listed, quads, lanes = new_tile(), new_list(), new_quads(), new_lanes()
    if draws > 1:
        for first in range(0, places, TILE):
            count = min(TILE, places - first)
            enter_pairs(tile, first, count, x.shape, field, thresholds, _NONE)
            enter_maxima(maxima, first, plane, flat, n, tile, count, found.faulty)
    filled, waiting, began = _NONE, _NONE, resume
    for step in range(resume, draws * tiles):
        s = step // tiles
        first = (step - s * tiles) * TILE
        count, at = min(TILE, places - first), first if draws > 1 else 0
        enter_pairs(tile, first, count, x.shape, field, thresholds, s)
        if draws == 1:
            enter_maxima(maxima, _NONE, plane, flat, n, tile, count, found.faulty)
        draw_reaching(tile, maxima, at, plane, count, field.key)
        waiting = list_reaching(listed, waiting, tile, maxima, at, plane, s)
        if waiting >= ENOUGH or step + 1 == draws * tiles:
            decide_winners(flat, n, listed, waiting)
            decide_others(flat, listed, waiting, quads, lanes, field.key)
            if filled + _count(listed, waiting) > found.values.size:
                return began, filled
            filled = _put_out(found, filled, listed, waiting, n)
            waiting, began = _NONE, step + 1
    return -1, filled


@stage
def _list_values(found, filled, values, at, n, threshold, column):
    """Append which of n values from place `at` on are above the threshold, with columns from one on; how many then."""
    # The least value above it, as masks ask for at least.
    least = np.nextafter(threshold, np.inf)
    for first in range(0, n, 64):
        mask = part_at_least64(values, at + first, 0, min(64, n - first), least)
        while mask:
            j = first + lowest_bit(mask)
            mask &= mask - _1
            found.categories[filled], found.values[filled] = column + j, values[at + j]
            filled += 1
    return filled


@kernel
def above_given(x, noise, temperatures, thresholds, found, resume):
    """As `above_field`, of one draw on the noise beside x, from the place `resume` on, counted through the rows.

    `temperatures` scale the noise, as those of a `Field`. An item of noise that is -inf excludes its place. The place
    that is returned is -2 - p where p is the first whose noise is NaN or +inf.
    """
    found = Found(*found)
    n_rows, n = x.shape
    potentials, noises = x.reshape(x.size), noise.reshape(noise.size)
    values = empty(ROOM, np.float64)
    filled, place = _NONE, resume
    while place < x.size:
        # Rows together, or part of one.
        r = place // n
        rows, column = min(max(1, ROOM // n), n_rows - r), place - r * n
        count = min(n - column, ROOM)
        if filled + rows * count > found.values.size:
            return place, filled
        if perturb(values, potentials, noises, place, rows, count, temperatures, r):
            return -2 - first_wrong(noises, place), filled
        for i in range(rows):
            threshold, before = thresholds[0, min(r + i, thresholds.shape[1] - 1)], filled
            filled = _list_values(found, filled, values, i * count, count, threshold, found.column + column)
            found.counts[0, r + i] += filled - before
            if any_invalid(values, i * count, count):
                found.faulty[0, r + i] = 1
        place += rows * count
    return -1, filled
