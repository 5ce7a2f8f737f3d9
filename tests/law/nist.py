"""Tests of random bits of NIST SP 800-22 rev. 1a, vectorised; each takes an array of zeros and ones.

Each gives p-values that are uniform for random bits, nearly so for the lengths that the standard allows. Where the
standard prints rounded probabilities or moments, they are computed here.
"""

import numpy as np
from scipy import special, stats


def frequency(bits):
    """As many ones as zeros (2.1)."""
    return (special.erfc(abs(_signs(bits).sum()) / np.sqrt(2 * len(bits))),)


def block_frequency(bits, block=128):
    """As many ones as zeros in every block (2.2)."""
    ones = bits[: len(bits) // block * block].reshape(-1, block).mean(1)
    return (stats.chi2.sf(4 * block * ((ones - 0.5) ** 2).sum(), len(ones)),)


def runs(bits):
    """As many changes from bit to bit as there should be (2.3)."""
    n, ones = len(bits), bits.mean()
    if abs(ones - 0.5) >= 2 / np.sqrt(n):
        return (0.0,)
    expected = 2 * n * ones * (1 - ones)
    changes = 1 + np.count_nonzero(bits[1:] != bits[:-1])
    return (special.erfc(abs(changes - expected) / (2 * np.sqrt(2 * n) * ones * (1 - ones))),)


def longest_run(bits):
    """The longest run of ones in a block (2.4)."""
    n = len(bits)
    block, shortest, longest = (8, 1, 4) if n < 6272 else (128, 4, 9) if n < 750_000 else (10_000, 10, 16)
    bits = bits[: n // block * block].reshape(-1, block)
    places = np.arange(1, block + 1, dtype=np.int32)
    since = places - np.maximum.accumulate(np.where(bits == 0, places, np.int32(0)), axis=1)
    classes = np.clip(since.max(1), shortest, longest) - shortest
    below = np.array([_no_longer_run(k, block) for k in range(shortest, longest)])
    return (_chi_square(np.bincount(classes, minlength=len(below) + 1), np.diff(below, prepend=0, append=1)),)


def rank(bits, size=32):
    """The ranks over GF(2) of square matrices of bits (2.5)."""
    matrices = bits[: len(bits) // size**2 * size**2].reshape(-1, size, size)
    missing = np.minimum(size - ranks(matrices), 2)
    full = np.prod(1 - 0.5 ** np.arange(1, size + 1))
    one_less = full * (1 - 0.5**size) / (1 - 0.5) ** 2 / 2
    return (_chi_square(np.bincount(missing, minlength=3), np.array([full, one_less, 1 - full - one_less])),)


def spectrum(bits):
    """Peaks of the discrete Fourier transform above the level that 5 % should exceed (2.6)."""
    n = len(bits)
    heights = abs(np.fft.rfft(_signs(bits))[: n // 2])
    below = np.count_nonzero(heights < np.sqrt(n * np.log(20)))
    return (special.erfc(abs(below - 0.95 * n / 2) / np.sqrt(2 * n * 0.95 * 0.05 / 4)),)


def universal(bits):
    """Maurer's test: how far back each pattern of bits was met before (2.9)."""
    n = len(bits)
    length = next(width for width in range(16, 5, -1) if n >= 1010 * 2**width * width)
    value, used = universal_statistic(bits, length, 10 * 2**length)
    # The distance back is geometric; what lies beyond 50 means is below 1e-20.
    distance = np.arange(1, 50 * 2**length)
    chance = 0.5**length * (1 - 0.5**length) ** (distance - 1)
    mean = (chance * np.log2(distance)).sum()
    variance = (chance * np.log2(distance) ** 2).sum() - mean**2
    factor = 0.7 - 0.8 / length + (4 + 32 / length) * used ** (-3 / length) / 15
    return (special.erfc(abs(value - mean) / (factor * np.sqrt(2 * variance / used))),)


def serial(bits, width=16):
    """Overlapping patterns of a width are equally frequent (2.11): two p-values."""
    longest = patterns(bits, width)
    counts = longest, longest.reshape(-1, 2).sum(1), longest.reshape(-1, 4).sum(1)
    psi = [len(c) / len(bits) * (c.astype(np.float64) ** 2).sum() - len(bits) for c in counts]
    first, second = psi[0] - psi[1], psi[0] - 2 * psi[1] + psi[2]
    return stats.chi2.sf(first, 2 ** (width - 1)), stats.chi2.sf(second, 2 ** (width - 2))


def approximate_entropy(bits, width=10):
    """Patterns of a width tell nothing of the next bit (2.12)."""
    n = len(bits)
    longer = patterns(bits, width + 1)
    entropy = special.entr(longer / n).sum() - special.entr(longer.reshape(-1, 2).sum(1) / n).sum()
    return (stats.chi2.sf(2 * n * (np.log(2) - entropy), 2**width),)


def cumulative_sums(bits):
    """The walk of the bits goes no farther than it should (2.13): forward and backward."""
    walk = np.cumsum(2 * bits.astype(np.int32) - 1, dtype=np.int32)
    forward, backward = abs(walk).max(), abs(walk[-1] - np.append(0, walk[:-1])).max()
    return _farthest(forward, len(bits)), _farthest(backward, len(bits))


TESTS = (
    frequency,
    block_frequency,
    runs,
    longest_run,
    rank,
    spectrum,
    universal,
    serial,
    approximate_entropy,
    cumulative_sums,
)


def battery(sequences, tests=TESTS):
    """Return p-values by test: of the p-values of all sequences being uniform (4.2.2, by Kolmogorov-Smirnov)."""
    found = {}
    for bits in sequences:
        for test in tests:
            for k, p_value in enumerate(test(bits)):
                found.setdefault(f"{test.__name__}, second" if k else test.__name__, []).append(p_value)
    return {name: float(stats.kstest(p_values, "uniform").pvalue) for name, p_values in found.items()}


def patterns(bits, width):
    """Count the overlapping patterns of this width, the bits closed to a ring."""
    ring = np.concatenate([bits, bits[: width - 1]]).astype(np.uint32)
    value = np.zeros(len(bits), np.uint32)
    for i in range(width):
        value = value << np.uint32(1) | ring[i : i + len(bits)]
    return np.bincount(value, minlength=2**width)


def ranks(matrices):
    """Return the ranks over GF(2) of an array of square matrices of at most 64 rows, all at once."""
    size = matrices.shape[-1]
    rows = (matrices.astype(np.uint64) << np.arange(size, dtype=np.uint64)).sum(-1, dtype=np.uint64)
    result = np.zeros(len(rows), np.intp)
    each = np.arange(len(rows))
    for column in range(size):
        holds = (rows >> np.uint64(column) & np.uint64(1)).astype(bool)
        pivot = holds.argmax(1)
        found = holds.any(1)
        pivot_row = np.where(found, rows[each, pivot], np.uint64(0))
        # The pivot row clears itself too, and so is out of play.
        rows ^= np.where(holds, pivot_row[:, None], np.uint64(0))
        result += found
    return result


def universal_statistic(bits, length, first):
    """Return Maurer's statistic and the number of patterns it is the mean over, all but the ``first`` ones."""
    bits = bits[: len(bits) // length * length].reshape(-1, length)
    values = (bits @ (1 << np.arange(length)[::-1])).astype(np.uint16)
    order = np.argsort(values, kind="stable")
    previous = np.full(len(values), -1)
    same = values[order[1:]] == values[order[:-1]]
    previous[order[1:][same]] = order[:-1][same]
    distance = np.arange(len(values)) - previous
    return np.log2(distance[first:]).mean(), len(values) - first


def _signs(bits):
    return 2.0 * bits - 1


def _chi_square(counts, probabilities):
    return stats.chisquare(counts, probabilities * counts.sum(), sum_check=False).pvalue


def _no_longer_run(longest, n):
    """Return the probability that n bits hold no run of more than ``longest`` ones."""
    run = longest + 1
    none = np.ones(n + 1)
    none[run] = 1 - 0.5**run
    for i in range(run + 1, n + 1):
        none[i] = none[i - 1] - 0.5 ** (run + 1) * none[i - run - 1]
    return none[n]


def _farthest(z, n):
    """Return the probability that a walk of n steps gets as far as z."""

    def total(first, last, low, high):
        k = np.arange(np.trunc(first), np.trunc(last) + 1)
        return (special.ndtr((4 * k + high) * z / np.sqrt(n)) - special.ndtr((4 * k + low) * z / np.sqrt(n))).sum()

    last = (n / z - 1) / 4
    return 1 - total((-n / z + 1) / 4, last, -1, 1) + total((-n / z - 3) / 4, last, 1, 3)
