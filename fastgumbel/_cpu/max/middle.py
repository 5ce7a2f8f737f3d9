"""Gumbel-max over rows of some hundred to some thousand categories: the pruned search, several rows at a time.

The blocks of several races are drawn together; each race begins with the best of its blocks' winner lanes, which need
no words of their own. Other lanes matter where their log-potentials reach what is left below their block's Gumbel.
Their quads wait in a queue and are drawn together, and so do the few lanes that may win. Where one alone may, it wins;
others are decided exactly.
"""

import numpy as np

from fastgumbel._cpu.middle.ahead import read_ahead
from fastgumbel._cpu.middle.contenders import bound_all, enter, enter_winners, evaluate, flush, index_of, keep, race_of
from fastgumbel._cpu.middle.planes import (
    ADDED,
    ITEM,
    LANE,
    LANE_HIGH,
    LANE_PLACE,
    LINE,
    LOWER,
    POTENTIAL,
    RESULT_INTEGER,
    RESULT_REAL,
    SECOND_RESULT_INTEGER,
    SECOND_RESULT_REAL,
    TEMPERATURE,
    VALUE,
    WAITING,
)
from fastgumbel._cpu.middle.quads import list_blocks, queue_blocks
from fastgumbel._cpu.middle.races import (
    draw_winners,
    enter_least,
    enter_race_draws,
    enter_reaches,
    enter_rows,
    index_at,
    largest_sure,
    new_races,
    raise_least,
)
from fastgumbel._cpu.parameters import Field, Window
from fastgumbel._cpu.stage import STAGE, fill
from fastgumbel._law.reduce import LIMIT, NO_INDEX, NOTHING, beats, floor_of, put
from fastgumbel._numba.compile import kernel, once, stage
from fastgumbel._numba.vector import greater

# Of a race: the best perturbed value of those that are decided, NaN in an invalid row; what the best that waits is at
# least; the column of the best (as int64); and how many lanes have waited.
_BEST = RESULT_REAL
_FLOOR = SECOND_RESULT_REAL
_INDEX = RESULT_INTEGER
_RIVALS = SECOND_RESULT_INTEGER

_1 = np.uint64(1)
# Bounds pay where more than 5 lanes wait in 4 races.
_MANY, _OF = 4, 5

# Literals would compile functions anew.
_NONE, _EXACT = np.int64(0), np.bool_(True)


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
        reals[_BEST + race], integers[_INDEX + race], integers[_RIVALS + race] = floor, np.uint64(NO_INDEX), _NONE
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
def _settle_alone(races, n, flat):
    """Give their samples to races of which one lane alone waits, of n; how many lanes of other races wait then."""
    integers, left = races.integers, 0
    for i in range(n):
        at, race = np.uint64(i), race_of(races, i)
        place, lane = integers[np.uint64(LANE_PLACE) + at], integers[np.uint64(LANE) + at]
        alone = integers[np.uint64(_RIVALS) + race] == 1
        sample = alone & (np.float64(flat[integers[np.uint64(ITEM) + place] + lane]) > -LIMIT)
        # No branch, as it would be mispredicted: what is not alone is decided later.
        result = np.uint64(_INDEX) + race
        integers[result] = np.uint64(index_of(races, i)) if sample else integers[result]
        enter(races, left, place, lane, races.words[np.uint64(LANE_HIGH) + at])
        left += np.int64(not alone)
    return left


@stage
def _narrow(races, n, count, flat):
    """Let only those of n lanes that wait in the first races do so that may be the best; how many they are."""
    reals = races.reals
    bound_all(races, n, flat)
    fill(reals, _FLOOR, count, NOTHING)
    for i in range(n):
        race = np.uint64(_FLOOR) + race_of(races, i)
        reals[race] = greater(reals[race], reals[LOWER + i])
    for race in range(count):
        raise_least(reals, race, races.pairs, reals[_FLOOR + race])
    return keep(races, n)


@stage
def _settle(races, n, count, flat, exact):
    """Let the n lanes that wait take part in the first races; `exact` asks for perturbed values, too."""
    if _MANY * n > _OF * count:
        n = _narrow(races, n, count, flat)
    for i in range(n):
        races.integers[np.uint64(_RIVALS) + race_of(races, i)] += _1
    n = n if exact else _settle_alone(races, n, flat)
    for first in range(0, n, STAGE):
        _decide(races, first, min(n - first, STAGE), flat)


@stage
def _make_room(races, n, count, flat):
    """Decide n lanes that wait if there is no room for those of another flush; how many wait then."""
    if n <= WAITING - ADDED:
        return n
    _settle(races, n, count, flat, _EXACT)
    return _NONE


@once
def _run(x, flat, races, count, exact):
    """Find the best of each of the first races, unless it is NaN; `exact` asks for perturbed values, too."""
    n = x.shape[1]
    draw_winners(races, count, flat, n)
    _begin(races.reals, races.integers, count, races.pairs)
    read_ahead(races.integers, flat)
    enter_reaches(races, count)
    read_ahead(races.integers, flat)
    undecided = enter_winners(races)
    read_ahead(races.integers, flat)
    block, blocks = _NONE, list_blocks(races, x, flat)
    while block < blocks:
        read_ahead(races.integers, flat)
        block, waiting = queue_blocks(races, block, blocks)
        undecided = flush(races, _make_room(races, undecided, count, flat), waiting, flat, n)
    _settle(races, undecided, count, flat, exact)
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
            _run(x, flat, races, draws * rows, value.size > 0)
            for d in range(draws):
                for i in range(rows):
                    best = races.reals[_BEST + d * rows + i]
                    arg = np.int64(races.integers[_INDEX + d * rows + i])
                    put(best, arg, index, value, s + d, window.row + r + i, window.column)
