"""Fields with a defect planted in them, to show that the tests of the law can fail."""

import numpy as np

from tests.vectorised import U64, Field


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
