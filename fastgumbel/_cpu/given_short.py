"""Noise conditioned on a choice, of short rows: rows (and draws) as vector slots."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.given import below, divisor, refused, yield_to
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.slot_sums import SPARE, total_of_planes
from fastgumbel._cpu.slots import repeat, slot_scratch, survey_valid, turn, turn_back
from fastgumbel._cpu.stage import (
    STAGE,
    draw_words,
    enter_draws,
    enter_rows,
    exponentials,
    fill,
    temperature_of,
)
from fastgumbel._law.field import OTHER_WORDS
from fastgumbel._law.ops import fma
from fastgumbel._law.real import decay, log, log64
from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty

_1 = np.uint64(1)


class _Slots(NamedTuple):
    """What is known of each slot.

    `tops` are largest log-potentials, and `times` when the choice is due, in the type of the noise; the others are
    float64: temperatures, sums of weights, exact times, perturbed values of the choices; and the choices, of which the
    noise may not be the largest where `beaten` is not 0.
    """

    tops: Any
    times: Any
    temperatures: Any
    sums: Any
    exact: Any
    best: Any
    choices: Any
    beaten: Any


@stage
def _weigh(w, x, slots, n, rows):
    """exp(x - top)."""
    tops = slots.tops
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            w[at + np.uint64(i)] = decay(x[at + np.uint64(i)] - tops[i])


@stage
def _weigh_cooled(w, x, slots, divisors, n, rows):
    """exp((x - top) / temperature); 0 where the temperature is 0."""
    tops, least, temperatures = slots.tops, x.dtype.type(-LIMIT), slots.temperatures
    for i in range(rows):
        divisors[i] = divisor(temperatures[i], w)
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(rows):
            v = x[at + np.uint64(i)]
            w[at + np.uint64(i)] = (v - tops[i]) / divisors[i] if v > least else x.dtype.type(-np.inf)
        for i in range(rows):
            w[at + np.uint64(i)] = decay(w[at + np.uint64(i)])
            if temperatures[i] == 0:
                w[at + np.uint64(i)] = 0


@stage
def _fresh(e, scratch, n, slots, start, key):
    """Exponentials that the field does not use, at n categories from `start` on; see `exponential_row`."""
    _, counters, high, low = scratch
    first_quad = start >> np.uint64(2)
    skipped = np.int64(start & np.uint64(3))
    for q in range((skipped + n + 3) // 4):
        index = OTHER_WORDS | ((first_quad + np.uint64(q)) << _1)
        fill(counters, 0, slots, index)
        draw_words(high, counters, slots, key)
        if e.itemsize == 8:
            fill(counters, 0, slots, index | _1)
            draw_words(low, counters, slots, key)
        for word in range(4):
            j = 4 * q + word - skipped
            if 0 <= j < n:
                exponentials(e, j * STAGE, slots, high, low, word * STAGE)


@stage
def _time(slots, e, n):
    """When the choices are due."""
    times, sums, exact, choices = slots.times, slots.sums, slots.exact, slots.choices
    for i in range(n):
        place = np.uint64(choices[i] * STAGE) + np.uint64(i)
        exact[i] = np.float64(e[place]) / sums[i]
        times[i] = exact[i]


@stage
def _finish(e, w, slots, n, count):
    """Fresh exponentials into Gumbels that lie below the choice's perturbed value."""
    times = slots.times
    for j in range(n):
        at = np.uint64(j * STAGE)
        for i in range(count):
            place = at + np.uint64(i)
            e[place] = -log(w[place] * times[i] + e[place])


@stage
def _choose(e, x, slots, n):
    """Noise of the choices, and their perturbed values."""
    tops, temperatures, exact, best, choices = slots.tops, slots.temperatures, slots.exact, slots.best, slots.choices
    for i in range(n):
        exact[i] = -log64(exact[i])
    for i in range(n):
        place = np.uint64(choices[i] * STAGE) + np.uint64(i)
        potential = np.float64(x[place])
        e[place] = exact[i] - below(potential, np.float64(tops[i]), temperatures[i])
        best[i] = fma(temperatures[i], np.float64(e[place]), potential)


