"""The law of what is drawn: categories by softmax, the maximum as logsumexp plus Gumbel, neighbours independent.

Every p-value is compared with ``laws.ALARM``, so the false-alarm rate is 1e-6 a test were the seeds not fixed. A bias
of relative size d in a group of probability p is missed less than once in 10^6 when d^2 p draws > 150 or so: with 10^7
draws, 1.2 % in a group of a tenth, 5 % in a lane.
``test_planted_defects.py`` shows the same statistics fail where they should.
"""

import numpy as np
import pytest
from scipy import special, stats

import fastgumbel
from tests.law import laws


def normal(n, scale, dtype=np.float64):
    return (scale * np.random.default_rng(n).normal(size=n)).astype(dtype)


def count(x, draws, field):
    """Return how often each category is drawn, ten million draws at a time."""
    counts = np.zeros(len(x), np.int64)
    for first in range(0, draws, 10**7):
        indices = fastgumbel.gumbel_max(x, size=min(10**7, draws - first), noise=field.at(draw=first))
        counts += np.bincount(indices, minlength=len(x))
    return counts


def index_law(x, draws, seed):
    """Return the p-value of this many draws."""
    return laws.index_law(count(x, draws, fastgumbel.NoiseField(seed)), x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [2, 3, 10])
def test_ten_million_draws_of_few_categories(n, dtype):
    assert index_law(normal(n, 1, dtype), 10**7, seed=n) > laws.ALARM


@pytest.mark.parametrize("n", [64, 65, 130])
def test_a_million_draws_of_a_few_blocks(n):
    assert index_law(normal(n, 0.5), 10**6, seed=n) > laws.ALARM


@pytest.mark.parametrize(
    ("n", "draws", "scale"),
    [
        (5000, 10**6, 0),
        (5000, 10**6, 1),
        pytest.param(5000, 10**6, 2, marks=pytest.mark.heavy),
        (131_072, 10**5, 0),
        (131_072, 10**5, 1),
        (131_072, 10**5, 2),
    ],
)
def test_draws_of_many_categories(n, draws, scale):
    assert index_law(normal(n, scale, np.float32), draws, seed=scale) > laws.ALARM


@pytest.mark.heavy
@pytest.mark.parametrize(("n", "draws"), [(3, 10**9), (10, 10**9), (5000, 10**7), (131_072, 10**6)])
def test_very_many_draws(n, draws):
    """A billion draws of few categories, and enough of many to see 5 % in any lane."""
    assert index_law(normal(n, 1), draws, seed=n) > laws.ALARM


def test_draws_over_rows_instead_of_draws():
    """Row ids, not draw numbers, tell these draws apart."""
    x = normal(10, 1)
    indices = fastgumbel.gumbel_max(np.broadcast_to(x, (10**6, 10)), rng=1)
    assert laws.index_law(np.bincount(indices, minlength=10), x) > laws.ALARM


def test_draws_over_keys_instead_of_draws():
    """Seeds 0, 1, 2, ... name fields that are independent of each other."""
    x = normal(5, 1)
    indices = [fastgumbel.gumbel_max(x, rng=seed) for seed in range(20_000)]
    assert laws.index_law(np.bincount(indices, minlength=5), x) > laws.ALARM


@pytest.mark.parametrize(("n", "draws"), [(3, 1_000_000), (64, 1_000_000), (1000, 200_000)])
def test_the_maximum_is_logsumexp_plus_gumbel_and_independent_of_the_index(n, draws):
    x = normal(n, 1)
    indices, values = fastgumbel.gumbel_max(x, size=draws, rng=2, return_max=True)
    law, independent = laws.maximum_law(indices, values, x)
    assert law > laws.ALARM
    assert independent > laws.ALARM


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_field_is_gumbel(dtype):
    values = fastgumbel.gumbel((1000, 2000), rng=3, dtype=dtype).astype(np.float64)
    assert stats.kstest(values.ravel(), "gumbel_r").pvalue > laws.ALARM
    by_lane = values[:, : 64 * 31].reshape(-1, 64)
    p_values = [stats.kstest(lane, "gumbel_r").pvalue for lane in by_lane.T]
    assert 64 * min(p_values) > laws.ALARM


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_upper_tail_of_the_field(dtype):
    """Values above 8, 10, 12 and 14 of 10^7 are as many as they should be: down to 8 in ten million."""
    values = fastgumbel.gumbel((1000, 10_000), rng=4, dtype=dtype)
    for level in (8, 10, 12, 14):
        hits = int(np.count_nonzero(values > level))
        assert stats.binomtest(hits, values.size, -np.expm1(-np.exp(-float(level)))).pvalue > laws.ALARM


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 5, 8, 63, 64, 65, 128, 1000])
def test_neighbouring_categories_are_independent(lag):
    values = fastgumbel.gumbel((400, 3000), rng=5)
    assert laws.independence(values[:, lag:], values[:, :-lag]) > laws.ALARM


@pytest.mark.parametrize("lag", [1, 2, 16, 64])
def test_neighbouring_rows_draws_and_keys_are_independent(lag):
    field = fastgumbel.NoiseField(6)
    values = fastgumbel.gumbel((400, 3000), noise=field)
    assert laws.independence(values[lag:], values[:-lag]) > laws.ALARM
    assert laws.independence(values, fastgumbel.gumbel((400, 3000), noise=field.at(draw=lag))) > laws.ALARM
    assert laws.independence(values, fastgumbel.gumbel((400, 3000), rng=6 + lag)) > laws.ALARM


def excluded(n):
    """Return log-potentials and a mask that together leave about half of the categories."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=n)
    x[rng.random(n) < 0.25] = -np.inf
    where = rng.random(n) < 0.75
    x[0], where[0] = 0.0, True
    x[n // 2 + 1 :][~where[n // 2 + 1 :]] = 1e300
    return x, where


@pytest.mark.parametrize(
    ("n", "draws"),
    [
        (10, 10**7),
        (200, 10**6),
        (3000, 10**5),
        pytest.param(10, 10**8, marks=pytest.mark.heavy),
        pytest.param(3000, 10**7, marks=pytest.mark.heavy),
    ],
)
def test_excluded_categories_are_never_drawn(n, draws):
    """And the others are drawn as often as they should be."""
    x, where = excluded(n)
    counts = np.bincount(fastgumbel.gumbel_max(x, where=where, size=draws, rng=8), minlength=n)
    left = where & (x > -np.inf)
    assert not counts[~left].any()
    probabilities = special.softmax(x[left])
    group = np.arange(left.sum()) % 10
    p_value = laws.chi_square(np.bincount(group, counts[left]), np.bincount(group, probabilities))
    assert p_value > laws.ALARM
