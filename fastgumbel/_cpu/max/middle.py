"""Gumbel-max over rows of some hundred to some thousand categories: the pruned search, several rows at a time.

The blocks of several races are drawn together; each race begins with the best of its blocks' winner lanes, which need
no words of their own. Other lanes matter where their log-potentials reach what is left below their block's Gumbel.
Their quads wait in a queue and are drawn together, and so do the few lanes that may win, which are decided exactly.
"""

import numpy as np

from fastgumbel._cpu.middle.contenders import (
    enter_winners,
    evaluate,
    flush,
    index_of,
    race_of,
)
from fastgumbel._cpu.middle.planes import (
    LINE,
    OWN_INTEGER,
    OWN_REAL,
    POTENTIAL,
    QUADS,
    TEMPERATURE,
    VALUE,
)
from fastgumbel._cpu.middle.quads import (
    ROOM,
    enter_quads,
    list_blocks,
)
from fastgumbel._cpu.middle.races import (
    draw_winners,
    enter_least,
    enter_race_draws,
    enter_reaches,
    enter_rows,
    index_at,
    largest_sure,
    new_races,
)
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, floor_of, put
from fastgumbel._numba.compile import kernel, stage
from fastgumbel._numba.masks import count_bits

# Of a race: the best perturbed value of those that are decided, NaN in an invalid row; and its column (as int64).
_BEST = OWN_REAL
_INDEX = OWN_INTEGER

# A literal would compile a function anew.
_NONE = np.int64(0)


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


@stage
def _begin(reals, integers, count, pairs):
    """Let the first races begin without a result, below what the best of their blocks is at least."""
    for race in range(count):
        floor = floor_of(reals[TEMPERATURE + race])
        reals[_BEST + race], integers[_INDEX + race] = floor, np.uint64(NO_INDEX)
        enter_least(reals, race, pairs, largest_sure(reals, race, pairs, floor))


@stage
def _decide(races, first, n, flat):
    """Let n lanes that wait from the first on, at most STAGE, take part in their races."""
    best, indices = races.reals, races.integers
    evaluate(races, first, n, flat)
    for i in range(n):
        race, index = race_of(races, first + i), index_of(races, first + i)
        value, other = races.reals[VALUE + i], np.int64(indices[_INDEX + race])
        if beats(value, index, best[_BEST + race], other) and races.reals[POTENTIAL + i] > -LIMIT:
            best[_BEST + race], indices[_INDEX + race] = value, np.uint64(index)


@stage
def _decide_stages(races, n, flat):
    """Decide all stages that are full of n lanes that wait; how many are left."""
    while n >= STAGE:
        n -= STAGE
        _decide(races, n, STAGE, flat)
    return n


@stage
def _run(x, flat, races, count):
    """Find the best of each of the first races, unless it is NaN."""
    n = x.shape[1]
    draw_winners(races, count, flat, n)
    _begin(races.reals, races.integers, count, races.pairs)
    enter_reaches(races, count)
    undecided, waiting = enter_winners(races), _NONE
    for i in range(list_blocks(races, x, flat)):
        if waiting + count_bits(races.integers[QUADS + i]) > ROOM:
            undecided = _decide_stages(races, undecided, flat)
            undecided = flush(races, undecided, waiting, flat, n)
            waiting = _NONE
        waiting = enter_quads(races, waiting, i)
    undecided = _decide_stages(races, undecided, flat)
    if waiting:
        undecided = flush(races, undecided, waiting, flat, n)
        undecided = _decide_stages(races, undecided, flat)
    if undecided:
        _decide(races, _NONE, undecided, flat)
    for race in range(count):
        if races.reals[TEMPERATURE + race] == 0:
            best, index = _first_largest(x, races, race)
            races.reals[_BEST + race], races.integers[_INDEX + race] = best, np.uint64(index)


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
            _run(x, flat, races, draws * rows)
            for d in range(draws):
                for i in range(rows):
                    best = races.reals[_BEST + d * rows + i]
                    arg = np.int64(races.integers[_INDEX + d * rows + i])
                    put(best, arg, index, value, s + d, window.row + r + i, window.column)
