"""All categories whose perturbed value is above a threshold.

The threshold is known beforehand, so there is no race. Pairs of blocks, of one row or of many short ones, fill a tile.
Of a tile, blocks whose bound does not reach their threshold are left alone; `above_open` opens the others. What is found
comes out in the order of draws, rows and categories.
"""

import numpy as np

from fastgumbel._cpu.above_list import ENOUGH, decide_winners, list_reaching, new_list
from fastgumbel._cpu.above_open import decide_others, new_lanes, new_quads
from fastgumbel._cpu.above_tile import draw_reaching, enter_maxima, enter_pairs, new_tile
from fastgumbel._cpu.parameters import Field, Found
from fastgumbel._cpu.stage import STAGE, temperature_of
from fastgumbel._law.ops import fma
from fastgumbel._law.reduce import LIMIT, NOTHING
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.vector import lowest_bit

# A buffer must have room for all that the blocks of a list can have.
MOST = 64 * (ENOUGH + 2 * STAGE)

_1 = np.uint64(1)


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
    """All categories of each row of x above its threshold, from the step `resume` on, until all is done or no room left.

    `field` is a `Field`; `thresholds` are by draw and row, or one for all along an axis. `found` is a `Found`, with an
    axis of draws and one of rows. Returns the step to go on with, or -1 where it is done; and how many are found.
    """
    field, found = Field(*field), Found(*found)
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    pairs = np.int64(((field.start + np.uint64(n - 1)) >> np.uint64(7)) - (field.start >> np.uint64(7))) + 1
    places = n_rows * pairs
    tiles = (places + STAGE - 1) // STAGE
    draws = found.counts.shape[0]
    # One draw needs the maxima of a tile at a time; many draws share those of all.
    plane = tiles * STAGE if draws > 1 else STAGE
    maxima = np.empty(2 * plane)
    tile, listed, quads, lanes = new_tile(), new_list(), new_quads(), new_lanes()
    if draws > 1:
        for first in range(0, places, STAGE):
            count = min(STAGE, places - first)
            enter_pairs(tile, first, count, x.shape, field, thresholds, 0)
            enter_maxima(maxima, first, plane, flat, n, tile, count, found.faulty)
    filled, waiting = 0, 0
    for step in range(resume, draws * tiles):
        if waiting == 0 and filled + MOST > found.values.size:
            return step, filled
        s = step // tiles
        first = (step - s * tiles) * STAGE
        count, at = min(STAGE, places - first), first if draws > 1 else 0
        enter_pairs(tile, first, count, x.shape, field, thresholds, s)
        if draws == 1:
            enter_maxima(maxima, 0, plane, flat, n, tile, count, found.faulty)
        draw_reaching(tile, maxima, at, plane, count, field.key)
        waiting = list_reaching(listed, waiting, tile, maxima, at, plane, s)
        if waiting >= ENOUGH or step + 1 == draws * tiles:
            decide_winners(flat, n, listed, waiting)
            decide_others(flat, listed, waiting, quads, lanes, field.key)
            filled, waiting = _put_out(found, filled, listed, waiting, n), 0
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