@stage
def _compare(e, x, slots, n, count):
    """Which choices another category beats, or equals and stands before it; of excluded ones `yield_to` takes care."""
    temperatures, best, choices, beaten = slots.temperatures, slots.best, slots.choices, slots.beaten
    fill(beaten, 0, count, 0)
    for j in range(n):
        at, column = np.uint64(j * STAGE), np.int64(j)
        for i in range(count):
            value = fma(temperatures[i], np.float64(e[at + np.uint64(i)]), np.float64(x[at + np.uint64(i)]))
            beats = (value > best[i]) | ((value == best[i]) & (column < choices[i]))
            beaten[i] |= np.int64(beats & (column != choices[i]))


@kernel
def given_short(x, field, choices, out, faulty, window):
    """Noise of the rows of x given choices[s, r], into out[s, r, :], for rows of few categories.

    The arguments are those of `given_choice`.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    all_rows = out.shape[1]
    flat = x.reshape(n_rows * n)
    results = out.reshape(out.size)
    together = min(n_rows, STAGE)
    at_once = min(STAGE // together, window.last_draw - window.first_draw)
    potentials = empty((n + 7) * STAGE, x.dtype)
    w = empty((n + SPARE) * STAGE, out.dtype)
    e = empty((n + 7) * STAGE, out.dtype)
    slots = _Slots(
        empty(STAGE, x.dtype),
        empty(STAGE, out.dtype),
        empty(STAGE, np.float64),
        empty(STAGE, np.float64),
        empty(STAGE, np.float64),
        empty(STAGE, np.float64),
        empty(STAGE, np.int64),
        empty(STAGE, np.int64),
    )
    divisors = empty(STAGE, out.dtype)
    scratch = slot_scratch(out)
    counters = scratch.counters
    for r in range(0, n_rows, together):
        count, to_row = min(together, n_rows - r), window.row + r
        turn(potentials, flat, r * n, n, count)
        survey_valid(slots.tops, potentials, n, count)
        for i in range(count):
            slots.temperatures[i] = temperature_of(field.temperatures, r + i)
        if field.temperatures.size:
            _weigh_cooled(w, potentials, slots, divisors, n, count)
        else:
            _weigh(w, potentials, slots, n, count)
        total_of_planes(slots.sums, w, n, count)
        repeat(potentials, n, count, at_once)
        repeat(w, n, count, at_once)
        for d in range(at_once):
            enter_rows(counters, d * count, count, field, r)
            for i in range(count):
                slots.tops[d * count + i] = slots.tops[i]
                slots.temperatures[d * count + i] = slots.temperatures[i]
                slots.sums[d * count + i] = 1.0 if slots.temperatures[i] == 0 else slots.sums[i]
        for s in range(window.first_draw, window.last_draw, at_once):
            drawn = min(at_once, window.last_draw - s)
            for d in range(drawn):
                enter_draws(counters, d * count, count, field, r, s + d)
                for i in range(count):
                    choice = choices[s + d, to_row + i]
                    fault = refused(flat, (r + i) * n, n, slots.tops[i], choice, faulty, to_row + i)
                    slots.choices[d * count + i] = 0 if fault else choice
            _fresh(e, scratch, n, count * drawn, field.start, field.key)
            _time(slots, e, count * drawn)
            _finish(e, w, slots, n, count * drawn)
            _choose(e, potentials, slots, count * drawn)
            _compare(e, potentials, slots, n, count * drawn)
            for d in range(drawn):
                base = ((s + d) * all_rows + to_row) * n
                turn_back(results, base, e, d * count, n, count)
                for i in range(count):
                    choice = choices[s + d, to_row + i]
                    if refused(flat, (r + i) * n, n, slots.tops[i], choice, faulty, to_row + i):
                        fill(results, base + i * n, n, np.nan)
                    elif slots.beaten[d * count + i]:
                        yield_to(results, base + i * n, flat, (r + i) * n, n, choice, slots.temperatures[i])
