"""Which places of a row take part, by `where` and `categories`: what is not passed costs nothing."""

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._law.reduce import NOTHING
from fastgumbel._numba.compile import SCALAR_OPTIONS

_BEYOND = np.uint64(2**32)


def potential_of(x, where, j):
    """Log-potential of a place, as float64; -inf where it is excluded."""
    raise NotImplementedError("compiled only")


def id_of(categories, j):
    """Id of a place, as int64: negative if the place is empty, at least 2^32 if that is no id."""
    raise NotImplementedError("compiled only")


@overload(potential_of, jit_options=SCALAR_OPTIONS)
def _potential_of(x, where, j):
    if where == types.none:
        return lambda x, where, j: np.float64(x[j])
    return lambda x, where, j: np.float64(x[j]) if where[j] else NOTHING


@overload(id_of, jit_options=SCALAR_OPTIONS)
def _id_of(categories, j):
    if categories.dtype.signed:
        return lambda categories, j: np.int64(categories[j])
    return lambda categories, j: np.int64(min(np.uint64(categories[j]), _BEYOND))
