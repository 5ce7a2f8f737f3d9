"""Gumbel-max of one short row: as little as can be done."""

import numpy as np

from fastgumbel._kernels.compiling import kernel
from fastgumbel._kernels.field import (
    BLOCK_SHIFT,
    HIGH_WORDS,
    LANE_MASK,
    block_exponential,
    block_word,
    lane_exponential,
    winner_lane,
    words,
)
from fastgumbel._kernels.real import exponential_floor, gumbel64, gumbel_bound
from fastgumbel._kernels.reduce import NO_INDEX, NOTHING


@kernel
def max_one(x, key, draw, start):
    """Index of the sample of row 0; -1 if the row is invalid."""
    best, index = NOTHING, NO_INDEX
    draw, first = np.uint64(draw), np.uint64(start)
    row = np.uint64(0)
    w = winner = row
    e_block = 1.0
    h0 = h1 = h2 = h3 = row
    for j in range(x.size):
        category = first + np.uint64(j)
        if j == 0 or category & LANE_MASK == 0:
            w = block_word(key, row, draw, category >> BLOCK_SHIFT)
            winner = winner_lane(w)
            e_block = block_exponential(w)
        part = category & np.uint64(3)
        if j == 0 or part == 0:
            h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | (category >> np.uint64(2)))
        potential = np.float64(x[j])
        if not potential < np.inf:
            return NO_INDEX
        if category & LANE_MASK == winner:
            value = potential + gumbel64(e_block)
        else:
            high = (h3 if part & np.uint64(1) else h2) if part & np.uint64(2) else (h1 if part & np.uint64(1) else h0)
            if potential + gumbel_bound(e_block + exponential_floor(high)) <= best:
                continue
            value = potential + gumbel64(e_block + lane_exponential(key, row, draw, category))
        if value > best:
            best, index = value, j
    return index
