"""Which places of a row take part, by `where` and `categories`: what is not passed costs nothing."""

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._law.field import key_of_category
from fastgumbel._law.philox import LOW
from fastgumbel._law.reduce import NOTHING
from fastgumbel._numba.compile import SCALAR_OPTIONS, scalar

# Ids are below.
_END = np.uint64(2**63)
_NARROW = np.uint64(2**32)


def potential_of(x, where, j):
    """Log-potential of a place, as float64; -inf where it is excluded."""
    raise NotImplementedError("compiled only")


def is_empty(categories, j):
    """Whether the id of a place is negative."""
    raise NotImplementedError("compiled only")


@overload(potential_of, jit_options=SCALAR_OPTIONS)
def _potential_of(x, where, j):
    if where == types.none:
        return lambda x, where, j: np.float64(x[j])
    return lambda x, where, j: np.float64(x[j]) if where[j] else NOTHING


@overload(is_empty, jit_options=SCALAR_OPTIONS)
def _is_empty(categories, j):
    if categories.dtype.signed:
        return lambda categories, j: categories[j] < 0
    return lambda categories, j: False


@scalar
def is_id(number):
    """Whether the number of a place that is not empty is an id."""
    return number < _END


@scalar
def field_of(key, number):
    """Key of the field that has a category, and its number there."""
    return (key if number < _NARROW else key_of_category(key, number)), number & LOW
