"""Gumbel-max over rows of some hundred to some thousand categories: the pruned search, several rows at a time.

The blocks of several races are drawn together; each race begins with the best of its blocks' winner lanes, which need no
words of their own. Other lanes matter where their log-potentials reach what is left below their block's Gumbel. Their
quads wait in a queue and are drawn together, and so do the few lanes that may win, which are decided exactly.
"""

import numpy as np

from fastgumbel._cpu.columns import column_of, lanes_reaching, place_of_ids
from fastgumbel._cpu.contenders import decide, enter_contender, new_contenders
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.quads import MARGIN, NUMBER, PLACE, draw_quads, drop_quads, enter_quads, new_quads
from fastgumbel._cpu.races import (
    BASE,
    BEST,
    COLUMN,
    EXPONENTIAL,
    HEAT,
    INDEX,
    LEAST,
    LINE,
    MAXIMUM,
    NEAR,
    RACE,
    REACH,
    TEMPERATURE,
    THRESHOLD,
    WINNER,
    WON,
    begin,
    enter_race_draws,
    enter_rows,
    new_races,
)
from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential_floor, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, put
from fastgumbel._numba.compile import kernel, scalar, stage
from fastgumbel._numba.vector import at_least64, lowest_bit

_1 = np.uint64(1)
# Python's integers would compile a function anew for each.
_NONE, _STAGE = np.int64(0), np.int64(STAGE)
_PAIR = np.uint64(STAGE - 1)
# E_b in float32, less what it errs by, is at most the true one.
_BELOW = np.float64(1 - 2.0**-13)


@stage
def _first_largest(line, races, race):
    """Without noise, the first largest log-potential is the sample."""
    first, best = race * races.pairs, NOTHING
    for place in range(first, first + races.pairs):
        best = max(best, races.reals[MAXIMUM + place], races.reals[MAXIMUM + STAGE + place])
    if best > -LIMIT:
        for j in range(line.size):
            if line[j] == best:
                return best, np.int64(j)
    return NOTHING, NO_INDEX


@scalar
def _enter_lanes(contenders, n, i, quads, races, flat, width):
    """Let the lanes of a drawn quad, the i-th of the queue, that may win wait behind n others; how many they are."""
    integers = races.integers
    place, first = np.uint64(quads.waiting[PLACE + i]), np.uint64(4) * np.uint64(quads.waiting[NUMBER + i])
    pair = place & _PAIR
    heat, least, e_block = races.reals[HEAT + pair], races.reals[LEAST + pair], races.singles[EXPONENTIAL + place]
    for word in range(4):
        lane = first + np.uint64(word)
        high = quads.words[np.uint64(word * STAGE) + i]
        column = column_of(races.present, integers[COLUMN + place], place, lane)
        inside = (column >= 0) & (column < width)
        potential = np.float64(flat[integers[BASE + pair] + np.uint64(column if inside else 0)])
        e = np.float64(e_block) * _BELOW + exponential_floor(np.uint64(high))
        # No branch, as it would be foretold wrongly: what may not win is written over.
        enter_contender(contenders, n, place, lane, column, high)
        may_win = fma(heat, gumbel_bound(e), potential) >= least
        n += np.int64(may_win & inside & (lane != integers[WINNER + place]))
    return n


@stage
def _flush(x, n, quads, contenders, waiting, races):
    """Draw the first n quads of the queue, and let their lanes that may win wait behind `waiting` others."""
    draw_quads(quads, n, races, x)
    flat = x.reshape(x.size)
    for group in range(0, n, 64):
        hits = at_least64(quads.state, MARGIN + group, np.float32(0))
        while hits:
            i = np.uint64(group + lowest_bit(hits))
            hits &= hits - _1
            if waiting > STAGE - 4:
                decide(contenders, waiting, races, flat)
                waiting = _NONE
            waiting = _enter_lanes(contenders, waiting, i, quads, races, flat, x.shape[1])
    return waiting


@stage
def _enter_winners(contenders, waiting, races, flat):
    """Let the winner lanes that may be the best of their races wait behind others; how many they are."""
    for group in range(0, 2 * STAGE, 64):
        blocks = at_least64(races.reals, NEAR + group, 0.0)
        while blocks:
            place = np.uint64(group + lowest_bit(blocks))
            blocks &= blocks - _1
            if waiting == STAGE:
                decide(contenders, waiting, races, flat)
                waiting = _NONE
            lane, column = races.integers[WINNER + place], np.int64(races.integers[WON + place])
            enter_contender(contenders, waiting, place, lane, column, np.uint32(0))
            waiting += 1
    return waiting


@stage
def _run(x, races, count, quads, contenders):
    """Find the best of each of the first races, unless it is NaN."""
    begin(races, count, x)
    reals, integers = races.reals, races.integers
    flat, n = x.reshape(x.size), x.shape[1]
    undecided = _enter_winners(contenders, _NONE, races, flat)
    waiting = _NONE
    for group in range(0, 2 * STAGE, 64):
        blocks = at_least64(reals, REACH + group, 0.0)
        while blocks:
            place = np.uint64(group + lowest_bit(blocks))
            blocks &= blocks - _1
            base, first = np.int64(integers[BASE + (place & _PAIR)]), np.int64(integers[COLUMN + place])
            lanes = lanes_reaching(races.present, flat, base, n, first, place, reals[THRESHOLD + place])
            waiting = enter_quads(quads.waiting, waiting, place, lanes & ~(_1 << integers[WINNER + place]))
            if waiting >= STAGE:
                undecided = _flush(x, _STAGE, quads, contenders, undecided, races)
                waiting = drop_quads(quads.waiting, waiting)
    if waiting:
        undecided = _flush(x, waiting, quads, contenders, undecided, races)
    if undecided:
        decide(contenders, undecided, races, flat)
    for race in range(count):
        if reals[TEMPERATURE + race] == 0:
            best, index = _first_largest(x[integers[LINE + race]], races, race)
            reals[BEST + race], integers[INDEX + race] = best, np.uint64(index)


@kernel
def max_middle(x, field, index, value, window, ids=None):
    """Gumbel-max of each row of x, for rows of at most STAGE pairs of blocks.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with. `ids` are
    category ids instead of those that count from `start`, one row for all or each. False, and part of the results, if
    they do not ascend in a row, or span more blocks.
    """
    field, window = Field(*field), Window(*window)
    n_rows = x.shape[0]
    start, span, present = place_of_ids(ids, field.start, x.shape[1], 2 * STAGE)
    if span == 0:
        return False
    races = new_races(field.key, start, span, present)
    quads, contenders = new_quads(), new_contenders()
    room = STAGE // races.pairs
    together = min(n_rows, room)
    at_once = min(room // together, window.last_draw - window.first_draw)
    for r in range(0, n_rows, together):
        rows = min(together, n_rows - r)
        if not enter_rows(races, x, field, r, rows, at_once):
            return False
        for s in range(window.first_draw, window.last_draw, at_once):
            draws = min(at_once, window.last_draw - s)
            enter_race_draws(races, field, r, rows, s, draws)
            _run(x, races, draws * rows, quads, contenders)
            for d in range(draws):
                for i in range(rows):
                    best = races.reals[BEST + d * rows + i]
                    arg = np.int64(races.integers[INDEX + d * rows + i])
                    put(best, arg, index, value, s + d, window.row + r + i, window.column)
    return True
