"""Blocks of several races, drawn together; a race is one row and draw.

Gumbels of blocks are float32, from high words, which tells what cannot win.
"""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.blocks import block_maxima
from fastgumbel._cpu.middle.ahead import begin_ahead, read_ahead
from fastgumbel._cpu.middle.planes import (
    COLUMN,
    DIFFER,
    EXPONENTIAL,
    GUMBEL,
    HIT,
    INTEGERS,
    ITEM,
    LANE_PLACE,
    LEAST,
    LINE,
    MAXIMUM,
    NEAR,
    PAIR_COUNTER,
    PAIR_TEMPERATURE,
    QUAD,
    RACE,
    RATE,
    REACH,
    REALS,
    ROUGHLY,
    SINGLES,
    SURE,
    TEMPERATURE,
    THRESHOLD,
    WAITING_EXPONENTIAL,
    WAITING_POTENTIAL,
    WINNER,
    WON,
    WORDS,
)
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, draw_full_words, fill, padded, row_id, temperature_of
from fastgumbel._law.field import BLOCK_RATE, BLOCK_WORDS, HIGH_WORDS, block_exponential, join, winner_lane
from fastgumbel._law.ops import fma
from fastgumbel._law.race import VAGUE_FROM
from fastgumbel._law.real import exponential32, gumbel32, gumbel64
from fastgumbel._law.reduce import LIMIT, NOTHING, slack_of
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.memory import empty

# Gumbels from high words between these err by less: by roundings, and by what the word leaves of its exponential open.
_CLEAR_FROM = np.uint32(2**14)
_CLEAR = np.uint32(VAGUE_FROM - _CLEAR_FROM)
_ERROR = np.float64(2.0**-14)
# No Gumbel is below.
_LEAST_NOISE = np.float64(-3.65)

_RATE32 = np.float32(BLOCK_RATE)
_1, _32 = np.uint64(1), np.uint64(32)


class Races(NamedTuple):
    """Planes of reals, of float32, of integers and of words; pairs of blocks in a race.

    Unless it is empty, `homes` tells of each column of the rows at hand what the index of its result is.
    """

    key: Any
    reals: Any
    singles: Any
    integers: Any
    words: Any
    pairs: Any
    homes: Any


