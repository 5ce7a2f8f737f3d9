"""The shipped data, the published model and its scenario."""

import numpy as np
import pytest

from fastgumbel._cli.counts import softmax_in_place
from fastgumbel._cli.input import MODES, load_travellers, utilities


@pytest.fixture(scope="module")
def travellers():
    return load_travellers()


def test_log_likelihood_is_the_published_one(travellers):
    chances = softmax_in_place(utilities(travellers))
    assert np.log(chances[travellers.chosen]).sum() == pytest.approx(-199.1284, abs=1e-4)


def test_expected_and_observed_counts(travellers):
    expected = softmax_in_place(utilities(travellers)).sum(axis=0)
    np.testing.assert_allclose(expected, [58.0, 63.0, 30.0, 59.0], atol=0.1)
    assert travellers.chosen.sum(axis=0).tolist() == [58, 63, 30, 59]


def test_scenario_makes_the_train_better_and_nothing_else(travellers):
    change = utilities(travellers, train_cost=0.8) - utilities(travellers)
    assert (change[:, [0, 2, 3]] == 0).all()
    np.testing.assert_allclose(change[:, 1], 0.2 * 0.01550 * travellers.cost[:, 1])


def test_summary(choose):
    seen = choose()
    assert seen.code == 0
    assert seen.err == ""
    sample = [line.split() for line in seen.out.partition("in a draw")[2].splitlines()[1:5]]
    assert [line[0] for line in sample] == list(MODES)
    drawn, expected, observed = np.array([line[1:] for line in sample], dtype=float).T
    np.testing.assert_allclose(drawn, expected, atol=1.5)  # 1000 draws: standard errors of 0.2 at most
    assert expected.tolist() == [58.0, 63.0, 30.0, 59.0]
    assert observed.tolist() == [58, 63, 30, 59]


def test_everyone_who_changes_takes_the_train(choose, tmp_path):
    outs = tmp_path / "base.npy", tmp_path / "scenario.npy"
    seen = choose("--draws", 200, "--out", outs[0], "--scenario-out", outs[1]).out
    base, scenario = map(np.load, outs)
    changed = base != scenario
    assert changed.any()
    assert set(scenario[changed]) == {MODES.index("train")}
    assert f"\n{changed.sum():,} of 42,000 choices changed " in seen
    assert ", all to train\n" in seen


def test_independent_draws_go_astray(choose):
    line = next(line for line in choose().out.splitlines() if "independent" in line)
    changed, strays = (int(word.replace(",", "")) for word in line.split() if word[0].isdigit())
    chances = softmax_in_place(utilities(load_travellers()))
    cheaper = softmax_in_place(utilities(load_travellers(), train_cost=0.8))
    pairs = 1000 * np.einsum("ri,rj->ij", chances, cheaper)
    np.fill_diagonal(pairs, 0)
    # standard deviations below 230: 5 of them, about one false alarm in a million seeds
    assert changed == pytest.approx(pairs.sum(), abs=1150)
    assert strays == pytest.approx(pairs.sum() - pairs[:, 1].sum(), abs=1150)


def test_independent_draws_follow_the_seed(choose):
    def line(seed):
        return next(line for line in choose("--draws", 20, "--seed", seed).out.splitlines() if "independent" in line)

    assert line(3) == line(3)
    assert line(3) != line(4)
