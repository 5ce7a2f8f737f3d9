"""Statistics of neighbours: coordinates that differ by one bit, or by one across a carry, and words of one place.

Places are 0, 1, 2, ... in rows of 1,024 categories or blocks: counters near zero are the hardest for a generator that
mixes too little. No coordinate is met twice, so pairs are independent of each other.
"""

import numpy as np

from tests.law import laws
from tests.law.bits import KEY
from tests.oracle.vectorised import U64

CHUNK = 2**16


def _one_bit(axis, bit):
    below = U64((1 << bit) - 1)

    def pair(at):
        # A zero is put in where the bit is, so that no coordinate with it set is one of those without.
        at = at | {axis: (at[axis] & ~below) << U64(1) | (at[axis] & below)}
        return at, at | {axis: at[axis] | U64(1 << bit)}

    return pair


def _carried(axis, step=1):
    step = U64(step)

    def pair(at):
        at = at | {axis: at[axis] // step * U64(2) * step + step + at[axis] % step}
        return at, at | {axis: at[axis] + step}

    return pair


OF_BLOCKS = {
    **{f"key, bit {b}": _one_bit("key", b) for b in range(64)},
    **{f"row, bit {b}": _one_bit("row", b) for b in range(64)},
    **{f"draw, bit {b}": _one_bit("draw", b) for b in range(32)},
    **{f"block, bit {b}": _one_bit("category", 6 + b) for b in range(26)},
    **{f"next {axis}": _carried(axis) for axis in ("key", "row", "draw")},
    "next block": _carried("category", 64),
}
OF_LANES = {
    **OF_BLOCKS,
    **{f"lane, bit {b}": _one_bit("category", b) for b in range(6)},
    "next category": _carried("category"),
}


def noise(field_type, neighbour, n):
    """Return p-values of n pairs of noises: independent over 8 x 8 cells, and uncorrelated."""
    pairs = [[_gumbel(field_type, at) for at in OF_LANES[neighbour](places)] for places in _places(n)]
    one, other = np.concatenate(pairs, axis=1)
    return laws.independence(one, other), laws.correlation(one, other)


def lane_words(field_type, neighbour, n):
    """Return the p-value of n pairs of lanes' words: each bit agrees with each of the neighbour's half of the time."""
    return laws.bits_agree([_lane_word(field_type, at) for at in OF_LANES[neighbour](p)] for p in _places(n))


def block_words(field_type, neighbour, n):
    """Return the same of blocks' words."""
    return laws.bits_agree([_block_word(field_type, at) for at in OF_BLOCKS[neighbour](p)] for p in _places(n, 64))


def everything(field_type, neighbour, n):
    """Return all p-values of n pairs of neighbours, by name; blocks have neighbours only outside themselves."""
    cells, correlation = noise(field_type, neighbour, n)
    found = {"noise, cells": cells, "noise, correlation": correlation}
    found["bits of lanes"] = lane_words(field_type, neighbour, n)
    if neighbour in OF_BLOCKS:
        found["bits of blocks"] = block_words(field_type, neighbour, n)
    return found


def one_place(field_type, n):
    """Return the p-value of the 384 bits of four lanes and two blocks, read at each of n places.

    Each agrees with each other half of the time: lane with lane, block with block, lane with block, high with low.
    """

    def read(places):
        lanes = [_lane_word(field_type, places | {"category": places["category"] + U64(k)}) for k in range(4)]
        return lanes + [_block_word(field_type, places | {"category": places["category"] + U64(k)}) for k in (0, 64)]

    return laws.bits_agree_within(np.stack(read(places), axis=-1) for places in _places(n, stride=128))


def _places(n, stride=1):
    for first in range(0, n, CHUNK):
        i = U64(first) + np.arange(min(CHUNK, n - first), dtype=U64)
        yield {"key": KEY, "row": i // U64(1024), "draw": U64(0), "category": i % U64(1024) * U64(stride)}


def _gumbel(field_type, at):
    return field_type(at["key"]).gumbel(at["row"], at["draw"], at["category"])


def _lane_word(field_type, at):
    return field_type(at["key"]).lane_word(at["row"], at["draw"], at["category"])


def _block_word(field_type, at):
    return field_type(at["key"]).block_word(at["row"], at["draw"], at["category"] >> U64(6))
