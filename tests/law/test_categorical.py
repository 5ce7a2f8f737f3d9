"""The law of ``categorical``: chi-square down to probabilities of 10^-10, the exact size of its integers, the tails.

Every p-value is compared with ``laws.ALARM``. A bias of relative size d in a group of probability p is missed less than
once in 10^6 when d^2 p draws > 150 or so: 40 % in each decade of rare items below, a planted 24-bit uniform far beyond.
"""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import special, stats

from fastgumbel import NoiseField, categorical
from tests.law import laws
from tests.oracle import inversion

RARE = {10.0**-e: 10 ** (e - 5) for e in range(6, 11)}  # probability: items, 10^-5 of each kind in all


def rare_and_common():
    """Return log-potentials, in no order, and each item's group: one for a rare probability, ten for the others."""
    rng = np.random.default_rng(0)
    common = rng.random(10)
    common *= (1 - 1e-5 * len(RARE)) / common.sum()
    p = np.concatenate([common, np.repeat(list(RARE), list(RARE.values()))])
    group = np.concatenate([np.arange(10), np.repeat(np.arange(10, 10 + len(RARE)), list(RARE.values()))])
    order = rng.permutation(len(p))
    return np.log(p[order]) + 7, group[order]


def rare_law(counts):
    """Return p-values of draws from ``rare_and_common``: of the groups, and of how often a rarest item comes twice.

    A coarse uniform can name few of the rarest items, those too often, and still draw each group as often as it should.
    """
    x, group = rare_and_common()
    frequencies = laws.chi_square(np.bincount(group, counts), np.bincount(group, special.softmax(x)))
    rarest = counts[group == group.max()]
    pairs = int((rarest * (rarest - 1) // 2).sum())
    return frequencies, stats.poisson.sf(pairs - 1, rarest.sum() ** 2 / 2 / len(rarest))


@pytest.mark.parametrize("draws", [3 * 10**7, pytest.param(10**9, marks=pytest.mark.heavy)])
def test_probabilities_down_to_a_ten_billionth(draws):
    x, _ = rare_and_common()
    field = NoiseField(1)
    counts = np.zeros(len(x), np.int64)
    for first in range(0, draws, 10**7):
        counts += np.bincount(categorical(x, 10**7, noise=field.at(draw=first)), minlength=len(x))
    for p_value in rare_law(counts):
        assert p_value > laws.ALARM


def test_a_coarse_uniform_is_caught():
    """The statistic of the test above can fail: on the same words, cut to 24 bits."""
    x, _ = rare_and_common()
    sums = inversion.running_sums(x).astype(np.float64)
    u = np.random.default_rng(2).integers(2**24, size=3 * 10**7) * 2.0**-24
    drawn = np.searchsorted(sums / sums[-1], u, "right")
    frequencies, repeated = rare_law(np.bincount(drawn, minlength=len(x)))
    assert frequencies > laws.ALARM
    assert repeated < laws.ALARM


@pytest.mark.parametrize("n", [2, 3, 10, 64, 130])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ten_million_draws(n, dtype):
    x = np.random.default_rng(n).normal(size=n).astype(dtype)
    assert laws.index_law(np.bincount(categorical(x, 10**7, rng=n), minlength=n), x) > laws.ALARM


@pytest.mark.parametrize("n", [5000, 131_072])
def test_many_categories(n):
    x = np.random.default_rng(n).normal(size=n)
    assert laws.index_law(np.bincount(categorical(x, 10**7, rng=n), minlength=n), x) > laws.ALARM


def test_more_categories_than_a_float32_can_count():
    n = 2**24 + 2**20
    drawn = categorical(np.full(n, 1e6, np.float32), 10**5, rng=1)
    assert laws.chi_square(np.bincount(drawn >> 20, minlength=17), np.full(17, 1 / 17)) > laws.ALARM
    assert np.count_nonzero(drawn & 1) == pytest.approx(10**5 / 2, abs=1000)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_draw_of_each_of_a_million_rows(dtype):
    x = np.random.default_rng(1).normal(size=10).astype(dtype)
    drawn = categorical(np.tile(x, (10**6, 1)), rng=3)
    assert laws.index_law(np.bincount(drawn, minlength=10), x) > laws.ALARM


@pytest.mark.parametrize("n", [10, 200, 3000])
def test_excluded_categories_are_never_drawn(n):
    """Nor is one whose probability is 0 in float64, and the others are drawn as often as they should be."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=n)
    x[rng.random(n) < 0.2] = -np.inf
    x[rng.random(n) < 0.2] = -800
    where = rng.random(n) < 0.75
    x[0], where[0] = 0, True
    x[~where] = 1e300
    left = where & (x > -700)
    many = categorical(x, 10**7, where=where, rng=1)
    rows = categorical(np.broadcast_to(x, (10**5, n)), where=where, rng=2)
    for drawn in (many, rows):
        counts = np.bincount(drawn, minlength=n)
        assert not counts[~left].any()
        group = np.arange(left.sum()) % 10
        expected = np.bincount(group, special.softmax(x[left]), minlength=10)[: left.sum()]
        assert laws.chi_square(np.bincount(group, counts[left]), expected) > laws.ALARM


@pytest.mark.parametrize("n", [2, 10, 1000, 30_000])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_integers_are_as_large_as_probabilities(n, scale):
    """Within 2^-47 + n 2^-60 of each, and 2^-60 of the sum: one of probability 10^-10 has 7 figures."""
    x = scale * np.random.default_rng(n).normal(size=n)
    x[0] = x.max() + np.log(1e10)
    sums = inversion.running_sums(x)
    weights = np.diff(sums, prepend=np.uint64(0))
    assert 2**60 <= sums[-1] < 2**62
    with localcontext(prec=30):
        exact = [Decimal(v).exp() for v in x.tolist()]
        total = sum(exact)
        for w, e in zip(weights.tolist(), exact, strict=True):
            p = e / total
            bound = p * Decimal(2.0**-47 + n * 2.0**-60) + Decimal(2.0**-60)
            assert abs(Decimal(w) / Decimal(int(sums[-1])) - p) <= bound


@pytest.mark.parametrize("lag", [1, 2, 3, 16])
def test_neighbouring_draws_rows_and_keys_are_independent(lag):
    x = np.zeros((1000, 8))
    field = NoiseField(4)
    drawn = categorical(x, 1000, noise=field)
    others = (drawn[lag:], drawn[:-lag]), (drawn[:, lag:], drawn[:, :-lag]), (categorical(x, 1000, rng=4 + lag), drawn)
    for a, b in others:
        table = np.bincount(8 * a.ravel() + b.ravel(), minlength=64)
        assert laws.chi_square(table, np.full(64, 1 / 64)) > laws.ALARM
