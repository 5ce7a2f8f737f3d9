"""What is drawn and compared: the user's tables, or the shipped travel mode choices with a published model of them.

In the shipped data, 210 travellers between Sydney, Canberra and Melbourne each chose one of four modes (Greene and
Hensher 1997, public domain). The model is the conditional logit of Greene, Econometric Analysis: a constant for each
mode but the car, generalised cost, time spent in terminals, and the household's income where the plane is concerned.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.columns import Reading
from fastgumbel._cli.input import open_table
from fastgumbel._cli.table import Table, require_twins

MODES = ("air", "train", "bus", "car")
SOURCE = """\
Travel mode choice of 210 travellers between Sydney, Canberra and Melbourne (Greene and Hensher 1997),
conditional logit of Greene, Econometric Analysis"""

CONSTANTS = np.array([5.20743, 3.86904, 3.16319, 0.0])
COST = -0.01550
TERMINAL_TIME = -0.09612
AIR_INCOME = np.array([0.01329, 0.0, 0.0, 0.0])

TRAIN_COST_FACTOR = 0.8  # of the scenario


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


def own_study(path: Path, scenario_path: Path | None, reading: Reading, *, quiet: bool) -> Study:
    """Open the user's files."""
    base = open_table(path, reading, quiet=quiet)
    if scenario_path is None:
        return Study(base, None)
    scenario = open_table(scenario_path, reading, quiet=quiet)
    require_twins(base, scenario)
    return Study(base, scenario)


def shipped_study() -> Study:
    """Return the shipped travellers, and the same ones where the train costs less."""
    travellers = load_travellers()
    cheaper = utilities(travellers, train_cost=TRAIN_COST_FACTOR)
    discount = f"{100 * (1 - TRAIN_COST_FACTOR):.0f} %"
    return Study(
        Table(SOURCE, utilities(travellers), MODES),
        Table(f"Scenario: the train costs {discount} less", cheaper, MODES),
        Sample(travellers.chosen.sum(axis=0), MODES.index("train")),
    )


@dataclass(frozen=True)
class Travellers:
    """What the model knows of each traveller, and what each did; one row per traveller, one column per mode."""

    cost: NDArray[np.float64]
    terminal_time: NDArray[np.float64]
    income: NDArray[np.float64]
    chosen: NDArray[np.bool_]


def load_travellers() -> Travellers:
    """Read the shipped table, which has a line for each traveller and mode, modes in the order of `MODES`."""
    text = files("fastgumbel").joinpath("data", "modechoice.csv").read_text(encoding="ascii")
    lines = list(csv.DictReader(text.splitlines(), delimiter=";"))

    def column(name: str) -> NDArray[np.float64]:
        return np.array([float(line[name]) for line in lines]).reshape(-1, len(MODES))

    return Travellers(column("gc"), column("ttme"), column("hinc"), column("choice") == 1)


def utilities(travellers: Travellers, *, train_cost: float = 1.0) -> NDArray[np.float64]:
    """Return the systematic utilities of the model, the train's generalised cost multiplied by `train_cost`."""
    cost = travellers.cost * np.where(np.array(MODES) == "train", train_cost, 1.0)
    return CONSTANTS + COST * cost + TERMINAL_TIME * travellers.terminal_time + AIR_INCOME * travellers.income
