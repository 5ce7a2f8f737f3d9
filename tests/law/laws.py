"""Statistics of draws, each a p-value, so that the same ones are run on the package and on planted defects.

A p-value below ``ALARM`` fails a test: the seeds being fixed a run cannot fail by chance, and a new seed would in one
of a million.
"""

import numpy as np
from scipy import special, stats

from tests.oracle import crafted
from tests.oracle.vectorised import U64

ALARM = 1e-6


def chi_square(counts, probabilities):
    """Return the p-value of counts under probabilities that sum to 1."""
    expected = np.asarray(probabilities) * np.sum(counts)
    assert expected.min() >= 5, "too few draws for a chi-square"
    return stats.chisquare(counts, expected).pvalue


def index_law(counts, log_potentials):
    """Return the p-value of draws counted by category: by lane, by block and by size where there are many.

    It sees any category, lane or block that is drawn too often or too rarely.
    """
    n = len(log_potentials)
    probabilities = special.softmax(log_potentials.astype(np.float64))
    if n <= 130:
        return chi_square(counts, probabilities)
    categories = np.arange(n)
    order = np.argsort(probabilities)
    by_size = np.empty(n, np.intp)
    by_size[order] = np.unique((np.cumsum(probabilities[order]) * 31.99).astype(np.intp), return_inverse=True)[1]
    groupings = categories % 64, categories * 64 // n, by_size
    p_values = [chi_square(np.bincount(g, counts), np.bincount(g, probabilities)) for g in groupings]
    return min(1.0, len(p_values) * min(p_values))


def maximum_law(indices, values, log_potentials):
    """Return p-values: the maximum is logsumexp plus Gumbel, and tells nothing of the index."""
    shifted = values - special.logsumexp(log_potentials.astype(np.float64))
    uniform = np.exp(-np.exp(-shifted))
    table = np.histogram2d(indices % 64, uniform, bins=(np.arange(65), np.linspace(0, 1, 17)))[0]
    table = table[table.sum(1) > 0]
    return stats.kstest(uniform, "uniform").pvalue, stats.chi2_contingency(table).pvalue


def rare_item_draws(pick, p, tries, seed):
    """Return what is drawn from 64 items of probability ``p`` each, at 0 to 63, and one of nearly 1, where it matters.

    Direct draws would take 10^12 tries. But an item this rare wins only where its block's uniform u is below some q,
    so the coordinates are crafted: u is uniform on (0, q) with q = 4 x 64 p, and the head lives in the next block.

    ``pick(key, row, draw, first, log_potentials) -> indices`` draws once at every coordinate.
    """
    key = 12345
    rng = np.random.default_rng(seed)
    words = rng.integers(int(4 * 64 * p * 2.0**64), size=tries, dtype=U64)
    row, draw, block, words = crafted.even_blocks(words, key, rng)
    log_potentials = np.full(128, -np.inf)
    log_potentials[:64] = np.log(p)
    log_potentials[64] = 0.0
    return pick(key, row, draw, block * U64(64), log_potentials)


def rare_item_odds(indices):
    """Return the p-value of how often ``rare_item_draws`` gave a rare item.

    The chance is E[min(1, 64 p E / q)] with E from Exp(1), which is (1 - exp(-4)) / 4. A uniform too coarse for its
    smallest values, one of float32 say, misses it.
    """
    return stats.binomtest(int(np.count_nonzero(indices < 64)), len(indices), -np.expm1(-4) / 4).pvalue


def rare_item_lanes(indices):
    """Return the p-value of which rare items ``rare_item_draws`` gave: all alike."""
    return chi_square(np.bincount(indices[indices < 64], minlength=64), np.full(64, 1 / 64))


def independence(a, b):
    """Return the p-value of independence of two arrays of Gumbel noise, over 8 x 8 cells of equal probability.

    The sums of rows and columns are taken as they are, since an array and the same one moved share them.
    """
    cell = [np.minimum((8 * np.exp(-np.exp(-values.ravel()))).astype(np.intp), 7) for values in (a, b)]
    table = np.bincount(8 * cell[0] + cell[1], minlength=64).reshape(8, 8)
    if not (table.any(0).all() and table.any(1).all()):
        return 0.0  # an eighth of the uniforms is missing
    return stats.chi2_contingency(table).pvalue


def correlation(a, b):
    """Return the p-value of two arrays of Gumbel noise being uncorrelated."""
    products = np.vdot(a - np.euler_gamma, b - np.euler_gamma) / (np.pi**2 / 6)
    return 2 * special.ndtr(-abs(products) / np.sqrt(a.size))


def bits_agree(pairs):
    """Return the p-value of two words of 64 bits, in chunks of pairs: all 64 x 64 bits agree half of the time.

    The squares of 4,096 standardised, uncorrelated sums add up to chi-square.
    """
    total, n = np.zeros((64, 64)), 0
    for a, b in pairs:
        total += signs(a).T @ signs(b)
        n += len(a)
    return stats.chi2.sf((total**2).sum() / n, total.size)


def bits_agree_within(chunks):
    """Return the p-value of several words of 64 bits, in chunks (n, words): all pairs of their bits agree half of the
    time.
    """
    total, n = 0.0, 0
    for words in chunks:
        bits = signs(words)
        total = total + (bits.T @ bits).astype(np.float64)
        n += len(words)
    pairs = total[np.triu_indices(len(total), 1)]
    return stats.chi2.sf((pairs**2).sum() / n, len(pairs))


def signs(words):
    """Return bits as -1 and 1 in float32, in which sums below 2^24 are exact: (n, ...) words give (n, bits)."""
    bits = np.unpackbits(words.reshape(len(words), -1).view(np.uint8), axis=1)
    return np.float32(2) * bits - np.float32(1)
