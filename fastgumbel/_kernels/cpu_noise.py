"""The field written out in float64 or float32: long rows one by one, short ones as vector lanes."""

import numpy as np

from fastgumbel._kernels.compiling import kernel
from fastgumbel._kernels.lanes import noise_planes, turn_back
from fastgumbel._kernels.noise_row import noise_row, row_scratch
from fastgumbel._kernels.stage import DRAW, ROW, STAGE, fill, row_id


@kernel
def fill_short(out, rows, field):
    """Write G(key, row, draw, start + j) to out[r, j], for short rows; `rows` and `field` as in `max_long`."""
    key, first_row, draw, start = field
    n_rows, n = out.shape
    flat = out.reshape(n_rows * n)
    noise = np.empty((n + 7) * STAGE, out.dtype)
    state = np.ones(2 * STAGE, out.dtype)
    counters = np.zeros(3 * STAGE, np.uint64)
    high = np.zeros(4 * STAGE, np.uint32)
    low = np.zeros(4 * STAGE, np.uint32)
    fill(counters, DRAW, STAGE, draw)
    for r in range(0, n_rows, STAGE):
        lanes = min(STAGE, n_rows - r)
        for i in range(lanes):
            counters[ROW + i] = row_id(rows, first_row, r + i)
        noise_planes(noise, state, high, low, counters, n, lanes, start, key)
        turn_back(flat, r * n, noise, 0, n, lanes)


@kernel
def fill_long(out, rows, field):
    """Write G(key, row, draw, start + j) to out[r, j], as `fill_short`, for long rows."""
    key, first_row, draw, start = field
    n_rows, n = out.shape
    flat = out.reshape(n_rows * n)
    scratch = row_scratch(out)
    for r in range(n_rows):
        row = row_id(rows, first_row, r)
        noise_row(flat, r * n, n, key, row, draw, start, scratch)
