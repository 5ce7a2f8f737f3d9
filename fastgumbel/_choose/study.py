"""What is drawn and compared: the user's tables, or the shipped ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import modechoice
from .inputs import open_table
from .tables import Table, require_twins


@dataclass(frozen=True)
class Sample:
    """What only the shipped data have: how often each alternative was chosen, and which one the scenario favours."""

    observed: NDArray[np.integer[Any]]
    favoured: int


@dataclass(frozen=True)
class Study:
    """A table, and perhaps a scenario: a second one of the same rows and alternatives."""

    base: Table
    scenario: Table | None
    sample: Sample | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        """The base, and the scenario if there is one."""
        return (self.base,) if self.scenario is None else (self.base, self.scenario)


def own_study(path: Path, scenario_path: Path | None, *, quiet: bool) -> Study:
    """Open the user's files."""
    base = open_table(path, quiet=quiet)
    if scenario_path is None:
        return Study(base, None)
    scenario = open_table(scenario_path, quiet=quiet)
    require_twins(base, scenario)
    return Study(base, scenario)


def shipped_study() -> Study:
    """Give the shipped travellers, and the same ones where the train costs less."""
    travellers = modechoice.load_travellers()
    cheaper = modechoice.utilities(travellers, train_cost=modechoice.TRAIN_COST_FACTOR)
    discount = f"{100 * (1 - modechoice.TRAIN_COST_FACTOR):.0f} %"
    return Study(
        Table(modechoice.SOURCE, modechoice.utilities(travellers), modechoice.MODES),
        Table(f"Scenario: the train costs {discount} less", cheaper, modechoice.MODES),
        Sample(travellers.chosen.sum(axis=0), modechoice.MODES.index("train")),
    )
