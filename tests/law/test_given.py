"""The law of noise given a choice: what Gumbel noise is among the draws that lead there.

Every p-value is compared with ``laws.ALARM``, so the false-alarm rate is 1e-6 a test were the seeds not fixed. With
100,000 draws a Kolmogorov-Smirnov distance of 0.011 is missed less than once in 10^6. Given a likely choice the
noise is also compared with rejection, which conditions by throwing away. The planted defects below are caught.
"""

import numpy as np
import pytest
from scipy import stats

import fastgumbel
from fastgumbel import NoiseField, gumbel_given_choice
from tests.law import conditional_laws, laws

DTYPES = (np.float64, np.float32)
DRAWS = 100_000


def normal(n, dtype=np.float64):
    return np.random.default_rng(n).normal(size=n).astype(dtype)


def softmax_choices(x, draws, seed):
    """Return choices from another source than the package."""
    p = np.exp(x.astype(np.float64) - x.max())
    return np.random.default_rng(seed).choice(len(x), size=draws, p=p / p.sum())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 3, 10, 65])
def test_a_choice_drawn_first_gives_plain_noise(n, dtype):
    """The choice by softmax, the noise given the choice: together they are Gumbel noise and its argmax."""
    x = normal(n, dtype)
    choice = softmax_choices(x, DRAWS, n)
    noise = gumbel_given_choice(x, choice, size=DRAWS, rng=n).astype(np.float64)
    assert conditional_laws.unconditional_law(noise) > laws.ALARM
    if n > 1:
        for p_value in laws.maximum_law(choice, (x + noise).max(-1), x):
            assert p_value > laws.ALARM


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [2, 5, 65])
def test_the_choice_of_the_same_field_gives_plain_noise(n, dtype):
    """As Gumbel-Rao uses it: the choice is read from the field, the noise from words of its own in the same field."""
    x = normal(n, dtype)
    field = NoiseField(n)
    choice = fastgumbel.gumbel_max(x, size=DRAWS, noise=field)
    noise = gumbel_given_choice(x, choice, size=DRAWS, noise=field).astype(np.float64)
    assert conditional_laws.unconditional_law(noise) > laws.ALARM
    plain = np.stack([fastgumbel.gumbel(n, noise=field.at(draw=s)) for s in range(5000)])
    again = gumbel_given_choice(np.zeros(n), np.zeros(5000, int), size=5000, noise=field)
    for c in range(1, min(n, 5)):
        own = np.exp(np.exp(-again[:, 0]) - np.exp(-again[:, c]))
        assert conditional_laws.uniform_independence(own, conditional_laws.gumbel_cdf(plain[:, c])) > laws.ALARM


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("choice", [0, 1, 4, 9])
def test_the_noise_given_one_choice(choice, dtype):
    x = normal(10, dtype)
    noise = gumbel_given_choice(x, choice, size=DRAWS, rng=choice).astype(np.float64)
    assert conditional_laws.given_law(noise, x.astype(np.float64), choice) > laws.ALARM


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gap", [5, 20, 100, 700])
def test_the_noise_given_a_choice_that_is_never_taken(gap, dtype):
    """Its noise is high, so that it wins by no more than any winner does: no rejection could find such draws."""
    x = np.array([0.5, -gap, 0.0, -1.0])
    noise = gumbel_given_choice(x.astype(dtype), 1, size=DRAWS, rng=gap).astype(np.float64)
    assert conditional_laws.given_law(noise, x, 1) > laws.ALARM


@pytest.mark.parametrize("choice", [0, 2])
def test_conditioning_is_rejection(choice):
    """Two samples, of the noise given the choice and of the plain noise that led to it: the same law."""
    x = np.array([0.3, 0.0, -0.4])
    plain = fastgumbel.gumbel((DRAWS, 3), rng=1)
    kept = plain[(x + plain).argmax(-1) == choice]
    noise = gumbel_given_choice(x, choice, size=len(kept), rng=2)
    for a, b in zip(noise.T, kept.T, strict=True):
        assert stats.ks_2samp(a, b).pvalue > laws.ALARM
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert stats.ks_2samp(noise[:, i] - noise[:, j], kept[:, i] - kept[:, j]).pvalue > laws.ALARM


