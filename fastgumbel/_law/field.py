"""The noise field, contract version 1: one number G(key, row, draw, category) for ever; see _law/CONTRACT.md.

All arguments are uint64; a category is below 2^32, a draw below 2^32. A wide category, an id of 2^32 or more, is the
category of its low half in the field of another key.
"""

import numpy as np

from fastgumbel._law.philox import LOW, philox
from fastgumbel._law.real import exponential64, gumbel64
from fastgumbel._numba.compile import scalar

BLOCK_SHIFT = np.uint64(6)  # 64 categories in a block
LANE_MASK = np.uint64(63)

# Domains: the top two bits of the first counter word.
HIGH_WORDS = np.uint64(0 << 30)
LOW_WORDS = np.uint64(1 << 30)
BLOCK_WORDS = np.uint64(2 << 30)
OTHER_WORDS = np.uint64(3 << 30)  # everything that is not the field

_32 = np.uint64(32)
_1 = np.uint64(1)
_2 = np.uint64(2)
BLOCK_RATE = np.float64(1 / 64)
# The index of the fourth domain that keys of other fields read: conditioned noise ends before it, and `categorical`
# reads the one after.
KEY_WORDS = OTHER_WORDS | np.uint64(2**30 - 2)


@scalar
def words(key, row, draw, index):
    """Four words of 32 bits; `index` carries its domain."""
    return philox(index & LOW, row & LOW, row >> _32, draw, key & LOW, key >> _32)


@scalar
def join(high, low):
    """The 64-bit word of two halves."""
    return (high << _32) | low


@scalar
def block_exponential(w):
    """Smallest of a block's 64 exponentials, E_b."""
    return exponential64(w) * BLOCK_RATE


@scalar
def winner_lane(w):
    """Lane on which E_b sits."""
    return w & LANE_MASK


@scalar
def block_word(key, row, draw, block):
    """The 64-bit word of a block; one call serves an even block and the odd one after it."""
    w0, w1, w2, w3 = words(key, row, draw, BLOCK_WORDS | (block >> _1))
    if block & _1:
        return join(w3, w2)
    return join(w1, w0)


@scalar
def word_of(w0, w1, w2, w3, category):
    """The word of a category among the four of its call."""
    even = w2 if category & _2 else w0
    odd = w3 if category & _2 else w1
    return odd if category & _1 else even


@scalar
def lane_half(key, row, draw, domain, category):
    """High or low half of the word of a lane."""
    w0, w1, w2, w3 = words(key, row, draw, domain | (category >> _2))
    return word_of(w0, w1, w2, w3, category)


@scalar
def lane_exponential(key, row, draw, category):
    """Fresh exponential of a lane, e_c: what it has above E_b unless it is the winner."""
    high = lane_half(key, row, draw, HIGH_WORDS, category)
    low = lane_half(key, row, draw, LOW_WORDS, category)
    return exponential64(join(high, low))


@scalar
def gumbel(key, row, draw, category):
    """The field itself, float64."""
    w = block_word(key, row, draw, category >> BLOCK_SHIFT)
    e = block_exponential(w)
    if category & LANE_MASK != winner_lane(w):
        e += lane_exponential(key, row, draw, category)
    return gumbel64(e)


@scalar
def key_of_category(key, id_):
    """The key of the field that has a category, of which `id_` has up to 64 bits: the key itself below 2^32."""
    high = id_ >> _32
    w0, w1, _, _ = words(key, high, np.uint64(0), KEY_WORDS)
    return key if high == np.uint64(0) else join(w1, w0)
