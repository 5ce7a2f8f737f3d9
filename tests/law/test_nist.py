"""The tests of NIST SP 800-22 give the p-values that rev. 1a prints for its examples.

Section 2.6, the spectral test, prints p-values for its two short examples that its own formula does not give; it is
tied to its definition here, and to Appendix B. 2.5's example takes the limits of the probabilities for 3 x 3 matrices.
"""

import math
from functools import cache

import numpy as np
import pytest
from scipy import special

from tests.law import nist


def zeros_and_ones(text):
    return np.frombuffer(text.encode(), np.uint8) - 48


PI = zeros_and_ones(
    "11001001000011111101101010100010001000010110100011" + "00001000110100110001001100011001100010100010111000"
)
RUNS_OF_ONES = zeros_and_ones(
    "1100110000010101011011000100110011100000000000100100110101010001"
    "0001001111010110100000001101011111001100111001101101100010110010"
)


@cache
def e(count):
    """Return the first binary digits of e, by splitting the sum of 1/k!."""

    def split(first, last):
        if last - first == 1:
            return 1, last
        middle = (first + last) // 2
        (p, q), (r, s) = split(first, middle), split(middle, last)
        return p * s + r, q * s

    p, q = split(0, next(n for n in range(10, count) if math.lgamma(n) > count * math.log(2)))
    return zeros_and_ones(bin((p + q << count) // q)[2 : 2 + count])


@pytest.mark.parametrize(
    ("test", "bits", "expected"),
    [
        (nist.frequency, "1011010101", [0.527089]),
        (nist.frequency, PI, [0.109599]),
        (lambda bits: nist.block_frequency(bits, 3), "0110011010", [0.801252]),
        (lambda bits: nist.block_frequency(bits, 10), PI, [0.706438]),
        (nist.runs, "1001101011", [0.147232]),
        (nist.runs, PI, [0.500798]),
        (nist.longest_run, RUNS_OF_ONES, [0.180609]),
        (lambda bits: nist.serial(bits, 3), "0011011101", [0.808792, 0.670320]),
        (lambda bits: nist.approximate_entropy(bits, 3), "0100110101", [0.261961]),
        (lambda bits: nist.approximate_entropy(bits, 2), PI, [0.235301]),
        (nist.cumulative_sums, "1011010111", [0.411659, 0.411659]),
        (nist.cumulative_sums, PI, [0.219194, 0.114866]),
    ],
)
def test_a_short_example(test, bits, expected):
    bits = zeros_and_ones(bits) if isinstance(bits, str) else bits
    np.testing.assert_allclose(test(bits), expected, atol=6e-7)


def test_the_statistic_of_the_universal_test():
    value, used = nist.universal_statistic(zeros_and_ones("01011010011101010111"), length=2, first=4)
    assert (round(value, 7), used) == (1.1949875, 6)


def test_the_ranks_of_matrices_of_the_digits_of_e():
    bits = e(100_000)
    ranks = nist.ranks(bits[: 97 * 1024].reshape(-1, 32, 32))
    assert [np.count_nonzero(ranks == 32), np.count_nonzero(ranks == 31)] == [23, 60]
    np.testing.assert_allclose(nist.rank(bits), [0.532069], atol=6e-7)


def test_ranks_by_hand():
    matrices = np.array(
        [np.zeros((3, 3)), np.eye(3), [[1, 1, 0], [0, 1, 1], [1, 0, 1]], [[0, 1, 0], [0, 1, 0], [1, 0, 0]]]
    )
    np.testing.assert_array_equal(nist.ranks(matrices), [0, 3, 2, 2])


def test_the_spectral_test_by_its_definition():
    n, signs = len(PI), 2.0 * PI - 1
    angles = 2 * np.pi / n * np.outer(np.arange(n // 2), np.arange(n))
    heights = np.hypot(np.cos(angles) @ signs, np.sin(angles) @ signs)
    away = np.count_nonzero(heights < math.sqrt(n * math.log(1 / 0.05))) - 0.95 * n / 2
    expected = special.erfc(abs(away) / math.sqrt(n * 0.95 * 0.05 / 4) / math.sqrt(2))
    np.testing.assert_allclose(nist.spectrum(PI), [expected])


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("test", "expected", "rounding"),
    [
        (nist.frequency, [0.953749], 6e-7),
        (nist.block_frequency, [0.211072], 6e-7),
        (nist.runs, [0.561917], 6e-7),
        (nist.longest_run, [0.718945], 1e-3),  # the standard rounds the probabilities to four digits
        (nist.rank, [0.306156], 6e-7),
        (nist.spectrum, [0.847187], 6e-7),
        (nist.universal, [0.282568], 1e-4),  # and the variance too
        (lambda bits: nist.serial(bits, 2), [0.843764, 0.561915], 6e-7),
        (lambda bits: nist.serial(bits)[:1], [0.766182], 6e-7),
        (nist.approximate_entropy, [0.700073], 6e-7),
        (nist.cumulative_sums, [0.669887, 0.724266], 1e-6),
    ],
)
def test_a_million_digits_of_e(test, expected, rounding):
    """The values of Appendix B."""
    np.testing.assert_allclose(test(e(10**6)), expected, atol=rounding)
