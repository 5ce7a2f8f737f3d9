"""Tables that tests write and read, and what a run should say or give of them."""

import csv
from pathlib import Path

import numpy as np

import fastgumbel

MODES = ["air", "train", "bus", "car"]


def complaint(outcome):
    """The one line of a failed run."""
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("fastgumbel: error: ")
    assert outcome.err.endswith("\n")
    assert outcome.err.count("\n") == 1
    return outcome.err


def direct(log_potentials, *, draws, seed=0, first_row=0, rows=None):
    """Every choice of a table in one call of the library."""
    if rows is None:
        rows = np.arange(len(log_potentials), dtype=np.uint64) + np.uint64(first_row)
    return fastgumbel.gumbel_max(log_potentials, size=draws, noise=fastgumbel.NoiseField(seed).at(rows=rows))


def save_csv(path: Path, table, header=MODES, ids=None, id_name="person_id", delimiter=",") -> Path:
    """Write a table, with a column of ids in front if there are any."""
    lines = [header, *np.asarray(table).tolist()]
    if ids is not None:
        lines = [[name, *line] for name, line in zip([id_name, *ids], lines, strict=True)]
    with path.open("w", newline="") as text:
        csv.writer(text, delimiter=delimiter).writerows(lines)
    return path


def read_csv(path: Path):
    """All lines of a file, cut into cells."""
    with path.open(newline="") as text:
        return list(csv.reader(text))
