"""Gumbel-max over rows of some hundred to some thousand categories: the pruned search, several rows at a time.

The blocks of several races are drawn together; each race begins with the best of its blocks' winner lanes, which need
no words of their own. Other lanes matter where their log-potentials reach what is left below their block's Gumbel.
Their quads wait in a queue and are drawn together, and so do the few lanes that may win, which are decided exactly.
"""

import numpy as np

from fastgumbel._cpu.max.contenders import decide, enter_contender, new_contenders
from fastgumbel._cpu.max.quads import PLACE, QUADS, ROOM, draw_quads, enter_quads, list_blocks, new_quads
from fastgumbel._cpu.max.races import (
    BEST,
    COLUMN,
    EXPONENTIAL,
    HEAT,
    INDEX,
    ITEM,
    LEAST,
    LINE,
    NEAR,
    TEMPERATURE,
    WINNER,
    begin,
    enter_race_draws,
    enter_rows,
    index_at,
    new_races,
)
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential_floor, gumbel_bound
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, put
from fastgumbel._numba.compile import kernel, scalar, stage
from fastgumbel._numba.masks import any_at_most64, at_least64, count_bits, lowest_bit

_1 = np.uint64(1)
# A literal would compile a function anew.
_NONE = np.int64(0)
_PAIR = np.uint64(STAGE - 1)
# E_b in float32, less what it errs by, is at most the true one.
_BELOW = np.float64(1 - 2.0**-13)


@stage
def _first_largest(x, races, race):
    """Without noise, the first largest log-potential is the sample."""
    line = np.int64(races.integers[LINE + race])
    best, index = NOTHING, NO_INDEX
    for j in range(x.shape[1]):
        potential = np.float64(x[line, j])
        if potential >= best and potential > -LIMIT:
            here = index_at(races, line * x.shape[1] + j, np.int64(j))
            if index == NO_INDEX or beats(potential, here, best, index):
                best, index = potential, here
    return best, index


@scalar
def _enter_lanes(contenders, n, i, quads, races, flat, width):
    """Let the lanes of a drawn quad, the i-th of the queue, that may win wait behind n others; how many they are."""
    integers, waiting = races.integers, np.uint64(quads.waiting[i])
    place, first = quads.blocks[PLACE + (waiting >> np.uint64(4))], np.uint64(4) * (waiting & np.uint64(15))
    pair = place & _PAIR
    heat, least, e_block = races.reals[HEAT + pair], races.reals[LEAST + pair], races.singles[EXPONENTIAL + place]
    low = np.uint64(0)
    for word in range(4):
        low |= np.uint64(quads.words[np.uint64(word * STAGE) + i] <= quads.limits[i]) << np.uint64(word)
    while low:
        word = np.uint64(lowest_bit(low))
        low &= low - _1
        lane = first + word
        high = quads.words[word * np.uint64(STAGE) + i]
        column = np.int64(integers[COLUMN + place] + lane)
        inside = (column >= 0) & (column < width)
        potential = np.float64(flat[integers[ITEM + place] + lane if inside else np.uint64(0)])
        e = np.float64(e_block) * _BELOW + exponential_floor(np.uint64(high))
        # No branch, as it would be foretold wrongly: what may not win is written over.
        enter_contender(contenders, n, place, lane, high)
        may_win = fma(heat, gumbel_bound(e), potential) >= least
        n += np.int64(may_win & inside & (lane != integers[WINNER + place]))
    return n


@stage
def _flush(flat, width, n, quads, contenders, waiting, races):
    """Draw the n quads of the queue, and let their lanes that may win wait behind `waiting` others."""
    draw_quads(quads, n, races.key)
    for group in range(0, n, 64):
        hits = any_at_most64(quads.words, group, STAGE, quads.limits)
        hits &= ~np.uint64(0) >> np.uint64(max(group + 64 - n, 0))
        while hits:
            i = np.uint64(group + lowest_bit(hits))
            hits &= hits - _1
            if waiting > STAGE - 4:
                decide(contenders, waiting, races, flat)
                waiting = _NONE
            waiting = _enter_lanes(contenders, waiting, i, quads, races, flat, width)
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
            enter_contender(contenders, waiting, place, races.integers[WINNER + place], np.uint32(0))
            waiting += 1
    return waiting


@stage
def _run(x, flat, races, count, quads, contenders):
    """Find the best of each of the first races, unless it is NaN."""
    n = x.shape[1]
    begin(races, count, flat, n)
    reals, integers = races.reals, races.integers
    undecided = _enter_winners(contenders, _NONE, races, flat)
    waiting = _NONE
    for i in range(list_blocks(quads, races, x, flat)):
        if waiting + count_bits(quads.blocks[QUADS + i]) > ROOM:
            undecided = _flush(flat, n, waiting, quads, contenders, undecided, races)
            waiting = _NONE
        waiting = enter_quads(quads, waiting, i, races)
    if waiting:
        undecided = _flush(flat, n, waiting, quads, contenders, undecided, races)
    if undecided:
        decide(contenders, undecided, races, flat)
    for race in range(count):
        if reals[TEMPERATURE + race] == 0:
            best, index = _first_largest(x, races, race)
            reals[BEST + race], integers[INDEX + race] = best, np.uint64(index)


@kernel
def max_middle(x, field, index, value, window, homes):
    """Gumbel-max of each row of x, for rows of at most STAGE pairs of blocks.

    `field` is a `Field`; `window` is (first_draw, last_draw, row, column), a `Window` of `index` and `value`, whose
    axes are draws and rows. Where `value` is not empty, what stands there is a result to combine with. `homes`, unless
    they are empty, are what stands for a column of a row in the results, and decides between equals.
    """
    field, window = Field(*field), Window(*window)
    n_rows, n = x.shape
    flat = x.reshape(x.size)
    races = new_races(field.key, field.start, n, homes.reshape(homes.size))
    quads, contenders = new_quads(), new_contenders()
    room = STAGE // races.pairs
    together = min(n_rows, room)
    at_once = min(room // together, window.last_draw - window.first_draw)
    moved = False
    for r in range(0, n_rows, together):
        rows = min(together, n_rows - r)
        moved = enter_rows(races, x, field, r, rows, at_once, moved and rows == together)
        for s in range(window.first_draw, window.last_draw, at_once):
            draws = min(at_once, window.last_draw - s)
            enter_race_draws(races, field, r, rows, s, draws)
            _run(x, flat, races, draws * rows, quads, contenders)
            for d in range(draws):
                for i in range(rows):
                    best = races.reals[BEST + d * rows + i]
                    arg = np.int64(races.integers[INDEX + d * rows + i])
                    put(best, arg, index, value, s + d, window.row + r + i, window.column)
