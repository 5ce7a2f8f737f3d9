"""Gumbel-max of one row that lies in an array of any strides: as little as can be done, and nothing is allocated."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.one.places import field_of, is_empty, is_id, potential_of
from fastgumbel._law.field import (
    BLOCK_SHIFT,
    HIGH_WORDS,
    LANE_MASK,
    LOW_WORDS,
    block_exponential,
    block_word,
    join,
    lane_half,
    winner_lane,
    word_of,
    words,
)
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential64, exponential_floor, gumbel64, gumbel_bound
from fastgumbel._law.reduce import HOTTEST, LIMIT, NO_INDEX, NOTHING, floor_of
from fastgumbel._numba.compile import SCALAR_OPTIONS, scalar

_1 = np.uint64(1)
_2 = np.uint64(2)
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


@scalar
def _best_of_places(x, where, coordinates):
    """Perturbed value and index of the sample, where categories count from the start of the coordinates."""
    key, row, draw, start, temperature = coordinates
    n = np.uint64(x.size)
    if not (0 <= temperature <= HOTTEST and fits(coordinates, n)):
        return np.nan, NO_INDEX
    floor = floor_of(temperature)
    best, index = floor, NO_INDEX
    begin = np.uint64(0)
    while begin < n:
        first = start + begin
        end = min(n, begin + _BLOCK - (first & LANE_MASK))
        w = block_word(key, row, draw, first >> BLOCK_SHIFT)
        winner, e_block = winner_lane(w), block_exponential(w)
        largest = largest_of(x, where, begin, end)
        if largest != largest:
            return np.nan, NO_INDEX
        j = begin if fma(temperature, gumbel_bound(e_block), largest) > best else end
        while j < end:
            quad = (start + j) >> _2
            h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | quad)
            stop = min(end, ((quad + _1) << _2) - start)
            while j < stop:
                category = start + j
                potential = potential_of(x, where, j)
                value = floor
                if category & LANE_MASK == winner:
                    value = fma(temperature, gumbel64(e_block), potential)
                else:
                    high = word_of(h0, h1, h2, h3, category)
                    if fma(temperature, gumbel_bound(e_block + exponential_floor(high)), potential) > best:
                        fresh = exponential64(join(high, lane_half(key, row, draw, LOW_WORDS, category)))
                        value = fma(temperature, gumbel64(e_block + fresh), potential)
                if value > best and potential > -LIMIT:
                    best, index = value, np.int64(j)
                j += _1
        begin = end
    return (best if index >= 0 else np.nan), index


@scalar
def max_of_row(x, coordinates):
    """Index of the sample; -1 if the row or the temperature is invalid."""
    return _best_of_places(x, None, coordinates)[1]


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


def best_of_row(x: Any, where: Any, categories: Any, coordinates: Any) -> Any:
    """Perturbed value and index of the sample; NaN and -1 if the row, its ids or the temperature are invalid.

    `where` and `categories` are arrays or None.
    """
    raise NotImplementedError("compiled only")


@overload(best_of_row, jit_options=SCALAR_OPTIONS)
def _best_of_row(x, where, categories, coordinates):
    if categories == types.none:
        return lambda x, where, categories, coordinates: _best_of_places(x, where, coordinates)
    return lambda x, where, categories, coordinates: _best_of_ids(x, where, categories, coordinates)
