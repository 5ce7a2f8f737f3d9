"""Gumbel-max over short rows: rows (and draws) as vector lanes.

STAGE lanes, each a row and a draw, go through the categories together. A float32 race with the exact high words finds
the winner and the runner-up; where they are closer than float32 can tell, the row is decided anew in float64.
"""

import numpy as np

from fastgumbel._kernels.compiling import kernel, stage
from fastgumbel._kernels.field import BLOCK_WORDS, HIGH_WORDS, block_exponential, gumbel, join, winner_lane
from fastgumbel._kernels.real import exponential32, gumbel32
from fastgumbel._kernels.reduce import NO_INDEX, NOTHING, beats, put
from fastgumbel._kernels.stage import DRAW, ROW, STAGE, draw_words, fill, row_id

# Planes of the float32 state of the race.
_MINIMUM = 0  # E_b of the block that is being raced
_WINNER = STAGE  # its winner lane
_BEST = 2 * STAGE
_SECOND = 3 * STAGE
_INDEX = 4 * STAGE  # exact in float32, as rows are short
_SMALLEST = 5 * STAGE  # smallest E_b of all blocks
_PLANES = 6

_NONE32 = np.float32(-np.inf)
_UNDECIDED = np.float32(-2)
_1 = np.uint64(1)
# The race errs by less than 2^-22 of 45 + |best| (the logs, and log-potentials relative to the row's largest), and by
# 2^-33 of an exponential since it reads no low words; two entrants may err in opposite ways.
_RELATIVE = np.float32(2.0**-20)
_OFFSET = np.float32(64)
_WORD = np.float32(2.0**-30)


@stage
def _largest(top, x, base, n, rows):
    """Largest log-potential of each row (0 where there is none) to plane 0 of `top`; plane 1 is 1 for NaN or +inf."""
    for i in range(rows):
        top[i] = NOTHING
        top[STAGE + i] = 0.0
    for j in range(n):
        at = np.uint64(base + j)
        for i in range(rows):
            v = np.float64(x[at + np.uint64(i) * np.uint64(n)])
            top[i] = v if v > top[i] else top[i]
            top[STAGE + i] = top[STAGE + i] if v < np.inf else 1.0
    for i in range(rows):
        top[i] = top[i] if top[i] > NOTHING else 0.0


@stage
def _transpose(out, top, x, base, n, rows, copies):
    """Log-potentials less their row's largest, float32, one plane a category, as often as draws are raced at once."""
    for j in range(n):
        at = np.uint64(base + j)
        to = np.uint64(j * STAGE)
        for i in range(rows):
            out[to + np.uint64(i)] = np.float32(np.float64(x[at + np.uint64(i) * np.uint64(n)]) - top[i])
        for i in range(rows, rows * copies):
            out[to + np.uint64(i)] = out[to + np.uint64(i - rows)]


@stage
def _start_race(state):
    for i in range(STAGE):
        state[_BEST + i] = _NONE32
        state[_SECOND + i] = _NONE32
        state[_SMALLEST + i] = np.inf


@stage
def _enter_block(state, n, words, odd):
    """Minimum and winner lane of a block from the words of its pair."""
    if odd:
        for i in range(n):
            low = np.uint64(words[2 * STAGE + i])
            state[_MINIMUM + i] = block_exponential(join(np.uint64(words[3 * STAGE + i]), low))
            state[_WINNER + i] = np.float32(np.int32(winner_lane(low)))
    else:
        for i in range(n):
            low = np.uint64(words[i])
            state[_MINIMUM + i] = block_exponential(join(np.uint64(words[STAGE + i]), low))
            state[_WINNER + i] = np.float32(np.int32(winner_lane(low)))
    for i in range(n):
        smaller = state[_MINIMUM + i] < state[_SMALLEST + i]
        state[_SMALLEST + i] = state[_MINIMUM + i] if smaller else state[_SMALLEST + i]


@stage
def _race(state, n, words, word, lane, potentials, column):
    """Let one category take part; `word` is its word of the quad."""
    drawn = np.uint64(word * STAGE)
    entered = np.uint64(column * STAGE)
    here = np.float32(lane)
    index = np.float32(column)
    for i in range(n):
        e = state[_MINIMUM + i]
        e += np.float32(0) if state[_WINNER + i] == here else exponential32(words[drawn + np.uint64(i)])
        value = potentials[entered + np.uint64(i)] + gumbel32(e)
        best = state[_BEST + i]
        second = state[_SECOND + i]
        ahead = value > best
        chaser = best if ahead else value
        state[_SECOND + i] = chaser if chaser > second else second
        state[_BEST + i] = value if ahead else best
        state[_INDEX + i] = index if ahead else state[_INDEX + i]


