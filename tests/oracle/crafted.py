"""Coordinates where chosen words occur: Philox is run backwards, since it is a bijection of counters and words.

So what would be met once in 2^64 draws can be put before the package at will.
"""

from tests.oracle.vectorised import U64, unphilox

LAST_BLOCK_PAIR = 2**25


def random_words(rng, n):
    """Return n words of 32 bits."""
    return rng.integers(2**32, size=n, dtype=U64)


def even_blocks(words, key, rng):
    """Return rows, draws and even blocks whose 64-bit words are among ``words``, and which ones.

    The words of the odd block after it are left to chance. One in 128 is found at valid coordinates.
    """
    n = len(words)
    low, high = words & U64(2**32 - 1), words >> U64(32)
    x0, x1, x2, x3 = unphilox(low, high, random_words(rng, n), random_words(rng, n), key)
    found = (x0 >> U64(30) == U64(2)) & (x0 & U64(2**30 - 1) < U64(LAST_BLOCK_PAIR))
    row, draw, block = (x2 << U64(32) | x1)[found], x3[found], (x0[found] & U64(2**30 - 1)) * U64(2)
    return row, draw, block, words[found]


def lanes(high_words, position, key, rng):
    """Return rows, draws and categories whose high words are among ``high_words``, and which ones.

    ``position`` is the word of the call, hence the category modulo 4. One in four is found.
    """
    words = [random_words(rng, len(high_words)) for _ in range(4)]
    words[position] = high_words
    x0, x1, x2, x3 = unphilox(*words, key)
    found = x0 >> U64(30) == U64(0)
    return (x2 << U64(32) | x1)[found], x3[found], x0[found] * U64(4) + U64(position), high_words[found]
