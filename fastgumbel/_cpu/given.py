"""Noise conditioned on a choice, row by row.

In exponential space the choice is the first of all to finish, at a time t that is exponential with rate Z = sum exp(x),
and by the lack of memory each other category finishes a fresh exponential later: E_c = t exp(x_c) + e_c. At another
temperature T than 1, x / T takes the place of x; at 0 the choice is the first of the largest, and tells nothing.
"""

import numpy as np

from fastgumbel._cpu.noise_row import exponential_row, row_scratch
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.row import total
from fastgumbel._cpu.stage import coordinates_at, fill, temperature_of
from fastgumbel._law.ops import fma
from fastgumbel._law.real import decay, log, log64
from fastgumbel._law.reduce import INVALID_CHOICE, INVALID_ROW, LIMIT
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.memory import empty


@stage
def divisor(temperature, w):
    """The nearest temperature that is a normal number of the type of w, as 0 / 0 and -inf / inf are none."""
    limits = np.finfo(w.dtype)
    return w.dtype.type(min(max(temperature, np.float64(limits.tiny)), np.float64(limits.max)))


@stage
def below(potential, largest, temperature):
    """How far a log-potential lies below the largest, in units of the temperature."""
    distance = potential - largest
    return distance if distance == 0 else distance / temperature


@stage
def _weights(w, x, at, n, temperature):
    """exp((x - largest) / temperature) to w; the largest, or NaN where there is no valid one."""
    largest = -np.inf
    good = True
    for i in range(n):
        v = np.float64(x[np.uint64(at) + np.uint64(i)])
        good &= v < LIMIT
        largest = v if v > largest else largest
    if not (good and largest > -LIMIT):
        return np.nan
    top = x.dtype.type(largest)
    if temperature == 1:
        for i in range(n):
            w[i] = decay(x[np.uint64(at) + np.uint64(i)] - top)
        return largest
    by, least = divisor(temperature, w), x.dtype.type(-LIMIT)
    for i in range(n):
        v = x[np.uint64(at) + np.uint64(i)]
        w[i] = (v - top) / by if v > least else x.dtype.type(-np.inf)
    for i in range(n):
        w[i] = decay(w[i])
    return largest


@stage
def _finish(out, at, w, time, n):
    """Fresh exponentials into Gumbels that lie below the choice's perturbed value."""
    for i in range(n):
        place = np.uint64(at) + np.uint64(i)
        out[place] = -log(w[i] * time + out[place])


@stage
def _rivals(out, at, x, x_at, n, choice, temperature):
    """How many have at least the value of the choice, which is one of them."""
    best = fma(temperature, np.float64(out[at + choice]), np.float64(x[x_at + choice]))
    count = 0
    for i in range(n):
        potential = np.float64(x[np.uint64(x_at) + np.uint64(i)])
        count += np.int64(fma(temperature, np.float64(out[np.uint64(at) + np.uint64(i)]), potential) >= best)
    return count


@stage
def yield_to(out, at, x, x_at, n, choice, temperature):
    """Lower by a rounding error or two whatever beats the choice in float64, or is equal and stands before it."""
    best = fma(temperature, np.float64(out[at + choice]), np.float64(x[x_at + choice]))
    for i in range(n):
        potential = np.float64(x[x_at + i])
        if temperature != 1 and not potential > -LIMIT:
            continue
        step = np.float64(np.finfo(out.dtype).eps)
        value = fma(temperature, np.float64(out[at + i]), potential)
        while i != choice and (value > best or (i < choice and value == best)):
            out[at + i] = out[at + i] - out.dtype.type(step * max(1.0, abs(np.float64(out[at + i]))))
            step *= 2
            value = fma(temperature, np.float64(out[at + i]), potential)


@stage
def refused(x, at, n, largest, choice, faulty, row):
    """Whether the row x[at : at + n] or its choice is invalid; what is wrong goes to faulty[row]."""
    fault = 0
    if largest != largest:
        fault = INVALID_ROW
    elif not 0 <= choice < n or not x[at + choice] > -LIMIT:
        fault = INVALID_CHOICE
    if fault and faulty[row] != INVALID_ROW:
        faulty[row] = fault
    return fault != 0


@kernel
def given_choice(x, field, choices, out, faulty, window, drawn):
    """Noise of the rows of x given choices[s, r], into out[s, r, :]; at temperature 0, the first of the largest.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `choices` and `out`. `drawn`
    says that fresh exponentials stand in `out` already. faulty[r] becomes INVALID_ROW or INVALID_CHOICE, and the noise
    of such a row NaN.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    all_rows = out.shape[1]
    potentials = x.reshape(n_rows * n)
    results = out.reshape(out.size)
    scratch = row_scratch(out)
    w = empty(n, out.dtype)
    for r in range(n_rows):
        to_row = window.row + r
        temperature = temperature_of(field.temperatures, r)
        largest = _weights(w, potentials, r * n, n, temperature)
        sum_ = total(w, 0, n)
        if temperature == 0:
            # Nothing is known of the noise, as if the choice had been alone.
            sum_ = 1.0
            fill(w, 0, n, 0.0)
        for s in range(window.first_draw, window.last_draw):
            at = (s * all_rows + to_row) * n
            choice = choices[s, to_row]
            if refused(potentials, r * n, n, largest, choice, faulty, to_row):
                fill(results, at, n, np.nan)
                continue
            if not drawn:
                exponential_row(results, at, n, coordinates_at(field, r, s), scratch)
            time = np.float64(results[at + choice]) / sum_
            _finish(results, at, w, out.dtype.type(time), n)
            own = np.float64(potentials[r * n + choice])
            results[at + choice] = -log64(time) - below(own, largest, temperature)
            if _rivals(results, at, potentials, r * n, n, choice, temperature) > 1:
                yield_to(results, at, potentials, r * n, n, choice, temperature)
