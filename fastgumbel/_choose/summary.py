"""What the user reads about the draws of one table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layout import columns, percent
from .tables import Table
from .tally import Tally

ALL = 64  # alternatives up to which each has its line
TOP = 20  # that have one beyond


def choice_table(table: Table, tally: Tally) -> str:
    """Give drawn counts and shares beside the exact ones, the most likely alternatives first if they are too many."""
    counts, expected = tally.counts, tally.expected
    shown = range(len(counts)) if len(counts) <= ALL else np.argsort(-expected, kind="stable")[:TOP].tolist()
    lines = [[table.name(i), f"{counts[i]:,}", *_shares(tally, counts[i], expected[i])] for i in shown]
    if len(shown) < len(counts):
        drawn, due = int(counts.sum() - counts[shown].sum()), expected.sum() - expected[shown].sum()
        lines.append([f"({len(counts) - len(shown):,} others)", f"{drawn:,}", *_shares(tally, drawn, due)])
    return columns(["alternative", "drawn", "share", "exact share"], lines)


def sample_table(table: Table, tally: Tally, observed: NDArray[np.integer[Any]], *, draws: int) -> str:
    """Give, for one draw of all rows, the mean count beside the expected and the observed one."""
    lines = [
        [table.name(i), f"{tally.counts[i] / draws:,.1f}", f"{tally.expected[i] / draws:,.1f}", f"{observed[i]:,}"]
        for i in range(len(observed))
    ]
    return columns(["in a draw", "drawn", "expected", "observed"], lines)


def fit_line(tally: Tally) -> str:
    """Say whether the counts are what they should be."""
    result = tally.test()
    if result is None:
        return "chi-square: too few random choices to test"
    statistic, freedom, chance = result
    groups = f" (over {tally.groups} groups of neighbouring alternatives)" if tally.groups < len(tally.counts) else ""
    return f"chi-square {statistic:.2f}, {freedom} degrees of freedom, p = {chance:.3g}{groups}"


def rate_line(choices: int, seconds: float) -> str:
    """Say how fast it went."""
    return f"{choices:,} choices drawn in {seconds:.3g} s: {choices / max(seconds, 1e-9):,.0f} a second"


def _shares(tally: Tally, drawn: float, due: float) -> list[str]:
    return [percent(drawn, int(tally.counts.sum())), percent(due, tally.expected.sum())]
