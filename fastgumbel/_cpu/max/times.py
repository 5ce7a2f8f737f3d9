"""Finishing times of races over short rows, in float32, from above.

The largest x_c + T G_c is the smallest finishing time E_c exp((m - x_c) / T), whatever m; here it is the row's largest
log-potential, so that no weight exp((m - x_c) / T) is below 1. A time takes no logarithm and no exponential: between
two powers of two the logarithm is above its chord, and the bits of a float count along the chords. So what stands here
for a time is, but for SLACK, at least it and at most RATIO times it.
"""

import math

import numpy as np

from fastgumbel._cpu.slots import MINIMUM, WINNER
from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.field import winner_lane
from fastgumbel._law.ops import bits, fma, real
from fastgumbel._law.race import VAGUE_FROM
from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import scalar, stage
from fastgumbel._numba.vector import lesser

# Planes of the float32 state of a race, after those of the block at hand: the least time, and 0, or infinity where
# nothing is known of a block.
LEAST = 2 * STAGE
UNKNOWN = 3 * STAGE
PLANES = 4

# An exponential is at most 1.0370 times too large; a weight at most 1.0615 times, and a sharp one 1.0132 times. The
# rest is for roundings; for weights, which are known within 2^-16; for low words, of which times beyond LATEST may tell
# less than it is for; and for those of lanes whose block has a high word below _CLEAR_FROM, beside which they count.
RATIO, SHARP_RATIO = np.float32(1.103), np.float32(1.053)
LATEST = np.float32(12)
_CLEAR_FROM = np.uint32(2**16)
_CLEAR = np.uint32(VAGUE_FROM - _CLEAR_FROM)

# u + a u^2 is at least -log(1 - u) up to u = 1/2, where it is equal; for u in steps of 2^-32.
_STEP = np.float32(2.0**-32)
_SQUARE = np.float32((4 * math.log(2) - 2) * 2.0**-64)
# -log(1 - u) from there on, by the bits of (u - 1)^2 in steps of 2^-64: half a logarithm errs by half of its chord.
_CHORD = np.float32(-math.log(2) * 2.0**-24)
_OFFSET = np.float32(95.5 * math.log(2))
_RATE = np.float32(1 / 64)

# The bits of a weight are 127 2^23 more than its base-2 logarithm in steps of 2^-23. Where it is cut, it cannot win
# against the weight 1, as exponentials lie between 2^-59 and 38.
_UNIT = 2.0**23 * math.log2(math.e)
_ONE = 127 * 2.0**23
# A weight with the mantissa m is at least 1 / (1 - (log(2) - 1/2) (m - 1) (2 - m)) times too large.
_ABOVE = np.float32(0.1931)
_MANTISSA, _ONE_BITS = np.uint32(2**23 - 1), np.uint32(127 << 23)
_1, _2, _3 = np.float32(1), np.float32(2), np.float32(3)
_CUT = 240 * 2.0**23


@stage
def enter_rates(rates, temperatures, rows):
    """What a distance from the largest log-potential adds to the bits of a weight, by the temperatures."""
    unit = rates.dtype.type(_UNIT)
    for i in range(rows):
        rates[i] = unit / rates.dtype.type(temperatures[i])


@stage
def weigh(weights, largest, rates, potentials, n, rows):
    """Weights of n categories, a plane each, which cannot win where log-potentials are at most -LIMIT.

    What they are in a row without a valid largest means nothing.
    """
    kind = largest.dtype.type
    one, cut, excluded = kind(_ONE), kind(_CUT), kind(-LIMIT)
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            v = potentials[at + np.uint64(i)]
            steps = fma(largest[i] - v, rates[i], one)
            steps = steps if (steps < cut) & (v > excluded) else cut
            weights[at + np.uint64(i)] = real(np.uint32(np.int32(steps)))


