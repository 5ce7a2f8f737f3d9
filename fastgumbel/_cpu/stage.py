"""Stages: short loops over small contiguous arrays, each of which the compiler turns into vector code.

A counter list is one uint64 array of three planes, `index` (with its domain), `row` and `draw`; words are one uint32
array of four planes. Every plane has STAGE places, a constant: where planes are arrays of their own, or their distance
is not known to the compiler, it finds too many ways in which they could overlap, and the loop stays scalar. A place is
an unsigned integer, since a signed one could count from the end, and asking which keeps the loop scalar too.
"""

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.parameters import Coordinates
from fastgumbel._law.field import join, words
from fastgumbel._law.real import exponential32, exponential64, log
from fastgumbel._numba.compile import STAGE_OPTIONS, stage

STAGE = 128
ROW = STAGE
DRAW = 2 * STAGE


@stage
def padded(n, slots=32):
    """Round n up to a multiple of vector slots, at most STAGE, so that vector loops have no scalar remainder."""
    return min((n + slots - 1) // slots * slots, STAGE)


@stage
def fill(places, first, n, value):
    """Write one value to places[first : first + n]."""
    for i in range(n):
        places[np.uint64(first) + np.uint64(i)] = value


@stage
def draw_words(out, counters, n, key):
    """The four words of the first n counters."""
    for i in range(n):
        four = words(key, counters[ROW + i], counters[DRAW + i], counters[i])
        out[i], out[STAGE + i], out[2 * STAGE + i], out[3 * STAGE + i] = four


@stage
def draw_full_words(out, counters, n, key):
    """The four words of the first n counters, at least.

    Where n is above half of STAGE, of all: with two calls side by side, as each waits for itself.
    """
    half = np.uint64(STAGE // 2)
    if n <= STAGE // 2:
        draw_words(out, counters, n, key)
        return
    for i in range(half):
        one = words(key, counters[ROW + i], counters[DRAW + i], counters[i])
        j = i + half
        other = words(key, counters[ROW + j], counters[DRAW + j], counters[j])
        out[i], out[STAGE + i], out[2 * STAGE + i], out[3 * STAGE + i] = one
        out[j], out[STAGE + j], out[2 * STAGE + j], out[3 * STAGE + j] = other


@stage
def draw_row_words(out, n, coordinates, first, step):
    """The four words of n indices of one row and draw, from `first` on: as one row, part of the rounds is shared."""
    key, row, draw, _, _ = coordinates
    for i in range(n):
        four = words(key, row, draw, first + step * np.uint64(i))
        out[i], out[STAGE + i], out[2 * STAGE + i], out[3 * STAGE + i] = four


@stage
def draw_listed_words(out, n, coordinates, indices):
    """The four words of n listed indices of one row and draw."""
    key, row, draw, _, _ = coordinates
    for i in range(n):
        four = words(key, row, draw, indices[np.uint64(i)])
        out[i], out[STAGE + i], out[2 * STAGE + i], out[3 * STAGE + i] = four


@stage
def draw_next_words(out, n, coordinates, index):
    """The four words of n draws of one row and index, from that of the coordinates on."""
    key, row, draw, _, _ = coordinates
    for i in range(n):
        four = words(key, row, draw + np.uint64(i), index)
        out[i], out[STAGE + i], out[2 * STAGE + i], out[3 * STAGE + i] = four


@stage
def row_id(rows, first_row, r):
    """Id of row r: its entry in `rows`, or counted up from `first_row` where `rows` is empty."""
    return rows[r] if rows.size else first_row + np.uint64(r)


@stage
def first_draw(field, r):
    """The draw of row r of a piece that draw 0 of the result is."""
    return field.draw + field.draws[r] if field.draws.size else field.draw


@stage
def temperature_of(temperatures, r):
    """Temperature of row r of a piece, from one a row, one for all, or none for 1."""
    return temperatures[min(r, temperatures.size - 1)] if temperatures.size else np.float64(1)


@stage
def coordinates_at(field, r, s):
    """Where row r of a piece lies, in draw s of the result."""
    row, draw = row_id(field.ids, field.row, r), first_draw(field, r) + np.uint64(s)
    return Coordinates(field.key, row, draw, field.start, temperature_of(field.temperatures, r))


@stage
def enter_rows(counters, at, n, field, r):
    """Write the ids of n rows from r on to the counters from a place on."""
    first = np.uint64(ROW + at)
    if field.ids.size:
        for i in range(n):
            counters[first + np.uint64(i)] = field.ids[np.uint64(r) + np.uint64(i)]
    else:
        for i in range(n):
            counters[first + np.uint64(i)] = field.row + np.uint64(r) + np.uint64(i)


@stage
def enter_draws(counters, at, n, field, r, s):
    """Write the draws of n rows from r on, in draw s of the result, to the counters from a place on."""
    fill(counters, DRAW + at, n, field.draw + np.uint64(s))
    if field.draws.size:
        for i in range(n):
            counters[DRAW + at + i] += field.draws[r + i]


def exponentials(out, to, n, high, low, at):
    """Exponentials, in the type of `out`, of n words from place `at` on; float32 reads the high halves only."""
    raise NotImplementedError("compiled only")


@overload(exponentials, jit_options=STAGE_OPTIONS)
def _exponentials(out, to, n, high, low, at):
    def float32(out, to, n, high, low, at):
        first, drawn = np.uint64(to), np.uint64(at)
        for i in range(n):
            out[first + np.uint64(i)] = exponential32(high[drawn + np.uint64(i)])

    def float64(out, to, n, high, low, at):
        first, drawn = np.uint64(to), np.uint64(at)
        for i in range(n):
            place = drawn + np.uint64(i)
            out[first + np.uint64(i)] = exponential64(join(np.uint64(high[place]), np.uint64(low[place])))

    return float32 if out.dtype == types.float32 else float64


@stage
def lane_exponentials(out, n, high, low):
    """Exponentials of the four words of n quads, plane by plane."""
    if n == STAGE:
        exponentials(out, 0, 4 * STAGE, high, low, 0)
        return
    for j in range(4):
        exponentials(out, j * STAGE, n, high, low, j * STAGE)


@stage
def gumbels(noise, minimum, n):
    """Turn the exponentials of n quads, each above its minimum, into Gumbels in place."""
    for j in range(4):
        plane = np.uint64(j * STAGE)
        for i in range(n):
            noise[plane + np.uint64(i)] = -log(noise[plane + np.uint64(i)] + minimum[i])
