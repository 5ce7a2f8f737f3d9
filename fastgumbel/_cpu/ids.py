"""The field at category ids in any order: a stage of places at a time, each with a row, a draw and an id of its own.

A place needs a call for its block and one for its lane (two in float64), as no other place need share them. What is
read at the id of an empty place means nothing.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from fastgumbel._cpu.slots import MINIMUM, WINNER, repeat, turn
from fastgumbel._cpu.stage import DRAW, ROW, STAGE, fill, first_draw, row_id
from fastgumbel._law.field import BLOCK_WORDS, LANE_MASK, block_exponential, join, key_of_category, winner_lane, words
from fastgumbel._law.philox import LOW
from fastgumbel._numba.compile import SCALAR_OPTIONS, STAGE_OPTIONS, maker, stage
from fastgumbel._numba.memory import empty, zeros

_1 = np.uint64(1)
_2 = np.uint64(2)
_7 = np.uint64(7)
_ODD = np.uint64(64)


class IdScratch(NamedTuple):
    """Scratch of one stage.

    `state` has two planes, in the type of the numbers: E_b of each place's block, and how the winner lane differs from
    the place's own, 0 where the place wins. `counters` are rows and draws, `own` ids, `high` and `low` words.
    """

    state: Any
    counters: Any
    high: Any
    low: Any
    own: Any
    numbers: Any


@maker
def id_scratch(like):
    """Scratch for numbers of the type of an array."""
    return IdScratch(
        zeros(2 * STAGE, like.dtype),
        zeros(3 * STAGE, np.uint64),
        zeros(4 * STAGE, np.uint32),
        zeros(4 * STAGE, np.uint32),
        zeros(STAGE, np.uint64),
        zeros(STAGE, like.dtype),
    )


def keys_for(wide, key):
    """The key; or where ids may be wide, room for a key of each place of a stage."""
    raise NotImplementedError("compiled only")


@overload(keys_for)
def _compiled_keys_for(wide, key):
    if isinstance(wide, types.NoneType | types.Omitted):
        return lambda wide, key: key
    return lambda wide, key: zeros(STAGE, np.uint64)


def split_ids(keys, own, n, key):
    """Write keys of n ids where there is room for them, and leave the low halves of the ids in their places."""
    raise NotImplementedError("compiled only")


@overload(split_ids, jit_options=STAGE_OPTIONS)
def _compiled_split_ids(keys, own, n, key):
    if not isinstance(keys, types.Array):
        return lambda keys, own, n, key: None

    def split(keys, own, n, key):
        for i in range(n):
            keys[i] = key_of_category(key, own[i])
            own[i] &= LOW

    return split


@stage
def enter_places(scratch, n, first, shape, ids, field):
    """Draws, rows and ids of n places from `first` on, counted through an array of shape (draws, rows, categories).

    `ids` has one for each row and category, or one row's for all.
    """
    counters, own = scratch.counters, scratch.own
    _, n_rows, width = shape
    step = 0 if ids.size == width else width
    done = 0
    while done < n:
        line = (first + done) // width
        j = first + done - line * width
        s = line // n_rows
        r = line - s * n_rows
        run = min(n - done, width - j)
        fill(counters, ROW + done, run, row_id(field.ids, field.row, r))
        fill(counters, DRAW + done, run, first_draw(field, r) + np.uint64(s))
        at = np.uint64(r * step + j)
        for i in range(run):
            own[np.uint64(done) + np.uint64(i)] = ids[at + np.uint64(i)]
        done += run


@maker
def id_planes(ids, n):
    """Pslots for the ids of lanes, if there are ids."""
    return empty(0 if ids is None else (n + 7) * STAGE, np.uint64)


@stage
def enter_slots(planes, ids, r, n, rows, copies):
    """Ids of a few rows from r on as planes, as often as draws are made at once; `ids` has one row for all or each."""
    if ids is not None:
        flat = ids.reshape(ids.size)
        if ids.shape[0] == 1:
            for j in range(n):
                fill(planes, j * STAGE, rows * copies, flat[j])
        else:
            turn(planes, flat, r * n, n, rows)
            repeat(planes, n, rows, copies)


@stage
def category_at(ids, r, j, start):
    """Category of column j in row r of a piece: by its id, or counted from `start` where there are no ids."""
    if ids is None:
        return start + np.uint64(j)
    return ids[min(r, ids.shape[0] - 1), j]


def _key_at(key, i):
    """Item i of an array of keys, or the only key."""
    raise NotImplementedError("compiled only")


@overload(_key_at, jit_options=SCALAR_OPTIONS)
def _compiled_key_at(key, i):
    return (lambda key, i: key[i]) if isinstance(key, types.Array) else (lambda key, i: key)


@stage
def draw_blocks(out, own, at, counters, n, key):
    """Low and high words of the blocks of n places, whose ids stand from own[at] on, to the first two planes.

    `key` is one for all, or an array of one each.
    """
    for i in range(n):
        id_ = own[np.uint64(at) + np.uint64(i)]
        w0, w1, w2, w3 = words(_key_at(key, i), counters[ROW + i], counters[DRAW + i], BLOCK_WORDS | (id_ >> _7))
        odd = id_ & _ODD
        out[i] = w2 if odd else w0
        out[STAGE + i] = w3 if odd else w1


@stage
def enter_minima(state, own, blocks, n):
    """Minima of the blocks of n places from their words, and whether they are the places' own."""
    for i in range(n):
        low = np.uint64(blocks[i])
        state[MINIMUM + i] = block_exponential(join(np.uint64(blocks[STAGE + i]), low))
        state[WINNER + i] = np.float32(np.int32((winner_lane(low) ^ own[i]) & LANE_MASK))


@stage
def draw_own(out, own, at, counters, n, key, domain, step):
    """The own words of n places, to the first plane; quads are `step` indices of the domain apart.

    `key` is one for all, or an array of one each.
    """
    for i in range(n):
        id_ = own[np.uint64(at) + np.uint64(i)]
        w0, w1, w2, w3 = words(_key_at(key, i), counters[ROW + i], counters[DRAW + i], domain + (id_ >> _2) * step)
        even = w2 if id_ & _2 else w0
        odd = w3 if id_ & _2 else w1
        out[i] = odd if id_ & _1 else even
