"""What the user reads after a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.counts import Flows, Tally
from fastgumbel._cli.draws import Arm, Simulation, independent_flows
from fastgumbel._cli.input import Study
from fastgumbel._cli.table import Table

ALL = 64  # alternatives up to which each has its line
SQUARE = 12  # alternatives up to which the from-to table fits a terminal
TOP = 20  # lines of a table that would be longer


def summary(study: Study, simulation: Simulation, arms: Sequence[Arm], flows: Flows | None, seconds: float) -> str:
    """Put together all there is to say after a run."""
    paragraphs = [_opening(study, simulation)]
    for arm in arms:
        if arm.table is study.scenario:
            paragraphs.append(f"{arm.table.origin}, drawn with the same noise:")
        paragraphs.append(f"{_choice_table(arm.table, arm.tally)}\n{_fit_line(arm.tally)}")
        if arm.table is study.base and study.sample is not None:
            paragraphs.append(_sample_table(arm.table, arm.tally, study.sample.observed, draws=simulation.draws))
    if flows is not None:
        paragraphs.append(f"{_flow_table(study.base, flows)}\n{_flow_line(study.base, flows)}")
    if study.sample is not None:
        paragraphs[-1] += "\n" + _independent_line(study, simulation)
    paragraphs.append(_rate_line(sum(int(arm.tally.counts.sum()) for arm in arms), seconds))
    return "\n\n".join(paragraphs)


def _opening(study: Study, simulation: Simulation) -> str:
    rows, alternatives = study.base.shape
    return (
        f"{study.base.origin}:\n"
        f"{rows:,} rows ({_numbering(study.base, simulation)}) x {alternatives:,} alternatives, "
        f"draws of each row: {simulation.draws:,}, seed: {simulation.seed}"
    )


def _numbering(table: Table, simulation: Simulation) -> str:
    """Say what the noise of a row belongs to."""
    if simulation.ids is not None and table.ids is not None:
        return f"numbered by {table.ids.name}"
    first, last = simulation.first_row, simulation.first_row + table.shape[0] - 1
    carried = "" if table.ids is None else f", as {table.ids.name} is not all whole numbers"
    return f"numbered {first} to {last}{carried}"


def _choice_table(table: Table, tally: Tally) -> str:
    """Show drawn counts and shares beside the exact ones, the most likely alternatives first if they are too many."""
    counts, expected = tally.counts, tally.expected
    shown = range(len(counts)) if len(counts) <= ALL else np.argsort(-expected, kind="stable")[:TOP].tolist()
    lines = [[table.name(i), f"{counts[i]:,}", *_shares(tally, counts[i], expected[i])] for i in shown]
    if len(shown) < len(counts):
        drawn, due = int(counts.sum() - counts[shown].sum()), expected.sum() - expected[shown].sum()
        lines.append([f"({len(counts) - len(shown):,} others)", f"{drawn:,}", *_shares(tally, drawn, due)])
    return _columns(["alternative", "drawn", "share", "exact share"], lines)


def _shares(tally: Tally, drawn: float, due: float) -> list[str]:
    return [_percent(drawn, int(tally.counts.sum())), _percent(due, tally.expected.sum())]


def _sample_table(table: Table, tally: Tally, observed: NDArray[np.integer[Any]], *, draws: int) -> str:
    """Show, for one draw of all rows, the mean count beside the expected and the observed one."""
    lines = [
        [table.name(i), f"{tally.counts[i] / draws:,.1f}", f"{tally.expected[i] / draws:,.1f}", f"{observed[i]:,}"]
        for i in range(len(observed))
    ]
    return _columns(["in a draw", "drawn", "expected", "observed"], lines)


def _fit_line(tally: Tally) -> str:
    """Say whether the counts are what they should be."""
    result = tally.test()
    if result is None:
        return "chi-square: too few random choices to test"
    statistic, freedom, chance = result
    groups = f" (over {tally.groups} groups of neighbouring alternatives)" if tally.groups < len(tally.counts) else ""
    return f"chi-square {statistic:.2f}, {freedom} degrees of freedom, p = {chance:.3g}{groups}"


def _flow_table(table: Table, flows: Flows) -> str:
    """Show the from-to table of all choices, or the largest changes if the table would be too large to read."""
    if flows.pairs is None:
        return _losses_and_gains(table, flows)
    if len(flows.pairs) > SQUARE:
        return _largest_pairs(table, flows.pairs)
    names = [table.name(i) for i in range(len(flows.pairs))]
    lines = [[name, *(f"{count:,}" for count in row)] for name, row in zip(names, flows.pairs, strict=True)]
    return _columns(["from \\ to", *names], lines)


def _largest_pairs(table: Table, pairs: NDArray[np.integer[Any]]) -> str:
    moves = pairs.copy()
    np.fill_diagonal(moves, 0)
    total = int(moves.sum())
    origins, goals = np.unravel_index(np.argsort(-moves, axis=None, kind="stable")[:TOP], moves.shape)
    lines = [
        [table.name(origin), table.name(goal), f"{moves[origin, goal]:,}", _percent(moves[origin, goal], total)]
        for origin, goal in zip(origins, goals, strict=True)
        if moves[origin, goal]
    ]
    return _columns(["from", "to", "changes", "of all changes"], lines)


def _losses_and_gains(table: Table, flows: Flows) -> str:
    net = flows.joined - flows.left
    largest = np.argsort(-abs(net), kind="stable")[:TOP]
    lines = [[table.name(i), f"{flows.left[i]:,}", f"{flows.joined[i]:,}", f"{net[i]:+,}"] for i in largest if net[i]]
    return _columns(["alternative", "left it", "joined it", "net"], lines)


def _flow_line(table: Table, flows: Flows) -> str:
    """Say how many changed, and where to if that is one place."""
    line = f"{flows.changed:,} of {flows.total:,} choices changed ({_percent(flows.changed, flows.total)})"
    goals = np.flatnonzero(flows.joined)
    return f"{line}, all to {table.name(goals[0])}" if len(goals) == 1 else line


def _independent_line(study: Study, simulation: Simulation) -> str:
    """Say what would become of the shipped scenario without common noise."""
    assert study.scenario is not None
    assert study.sample is not None
    flows = independent_flows(study.base.values, study.scenario.values, draws=simulation.draws, seed=simulation.seed)
    favoured = study.sample.favoured
    strays = flows.changed - int(flows.joined[favoured])
    return (
        f"with independent inverse-CDF draws {flows.changed:,} would have changed, "
        f"{strays:,} of them not to {study.base.name(favoured)}"
    )


def _rate_line(choices: int, seconds: float) -> str:
    """Say how fast the drawing alone was."""
    return f"{choices:,} choices drawn in {seconds:.3g} s: {choices / max(seconds, 1e-9):,.0f} a second"


def _columns(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Align cells under headings, the first column left and the others right.

    Examples
    --------
    >>> print(_columns(["mode", "drawn"], [["air", "58"], ["train", "63"]]))
    mode   drawn
    air       58
    train     63
    """
    table = [headings, *lines]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    return "\n".join(_line(cells, widths) for cells in table)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    padded = [first.ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join(padded).rstrip()


def _percent(part: float, whole: float) -> str:
    """Return a share in per cent, '-' if there is nothing to share."""
    return f"{100 * part / whole:.2f} %" if whole else "-"
