"""Fields with a defect planted in them, to show that the tests of the law can fail."""

import numpy as np

from tests.oracle.vectorised import MASK32, U64, Field


class CoarseUniform(Field):
    """Uniforms of 24 bits, as in most float32 code."""

    def uniform(self, word):
        """Keep the top 24 bits and take the midpoint of their cell."""
        return ((word >> U64(40)).astype(np.float64) + 0.5) * 2.0**-24


class LastLaneNeverWins(Field):
    """A winner lane that is off by one: reduced modulo 63, lane 63 never holds the smallest exponential."""

    def winner(self, word):
        """Reduce modulo 63 instead of 64."""
        return word % U64(63)


class NextLaneWins(Field):
    """The winner lane moved by one: the law is unharmed, only the values are wrong."""

    def winner(self, word):
        """Return the lane after the one that the contract names."""
        return (word + U64(1)) & U64(63)


class LanesShareWords(Field):
    """Two lanes of every four read the same word."""

    def lane_word(self, row, draw, category):
        """Forget bit 1 of the category."""
        return super().lane_word(row, draw, category & ~U64(2))


class BlocksShareWords(Field):
    """The odd block reads the words of the even one before it."""

    def block_word(self, row, draw, block):
        """Forget the lowest bit of the block."""
        return super().block_word(row, draw, block & ~U64(1))


class WinnerReadsTheExponential(Field):
    """The winner lane is taken from bits that the exponential uses too."""

    def winner(self, word):
        """Take the top six bits."""
        return word >> U64(58)


class KeyBitIgnored(Field):
    """Bit 40 of the key is ignored."""

    def __init__(self, key):
        super().__init__(key & ~U64(1 << 40))


class HighRowsFolded(Field):
    """Rows above 2^32 repeat those below."""

    def words(self, domain, index, row, draw):
        """Forget the upper half of the row."""
        return super().words(domain, index, row & MASK32, draw)


class HighDrawsFolded(Field):
    """Draws above 2^31 repeat those below."""

    def words(self, domain, index, row, draw):
        """Forget the highest bit of the draw."""
        return super().words(domain, index, row, draw & U64(2**31 - 1))


class HalvesShareWords(Field):
    """The low half of a lane's word is the high one again."""

    def lane_word(self, row, draw, category):
        """Read one domain twice."""
        high = super().lane_word(row, draw, category) >> U64(32)
        return high << U64(32) | high


class BlockPairSwapped(Field):
    """Blocks of a pair read each other's words: the law is unharmed, only the values are wrong."""

    def block_word(self, row, draw, block):
        """Flip the lowest bit of the block."""
        return super().block_word(row, draw, block ^ U64(1))


def fewer_rounds(count):
    """Make a field of Philox with fewer than ten rounds."""
    return type(f"Rounds{count}", (Field,), {"rounds": count, "__doc__": f"Philox with {count} rounds of ten."})
