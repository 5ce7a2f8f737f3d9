"""Gumbel-max of one short row, or of a few."""

import numpy as np

from fastgumbel._cpu.one.max import index_of_row
from fastgumbel._cpu.parameters import Coordinates
from fastgumbel._numba.compile import kernel


@kernel
def max_one(x, key, draw, start, temperature):
    """Index of the sample of row 0; -1 if the row is invalid."""
    return index_of_row(x, None, None, Coordinates(key, np.uint64(0), np.uint64(draw), np.uint64(start), temperature))


@kernel
def max_few(x, key, draw, start, temperature, index):
    """Write the index of the sample of each row; whether all rows are valid."""
    for row in range(len(x)):
        coordinates = Coordinates(key, np.uint64(row), np.uint64(draw), np.uint64(start), temperature)
        index[row] = index_of_row(x[row], None, None, coordinates)
        if index[row] < 0:
            return False
    return True
