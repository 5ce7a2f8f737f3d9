"""Gumbel-max of one row that lies in an array of any strides: as little as can be done, and nothing is allocated."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.one.places import field_of, is_empty, is_id, potential_of
from fastgumbel._cpu.one.race import race
from fastgumbel._law.field import (
    BLOCK_RATE,
    BLOCK_SHIFT,
    HIGH_WORDS,
    LANE_MASK,
    LOW_WORDS,
    block_exponential,
    block_word,
    gumbel,
    join,
    lane_half,
    winner_lane,
)
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._law.reduce import HOTTEST, LIMIT, NO_INDEX, NOTHING, floor_of
from fastgumbel._numba.compile import SCALAR_OPTIONS, scalar, stage

_32 = np.uint64(32)
_BLOCK = np.uint64(64)
_CATEGORIES = np.uint64(2**32)
# Above all noise.
_MOST_NOISE = np.float64(41)


@scalar
def fits(coordinates, n):
    """Whether n categories from the start of the coordinates on are below 2^32."""
    return coordinates.start + n <= _CATEGORIES


@scalar
def largest_of(x, where, begin, end):
    """Largest of x[begin:end], NaN if any that is not excluded is NaN or not below LIMIT."""
    largest = NOTHING
    for j in range(begin, end):
        potential = potential_of(x, where, j)
        if not potential < LIMIT:
            return np.nan
        largest = potential if potential > largest else largest
    return largest


@stage
def _gumbel(key, row, draw, category):
    """The field itself: a call, as it is seldom wanted."""
    return gumbel(key, row, draw, category)


@stage
def _decide(x, where, coordinates, reach):
    """Index of the sample by its definition, above `reach`; -1 if the row is invalid."""
    key, row, draw, start, temperature = coordinates
    n = np.uint64(x.size)
    best, index = max(floor_of(temperature), reach), NO_INDEX
    begin = np.uint64(0)
    while begin < n:
        first = start + begin
        end = min(n, begin + _BLOCK - (first & LANE_MASK))
        largest = largest_of(x, where, begin, end)
        if largest != largest:
            return NO_INDEX
        high = block_word(key, row, draw, first >> BLOCK_SHIFT) >> _32
        most = gumbel_bound(exponential_floor(high) * BLOCK_RATE)
        if fma(temperature, most, largest) > best:
            for j in range(begin, end):
                potential = potential_of(x, where, j)
                if potential > -LIMIT and fma(temperature, most, potential) > best:
                    value = fma(temperature, _gumbel(key, row, draw, start + j), potential)
                    if value > best:
                        best, index = value, np.int64(j)
        begin = end
    return index


@scalar
def _stand_in(x, where, categories, index):
    """The place that stands for the id of a place: the first of those with the largest log-potential."""
    chosen = np.int64(categories[np.uint64(index)])
    largest = NOTHING
    for j in range(np.uint64(x.size)):
        potential = potential_of(x, where, j)
        if np.int64(categories[j]) == chosen and potential > largest:
            largest, index = potential, np.int64(j)
    return index


@scalar
def _best_of_ids(x, where, categories, coordinates):
    """Perturbed value and index of the sample, where places have ids."""
    key, row, draw, _, temperature = coordinates
    if not 0 <= temperature <= HOTTEST:
        return np.nan, NO_INDEX
    best, index = floor_of(temperature), NO_INDEX
    for j in range(np.uint64(x.size)):
        if is_empty(categories, j):
            continue
        potential, number = potential_of(x, where, j), np.uint64(categories[j])
        if not (potential < LIMIT and is_id(number)):
            return np.nan, NO_INDEX
        if potential > -LIMIT and fma(temperature, _MOST_NOISE, potential) > best:
            own, category = field_of(key, number)
            w = block_word(own, row, draw, category >> BLOCK_SHIFT)
            exponential = block_exponential(w)
            possible = fma(temperature, gumbel_bound(exponential), potential) > best
            if possible and category & LANE_MASK != winner_lane(w):
                high = lane_half(own, row, draw, HIGH_WORDS, category)
                possible = fma(temperature, gumbel_bound(exponential + exponential_floor(high)), potential) > best
                if possible:
                    exponential += exponential64(join(high, lane_half(own, row, draw, LOW_WORDS, category)))
            if possible:
                value = fma(temperature, gumbel64(exponential), potential)
                if value > best:
                    best, index = value, np.int64(j)
    if index < 0:
        return np.nan, NO_INDEX
    return best, _stand_in(x, where, categories, index)


def index_of_row(x: Any, where: Any, categories: Any, coordinates: Any) -> Any:
    """Index of the sample; -1 if the row, its ids or the temperature are invalid.

    `where` and `categories` are arrays or None.
    """
    raise NotImplementedError("compiled only")


def best_of_row(x: Any, where: Any, categories: Any, coordinates: Any) -> Any:
    """Perturbed value and index of the sample; NaN and -1 where `index_of_row` gives -1."""
    raise NotImplementedError("compiled only")


# Not compiled by themselves: every function between those of users and the race costs them time to compile.
def _index_of_places(x, where, categories, coordinates):
    if not (0 <= coordinates.temperature <= HOTTEST and fits(coordinates, np.uint64(x.size))):
        return NO_INDEX
    index, reach, known = race(x, where, coordinates)
    return index if known else _decide(x, where, coordinates, reach)


def _best_of_places(x, where, categories, coordinates):
    key, row, draw, start, temperature = coordinates
    index = index_of_row(x, where, categories, coordinates)
    if index < 0:
        return np.nan, NO_INDEX
    j = np.uint64(index)
    return fma(temperature, _gumbel(key, row, draw, start + j), potential_of(x, where, j)), index


@overload(index_of_row, jit_options=SCALAR_OPTIONS)
def _index_of_row(x, where, categories, coordinates):
    if categories == types.none:
        return _index_of_places
    return lambda x, where, categories, coordinates: _best_of_ids(x, where, categories, coordinates)[1]


@overload(best_of_row, jit_options=SCALAR_OPTIONS)
def _best_of_row(x, where, categories, coordinates):
    if categories == types.none:
        return _best_of_places
    return lambda x, where, categories, coordinates: _best_of_ids(x, where, categories, coordinates)