@stage
def _judge(state, n):
    """Leave the index of every decided race, and -2 where float32 cannot tell."""
    for i in range(n):
        best = state[_BEST + i]
        slack = _RELATIVE * (_OFFSET + abs(best)) + _WORD / state[_SMALLEST + i]
        clear = state[_SECOND + i] < best - slack
        state[_INDEX + i] = state[_INDEX + i] if clear else _UNDECIDED


@stage
def _decide(x, base, n, row, draw, key, start):
    """The definition: the first largest float64 perturbed value of a row, and its index."""
    best, index = NOTHING, NO_INDEX
    for j in range(n):
        potential = np.float64(x[base + j])
        if potential > NOTHING:
            value = potential + gumbel(key, row, draw, start + np.uint64(j))
            if beats(value, j, best, index):
                best, index = value, j
    return best, index


@kernel
def max_short(x, rows, field, index, value, place):
    """Gumbel-max of each row of x, for rows of few categories; arguments as in `max_long`."""
    key, first_row, draw, start = field
    first_draw, last_draw, to_row, column = place
    n_rows, n = x.shape
    n_draws = last_draw - first_draw
    want_value = value.size > 0
    flat = x.reshape(n_rows * n)
    together = min(n_rows, STAGE)
    draws_at_once = min(STAGE // together, n_draws)
    potentials = np.empty(n * STAGE, np.float32)
    top = np.empty(2 * STAGE)
    state = np.ones(_PLANES * STAGE, np.float32)
    counters = np.zeros(3 * STAGE, np.uint64)
    words = np.zeros(4 * STAGE, np.uint32)
    first_quad = start >> np.uint64(2)
    last_quad = (start + np.uint64(n - 1)) >> np.uint64(2)
    for r in range(0, n_rows, together):
        count = min(together, n_rows - r)
        _largest(top, flat, r * n, n, count)
        _transpose(potentials, top, flat, r * n, n, count, draws_at_once)
        for i in range(count):
            counters[ROW + i] = row_id(rows, first_row, r + i)
        for i in range(count, count * draws_at_once):
            counters[ROW + i] = counters[ROW + i - count]
        for s in range(0, n_draws, draws_at_once):
            raced = min(draws_at_once, n_draws - s)
            lanes = count * raced
            for d in range(raced):
                for i in range(count):
                    counters[DRAW + d * count + i] = draw + np.uint64(first_draw + s + d)
            _start_race(state)
            for quad in range(first_quad, last_quad + _1):
                if quad == first_quad or quad & np.uint64(15) == 0:
                    block = np.uint64(quad) >> np.uint64(4)
                    fill(counters, 0, lanes, BLOCK_WORDS | (block >> _1))
                    draw_words(words, counters, lanes, key)
                    _enter_block(state, lanes, words, block & _1)
                fill(counters, 0, lanes, HIGH_WORDS | np.uint64(quad))
                draw_words(words, counters, lanes, key)
                for word in range(4):
                    j = np.int64(np.uint64(quad) << np.uint64(2)) - np.int64(start) + word
                    if 0 <= j < n:
                        lane = np.int64((np.uint64(quad) & np.uint64(15)) << np.uint64(2)) + word
                        _race(state, lanes, words, word, lane, potentials, j)
            _judge(state, lanes)
            for d in range(raced):
                for i in range(count):
                    lane = d * count + i
                    arg = np.int64(state[_INDEX + lane])
                    best = NOTHING
                    if top[STAGE + i] != 0:
                        best, arg = np.nan, NO_INDEX
                    elif want_value or arg == _UNDECIDED:
                        row, at = counters[ROW + lane], (r + i) * n
                        if arg == _UNDECIDED:
                            best, arg = _decide(flat, at, n, row, counters[DRAW + lane], key, start)
                        elif arg >= 0:
                            category = start + np.uint64(arg)
                            best = np.float64(flat[at + arg]) + gumbel(key, row, counters[DRAW + lane], category)
                    put(best, arg, index, value, first_draw + s + d, to_row + r + i, column)
