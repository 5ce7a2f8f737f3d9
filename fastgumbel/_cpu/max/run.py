"""A race over short rows as vector slots: what is entered of their rows, and how it is run."""

from typing import Any, NamedTuple

import numpy as np

from fastgumbel._cpu.ids import id_planes
from fastgumbel._cpu.max.times import PLANES, begin, enter_block, race, race_quad
from fastgumbel._cpu.slot_words import draw_at, enter_rounds, new_rounds
from fastgumbel._cpu.stage import STAGE
from fastgumbel._law.field import BLOCK_WORDS, HIGH_WORDS
from fastgumbel._law.race import margin_at, margin_of
from fastgumbel._law.reduce import LIMIT
from fastgumbel._numba.compile import maker, scalar, stage
from fastgumbel._numba.memory import empty, zeros

_1 = np.uint64(1)
_3 = np.uint64(3)
_QUAD, _QUADS_OF_PAIR = np.uint64(15), np.uint64(31)


class Scratch(NamedTuple):
    """Planes of the race: counters; its state; words of a pair of blocks and of a quad; ids, if any, by category."""

    counters: Any
    state: Any
    rounds: Any
    blocks: Any
    words: Any
    planes: Any


@maker
def new_scratch(ids, n):
    """Scratch for rows of n categories, with ids or None."""
    return Scratch(
        zeros(3 * STAGE, np.uint64),
        empty(PLANES * STAGE, np.float32),
        new_rounds(),
        zeros(4 * STAGE, np.uint32),
        zeros(4 * STAGE, np.uint32),
        id_planes(ids, n),
    )


@stage
def enter_margins(margins, largest, temperatures, tempered, rows, copies, ratio):
    """By what the least time may be too large for a winner, in each slot; below 0 in rows without a race.

    Not `tempered` means that all temperatures are 1; times are at most `ratio` times too large.
    """
    for i in range(rows):
        margins[i] = margin_of(np.float64(largest[i])) * ratio
    if tempered:
        for i in range(rows):
            margins[i] = margin_at(np.float64(largest[i]), temperatures[i]) * ratio
    for i in range(rows):
        known = -LIMIT < np.float64(largest[i]) < np.inf and temperatures[i] > 0
        margins[i] = margins[i] if known else np.float32(-1)
    for i in range(rows * (copies - 1)):
        margins[np.uint64(rows) + np.uint64(i)] = margins[i]


@scalar
def run(scratch, times, n, slots, start, key):
    """Race the n categories from `start` on in all slots."""
    counters, state, rounds, blocks, words, _ = scratch
    begin(state)
    enter_rounds(rounds, counters, slots, key)
    first_quad = start >> np.uint64(2)
    skipped = np.int64(start & _3)
    for q in range((skipped + n + 3) // 4):
        quad = first_quad + np.uint64(q)
        if q == 0 or quad & _QUADS_OF_PAIR == 0:
            draw_at(blocks, rounds, counters, slots, BLOCK_WORDS | (quad >> np.uint64(5)), key)
        if q == 0 or quad & _QUAD == 0:
            enter_block(state, blocks, (quad >> np.uint64(4)) & _1, slots)
        draw_at(words, rounds, counters, slots, HIGH_WORDS | quad, key)
        j, lane = 4 * q - skipped, 4 * np.int64(quad & _QUAD)
        if 0 <= j <= n - 4:
            race_quad(times, state, words, lane, j, slots)
        else:
            for word in range(max(-j, 0), min(n - j, 4)):
                race(times, state, words, word, lane + word, j + word, slots)