@stage
def sharpen(weights, n, rows):
    """Take from the weights of n categories most of what they are too large by, so that times are within SHARP_RATIO.

    It pays where a row has few categories: fewer may then win, by what is known.
    """
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            weight = weights[at + np.uint64(i)]
            m = real(np.uint32(np.uint32(bits(weight) & _MANTISSA) | _ONE_BITS))
            weights[at + np.uint64(i)] = weight * fma(fma(m, _3 - m, -_2), -_ABOVE, _1)


@scalar
def _exponential(word):
    """Of a high word, an exponential from above."""
    # As a signed integer, it is in steps of 2^-32 the uniform u below 1/2, and u - 1 from there on.
    u = np.float32(np.int32(word))
    chord = fma(np.float32(np.int32(bits(u * u))), _CHORD, _OFFSET)
    return u * fma(u, _SQUARE, _STEP) if np.int32(word) >= 0 else chord


@stage
def begin(state):
    """Nothing has been raced."""
    for i in range(STAGE):
        state[LEAST + i] = np.float32(np.inf)
        state[UNKNOWN + i] = np.float32(0)


@scalar
def _enter_block(state, high, low, i, own):
    """E_b of slot i, and how the winner lane differs from `own`, from a block's words."""
    state[MINIMUM + i] = _exponential(high) * _RATE
    state[WINNER + i] = np.float32(np.int32(winner_lane(np.uint64(low)) ^ own))
    clear = np.uint32(high - _CLEAR_FROM) < _CLEAR
    state[UNKNOWN + i] += np.float32(0) if clear else np.float32(np.inf)


@stage
def enter_block(state, words, odd, n):
    """Let a block, of its pair the even or the odd one, be that at hand."""
    none = np.uint64(0)
    if odd:
        for i in range(n):
            _enter_block(state, words[3 * STAGE + i], words[2 * STAGE + i], i, none)
    else:
        for i in range(n):
            _enter_block(state, words[STAGE + i], words[i], i, none)


@stage
def enter_blocks_of(state, words, ids, at, n):
    """Let the block at hand be that of the id in ids[at:]; its words are the first two, and the lane of an id is 0."""
    for i in range(n):
        own = ids[np.uint64(at) + np.uint64(i)] & np.uint64(63)
        _enter_block(state, words[STAGE + i], words[i], i, own)


@scalar
def _time(state, word, weight, lane, i):
    e = _exponential(word)
    return (state[MINIMUM + i] + (np.float32(0) if state[WINNER + i] == lane else e)) * weight


@stage
def race(times, state, words, word, lane, column, n):
    """Turn the weights of a category into times, by its word of the quad."""
    drawn, at, here = np.uint64(word * STAGE), np.uint64(column * STAGE), np.float32(lane)
    for i in range(n):
        time = _time(state, words[drawn + np.uint64(i)], times[at + np.uint64(i)], here, i)
        times[at + np.uint64(i)] = time
        state[LEAST + i] = lesser(time, state[LEAST + i])


@stage
def race_quad(times, state, words, lane, column, n):
    """The same for the four categories of a quad."""
    at, here = np.uint64(column * STAGE), np.float32(lane)
    for i in range(n):
        place = at + np.uint64(i)
        a = _time(state, words[i], times[place], here, i)
        b = _time(state, words[STAGE + i], times[place + np.uint64(STAGE)], here + np.float32(1), i)
        c = _time(state, words[2 * STAGE + i], times[place + np.uint64(2 * STAGE)], here + np.float32(2), i)
        d = _time(state, words[3 * STAGE + i], times[place + np.uint64(3 * STAGE)], here + np.float32(3), i)
        times[place] = a
        times[place + np.uint64(STAGE)] = b
        times[place + np.uint64(2 * STAGE)] = c
        times[place + np.uint64(3 * STAGE)] = d
        state[LEAST + i] = lesser(lesser(lesser(a, b), lesser(c, d)), state[LEAST + i])
