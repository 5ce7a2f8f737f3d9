"""The field at category ids in any order: a stage of places at a time, each with a row, a draw and an id of its own.

A place needs a call for its block and one for its lane (two in float64), as no other place need share them. `state` is
as in `lanes`, but in the plane of winner lanes stands how each differs from the place's own: 0 where the place wins.
"""

import numpy as np

from fastgumbel._kernels.compiling import maker, stage
from fastgumbel._kernels.field import BLOCK_RATE, BLOCK_WORDS, LANE_MASK, block_exponential, join, winner_lane
from fastgumbel._kernels.lanes import MINIMUM, WINNER, repeat, turn
from fastgumbel._kernels.philox import LOW
from fastgumbel._kernels.stage import DRAW, ROW, STAGE, draw_words, exponentials, fill, row_id

_1 = np.uint64(1)
_2 = np.uint64(2)
_7 = np.uint64(7)
_ODD = np.uint64(64)


@maker
def id_scratch(like):
    """Scratch of one stage, for numbers of the type of an array.

    Counters, ids, high and low words, state, numbers.
    """
    return (
        np.zeros(3 * STAGE, np.uint64),
        np.zeros(STAGE, np.uint64),
        np.zeros(4 * STAGE, np.uint32),
        np.zeros(4 * STAGE, np.uint32),
        np.ones(2 * STAGE, like.dtype),
        np.zeros(STAGE, like.dtype),
    )


@stage
def enter_places(counters, own, n, first, shape, ids, rows, first_row, draw):
    """Draws, rows and ids of n places from `first` on, counted through an array of shape (draws, rows, categories).

    `ids` has one for each row and category, or one row's for all.
    """
    _, n_rows, width = shape
    step = 0 if ids.size == width else width
    done = 0
    while done < n:
        line = (first + done) // width
        j = first + done - line * width
        s = line // n_rows
        r = line - s * n_rows
        run = min(n - done, width - j)
        fill(counters, ROW + done, run, row_id(rows, first_row, r))
        fill(counters, DRAW + done, run, draw + np.uint64(s))
        at = np.uint64(r * step + j)
        for i in range(run):
            own[np.uint64(done) + np.uint64(i)] = ids[at + np.uint64(i)] & LOW
        done += run


@maker
def id_planes(ids, n):
    """Planes for the ids of lanes, if there are ids."""
    return np.empty(0 if ids is None else (n + 7) * STAGE, np.uint64)


@stage
def enter_lanes(planes, ids, r, n, rows, copies):
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
def enter_plane(own, planes, j, n):
    """Ids of plane j."""
    at = np.uint64(j * STAGE)
    for i in range(n):
        own[i] = planes[at + np.uint64(i)] & LOW


@stage
def category_at(ids, r, j, start):
    """Category of column j in row r of a piece: by its id, or counted from `start` where there are no ids."""
    if ids is None:
        return start + np.uint64(j)
    return ids[min(r, ids.shape[0] - 1), j] & LOW


@stage
def draw_minima(state, own, counters, words, n, key):
    """Minima of the blocks of n places, and whether they are the places' own."""
    for i in range(n):
        counters[i] = BLOCK_WORDS | (own[i] >> _7)
    draw_words(words, counters, n, key)
    for i in range(n):
        even_low, even_high = np.uint64(words[i]), np.uint64(words[STAGE + i])
        odd_low, odd_high = np.uint64(words[2 * STAGE + i]), np.uint64(words[3 * STAGE + i])
        odd = own[i] & _ODD
        low = odd_low if odd else even_low
        state[MINIMUM + i] = block_exponential(join(odd_high if odd else even_high, low))
        state[WINNER + i] = np.float32(np.int32(winner_lane(low) ^ (own[i] & LANE_MASK)))


@stage
def draw_rough_minima(state, own, counters, words, n, key):
    """As `draw_minima`, in float32 from high words alone, which are then in the second plane."""
    for i in range(n):
        counters[i] = BLOCK_WORDS | (own[i] >> _7)
    draw_words(words, counters, n, key)
    for i in range(n):
        w0, w1, w2, w3 = words[i], words[STAGE + i], words[2 * STAGE + i], words[3 * STAGE + i]
        odd = own[i] & _ODD
        words[i] = w2 if odd else w0
        words[STAGE + i] = w3 if odd else w1
    exponentials(state, MINIMUM, n, words, words, STAGE)
    for i in range(n):
        state[MINIMUM + i] *= np.float32(BLOCK_RATE)
        state[WINNER + i] = np.float32(np.int32(winner_lane(np.uint64(words[i])) ^ (own[i] & LANE_MASK)))


@stage
def draw_own(words, own, counters, n, key, domain, step):
    """The own words of n places, to the first plane; quads are `step` indices of the domain apart."""
    for i in range(n):
        counters[i] = domain + (own[i] >> _2) * step
    draw_words(words, counters, n, key)
    for i in range(n):
        w0, w1, w2, w3 = words[i], words[STAGE + i], words[2 * STAGE + i], words[3 * STAGE + i]
        even = w2 if own[i] & _2 else w0
        odd = w3 if own[i] & _2 else w1
        words[i] = odd if own[i] & _1 else even
