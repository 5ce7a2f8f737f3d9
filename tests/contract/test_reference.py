"""The reference against what is known without it: published vectors, exact logarithms, its own vectorised twin."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

from tests.law.planted import NextLaneWins
from tests.oracle import reference
from tests.oracle.vectorised import Field, philox, unphilox

U64 = np.uint64


@pytest.mark.parametrize(("counter", "key", "words"), reference.PHILOX_KNOWN_ANSWERS)
def test_philox_known_answers(counter, key, words):
    assert reference.philox(counter, key) == words
    assert reference.unphilox(words, key) == counter


@pytest.mark.parametrize(("counter", "key", "words"), reference.PHILOX_KNOWN_ANSWERS)
def test_vectorised_philox_known_answers(counter, key, words):
    key = key[1] << 32 | key[0]
    assert tuple(int(w) for w in philox(*map(U64, counter), key)) == words
    assert tuple(int(w) for w in unphilox(*map(U64, words), key)) == counter


@pytest.mark.parametrize("word", [0, 1, 2**12 - 1, 2**12, 2**40 + 12345, 2**63, 2**64 - 2**12 - 1, 2**64 - 1])
def test_the_uniform_is_an_exact_midpoint_and_its_exponential_is_right(word):
    exact = (Fraction(word >> 12) + Fraction(1, 2)) / 2**52
    assert 0 < exact < 1
    assert Fraction(((word >> 12) + 0.5) * 2.0**-52) == exact
    with localcontext(prec=60):
        survival = 1 - exact
        expected = -(Decimal(survival.numerator) / Decimal(survival.denominator)).ln()
        assert abs(Decimal(reference.exponential(word)) - expected) <= Decimal(math.ulp(float(expected)))


def test_the_extremes_of_the_exponential():
    assert reference.exponential(0) == 2.0**-53
    assert reference.exponential(2**64 - 1) == pytest.approx(53 * math.log(2), rel=1e-15)


def coordinates():
    """Mix small, large and random rows, draws and categories."""
    rng = np.random.default_rng(20)
    rows = [0, 1, 2**32 - 1, 2**32, 2**64 - 1, *rng.integers(2**64, size=5, dtype=U64)]
    draws = [0, 1, 2**32 - 1, *rng.integers(2**32, size=5, dtype=U64)]
    categories = [*range(140), 2**32 - 65, 2**32 - 64, 2**32 - 1, *rng.integers(2**32, size=5, dtype=U64)]
    return [np.array([int(i) for i in a], dtype=U64) for a in (rows, draws, categories)]


def test_the_vectorised_twin_agrees_with_the_reference():
    key = 0x0123456789ABCDEF
    rows, draws, categories = coordinates()
    fast = Field(key).gumbel(rows[:, None, None], draws[:, None], categories)
    slow = [[[reference.gumbel(key, int(r), int(d), int(c)) for c in categories] for d in draws] for r in rows]
    np.testing.assert_allclose(fast, slow, rtol=1e-15, atol=1e-15)


def test_a_moved_winner_lane_is_caught_by_value():
    """No test of the law can catch it, the law being unharmed: agreement of values must."""
    rows, draws, categories = coordinates()
    right = Field(1).gumbel(rows[0], draws[0], categories)
    wrong = NextLaneWins(1).gumbel(rows[0], draws[0], categories)
    assert np.count_nonzero(right != wrong) >= 2
