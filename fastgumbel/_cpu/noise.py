"""The field written out in float64 or float32: long rows one by one, short ones as vector lanes."""

import numpy as np

from fastgumbel._cpu.lanes import noise_planes, turn_back
from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, row_id
from fastgumbel._numba.compile import kernel

_0 = np.uint64(0)


@kernel
def fill_short(out, rows, field, place):
    """Write G(key, row, draw, start + j) to out[i, j], for short lines.

    A line is a row and a draw. `place` is (first line, rows of a draw): lines count the rows of the first draw, then
    those of the second, ... `rows` has the ids of all rows of a draw, or is empty where they count from 0; `field` is
    (key, first draw, first category).
    """
    key, draw, start = field
    first, count = place
    n_lines, n = out.shape
    flat = out.reshape(n_lines * n)
    noise = np.empty((n + 7) * STAGE, out.dtype)
    state = np.ones(2 * STAGE, out.dtype)
    counters = np.zeros(3 * STAGE, np.uint64)
    high = np.zeros(4 * STAGE, np.uint32)
    low = np.zeros(4 * STAGE, np.uint32)
    for at in range(0, n_lines, STAGE):
        lanes = min(STAGE, n_lines - at)
        for i in range(lanes):
            line = first + at + i
            counters[ROW + i] = row_id(rows, _0, line % count)
            counters[DRAW + i] = draw + np.uint64(line // count)
        noise_planes(noise, state, high, low, counters, n, lanes, start, key)
        turn_back(flat, at * n, noise, 0, n, lanes)


@kernel
def fill_long(out, rows, field, place):
    """Write G(key, row, draw, start + j) to out[i, j], as `fill_short`, for long lines."""
    key, draw, start = field
    first, count = place
    n_lines, n = out.shape
    flat = out.reshape(n_lines * n)
    scratch = row_scratch(out)
    for i in range(n_lines):
        row = row_id(rows, _0, (first + i) % count)
        noise_row(flat, i * n, n, key, row, draw + np.uint64((first + i) // count), start, scratch)
