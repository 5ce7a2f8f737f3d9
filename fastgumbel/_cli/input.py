"""What is drawn from: the user's tables, by the suffixes of their files, or the shipped travellers.

In the shipped data, 210 travellers between Sydney, Canberra and Melbourne each chose one of four modes (Greene and
Hensher 1997, public domain). The model is the conditional logit of Greene, Econometric Analysis: a constant for each
mode but the car, generalised cost, time spent in terminals, and the household's income where the plane is concerned.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.columns import Reading
from fastgumbel._cli.console import UserError, blaming
from fastgumbel._cli.csv import open_csv
from fastgumbel._cli.parquet import open_parquet
from fastgumbel._cli.source import kind_of
from fastgumbel._cli.table import STEP, Ids, Table

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
    base = _open_table(path, reading, quiet=quiet)
    if scenario_path is None:
        return Study(base, None)
    scenario = _open_table(scenario_path, reading, quiet=quiet)
    _require_twins(base, scenario)
    return Study(base, scenario)


def _open_table(path: Path, reading: Reading, *, quiet: bool) -> Table:
    """Open a `.npy`, `.csv`, `.csv.gz` or `.parquet` file of log-potentials, or text on standard input."""
    suffix = kind_of(path)
    if suffix in (".npy", ".parquet") and path.is_fifo():
        raise UserError(f"{path}: is a pipe, of which only .csv can be read; save it as a file first")
    match suffix:
        case ".npy":
            picked = {
                "--id": reading.id_column,
                "--columns": reading.alternatives,
                "--exclude": reading.excluded or None,
            }
            for option, value in picked.items():
                if value is not None:
                    raise UserError(f"{path}: {option} needs named columns, which .csv and .parquet have")
            return _open_npy(path)
        case ".csv":
            return open_csv(path, reading, quiet=quiet)
        case ".parquet":
            return open_parquet(path, reading, quiet=quiet)
    raise UserError(f"{path}: expected a file named .npy, .csv, .csv.gz or .parquet, or - for text on standard input")


def _open_npy(path: Path) -> Table:
    """Map a file of shape (rows, alternatives), or (alternatives,) for one row; nothing is read yet."""
    with blaming(path):
        try:
            values = np.lib.format.open_memmap(path, mode="r")
        except (ValueError, EOFError) as fault:
            raise UserError(f"{path}: not a .npy file that can be mapped: {str(fault).splitlines()[0]}") from fault
    if values.dtype.kind not in "fiu" or values.dtype.itemsize > 8:
        raise UserError(f"{path}: holds {values.dtype}; expected float16, float32, float64 or integers")
    if values.ndim not in (1, 2):
        raise UserError(f"{path}: has {values.ndim} axes; expected 2, rows by alternatives, or 1 for a single row")
    if values.size == 0:
        raise UserError(f"{path}: is empty, its shape is {values.shape}")
    return Table(str(path), values.reshape(1, -1) if values.ndim == 1 else values)


def _require_twins(base: Table, scenario: Table) -> None:
    """Refuse two tables that do not describe the same rows and alternatives."""
    if base.header is not None and scenario.header is not None:
        for number, (old, new) in enumerate(zip(base.header, scenario.header, strict=False), start=1):
            if old != new:
                raise UserError(f"{scenario.origin}: column {number} is {new!r}, but {old!r} in {base.origin}")
    if base.shape != scenario.shape:
        raise UserError(f"{scenario.origin}: {_extent(scenario)}, but {_extent(base)} in {base.origin}")
    if base.ids is not None and scenario.ids is not None:
        _require_same_ids(base, base.ids, scenario, scenario.ids)


def _require_same_ids(base: Table, old: Ids, scenario: Table, new: Ids) -> None:
    numeric = old.numbers is not None and new.numbers is not None  # then 7.0 is 7
    for first in range(0, base.shape[0], STEP):
        names = [_names(ids, first, first + STEP, numeric=numeric) for ids in (old, new)]
        for row, (a, b) in enumerate(zip(*names, strict=True), start=first):
            if a != b:
                raise UserError(
                    f"{scenario.origin}: row {row} is {b!r}, but {a!r} in {base.origin}; "
                    "both need the same rows in the same order"
                )


def _names(ids: Ids, first: int, last: int, *, numeric: bool) -> Sequence[int | str]:
    """Return row ids as they are compared: as numbers, or all as text."""
    if numeric and ids.numbers is not None:
        numbers: list[int] = ids.numbers[first:last].tolist()
        return numbers
    return [str(label) for label in ids.labels(first, last)]


def _extent(table: Table) -> str:
    return "{:,} rows x {:,} alternatives".format(*table.shape)


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
