"""Rare items are drawn as often as they should be, down to probabilities of 1e-14.

The bias it would catch: a uniform with too few bits, whose smallest value is so large that a rare item never wins. At
20,000 tries a relative error of 7 % in the odds is caught. False-alarm rate 1e-6 a p-value, seeds fixed.
"""

import numpy as np
import pytest
from scipy import stats

import fastgumbel
from tests.law import laws


def pick(key, row, draw, first, log_potentials):
    field = fastgumbel.NoiseField.from_key(key)
    fields = (field.at(rows=int(r), draw=int(d), start=int(f)) for r, d, f in zip(row, draw, first, strict=True))
    return np.array([fastgumbel.gumbel_max(log_potentials, noise=f) for f in fields])


@pytest.mark.parametrize(
    "p",
    [
        1e-8,
        pytest.param(1e-9, marks=pytest.mark.heavy),
        1e-10,
        pytest.param(1e-12, marks=pytest.mark.heavy),
        1e-14,
    ],
)
def test_rare_items_win_as_often_as_they_should(p):
    indices = laws.rare_item_draws(pick, p, tries=2_500_000, seed=1)
    assert laws.rare_item_odds(indices) > laws.ALARM
    assert laws.rare_item_lanes(indices) > laws.ALARM


@pytest.mark.heavy
@pytest.mark.parametrize("p", [1e-9, 1e-10])
def test_rare_items_win_as_often_in_plain_draws(p):
    """Under a head of probability nearly 1, 131,072 items of probability p: over 10^6 / p draws of one item."""
    n = 131_073
    x = np.full(n, np.log(p), np.float32)
    x[n // 2] = 0.0
    p = float(np.exp(x[0].astype(np.float64)))
    chance = (n - 1) * p / (1 + (n - 1) * p)
    field = fastgumbel.NoiseField(77)
    draws, chunk, hits = 8_000_000, 500_000, 0
    for first in range(0, draws, chunk):
        hits += np.count_nonzero(fastgumbel.gumbel_max(x, size=chunk, noise=field.at(draw=first)) != n // 2)
    assert stats.binomtest(hits, draws, chance).pvalue > laws.ALARM