@maker
def new_races(key, start, n, homes):
    """Room for as many races of n categories from `start` on as have STAGE pairs of blocks."""
    # What lanes that wait have needs no value before.
    reals, singles = empty(REALS, np.float64), empty(SINGLES, np.float32)
    integers, words = empty(INTEGERS, np.uint64), empty(WORDS, np.uint32)
    reals[:WAITING_POTENTIAL], singles[:WAITING_EXPONENTIAL], integers[:LANE_PLACE], words[:HIT] = 1, 1, 0, 0
    pairs = (np.int64(start & np.uint64(127)) + n + 127) // 128
    first = start >> np.uint64(7)
    for place in range(STAGE // pairs * pairs):
        pair = first + np.uint64(place % pairs)
        integers[RACE + place] = place // pairs
        integers[PAIR_COUNTER + place] = BLOCK_WORDS | pair
        for odd in range(2):
            block = (pair << _1) | np.uint64(odd)
            integers[COLUMN + odd * STAGE + place] = (block << np.uint64(6)) - start
            integers[QUAD + odd * STAGE + place] = HIGH_WORDS | (block << np.uint64(4))
    return Races(key, reals, singles, integers, words, pairs, homes)


@stage
def _enter_lines(races, field, r, rows, copies, width):
    """Where the blocks of rows from r on lie, and the ids of their rows."""
    integers, pairs = races.integers, races.pairs
    for i in range(rows * copies):
        line = np.uint64(r + i % rows)
        integers[LINE + i] = line
        row = row_id(field.ids, field.row, line)
        for j in range(i * pairs, (i + 1) * pairs):
            integers[PAIR_COUNTER + ROW + j] = row
            integers[ITEM + j] = line * width + integers[COLUMN + j]
            integers[ITEM + STAGE + j] = line * width + integers[COLUMN + STAGE + j]


@stage
def _move_lines(races, rows, width):
    """Let the blocks be those of the next rows: as many, with ids that count."""
    integers = races.integers
    for i in range(STAGE):
        integers[PAIR_COUNTER + ROW + i] += rows
        integers[LINE + i] += rows
    for i in range(2 * STAGE):
        integers[np.uint64(ITEM) + np.uint64(i)] += rows * width


@stage
def enter_rows(races, x, field, r, rows, copies, moved):
    """Let rows from r on take part, each in as many races at a time as there are copies.

    `moved` tells that the last ones were as many, and what this function returned for them: whether their temperatures
    are those of all rows.
    """
    reals, pairs = races.reals, races.pairs
    offset, width = np.int64(races.integers[COLUMN]), np.uint64(x.shape[1])
    good = True
    for i in range(rows):
        valid = block_maxima(reals, MAXIMUM + i * pairs, STAGE, x[r + i], offset, pairs)
        reals[TEMPERATURE + i] = temperature_of(field.temperatures, r + i) if valid else np.nan
        good &= valid
    if moved and not field.ids.size:
        _move_lines(races, np.uint64(rows), width)
    else:
        _enter_lines(races, field, r, rows, copies, width)
    for i in range(rows * (copies - 1)):
        reals[np.uint64(TEMPERATURE + rows) + np.uint64(i)] = reals[TEMPERATURE + i]
    begin_ahead(races.integers, (r + rows) * x.shape[1], min(r + 2 * rows, len(x)) * x.shape[1])
    own = rows * pairs
    for i in range(own * (copies - 1)):
        reals[np.uint64(MAXIMUM + own) + np.uint64(i)] = reals[MAXIMUM + i]
        reals[np.uint64(MAXIMUM + STAGE + own) + np.uint64(i)] = reals[MAXIMUM + STAGE + i]
    if not (moved and good):
        for race in range(rows * copies):
            fill(reals, PAIR_TEMPERATURE + race * pairs, pairs, reals[TEMPERATURE + race])
        for i in range(own * copies):
            reals[RATE + i] = 1 / reals[PAIR_TEMPERATURE + i]
    return good and field.temperatures.size <= 1


@stage
def enter_race_draws(races, field, r, rows, s, draws):
    """Let the races of so many rows from r on be those of some draws of the result from s on."""
    integers, pairs, rows_at = races.integers, races.pairs, PAIR_COUNTER + ROW
    for d in range(draws):
        draw = field.draw + np.uint64(s + d)
        for i in range(rows):
            own = draw + field.draws[r + i] if field.draws.size else draw
            fill(integers, PAIR_COUNTER + DRAW + (d * rows + i) * pairs, pairs, own)
    # Ids that are not listed count up.
    differ = (integers[rows_at] ^ integers[rows_at + (rows - 1) * pairs]) >> _32
    integers[DIFFER] = differ | np.uint64(field.ids.size + field.draws.size + draws - 1)


@scalar
def index_at(races, item, column):
    """Index of a column of a row, whose place among the rows at hand is `item`."""
    return np.int64(races.homes[item]) if races.homes.size else column


@scalar
def _enter_gumbel(singles, words, place, word):
    """E_b and Gumbel of the block at a place, from its high word."""
    e = exponential32(words[word]) * _RATE32
    singles[EXPONENTIAL + place] = e
    singles[GUMBEL + place] = gumbel32(e)


@scalar
def _vague(high):
    """Whether a high word tells too little; in one comparison, as what is below the clear ones wraps around."""
    return np.uint32(np.uint32(high - _CLEAR_FROM) >= _CLEAR)


@scalar
def _enter_winner(integers, words, place, word, width):
    """Winner lane of the block at a place, from its low word, and its place, the first of all if it is outside."""
    lane = winner_lane(np.uint64(words[word]))
    column = np.int64(integers[COLUMN + place] + lane)
    inside = (column >= 0) & (column < width)
    integers[WINNER + place] = lane
    integers[WON + place] = integers[ITEM + place] + lane if inside else np.uint64(0)


@stage
def _mend_vague(singles, words, n):
    """E_b and Gumbels of n pairs of blocks from whole words, where high words tell too little."""
    for odd in range(2):
        for i in range(n):
            at = odd * STAGE + i
            low, high = words[2 * odd * STAGE + i], words[2 * odd * STAGE + STAGE + i]
            if high < _CLEAR_FROM or high >= VAGUE_FROM:
                e = block_exponential(join(np.uint64(high), np.uint64(low)))
                singles[EXPONENTIAL + at] = e
                singles[GUMBEL + at] = gumbel64(e)


@stage
def _draw_blocks(races, n, flat, width):
    """Draw n pairs of blocks."""
    singles, integers, words = races.singles, races.integers, races.words
    lanes = padded(n)
    draw_full_words(words, integers[PAIR_COUNTER:], lanes, races.key)
    read_ahead(races.integers, flat)
    # Written out for even and odd blocks: loops over planes at known distances become vector code.
    for i in range(lanes):
        _enter_gumbel(singles, words, i, STAGE + i)
    read_ahead(races.integers, flat)
    for i in range(lanes):
        _enter_gumbel(singles, words, STAGE + i, 3 * STAGE + i)
    read_ahead(races.integers, flat)
    vague = np.uint32(0)
    for i in range(lanes):
        vague |= _vague(words[STAGE + i]) | _vague(words[3 * STAGE + i])
    if vague:
        _mend_vague(singles, words, n)
    read_ahead(races.integers, flat)
    for i in range(lanes):
        _enter_winner(integers, words, i, i, width)
    read_ahead(races.integers, flat)
    for i in range(lanes):
        _enter_winner(integers, words, STAGE + i, 2 * STAGE + i, width)


@stage
def _look_up(reals, integers, n, flat):
    """Log-potentials of the winner lanes of n pairs of blocks."""
    for i in range(n):
        reals[ROUGHLY + i] = flat[integers[WON + i]]
        reals[ROUGHLY + STAGE + i] = flat[integers[WON + STAGE + i]]


@scalar
def _enter_value(reals, singles, integers, place, pair, width):
    """Perturbed value of the winner lane of a block, roughly, and what one of the block is at least."""
    column = np.int64(integers[COLUMN + place] + integers[WINNER + place])
    potential, temperature = reals[ROUGHLY + place], reals[PAIR_TEMPERATURE + pair]
    value = fma(temperature, np.float64(singles[GUMBEL + place]), potential)
    left = (column >= 0) & (column < width) & (potential > -LIMIT)
    value = value if left else NOTHING
    reals[ROUGHLY + place] = value
    largest = fma(temperature, _LEAST_NOISE, reals[MAXIMUM + place])
    reals[SURE + place] = value if value > largest else largest


@scalar
def _largest(reals, at, n, floor):
    for i in range(n):
        value = reals[np.uint64(at) + np.uint64(i)]
        floor = value if value > floor else floor
    return floor


@scalar
def largest_sure(reals, race, pairs, floor):
    """What the best perturbed value of a race is at least, roughly, if it is above a floor."""
    first = SURE + race * pairs
    return max(_largest(reals, first, pairs, floor), _largest(reals, first + STAGE, pairs, floor))


@scalar
def _less_than(value, temperature):
    """Less than a perturbed value that is known roughly."""
    return value - temperature * _ERROR - slack_of(value, 64 * temperature)


@scalar
def enter_least(reals, race, pairs, value):
    """Let perturbed values of a race matter from one on that is known roughly; none where its row has no noise."""
    temperature, first = reals[TEMPERATURE + race], LEAST + race * pairs
    least = _less_than(value, temperature) if temperature > 0 else np.inf
    for i in range(pairs):
        reals[np.uint64(first) + np.uint64(i)] = least


@scalar
def raise_least(reals, race, pairs, value):
    """Let only perturbed values of a race matter that reach one that is known roughly."""
    temperature, first = reals[TEMPERATURE + race], LEAST + race * pairs
    fill(reals, first, pairs, max(_less_than(value, temperature), reals[first]))


@scalar
def _enter_threshold(reals, singles, place, pair):
    """From where on log-potentials of a block matter, and what is beyond."""
    least, temperature = reals[LEAST + pair], reals[PAIR_TEMPERATURE + pair]
    noise = temperature * (np.float64(singles[GUMBEL + place]) + _ERROR)
    threshold = least - noise - slack_of(least, noise)
    reals[THRESHOLD + place] = threshold
    reals[REACH + place] = reals[MAXIMUM + place] - threshold
    value = reals[ROUGHLY + place] + temperature * _ERROR
    reals[NEAR + place] = value + slack_of(value, 64 * temperature) - least


@stage
def draw_winners(races, count, flat, width):
    """Draw the blocks of the first races, and find the perturbed values of their winner lanes, roughly."""
    reals, singles, integers, n = races.reals, races.singles, races.integers, count * races.pairs
    lanes = padded(n)
    _draw_blocks(races, n, flat, width)
    read_ahead(races.integers, flat)
    _look_up(reals, integers, n, flat)
    read_ahead(races.integers, flat)
    for i in range(lanes):
        _enter_value(reals, singles, integers, i, i, width)
    read_ahead(races.integers, flat)
    for i in range(lanes):
        _enter_value(reals, singles, integers, STAGE + i, i, width)


@stage
def enter_reaches(races, count):
    """Find what LEAST leaves of the first races.

    A winner lane may matter where NEAR is at least 0, and other lanes of a block where REACH is.
    """
    reals, singles, n = races.reals, races.singles, count * races.pairs
    lanes = padded(n)
    for i in range(lanes):
        _enter_threshold(reals, singles, i, i)
    for i in range(lanes):
        _enter_threshold(reals, singles, STAGE + i, i)
    for plane in range(NEAR, NEAR + 2 * STAGE, STAGE):
        fill(reals, plane + n, STAGE - n, -1.0)
        fill(reals, plane + REACH - NEAR + n, STAGE - n, -1.0)
