"""How two results combine, in one place.

A result is a perturbed value and the index that has it. The larger value wins and the first index wins ties, so the
order in which results are combined cannot matter. Where nothing is left the index is -1, and the value, which is below
all others, means nothing; an invalid row is (NaN, -1) and stays so.
"""

import numpy as np

from fastgumbel._law.ops import fma
from fastgumbel._numba.compile import scalar

# A log-potential of this magnitude or more rounds noise to multiples of 2^-6 at best. A row in which one is NaN or not
# below LIMIT is invalid, and only categories above -LIMIT are left.
LIMIT = np.float64(2.0**46)
# Below the perturbed values of all categories that are left, at temperature 1: where the search for the best begins.
FLOOR = np.float64(-(2.0**47))
# Temperatures are at most so large, so that no perturbed value is infinite.
HOTTEST = np.float64(1e300)
NOTHING = np.float64(-np.inf)
NO_INDEX = np.int64(-1)

# What can be wrong with a row.
INVALID_ROW = 1  # NaN, a log-potential that is not below LIMIT, or no category left
INVALID_CHOICE = 2  # out of range, or excluded
INFINITE_TANGENT = 3  # NaN or infinite, or so large that it overflows
INVALID_NOISE = 4  # NaN or infinite
TOO_FEW = 5  # categories left for the places of a list


_LEAST_NOISE = np.float64(-4)
_ROUNDING, _LEAST_NORMAL = np.float64(2.0**-50), np.float64(2.0**-1022)


@scalar
def floor_of(temperature):
    """Below the perturbed values of all categories that are left, and finite."""
    return fma(temperature, _LEAST_NOISE, FLOOR)


@scalar
def slack_of(a, b):
    """More than what roundings add to a perturbed value, or to a bound of one, that is computed from two numbers."""
    return (abs(a) + abs(b)) * _ROUNDING + _LEAST_NORMAL


@scalar
def beats(value, index, best, best_index):
    """Whether (value, index) wins over (best, best_index); neither value is NaN."""
    return value > best or (value == best and index < best_index)


@scalar
def combined(value, index, other, other_index):
    """The result of two."""
    if value != value or other != other:
        return np.nan, NO_INDEX
    if other_index == NO_INDEX or (index != NO_INDEX and beats(value, index, other, other_index)):
        return value, index
    return other, other_index


@scalar
def put(best, arg, index, value, draw, row, column):
    """Store a result whose indices count from `column`; where `value` is not empty, combined with what is there."""
    if arg != NO_INDEX:
        arg += column
    if value.size:
        best, arg = combined(best, arg, value[draw, row], index[draw, row])
        value[draw, row] = best
    index[draw, row] = arg
