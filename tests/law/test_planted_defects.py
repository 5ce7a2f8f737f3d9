"""The statistics of ``laws.py`` catch defects planted in the field, and pass the field without one.

A defect is caught when its p-value is below ``laws.ALARM``, with fewer draws than the package is given.
"""

import numpy as np
import pytest

from tests.law import laws, planted
from tests.oracle.vectorised import U64, Field, sampler


def picker(field_type):
    """Make ``pick`` of a field type, for the law of rare items."""

    def pick(key, row, draw, first, log_potentials):
        categories = first[:, None] + np.arange(len(log_potentials), dtype=U64)
        noise = field_type(key).gumbel(row[:, None], draw[:, None], categories)
        return (log_potentials + noise).argmax(-1)

    return pick


def by_index(field_type, n):
    x = np.zeros(n)
    return laws.index_law(np.bincount(sampler(field_type)(x, 20_000, seed=n), minlength=n), x)


def by_rare_items(field_type, p):
    return laws.rare_item_odds(laws.rare_item_draws(picker(field_type), p, tries=700_000, seed=2))


def by_maximum(field_type, n):
    noise = field_type(3).gumbel(0, np.arange(20_000)[:, None], np.arange(n))
    return min(laws.maximum_law(noise.argmax(-1), noise.max(-1), np.zeros(n)))


def by_neighbours(field_type, lag):
    noise = field_type(4).gumbel(np.arange(100)[:, None], 0, np.arange(1024))
    return laws.independence(noise[:, lag:], noise[:, :-lag])


CAUGHT = [
    (by_rare_items, planted.CoarseUniform, 1e-10),
    (by_rare_items, planted.CoarseUniform, 1e-12),
    (by_index, planted.LastLaneNeverWins, 64),
    (by_index, planted.LastLaneNeverWins, 192),
    (by_index, planted.LanesShareWords, 3),
    (by_index, planted.LanesShareWords, 10),
    (by_neighbours, planted.LanesShareWords, 2),
    (by_index, planted.BlocksShareWords, 130),
    (by_neighbours, planted.BlocksShareWords, 64),
    (by_index, planted.WinnerReadsTheExponential, 192),
    (by_maximum, planted.WinnerReadsTheExponential, 64),
]


@pytest.mark.parametrize(("statistic", "defect", "parameter"), CAUGHT)
def test_a_planted_defect_is_caught(statistic, defect, parameter):
    assert statistic(defect, parameter) < laws.ALARM


@pytest.mark.parametrize(("statistic", "parameter"), dict.fromkeys((s, p) for s, _, p in CAUGHT))
def test_the_field_without_a_defect_is_not(statistic, parameter):
    assert statistic(Field, parameter) > laws.ALARM


def test_an_index_off_by_one_is_caught():
    x = np.random.default_rng(5).normal(size=10)
    counts = np.bincount(sampler(Field)(x, 20_000, seed=1), minlength=10)
    assert laws.index_law(np.roll(counts, 1), x) < laws.ALARM
    assert laws.index_law(counts, x) > laws.ALARM
