"""Gumbel-max of one short row."""

import numpy as np

from fastgumbel._kernels.compiling import kernel
from fastgumbel._kernels.one_max import max_of_row


@kernel
def max_one(x, key, draw, start):
    """Index of the sample of row 0; -1 if the row is invalid."""
    return max_of_row(x, key, np.uint64(0), np.uint64(draw), np.uint64(start))
