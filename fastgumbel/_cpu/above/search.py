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
from fastgumbel._cpu.stage import temperature_of
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.masks import count_bits, lowest_bit

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
    maxima = np.empty(2 * plane)
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


@kernel
def above_given(x, noise, temperatures, thresholds, found, resume):
    """As `above_field`, of one draw on the noise beside x, from the place `resume` on, counted through the rows.

    `temperatures` scale the noise, as those of a `Field`. An item of noise that is -inf excludes its place. The place
    that is returned is -2 - p where p is the first whose noise is NaN or +inf.
    """
    found = Found(*found)
    n = x.shape[1]
    filled = 0
    for place in range(resume, x.size):
        r = place // n
        j = place - r * n
        g = np.float64(noise[r, j])
        if not g < np.inf:
            return -2 - place, filled
        potential = np.float64(x[r, j]) if g > -np.inf else NOTHING
        if not potential < LIMIT:
            found.faulty[0, r] = 1
        elif potential > -LIMIT:
            value = fma(temperature_of(temperatures, r), g, potential)
            if value > thresholds[0, min(r, thresholds.shape[1] - 1)]:
                if filled == found.values.size:
                    return place, filled
                found.categories[filled], found.values[filled] = found.column + j, value
                found.counts[0, r] += 1
                filled += 1
    return -1, filled
