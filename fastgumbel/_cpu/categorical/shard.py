"""`categorical` of rows in shards: sums of integers, exact in any order, and the shard that a draw falls into."""

import numpy as np

from fastgumbel._cpu.categorical.targets import targets_of
from fastgumbel._cpu.parameters import Coordinates, Field
from fastgumbel._cpu.stage import STAGE, coordinates_at, draw_next_words, padded, temperature_of
from fastgumbel._law.reduce import LIMIT, NO_INDEX
from fastgumbel._law.weights import DRAW_WORDS, bisect, decays, running
from fastgumbel._numba.compile import kernel
from fastgumbel._numba.memory import empty, zeros

_1 = np.uint64(1)


@kernel
def shard_sizes(x, temperatures, largest, sizes):
    """The part of A that each row of x has, whose largest log-potential in all shards is given; 0 in invalid rows.

    `temperatures` are those of a `Field`. In rows of temperature 0 one place of all shards has the largest.
    """
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    weights = empty(n, np.uint64)
    for r in range(n_rows):
        valid = -LIMIT < largest[r] < LIMIT
        temperature = temperature_of(temperatures, r)
        sizes[r] = decays(weights, flat, r * n, n, largest[r], temperature) if valid else np.uint64(0)


@kernel
def shard_totals(x, temperatures, largest, sizes, totals):
    """Sum of the integer weights of each row of x; `sizes` are A, 0 in invalid rows."""
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    weights = empty(n, np.uint64)
    for r in range(n_rows):
        totals[r] = 0
        if sizes[r] > 0:
            decays(weights, flat, r * n, n, largest[r], temperature_of(temperatures, r))
            totals[r] = running(weights, n, sizes[r])


@kernel
def shard_draws(x, field, largest, sizes, before, totals, index, column):
    """Categories of the draws of index[s, r] that fall into this shard, counted from `column`; -1 for the others.

    `field` is a `Field`. By row, `largest` are log-potentials of all shards, `sizes` A, `before` and `totals` the sums
    of the weights before the shard and of all.
    """
    field = Field(*field)
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    sums = empty(n, np.uint64)
    words, targets = zeros(4 * STAGE, np.uint32), zeros(2 * STAGE, np.uint64)
    n_draws = index.shape[0]
    for r in range(n_rows):
        key, row, draw, start, temperature = coordinates_at(field, r, 0)
        skipped = np.int64(draw & _1)
        held = np.uint64(0)
        if sizes[r] > 0:
            decays(sums, flat, r * n, n, largest[r], temperature)
            held = running(sums, n, sizes[r])
        for s in range(-skipped, n_draws, 2 * STAGE):
            pairs = min(STAGE, (n_draws - s + 1) // 2)
            lanes = padded(pairs)
            pair = Coordinates(key, row, (draw + np.uint64(s)) >> _1, start, temperature)
            draw_next_words(words, lanes, pair, DRAW_WORDS)
            targets_of(targets, words, lanes, totals[r])
            for i in range(max(-s, 0), min(n_draws - s, 2 * STAGE)):
                t = targets[(i & 1) * STAGE + (i >> 1)]
                here = before[r] <= t < before[r] + held
                index[s + i, r] = column + bisect(sums, n, t - before[r]) if here else NO_INDEX
