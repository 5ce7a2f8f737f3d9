"""Many draws of `categorical` of one row that lies in an array of any strides: the kernel of many draws, on a copy."""

import numpy as np

from fastgumbel._cpu.categorical.many import BUCKETS, BUCKETS_LONG, GUIDED, LONG, draw_rows
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._law.reduce import HOTTEST, NO_INDEX
from fastgumbel._numba.compile import maker, scalar
from fastgumbel._numba.memory import empty

_DRAWS = np.int64(2**32)


@scalar
def _buckets(n, draws):
    """Number of buckets that n categories need for so many draws: a power of two, or 0."""
    if n > GUIDED * draws:
        return 0
    buckets = 1
    while buckets < n * (BUCKETS if n <= LONG else BUCKETS_LONG):
        buckets *= 2
    return buckets


@maker
def draws_of_row(x, coordinates, out):
    """Categories of draws to `out`, all -1 if the row or the temperature is invalid."""
    key, row, draw, start, temperature = coordinates
    n = x.size
    if n == 0 or not 0 <= temperature <= HOTTEST:
        out[:] = NO_INDEX
        return
    rows = np.empty((1, n))
    for j in range(n):
        rows[0, j] = x[j]
    index = np.expand_dims(out, 1)
    none, temperatures = empty(0, np.uint64), np.full(1, temperature)
    buckets = _buckets(n, out.size)
    done = 0
    while done < out.size:
        # Draws are counted modulo 2^32.
        count = min(out.size - done, _DRAWS - np.int64(draw))
        field = Field(none, key, row, draw, start, none, temperatures)
        draw_rows(rows, field, index[done:], Window(0, count, 0, 0), buckets)
        done, draw = done + count, np.uint64(0)
