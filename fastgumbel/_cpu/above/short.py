"""All categories above thresholds, of rows of so few categories that to compute all values is less than to rule out.

Rows (and draws) are vector slots.
"""

import numpy as np

from fastgumbel._cpu.parameters import Field, Found
from fastgumbel._cpu.slot_values import perturb_plane, temper
from fastgumbel._cpu.slots import noise_planes, repeat, slot_scratch, turn, turn_back
from fastgumbel._cpu.stage import STAGE, enter_draws, enter_rows, fill, padded
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty

# A literal would compile functions anew.
_NONE = np.int64(0)


@stage
def _list_row(found, filled, values, at, n, threshold):
    """Append which of n values from a place on are above the threshold; how many then. Writes one place beyond."""
    for j in range(n):
        value = values[np.uint64(at) + np.uint64(j)]
        found.categories[np.uint64(filled)], found.values[np.uint64(filled)] = found.column + j, value
        filled += np.int64(value > threshold)
    return filled


@kernel
def above_short(x, field, thresholds, found, resume):
    """As `above_field`, with the same arguments, of at most MOST / STAGE categories a row."""
    field, found = Field(*field), Found(*found)
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    draws = found.counts.shape[0]
    together = min(n_rows, STAGE)
    # Several draws at once, of all rows: these are in the order of what is found.
    at_once = min(STAGE // together, draws)
    tiles = (n_rows + together - 1) // together
    potentials, noise = empty((n + 7) * STAGE, x.dtype), empty((n + 7) * STAGE, np.float64)
    values = empty(n * STAGE, np.float64)
    temperatures, faults = np.ones(STAGE), empty(STAGE, np.float64)
    scratch = slot_scratch(noise)
    filled = _NONE
    for step in range(resume, (draws + at_once - 1) // at_once * tiles):
        s, r = step // tiles * at_once, step % tiles * together
        rows, copies = min(together, n_rows - r), min(at_once, draws - s)
        slots = padded(rows * copies, 16)
        if filled + rows * copies * n >= found.values.size:
            return step, filled
        turn(potentials, flat, r * n, n, rows)
        repeat(potentials, n, rows, copies)
        temper(temperatures, field.temperatures, r, rows, copies)
        for d in range(copies):
            enter_rows(scratch.counters, d * rows, rows, field, r)
            enter_draws(scratch.counters, d * rows, rows, field, r, s + d)
        noise_planes(noise, scratch, n, slots, field.start, field.key)
        fill(faults, 0, slots, 0.0)
        for j in range(n):
            at = j * STAGE
            perturb_plane(noise, at, faults, temperatures, potentials, noise, at, slots)
        turn_back(values, 0, noise, 0, n, rows * copies)
        for d in range(copies):
            own = thresholds[min(s + d, thresholds.shape[0] - 1)]
            for i in range(rows):
                slot, before = d * rows + i, filled
                filled = _list_row(found, filled, values, slot * n, n, own[min(r + i, own.size - 1)])
                found.counts[s + d, r + i] += filled - before
                if faults[slot] != 0:
                    found.faulty[s + d, r + i] = 1
    return -1, filled
