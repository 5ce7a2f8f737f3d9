"""The noise contract, version 1, in plain Python: exact integers and the logarithms of ``math``.

It shares no code with the package and is written to be read beside the contract, one function a sentence.
Its logarithms are those of the C library, so it names the package's values to a few units in the last place, not to
the bit; the bits are frozen in ``contract/golden.py``.
"""

import math

MASK32 = 2**32 - 1
BLOCK = 64
HIGH_WORDS, LOW_WORDS, BLOCKS = 0, 1, 2

# (counter, key, words), from the paper's own test vectors.
PHILOX_KNOWN_ANSWERS = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((MASK32,) * 4, (MASK32,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)


def philox(counter, key):
    """Philox4x32-10: four counter words and two key words give four random words."""
    x0, x1, x2, x3 = counter
    k0, k1 = key
    for _ in range(10):
        left = 0xD2511F53 * x0
        right = 0xCD9E8D57 * x2
        x0, x1, x2, x3 = (
            (right >> 32) ^ x1 ^ k0,
            right & MASK32,
            (left >> 32) ^ x3 ^ k1,
            left & MASK32,
        )
        k0 = (k0 + 0x9E3779B9) & MASK32
        k1 = (k1 + 0xBB67AE85) & MASK32
    return x0, x1, x2, x3


def unphilox(words, key):
    """Return the one counter whose words these are: Philox is a bijection for every key."""
    x0, x1, x2, x3 = words
    for round_ in reversed(range(10)):
        k0 = (key[0] + round_ * 0x9E3779B9) & MASK32
        k1 = (key[1] + round_ * 0xBB67AE85) & MASK32
        before0 = x3 * pow(0xD2511F53, -1, 2**32) & MASK32
        before2 = x1 * pow(0xCD9E8D57, -1, 2**32) & MASK32
        x0, x1, x2, x3 = (
            before0,
            x0 ^ k0 ^ (0xCD9E8D57 * before2 >> 32),
            before2,
            x2 ^ k1 ^ (0xD2511F53 * before0 >> 32),
        )
    return x0, x1, x2, x3


def counter(domain, index, row, draw):
    """Put the coordinates into the four counter words."""
    assert 0 <= index < 2**30
    assert 0 <= row < 2**64
    assert 0 <= draw < 2**32
    return domain << 30 | index, row & MASK32, row >> 32, draw


def key_words(key):
    """Split the 64-bit key of a field into the two key words."""
    return key & MASK32, key >> 32


def exponential(word):
    """Turn 64 bits into Exp(1): the top 52 bits are a cell of (0, 1), of which the midpoint is taken, exactly."""
    uniform = ((word >> 12) + 0.5) * 2.0**-52
    return -math.log1p(-uniform)


def block_word(key, row, draw, block):
    """Return the 64 bits of a block: one call serves an even block and the odd one after it."""
    words = philox(counter(BLOCKS, block // 2, row, draw), key_words(key))
    low, high = words[2:] if block % 2 else words[:2]
    return high << 32 | low


def lane_word(key, row, draw, category):
    """Return the 64 bits that a category has of its own."""
    high = philox(counter(HIGH_WORDS, category // 4, row, draw), key_words(key))[category % 4]
    low = philox(counter(LOW_WORDS, category // 4, row, draw), key_words(key))[category % 4]
    return high << 32 | low


def category_exponential(key, row, draw, category):
    """Return E(key, row, draw, category), which is Exp(1): the smallest of its block, or that and a fresh Exp(1)."""
    word = block_word(key, row, draw, category // BLOCK)
    smallest = exponential(word) / BLOCK
    if category % BLOCK == word % BLOCK:
        return smallest
    return smallest + exponential(lane_word(key, row, draw, category))


def gumbel(key, row, draw, category):
    """Return G(key, row, draw, category), which is Gumbel(0, 1)."""
    return -math.log(category_exponential(key, row, draw, category))
