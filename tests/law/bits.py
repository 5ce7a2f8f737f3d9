"""The words that the field reads, as streams in many orders: each puts other neighbours side by side.

A stream is made of a field type: ``vectorised.Field``, a planted defect, or ``PackageField``, which reads the package.
"""

import numba
import numpy as np

from fastgumbel._law import field as _field
from fastgumbel._law.field import HIGH_WORDS, LOW_WORDS, join, lane_half
from tests.oracle.vectorised import MASK32, U64

KEY = U64(0x5DEECE66D1234567)
_WEYL = U64(0x9E3779B97F4A7C15)
_0 = U64(0)


@numba.vectorize
def _block_word(key, row, draw, block):
    return _field.block_word(key, row, draw, block)


@numba.vectorize
def _lane_word(key, row, draw, category):
    high = lane_half(key, row, draw, HIGH_WORDS, category)
    return join(high, lane_half(key, row, draw, LOW_WORDS, category))


@numba.vectorize
def _gumbel(key, row, draw, category):
    return _field.gumbel(key, row, draw, category)


class PackageField:
    """The field as the package computes it, with the methods of ``vectorised.Field``."""

    def __init__(self, key):
        self.key = np.asarray(key, U64)

    def block_word(self, row, draw, block):
        """Return the 64 bits of a block."""
        return _block_word(self.key, row, draw, block)

    def lane_word(self, row, draw, category):
        """Return the 64 bits that a category has of its own."""
        return _lane_word(self.key, row, draw, category)

    def gumbel(self, row, draw, category):
        """Return the noise in float64."""
        return _gumbel(self.key, row, draw, category)


def along_rows(i):
    """Return key, row, draw and category at positions ``i``: rows one after the other."""
    return KEY, i, _0, _0


def along_draws(i):
    """Draws one after the other, and then those of the next row."""
    return KEY, i >> U64(32), i & MASK32, _0


def along_keys(i):
    """Pairs of keys that differ by one bit: each of the 64 in turn."""
    pair = i >> U64(1)
    return (pair * _WEYL) ^ ((i & U64(1)) << (pair & U64(63))), _0, _0, _0


def along_high_rows(i):
    """Rows a distance of 2^32 apart."""
    return KEY, i << U64(32) | i >> U64(32), _0, _0


def along_lanes(i):
    """Categories one after the other, and then those of the next row."""
    return KEY, i >> U64(32), _0, i & MASK32


def along_blocks(i):
    """One lane of each block."""
    return KEY, i >> U64(26), _0, (i & U64(2**26 - 1)) << U64(6)


def block_words(along):
    """Make an order of the words of blocks."""

    def order(field_type, i):
        key, row, draw, category = along(i)
        return field_type(key).block_word(row, draw, category >> U64(6))

    return order


def lane_words(along):
    """Make an order of the words of lanes."""

    def order(field_type, i):
        key, row, draw, category = along(i)
        return field_type(key).lane_word(row, draw, category)

    return order


def whole_blocks(field_type, i):
    """Give the word of a block, then those of its 64 lanes, and so on through the blocks of a row."""
    block, place = i // U64(65), i % U64(65)
    lane = np.maximum(place, U64(1)) - U64(1)
    this = field_type(KEY)
    lane_word = this.lane_word(_0, _0, block << U64(6) | lane)
    return np.where(place == 0, this.block_word(_0, _0, block), lane_word)


def values(field_type, i):
    """Turn the noise itself into uniforms again, exp(-exp(-G)), of which the first 32 bits are given."""
    key, row, draw, category = along_lanes(i)
    uniform = np.exp(-np.exp(-field_type(key).gumbel(row, draw, category)))
    return (uniform * 2.0**32).astype(np.uint32)


ORDERS = {
    "blocks": block_words(along_blocks),
    "lanes": lane_words(along_lanes),
    "one lane of every block": lane_words(along_blocks),
    "a row as it is read": whole_blocks,
    "rows, blocks": block_words(along_rows),
    "rows, lanes": lane_words(along_rows),
    "draws, blocks": block_words(along_draws),
    "draws, lanes": lane_words(along_draws),
    "keys that differ by one bit, blocks": block_words(along_keys),
    "keys that differ by one bit, lanes": lane_words(along_keys),
    "rows 2^32 apart, blocks": block_words(along_high_rows),
    "rows 2^32 apart, lanes": lane_words(along_high_rows),
    "values along categories, as uniforms": values,
}


def words(field_type, order, first, n):
    """Return words of 32 bits at ``n`` positions of an order: of a 64-bit word the low half first, of a value one."""
    i = U64(first) + np.arange(n, dtype=U64)
    return np.ascontiguousarray(ORDERS[order](field_type, i)).view(np.uint32)


def sequences(field_type, order, count, length=2**20):
    """Give sequences of zeros and ones, one after the other along the order."""
    positions = length // (32 if order.startswith("values") else 64)
    for k in range(count):
        yield np.unpackbits(words(field_type, order, k * positions, positions).view(np.uint8))