@pytest.mark.parametrize("dtype", DTYPES)
def test_excluded_categories_get_plain_noise(dtype):
    """By minus infinity and by the mask; independent of each other and of the noise of the choice."""
    x = np.array([0.0, -np.inf, 1.0, 5.0, -1.0, 1e30], dtype)
    where = np.array([True, True, True, False, True, False])
    noise = gumbel_given_choice(x, 2, where=where, size=DRAWS, rng=3).astype(np.float64)
    assert conditional_laws.unconditional_law(noise[:, [1, 3, 5]]) > laws.ALARM
    left = [0, 2, 4]
    assert conditional_laws.given_law(noise[:, left], x[left].astype(np.float64), 1) > laws.ALARM
    maximum = noise[:, 2] + 1 - np.log(np.exp([0.0, 1.0, -1.0]).sum())
    for excluded in (1, 3, 5):
        assert laws.independence(noise[:, excluded], maximum) > laws.ALARM


def test_a_big_offset_changes_nothing():
    """Potentials near a million, where float64 still resolves the noise to 1e-10."""
    x = normal(5)
    noise = gumbel_given_choice(x + 1e6, 2, size=DRAWS, rng=4)
    assert conditional_laws.given_law(noise, x, 2) > laws.ALARM


@pytest.mark.parametrize("lag", [1, 2, 64])
def test_neighbouring_rows_and_draws_are_independent(lag):
    x = np.zeros((2000, 30))
    choice = fastgumbel.gumbel_max(x, rng=1)
    field = NoiseField(5)
    noise = gumbel_given_choice(x, choice, noise=field)
    assert laws.independence(noise[lag:], noise[:-lag]) > laws.ALARM
    other = fastgumbel.gumbel_max(x, rng=2)
    assert laws.independence(noise, gumbel_given_choice(x, other, noise=field.at(draw=lag))) > laws.ALARM


def right(x, choice, exponentials):
    """Return noise given a choice by the formula, from a row of exponentials: that of the choice for the maximum."""
    arrival = exponentials[:, [choice]] / np.exp(x).sum()
    return -np.log(arrival * np.exp(x) + np.where(np.arange(len(x)) == choice, 0, exponentials))


def maximum_without_logsumexp(x, choice, exponentials):
    """Take a plain Gumbel for the choice, as if it had won against nobody."""
    too_long = np.exp(x).sum() / np.exp(x[choice])
    return right(x, choice, exponentials * np.where(np.arange(len(x)) == choice, too_long, 1))


def swap_for_the_largest(x, choice, exponentials):
    """Draw plain noise and exchange the winner's with that of the choice: the argmax is right, the law is not."""
    perturbed = x - np.log(exponentials)
    rows, best = np.arange(len(perturbed)), perturbed.argmax(-1)
    swapped = perturbed.copy()
    swapped[rows, best], swapped[rows, choice] = perturbed[rows, choice], perturbed[rows, best]
    return swapped - x


def others_without_truncation(x, choice, exponentials):
    """Give only the choice its noise; the others are as they would be without it."""
    noise = -np.log(exponentials)
    noise[:, choice] = right(x, choice, exponentials)[:, choice]
    return noise


DEFECTS = (maximum_without_logsumexp, swap_for_the_largest, others_without_truncation)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_caught(defect):
    x = normal(5)
    exponentials = np.random.default_rng(6).exponential(size=(20_000, 5))
    with np.errstate(over="ignore"):
        assert conditional_laws.given_law(np.maximum(defect(x, 2, exponentials), -3.6), x, 2) < laws.ALARM
    assert conditional_laws.given_law(right(x, 2, exponentials), x, 2) > laws.ALARM


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("choice", [0, 3])
def test_ten_million_draws(choice, dtype):
    x = normal(4, dtype)
    noise = gumbel_given_choice(x, choice, size=10**7, rng=7).astype(np.float64)
    assert conditional_laws.given_law(noise, x.astype(np.float64), choice) > laws.ALARM
