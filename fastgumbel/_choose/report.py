"""The summary as a whole."""

from collections.abc import Sequence

from .flow_summary import flow_line, flow_table
from .flows import Flows
from .independent import independent_flows
from .simulation import Arm, Simulation
from .study import Study
from .summary import choice_table, fit_line, rate_line, sample_table


def report(study: Study, simulation: Simulation, arms: Sequence[Arm], flows: Flows | None, seconds: float) -> str:
    """Put together all there is to say after a run."""
    paragraphs = [_opening(study, simulation)]
    for arm in arms:
        if arm.table is study.scenario:
            paragraphs.append(f"{arm.table.origin}, drawn with the same noise:")
        paragraphs.append(f"{choice_table(arm.table, arm.tally)}\n{fit_line(arm.tally)}")
        if arm.table is study.base and study.sample is not None:
            paragraphs.append(sample_table(arm.table, arm.tally, study.sample.observed, draws=simulation.draws))
    if flows is not None:
        paragraphs.append(f"{flow_table(study.base, flows)}\n{flow_line(study.base, flows)}")
    if study.sample is not None:
        paragraphs[-1] += "\n" + _independent_line(study, simulation)
    paragraphs.append(rate_line(sum(int(arm.tally.counts.sum()) for arm in arms), seconds))
    return "\n\n".join(paragraphs)


def _opening(study: Study, simulation: Simulation) -> str:
    rows, alternatives = study.base.shape
    first = simulation.first_row
    return (
        f"{study.base.origin}:\n"
        f"{rows:,} rows (numbered {first} to {first + rows - 1}) x {alternatives:,} alternatives, "
        f"draws of each row: {simulation.draws:,}, seed: {simulation.seed}"
    )


def _independent_line(study: Study, simulation: Simulation) -> str:
    """Say what became of the shipped scenario without common noise."""
    assert study.scenario is not None
    assert study.sample is not None
    flows = independent_flows(study.base.values, study.scenario.values, draws=simulation.draws, seed=simulation.seed)
    favoured = study.sample.favoured
    strays = flows.changed - int(flows.joined[favoured])
    return (
        f"with independent inverse-CDF draws {flows.changed:,} would have changed, "
        f"{strays:,} of them not to {study.base.name(favoured)}"
    )
