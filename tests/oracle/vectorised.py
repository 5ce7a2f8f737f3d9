"""The noise contract over NumPy arrays of coordinates: the reference made fast enough for statistics.

A defective field (``law/planted.py``) overrides one of the small methods. ``contract/test_reference.py`` ties this twin
to ``reference.py``.
"""

import numpy as np

U64 = np.uint64
MASK32 = U64(2**32 - 1)
MULTIPLIERS = (U64(0xD2511F53), U64(0xCD9E8D57))
INVERSES = tuple(U64(pow(int(m), -1, 2**32)) for m in MULTIPLIERS)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)


def round_keys(key, rounds=10):
    """Return the pairs of key words of a 64-bit key, or of an array of them."""
    k0, k1 = key & MASK32, key >> U64(32)
    return [((k0 + U64(r * KEY_STEPS[0])) & MASK32, (k1 + U64(r * KEY_STEPS[1])) & MASK32) for r in range(rounds)]


def philox(x0, x1, x2, x3, key, rounds=10):
    """Give the four words at arrays of counters: uint64 arrays that hold 32 bits."""
    for k0, k1 in round_keys(key, rounds):
        left = MULTIPLIERS[0] * x0
        right = MULTIPLIERS[1] * x2
        x0, x1 = (right >> U64(32)) ^ x1 ^ k0, right & MASK32
        x2, x3 = (left >> U64(32)) ^ x3 ^ k1, left & MASK32
    return x0, x1, x2, x3


def unphilox(x0, x1, x2, x3, key):
    """Give the counters at arrays of words."""
    for k0, k1 in reversed(round_keys(U64(key))):
        before0 = x3 * INVERSES[0] & MASK32
        before2 = x1 * INVERSES[1] & MASK32
        x1, x3 = x0 ^ k0 ^ (MULTIPLIERS[1] * before2 >> U64(32)), x2 ^ k1 ^ (MULTIPLIERS[0] * before0 >> U64(32))
        x0, x2 = before0, before2
    return x0, x1, x2, x3


class Field:
    """G(key, row, draw, category) for arrays that broadcast against each other, the key too."""

    rounds = 10

    def __init__(self, key):
        self.key = np.asarray(key, U64)

    def words(self, domain, index, row, draw):
        """Return the four words of a domain at arrays of coordinates."""
        row = row.astype(U64)
        return philox(U64(domain << 30) | index, row & MASK32, row >> U64(32), draw.astype(U64), self.key, self.rounds)

    def uniform(self, word):
        """Return the midpoint of the cell that the top 52 bits name."""
        return ((word >> U64(12)).astype(np.float64) + 0.5) * 2.0**-52

    def winner(self, word):
        """Return the lane that holds the smallest exponential of the block."""
        return word & U64(63)

    def block_word(self, row, draw, block):
        """Return the 64 bits of a block."""
        words = self.words(2, block >> U64(1), row, draw)
        odd = (block & U64(1)).astype(bool)
        return np.where(odd, words[3], words[1]) << U64(32) | np.where(odd, words[2], words[0])

    def lane_word(self, row, draw, category):
        """Return the 64 bits that a category has of its own."""
        lane = (category & U64(3)).astype(np.intp)
        high = np.choose(lane, self.words(0, category >> U64(2), row, draw))
        low = np.choose(lane, self.words(1, category >> U64(2), row, draw))
        return high << U64(32) | low

    def gumbel(self, row, draw, category):
        """Return the noise in float64."""
        row, draw, category = np.broadcast_arrays(*(np.asarray(a, dtype=U64) for a in (row, draw, category)))
        word = self.block_word(row, draw, category >> U64(6))
        smallest = -np.log1p(-self.uniform(word)) / 64
        own = -np.log1p(-self.uniform(self.lane_word(row, draw, category)))
        wins = (category & U64(63)) == self.winner(word)
        return -np.log(np.where(wins, smallest, smallest + own))


def float32_bound(noise):
    """Return how far float32 noise may be from the float64 ``noise``.

    The high words alone leave the uniform u open by 2^-33, hence its exponential e = -log(1 - u) by 2^-33 exp(e): the
    rare lowest noises, with a large E, are known less well in float32.
    """
    e = np.exp(-noise)
    rounding = 4 * np.spacing(np.maximum(abs(noise), 1).astype(np.float32))
    return rounding + (2.0**-31 + 2.0**-32 * np.exp(e)) / e


def sampler(field_type):
    """Make ``sample(log_potentials, draws, seed)`` of a field type: many draws of one row, by definition."""

    def sample(log_potentials, draws, seed):
        field = field_type(seed)
        categories = np.arange(len(log_potentials), dtype=U64)
        step = max(1, 2**18 // len(log_potentials))
        parts = []
        for first in range(0, draws, step):
            draw = np.arange(first, min(first + step, draws), dtype=U64)[:, None]
            parts.append((log_potentials + field.gumbel(U64(0), draw, categories)).argmax(-1))
        return np.concatenate(parts)

    return sample
