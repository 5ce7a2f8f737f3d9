"""Gumbel-max of one row that lies in an array of any strides: as little as can be done, and nothing is allocated."""

import numpy as np

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
from fastgumbel._numba.compile import scalar

_1 = np.uint64(1)
_2 = np.uint64(2)
_BLOCK = np.uint64(64)


@scalar
def largest_of(x, begin, end):
    """Largest of x[begin:end], NaN if any is NaN or not below LIMIT."""
    largest = NOTHING
    for j in range(begin, end):
        potential = np.float64(x[j])
        if not potential < LIMIT:
            return np.nan
        largest = potential if potential > largest else largest
    return largest


@scalar
def max_of_row(x, coordinates):
    """Index of the sample; -1 if the row or the temperature is invalid."""
    key, row, draw, start, temperature = coordinates
    if not 0 <= temperature <= HOTTEST:
        return NO_INDEX
    floor = floor_of(temperature)
    best, index = floor, NO_INDEX
    n = np.uint64(x.size)
    begin = np.uint64(0)
    while begin < n:
        first = start + begin
        end = min(n, begin + _BLOCK - (first & LANE_MASK))
        w = block_word(key, row, draw, first >> BLOCK_SHIFT)
        winner, e_block = winner_lane(w), block_exponential(w)
        largest = largest_of(x, begin, end)
        if largest != largest:
            return NO_INDEX
        j = begin if fma(temperature, gumbel_bound(e_block), largest) > best else end
        while j < end:
            quad = (start + j) >> _2
            h0, h1, h2, h3 = words(key, row, draw, HIGH_WORDS | quad)
            stop = min(end, ((quad + _1) << _2) - start)
            while j < stop:
                category = start + j
                potential = np.float64(x[j])
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
    return index
