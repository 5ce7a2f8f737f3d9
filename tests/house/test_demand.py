"""The travel demand model of `bench/examples`: it runs, each person is found by id, and sampled zones do for all."""

import sys

import numpy as np
import pytest

from tests.subprocesses import ROOT

pd = pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("tqdm", reason="tqdm is not installed")

SEED = 3


@pytest.fixture(scope="module")
def demand():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "bench" / "examples")
        import demand

        yield demand


@pytest.fixture(scope="module")
def zones(demand):
    return demand.draw_zones(150, SEED)


@pytest.fixture(scope="module")
def people(demand, zones):
    return demand.run(1500, zones, SEED)


@pytest.fixture(scope="module")
def services(demand, zones):
    return {"before": demand.serve(zones, [0.0]), "after": demand.serve(zones, [0.0, np.pi / 2])}


def test_some_move_and_most_stay(demand, people):
    """So that what the script checks of those who move, and of those who stay, says something."""
    for name in ("zone", "mode"):
        assert 0.005 < (people[f"{name}_before"].to_numpy() != people[f"{name}_after"].to_numpy()).mean() < 0.2
    table = demand.flows(people.mode_before, people.mode_after)
    assert list(table.index) == list(table.columns) == demand.MODES
    assert table.to_numpy().sum() == len(people)


def test_the_check_finds_who_moves_without_a_reason(demand, people, services):
    demand.check(people, services)
    with pytest.raises(RuntimeError, match="destination"):
        demand.check(people.assign(zone_after=people.zone_after.to_numpy()[::-1]), services)
    with pytest.raises(RuntimeError, match="mode"):
        demand.check(people.assign(mode_after=people.mode_after.to_numpy()[::-1]), services)


def test_order_and_company_change_nothing(demand, zones, people, services):
    households = demand.draw_households([1200, 7, 640], zones, SEED)
    some = demand.simulate(demand.persons_of(households), zones, demand.sampling_rates(zones), services, SEED)
    pd.testing.assert_frame_equal(some, people.loc[some.index])


def test_chunks_change_nothing(demand, zones, people, monkeypatch):
    monkeypatch.setattr(demand, "CHUNK", 401)
    pd.testing.assert_frame_equal(demand.run(1500, zones, SEED), people)


def test_sampled_zones_do_for_all(demand, zones, services):
    """Mean distance and mean jobs at destinations, beside the closed form of the choice from all zones.

    Without the correction for sampling they are off by 38 and 77 standard errors. One of 18,000 seeds cries wolf.
    """
    model = sys.modules["demand_model"]
    people = model.persons_of(model.draw_households(range(10_000), zones, SEED))
    sample = model.sample_destinations(people, model.sampling_rates(zones), SEED)
    chosen = model.choose_destinations(people, sample, zones, services["before"], SEED)
    kinds = people.groupby(["home", "income", "car"]).size().reset_index(name="persons")
    kind, zone = (index.ravel() for index in np.indices((len(kinds), len(zones))))
    access = model.logsum(model.mode_utilities(kinds.iloc[kind], zone, services["before"]))
    x = (np.log(zones.jobs.to_numpy())[zone] + model.LOGSUM * access).reshape(len(kinds), -1)
    chances = np.exp(x - np.logaddexp.reduce(x, axis=1, keepdims=True))
    for values in (model.distances(zones), np.broadcast_to(np.log(zones.jobs), (len(zones), len(zones)))):
        by_kind = values[kinds.home]
        mean = (chances * by_kind).sum(1)
        variance = (chances * by_kind**2).sum(1) - mean**2
        off = values[people.home, chosen].sum() - (kinds.persons * mean).sum()
        assert abs(off) < 4.2 * np.sqrt((kinds.persons * variance).sum())


def test_the_script_draws_its_picture(demand, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = tmp_path / "demand.png"
    monkeypatch.setattr(sys, "argv", ["demand.py", "--households", "400", "--zones", "60", "--out", str(path)])
    demand.main()
    assert path.stat().st_size > 10_000
    assert "| from elsewhere |" in capsys.readouterr().out
