"""The k best where everything is looked at: short rows, large k, noise that the caller computed."""

import numpy as np

from fastgumbel._cpu.heap import offer, sort, spoil
from fastgumbel._cpu.noise_row import noise_row, row_scratch
from fastgumbel._cpu.stage import row_id
from fastgumbel._law.reduce import NOTHING
from fastgumbel._numba.compile import kernel, stage


@stage
def _offer_row(x, x_at, noise, at_noise, n, column, values, indices, at, k):
    """Offer a row with its noise; the row is invalid where it has NaN or +inf."""
    root = values[at]
    if root != root:
        return
    for j in range(n):
        potential = np.float64(x[x_at + j])
        if not potential < np.inf:
            spoil(values, indices, at, k)
            return
        value = potential + np.float64(noise[at_noise + j])
        if value >= root and potential > NOTHING:
            root = offer(values, indices, at, k, value, column + j)


@kernel
def top_every(x, rows, field, index, value, place):
    """Offer the rows of x to the heaps index[s, r, :] and value[s, r, :]; arguments as in `max_long`."""
    key, first_row, draw, start = field
    first_draw, last_draw, to_row, column = place
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat = x.reshape(n_rows * n)
    values, indices = value.reshape(value.size), index.reshape(index.size)
    noise = np.empty(n)
    scratch = row_scratch(noise)
    for r in range(n_rows):
        row = row_id(rows, first_row, r)
        for s in range(first_draw, last_draw):
            noise_row(noise, 0, n, key, row, draw + np.uint64(s), start, scratch)
            _offer_row(flat, r * n, noise, 0, n, column, values, indices, (s * all_rows + to_row + r) * k, k)


@kernel
def top_given(x, noise, index, value, place):
    """Offer the rows of x, each with the noise beside it, to heaps of one draw.

    `place` is (draw, first row, index of the first column). Returns the place in `noise`, counted through its rows, of
    the first item that is not finite; -1 if all are.
    """
    draw, to_row, column = place
    n_rows, n = x.shape
    all_rows, k = index.shape[1], index.shape[2]
    flat, noises = x.reshape(n_rows * n), noise.reshape(n_rows * n)
    values, indices = value.reshape(value.size), index.reshape(index.size)
    for i in range(n_rows * n):
        if not np.isfinite(noises[i]):
            return i
    for r in range(n_rows):
        _offer_row(flat, r * n, noises, r * n, n, column, values, indices, (draw * all_rows + to_row + r) * k, k)
    return -1


@kernel
def merge_tops(index, value, other_index, other_value, draw, row):
    """Offer the heaps of a few draws (axis 0) of one row to those from [draw, row] on."""
    all_rows, k = index.shape[1], index.shape[2]
    values, indices = value.reshape(value.size), index.reshape(index.size)
    for s in range(other_index.shape[0]):
        at = ((draw + s) * all_rows + row) * k
        for i in range(other_index.shape[2]):
            if other_value[s, 0, i] != other_value[s, 0, i]:
                spoil(values, indices, at, k)
            elif other_index[s, 0, i] >= 0 and values[at] == values[at]:
                offer(values, indices, at, k, other_value[s, 0, i], other_index[s, 0, i])


@kernel
def sort_tops(index, value):
    """Turn all heaps into lists, best first."""
    k = index.shape[2]
    values, indices = value.reshape(value.size), index.reshape(index.size)
    for at in range(0, values.size, k):
        if values[at] == values[at]:
            sort(values, indices, at, k)
