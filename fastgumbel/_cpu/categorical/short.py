"""Few draws from each of many short rows: rows as vector slots.

The running sums are float32, and so is the target; where it lies so near a sum that float32 cannot tell on which side,
the row is decided anew by the integers of the definition.
"""

import numpy as np

from fastgumbel._cpu.parameters import Field, Line, Window
from fastgumbel._cpu.slots import survey_valid, turn
from fastgumbel._cpu.stage import DRAW, STAGE, draw_words, enter_draws, enter_rows, fill, temperature_of
from fastgumbel._law.race import COLDEST
from fastgumbel._law.real import decay32
from fastgumbel._law.reduce import NO_INDEX
from fastgumbel._law.weights import DRAW_WORDS, bisect, cumulate, target
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty, zeros

# Planes of float32. Numbers of sums that are surely passed, in the end the category, and of those that may be.
_PASSED = 0
_REACHED = STAGE
_TOTAL = 2 * STAGE
_BELOW = 3 * STAGE
_ABOVE = 4 * STAGE
# 1 / T, and what float32 may be off by: by everything where it cannot hold the inverse.
_RATE = 5 * STAGE
_SLACK = 6 * STAGE
_PLANES = 7
# A plane of counters after their draws: whether these are odd.
_ODD = 3 * STAGE

_1 = np.uint64(1)
_8 = np.uint32(8)
_INVALID = np.float32(NO_INDEX)
_UNDECIDED = np.float32(-2)
_STEP24 = np.float32(2.0**-24)
_HOTTEST = np.float64(1e30)


@stage
def _enter_temperatures(state, temperatures, r, rows, slack):
    """Rates and slacks of rows from r on."""
    one, infinite = np.float64(1), np.float32(np.inf)
    for i in range(rows):
        temperature = temperatures[np.uint64(r) + np.uint64(i)] if temperatures.size > 1 else temperatures[0]
        known = (temperature >= COLDEST) & (temperature <= _HOTTEST)
        state[_RATE + i] = np.float32(one / (temperature if known else one))
        state[_SLACK + i] = slack if known else infinite


@stage
def _cumulate(sums, state, largest, potentials, n, rows):
    """Running sums of exp((x - largest) / T), one plane a category; all 0 in invalid rows."""
    for i in range(rows):
        state[_TOTAL + i] = 0
    for j in range(n):
        at = np.uint64(j * STAGE)
        # Two loops, as one would compute in vectors of as many float32 as there are float64.
        for i in range(rows):
            sums[at + np.uint64(i)] = potentials[at + np.uint64(i)] - largest[i]
        for i in range(rows):
            state[_TOTAL + i] += decay32(sums[at + np.uint64(i)] * state[_RATE + i])
            sums[at + np.uint64(i)] = state[_TOTAL + i]


@stage
def _set_targets(state, words, word, rows):
    """Below and above the target of each row; `word` is the plane of the high halves."""
    at = np.uint64(word * STAGE)
    for i in range(rows):
        u = np.float32(np.int32(words[at + np.uint64(i)] >> _8)) * _STEP24
        state[_BELOW + i] = state[_TOTAL + i] * (u - state[_SLACK + i])
        state[_ABOVE + i] = state[_TOTAL + i] * (u + state[_SLACK + i])
        state[_PASSED + i] = 0
        state[_REACHED + i] = 0


@stage
def _count(state, sums, n, rows):
    """How many sums the target has surely passed, and how many it may have reached."""
    one, none = np.float32(1), np.float32(0)
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            state[_PASSED + i] += one if sums[at + np.uint64(i)] <= state[_BELOW + i] else none
            state[_REACHED + i] += one if sums[at + np.uint64(i)] <= state[_ABOVE + i] else none


@stage
def _judge(state, rows):
    """Mark invalid rows, and those that float32 cannot decide; the number of the latter."""
    undecided = 0
    for i in range(rows):
        passed = state[_PASSED + i]
        close = passed != state[_REACHED + i]
        valid = state[_TOTAL + i] > 0
        passed = _UNDECIDED if close else passed
        state[_PASSED + i] = passed if valid else _INVALID
        undecided += close & valid
    return undecided


@stage
def _write(index, draw, row, state, rows):
    """Store what the slots have found."""
    for i in range(rows):
        index[np.uint64(draw), np.uint64(row) + np.uint64(i)] = np.int64(np.int32(state[_PASSED + i]))


@stage
def _draw_own(words, counters, n, key):
    """Words of slots, each of a draw of its own: those of odd draws to where those of even ones are."""
    for i in range(n):
        counters[_ODD + i] = counters[DRAW + i] & _1
        counters[DRAW + i] >>= _1
    draw_words(words, counters, n, key)
    for i in range(n):
        odd = counters[_ODD + i] > 0
        words[i] = words[2 * STAGE + i] if odd else words[i]
        words[STAGE + i] = words[3 * STAGE + i] if odd else words[STAGE + i]


@stage
def _decide(line, n, largest, temperature, words, word, i, sums):
    """The definition, for a row in a `Line`."""
    x, at = line
    total = cumulate(sums, x, at, n, np.float64(largest), temperature)
    t = target(np.uint64(words[(word - 1) * STAGE + i]), np.uint64(words[word * STAGE + i]), total)
    return bisect(sums, n, t)


@kernel
def draw_short(x, field, index, window):
    """Draws of each row of x, for rows of few categories, to index[s, r].

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index`.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    flat = x.reshape(n_rows * n)
    # An exp32 and a difference are within 2^-23 and 0.4 2^-24 of the total, and each sum rounds once more.
    slack = np.float32((2 * n + 8) * 2.0**-23)
    potentials = empty((n + 7) * STAGE, x.dtype)
    largest = empty(STAGE, x.dtype)
    sums = empty(n * STAGE, np.float32)
    exact = empty(n, np.uint64)
    state = zeros(_PLANES * STAGE, np.float32)
    fill(state, _RATE, STAGE, np.float32(1))
    fill(state, _SLACK, STAGE, slack)
    counters = zeros(4 * STAGE, np.uint64)
    words = zeros(4 * STAGE, np.uint32)
    fill(counters, 0, STAGE, DRAW_WORDS)
    for r in range(0, n_rows, STAGE):
        count = min(STAGE, n_rows - r)
        turn(potentials, flat, r * n, n, count)
        survey_valid(largest, potentials, n, count)
        if field.temperatures.size:
            _enter_temperatures(state, field.temperatures, r, count, slack)
        _cumulate(sums, state, largest, potentials, n, count)
        enter_rows(counters, 0, count, field, r)
        for s in range(window.first_draw, window.last_draw):
            d = field.draw + np.uint64(s)
            word = 3 if d & _1 else 1
            if field.draws.size:
                enter_draws(counters, 0, count, field, r, s)
                _draw_own(words, counters, count, field.key)
                word = 1
            elif s == window.first_draw or d & _1 == 0:
                fill(counters, DRAW, count, d >> _1)
                draw_words(words, counters, count, field.key)
            _set_targets(state, words, word, count)
            _count(state, sums, n, count)
            undecided = _judge(state, count)
            _write(index, s, window.row + r, state, count)
            for i in range(count if undecided else 0):
                if state[_PASSED + i] == _UNDECIDED:
                    temperature = temperature_of(field.temperatures, r + i)
                    c = _decide(Line(flat, (r + i) * n), n, largest[i], temperature, words, word, i, exact)
                    index[s, window.row + r + i] = c
