"""A race of the categories of one row in float32, from high words: as a rule it tells the sample, else how far to look.

Half a block at a time is drawn, by vector loops and to places on the stack. Noise that is known so is wrong by less
than SLACK: values further apart than two of that, scaled by the temperature, and their roundings are in order.
"""

import numpy as np

from fastgumbel._cpu.one.places import potential_of
from fastgumbel._law.bounds import SLACK
from fastgumbel._law.field import BLOCK_RATE, BLOCK_SHIFT, HIGH_WORDS, block_word, winner_lane, words
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential32, exponential_floor, gumbel32, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.local import places32, words32

# Lanes of half a block, and its quads.
_HALF = np.uint64(32)
_IN_HALF = np.uint64(31)
_QUADS = np.int64(8)

_0 = np.uint64(0)
_2 = np.uint64(2)
_3 = np.uint64(3)
_32 = np.uint64(32)

_RATE = np.float32(BLOCK_RATE)
_TWO_SLACKS = np.float64(2 * SLACK)
_ROUNDING, _LEAST_NORMAL = np.float64(2.0**-49), np.float64(2.0**-1022)
# The low words leave noise open by half a SLACK at most, but for so many high words at either end.
_VAGUE = np.uint32(2**14)


@scalar
def _tells(word):
    """Whether a high word tells enough of its noise."""
    return np.uint32(word + _VAGUE) >= np.uint32(_VAGUE + _VAGUE)


@stage
def _draw(planes, n, coordinates, quad):
    """High words of n quads, from one on: lane 4 i + j in place 8 j + i."""
    key, row, draw, _, _ = coordinates
    for i in range(n):
        four = words(key, row, draw, HIGH_WORDS | (quad + np.uint64(i)))
        planes[i], planes[_QUADS + i], planes[2 * _QUADS + i], planes[3 * _QUADS + i] = four


@stage
def _turn(out, planes, n):
    """High words of n quads lane by lane; whether all of them tell enough."""
    tell = True
    for i in range(n):
        for j in range(4):
            word = planes[_QUADS * j + i]
            out[4 * i + j] = word
            tell &= _tells(word)
    return tell


@stage
def _gumbels(noise, high, n, minimum):
    """Noise of n lanes of a block with this minimum."""
    for i in range(n):
        noise[i] = gumbel32(minimum + exponential32(high[i]))


@scalar
def _reach(best, temperature):
    """What a perturbed value must reach to be the largest, where some category has about `best`."""
    return best - fma(abs(best), _ROUNDING, fma(temperature, _TWO_SLACKS, _LEAST_NORMAL))


@scalar
def _survey(x, where, begin, end):
    """Largest of x[begin:end]; whether all that are not excluded are below LIMIT."""
    largest, good = NOTHING, True
    for j in range(begin, end):
        potential = potential_of(x, where, j)
        good &= potential < LIMIT
        largest = potential if potential > largest else largest
    return largest, good


@scalar
def race(x, where, coordinates):
    """Index of the sample, what its perturbed value is above, and whether the race tells the index.

    Categories count from the start of the coordinates. Of an invalid row it tells none.
    """
    key, row, draw, start, temperature = coordinates
    n = np.uint64(x.size)
    planes, high, noise = words32(), words32(), places32()
    best, second, index = NOTHING, NOTHING, NO_INDEX
    sure = True
    w = begin = _0
    while begin < n:
        first = start + begin
        half = first & ~_IN_HALF
        end = min(n, half + _HALF - start)
        if begin == _0 or half & _HALF == _0:
            w = block_word(key, row, draw, first >> BLOCK_SHIFT)
        word = np.uint32(w >> _32)
        largest, good = _survey(x, where, begin, end)
        sure &= good
        most = gumbel_bound(exponential_floor(w >> _32) * BLOCK_RATE)
        if fma(temperature, most, largest) > _reach(best, temperature):
            minimum = exponential32(word) * _RATE
            quads = np.int64((start + end - half + _3) >> _2)
            # The vector loops have no scalar remainder.
            _draw(planes, 1 if quads == 1 else _QUADS, coordinates, half >> _2)
            sure &= _turn(high, planes, quads) & _tells(word)
            _gumbels(noise, high, 4 if quads == 1 else (quads + 1) // 2 * 8, minimum)
            winner = winner_lane(w)
            if (winner ^ half) & _HALF == _0:
                noise[winner & _IN_HALF] = gumbel32(minimum)
            for j in range(begin, end):
                potential = potential_of(x, where, j)
                value = fma(temperature, np.float64(noise[start + j - half]), potential)
                value = value if potential > -LIMIT else NOTHING
                ahead = value > best
                chaser = best if ahead else value
                second = chaser if chaser > second else second
                best = value if ahead else best
                index = np.int64(j) if ahead else index
        begin = end
    reach = _reach(best, temperature)
    return index, (reach if sure else NOTHING), sure & (second < reach)
