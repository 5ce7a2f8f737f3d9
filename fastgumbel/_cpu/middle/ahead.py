"""Reading ahead: between the stages of a search, memory has nothing to do, so the rows that come next are asked for."""

import numpy as np

from fastgumbel._cpu.middle.planes import AHEAD, AHEAD_END
from fastgumbel._numba.compile import stage
from fastgumbel._numba.vector import prefetch64

# So many items are asked for at a time: some lines less than a core can wait for.
_ASKED = 256


@stage
def begin_ahead(integers, begin, end):
    """Let the next rows be those from one item to before another."""
    integers[AHEAD], integers[AHEAD_END] = begin, end


@stage
def read_ahead(integers, flat):
    """Ask for a few more items of the next rows, until all have been asked for."""
    begin = np.int64(integers[AHEAD])
    if begin < np.int64(integers[AHEAD_END]):
        for j in range(0, _ASKED, 64):
            prefetch64(flat, begin + j)
        integers[AHEAD] = begin + _ASKED
