"""The test of the counts is right, and can fail."""

import numpy as np
import pytest
from scipy import special, stats

from fastgumbel._cli.counts import Tally, chi_square_tail, softmax_in_place


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 20, 63, 64, 99, 100])
def test_tail_equals_scipy(freedom):
    statistics = np.concatenate([[0.0], np.geomspace(1e-8, 1400, 200)])
    tails = [chi_square_tail(statistic, freedom) for statistic in statistics]
    np.testing.assert_allclose(tails, stats.chi2.sf(statistics, freedom), rtol=1e-12, atol=1e-305)


def test_softmax_equals_scipy():
    block = np.random.default_rng(0).normal(scale=30, size=(50, 7))
    block[:, 2] = -np.inf
    np.testing.assert_allclose(softmax_in_place(block.copy()), special.softmax(block, axis=1), rtol=1e-13)


def test_covariance_equals_its_definition():
    chances = softmax_in_place(np.random.default_rng(1).normal(scale=2, size=(40, 5)))
    tally = Tally(5, draws=10)
    tally.expect(chances[:15])
    tally.expect(chances[15:])
    expected = sum(10 * (np.diag(row) - np.outer(row, row)) for row in chances)
    counts = np.array([80, 70, 90, 60, 100])
    tally.count(np.repeat(np.arange(5), counts))
    surprise = counts - 10 * chances.sum(axis=0)
    statistic, freedom, chance = tally.test()
    assert freedom == 4
    assert statistic == pytest.approx(surprise @ np.linalg.pinv(expected) @ surprise)
    assert chance == pytest.approx(stats.chi2.sf(statistic, 4))


@pytest.mark.parametrize("alternatives", [4, 300])
def test_p_values_are_uniform_where_rows_differ(alternatives):
    """Kolmogorov-Smirnov at 1e-3; Pearson's sum over these rows fails at 1e-20."""
    rng = np.random.default_rng(2)
    chances = softmax_in_place(rng.normal(scale=3, size=(60, alternatives)))
    bounds = chances.cumsum(axis=1)[:, None, :-1]
    found = []
    for _ in range(100):
        tally = Tally(alternatives, draws=20)
        tally.expect(chances)
        tally.count((rng.random((60, 20, 1)) > bounds).sum(axis=2))
        found.append(tally.test()[2])
    assert stats.kstest(found, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("alternatives", [4, 300])
def test_planted_bias_is_found(alternatives):
    """One choice in fifty goes to the first alternative instead."""
    rng = np.random.default_rng(3)
    chances = softmax_in_place(np.linspace(0, 3, alternatives)[None] + rng.normal(size=(500, 1)))
    tally = Tally(alternatives, draws=100)
    tally.expect(chances)
    choices = (rng.random((500, 100, 1)) > chances.cumsum(axis=1)[:, None, :-1]).sum(axis=2)
    tally.count(np.where(rng.random(choices.shape) < 0.02, 0, choices))
    assert tally.test()[2] < 1e-6


@pytest.mark.parametrize(
    "chances",
    [
        [[1.0]],
        [[1.0, 0.0], [0.0, 1.0]],
        [[1.0 - 1e-9, 1e-9, 0.0]],
    ],
)
def test_nothing_random_nothing_tested(chances):
    tally = Tally(len(chances[0]), draws=1000)
    tally.expect(np.array(chances))
    tally.count(np.repeat(np.argmax(chances, axis=1), 1000))
    assert tally.test() is None


def test_blocks_of_chances_count_one_degree_each():
    """Half the rows choose between the first two alternatives, half between the last two: two degrees, not three."""
    tally = Tally(4, draws=100)
    tally.expect(np.array([[0.5, 0.5, 0.0, 0.0]] * 10 + [[0.0, 0.0, 0.3, 0.7]] * 10))
    tally.count(np.repeat(np.arange(4), [520, 480, 290, 710]))
    statistic, freedom, _ = tally.test()
    assert freedom == 2
    assert statistic == pytest.approx(20**2 / 250 + 10**2 / 210)
