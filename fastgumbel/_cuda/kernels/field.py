"""The field in registers: by a thread that goes along a row, or by a warp that goes along many blocks.

A quad is the four lanes of one Philox call, a pair the two blocks of one: 128 categories, a quad for each lane of a
warp. Coordinates are uint64 and lanes of the warp int32. Numbers have the type of `zero`, or of the block's minimum.
"""

import numpy as np

from fastgumbel._cuda.seam import ALL_LANES, cuda, device, overload
from fastgumbel._law.field import (
    BLOCK_WORDS,
    HIGH_WORDS,
    LOW_WORDS,
    OTHER_WORDS,
    block_exponential,
    block_word,
    join,
    winner_lane,
    word_of,
    words,
)
from fastgumbel._law.real import exponential32, exponential64, log

_1, _4, _8, _16, _31, _63 = map(np.int32, (1, 4, 8, 16, 31, 63))
_QUADS = np.uint64(15)


def _minimum(w, zero):
    """Smallest exponential of the block with word w."""
    raise NotImplementedError("compiled only")


@overload(_minimum)
def _minimum_of(w, zero):
    def single(w, zero):
        return np.float32(block_exponential(w))

    def double(w, zero):
        return block_exponential(w)

    return single if zero.bitwidth == 32 else double


def _exponentials(key, row, draw, high, low, zero):
    """Exponentials of four lanes, whose high and low words have these indices."""
    raise NotImplementedError("compiled only")


@overload(_exponentials)
def _exponentials_of(key, row, draw, high, low, zero):
    def single(key, row, draw, high, low, zero):
        h0, h1, h2, h3 = words(key, row, draw, high)
        return (
            exponential32(np.uint32(h0)),
            exponential32(np.uint32(h1)),
            exponential32(np.uint32(h2)),
            exponential32(np.uint32(h3)),
        )

    def double(key, row, draw, high, low, zero):
        h0, h1, h2, h3 = words(key, row, draw, high)
        l0, l1, l2, l3 = words(key, row, draw, low)
        return (
            exponential64(join(h0, l0)),
            exponential64(join(h1, l1)),
            exponential64(join(h2, l2)),
            exponential64(join(h3, l3)),
        )

    return single if zero.bitwidth == 32 else double


def _exponential(key, row, draw, high, low, category, zero):
    """Exponential of a category, whose quad has these indices of high and low words."""
    raise NotImplementedError("compiled only")


@overload(_exponential)
def _exponential_of(key, row, draw, high, low, category, zero):
    def single(key, row, draw, high, low, category, zero):
        h0, h1, h2, h3 = words(key, row, draw, high)
        return exponential32(np.uint32(word_of(h0, h1, h2, h3, category)))

    def double(key, row, draw, high, low, category, zero):
        h0, h1, h2, h3 = words(key, row, draw, high)
        l0, l1, l2, l3 = words(key, row, draw, low)
        return exponential64(join(word_of(h0, h1, h2, h3, category), word_of(l0, l1, l2, l3, category)))

    return single if zero.bitwidth == 32 else double


@device
def first_draw(field, r):
    """The first draw of row r of a piece."""
    return field.draw + field.draws[np.uint64(r)] if field.draws.size else field.draw


@device
def block(key, row, draw, index, zero):
    """Minimum and winner lane of one block."""
    w = block_word(key, row, draw, index)
    return _minimum(w, zero), np.int32(winner_lane(w))


@device
def quad_noise(key, row, draw, quad, minimum, winner):
    """G at the four categories from 4 quad on, whose block has this minimum and winner lane."""
    e0, e1, e2, e3 = _exponentials(key, row, draw, HIGH_WORDS | quad, LOW_WORDS | quad, minimum)
    w = np.int32(winner - np.int32(np.int32(quad & _QUADS) * _4))
    return (
        -log(minimum if w == 0 else minimum + e0),
        -log(minimum if w == 1 else minimum + e1),
        -log(minimum if w == 2 else minimum + e2),
        -log(minimum if w == 3 else minimum + e3),
    )


@device
def place_noise(key, row, draw, category, zero):
    """G at one category."""
    minimum, winner = block(key, row, draw, category >> np.uint64(6), zero)
    quad = category >> np.uint64(2)
    e = _exponential(key, row, draw, HIGH_WORDS | quad, LOW_WORDS | quad, category, zero)
    return -log(minimum if np.int32(category & np.uint64(63)) == winner else minimum + e)


@device
def other_exponentials(key, row, draw, quad, zero):
    """Four Exp(1) numbers that the field does not use, as `noise_row.exponential_row` counts them."""
    high = OTHER_WORDS | (quad << np.uint64(1))
    return _exponentials(key, row, draw, high, high | np.uint64(1), zero)


@device
def other_exponential(key, row, draw, category, zero):
    """That of one category."""
    high = OTHER_WORDS | (category >> np.uint64(2) << np.uint64(1))
    return _exponential(key, row, draw, high, high | np.uint64(1), category, zero)


@device
def hold_blocks(key, row, draw, pair, zero, lane):
    """Minima and winner lanes of 64 blocks, one pair from each lane's own `row` and `pair`, held by the warp.

    Lane l holds those of pair l // 2 and of pair 16 + l // 2, the even block on even lanes. All lanes must call.
    """
    w0, w1, w2, w3 = words(key, row, draw, BLOCK_WORDS | pair)
    even, odd = _minimum(join(w1, w0), zero), _minimum(join(w3, w2), zero)
    winners = np.int32(np.int32(winner_lane(w0)) | np.int32(np.int32(winner_lane(w2)) << _8))
    source = np.int32(lane >> _1)
    is_odd = np.int32(lane & _1) != 0
    shift = _8 if is_odd else np.int32(0)
    first_even, first_odd = cuda.shfl_sync(ALL_LANES, even, source), cuda.shfl_sync(ALL_LANES, odd, source)
    first_winners = cuda.shfl_sync(ALL_LANES, winners, source)
    source = np.int32(source + _16)
    last_even, last_odd = cuda.shfl_sync(ALL_LANES, even, source), cuda.shfl_sync(ALL_LANES, odd, source)
    last_winners = cuda.shfl_sync(ALL_LANES, winners, source)
    return (
        first_odd if is_odd else first_even,
        last_odd if is_odd else last_even,
        np.int32(np.int32(first_winners >> shift) & _63),
        np.int32(np.int32(last_winners >> shift) & _63),
    )


@device
def held_block(held, step, lane):
    """Minimum and winner lane of the block of this lane's quad in pair `step` of those held. All lanes must call."""
    first, last, first_winner, last_winner = held
    source = np.int32(np.int32(np.int32(step << _1) & _31) + np.int32(lane >> _4))
    late = step >= _16
    minimum = cuda.shfl_sync(ALL_LANES, last if late else first, source)
    return minimum, cuda.shfl_sync(ALL_LANES, last_winner if late else first_winner, source)
