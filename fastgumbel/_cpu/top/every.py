"""The k best where everything is looked at: few short rows, large k, noise that the caller computed."""

import numpy as np

from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.parameters import Field, Line, Window
from fastgumbel._cpu.precomputed import any_wrong, first_wrong
from fastgumbel._cpu.stage import coordinates_at, fill, temperature_of
from fastgumbel._cpu.top.heap import Heap, offer, rank, spoil
from fastgumbel._cpu.top.select import new_selection, perturb, select
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty

# Values of so many rows are at hand at a time, as vector loops over a short one would be mostly remainder.
_ITEMS = 1024


@stage
def offer_row(x, n, coordinates, column, heap, scratch, selection):
    """Offer a row of n, a `Line`, at its coordinates to a heap; indices count from `column`."""
    noise, row_scratch = scratch
    if coordinates.temperature > 0:
        noise_row(noise, 0, n, coordinates, row_scratch)
    else:
        fill(noise, 0, n, 0.0)
    valid = perturb(selection.values, 0, x, Line(noise, 0), n, coordinates.temperature)
    select(selection, valid, 1, n, coordinates.temperature, column, heap)


@kernel
def top_every(x, field, index, value, window):
    """Offer the rows of x to the heaps index[s, r, :] and value[s, r, :].

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of the heaps.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat = x.reshape(n_rows * n)
    values, indices = value.reshape(value.size), index.reshape(index.size)
    noise = empty(n, np.float64)
    scratch, selection = (noise, row_scratch(noise)), new_selection(n, n)
    for r in range(n_rows):
        for s in range(window.first_draw, window.last_draw):
            heap = Heap(values, indices, (s * all_rows + window.row + r) * k, k)
            offer_row(Line(flat, r * n), n, coordinates_at(field, r, s), window.column, heap, scratch, selection)


@kernel
def top_given(x, noise, index, value, window, temperatures):
    """Offer the rows of x, each with the noise beside it, to heaps of one draw.

    `window` is (first_draw, last_draw, row, column), a `Window` of the heaps. `temperatures` scale the noise, as those
    of a `Field`. An item of noise that is -inf excludes its place. Returns the place in `noise`, counted through its
    rows, of the first one that is NaN or +inf; -1 if there is none.
    """
    window = Window(*window)
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat, noises = x.reshape(n_rows * n), noise.reshape(n_rows * n)
    values, indices = value.reshape(value.size), index.reshape(index.size)
    if any_wrong(noises, n_rows * n):
        return first_wrong(noises, 0)
    together = max(1, _ITEMS // n) if temperatures.size <= 1 else 1
    selection = new_selection(n, together * n)
    for r in range(0, n_rows, together):
        rows = min(together, n_rows - r)
        temperature = temperature_of(temperatures, r)
        valid = perturb(selection.values, 0, Line(flat, r * n), Line(noises, r * n), rows * n, temperature)
        heap = Heap(values, indices, (window.first_draw * all_rows + window.row + r) * k, k)
        select(selection, valid, rows, n, temperature, window.column, heap)
    return -1


@kernel
def merge_tops(index, value, other_index, other_value, draw, row):
    """Offer the heaps of a few draws (axis 0) of one row to those from [draw, row] on."""
    all_rows, k = index.shape[1], index.shape[2]
    values, indices = value.reshape(value.size), index.reshape(index.size)
    for s in range(other_index.shape[0]):
        at = ((draw + s) * all_rows + row) * k
        heap = Heap(values, indices, at, k)
        for i in range(other_index.shape[2]):
            if other_value[s, 0, i] != other_value[s, 0, i]:
                spoil(heap)
            elif other_index[s, 0, i] >= 0 and values[at] == values[at]:
                offer(heap, other_value[s, 0, i], other_index[s, 0, i])


@kernel
def sort_tops(index, value):
    """Turn all heaps into lists, best first."""
    k = index.shape[2]
    values, indices = value.reshape(value.size), index.reshape(index.size)
    for at in range(0, values.size, k):
        rank(Heap(values, indices, at, k))
