"""The field written out in float64 or float32: long rows one by one, short ones as vector slots."""

from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.parameters import Field
from fastgumbel._cpu.slots import noise_planes, slot_scratch, turn_back
from fastgumbel._cpu.stage import STAGE, coordinates_at, enter_draws, enter_rows
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty


@stage
def _enter_lines(counters, n, field, first, rows):
    """Write rows and draws of n lines from the first on to the counters, those of one draw together."""
    done = 0
    while done < n:
        draw = (first + done) // rows
        row = first + done - draw * rows
        run = min(n - done, rows - row)
        enter_rows(counters, done, run, field, row)
        enter_draws(counters, done, run, field, row, draw)
        done += run


@kernel
def noise_short(out, field, first, rows):
    """Write G(key, row, draw, start + j) to out[i, j], for short lines.

    A line is a row and a draw: lines count the `rows` of draw 0, then those of draw 1, ..., and out[0] is line `first`.
    `field` is a `Field` of all rows.
    """
    field = Field(*field)
    n_lines, n = out.shape
    flat = out.reshape(n_lines * n)
    noise = empty((n + 7) * STAGE, out.dtype)
    scratch = slot_scratch(out)
    for at in range(0, n_lines, STAGE):
        slots = min(STAGE, n_lines - at)
        _enter_lines(scratch.counters, slots, field, first + at, rows)
        noise_planes(noise, scratch, n, slots, field.start, field.key)
        turn_back(flat, at * n, noise, 0, n, slots)


@kernel
def noise_long(out, field, first, rows):
    """Write G(key, row, draw, start + j) to out[i, j], for long lines; arguments as in `noise_short`."""
    field = Field(*field)
    n_lines, n = out.shape
    flat = out.reshape(n_lines * n)
    scratch = row_scratch(out)
    for i in range(n_lines):
        line = first + i
        noise_row(flat, i * n, n, coordinates_at(field, line % rows, line // rows), scratch)
