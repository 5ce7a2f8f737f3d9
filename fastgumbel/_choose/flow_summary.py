"""What the user reads about who changed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .flows import Flows
from .layout import columns, percent
from .tables import Table

SQUARE = 12  # alternatives up to which the from-to table fits a terminal
TOP = 20  # lines beyond


def flow_table(table: Table, flows: Flows) -> str:
    """Give the from-to table of all choices, or the largest changes if the table would be too large to read."""
    if flows.pairs is None:
        return _losses_and_gains(table, flows)
    if len(flows.pairs) > SQUARE:
        return _largest_pairs(table, flows.pairs)
    names = [table.name(i) for i in range(len(flows.pairs))]
    lines = [[name, *(f"{count:,}" for count in row)] for name, row in zip(names, flows.pairs, strict=True)]
    return columns(["from \\ to", *names], lines)


def flow_line(table: Table, flows: Flows) -> str:
    """Say how many changed, and where to if that is one place."""
    line = f"{flows.changed:,} of {flows.total:,} choices changed ({percent(flows.changed, flows.total)})"
    goals = np.flatnonzero(flows.joined)
    return f"{line}, all to {table.name(goals[0])}" if len(goals) == 1 else line


def _largest_pairs(table: Table, pairs: NDArray[np.integer[Any]]) -> str:
    moves = pairs.copy()
    np.fill_diagonal(moves, 0)
    total = int(moves.sum())
    origins, goals = np.unravel_index(np.argsort(-moves, axis=None, kind="stable")[:TOP], moves.shape)
    lines = [
        [table.name(origin), table.name(goal), f"{moves[origin, goal]:,}", percent(moves[origin, goal], total)]
        for origin, goal in zip(origins, goals, strict=True)
        if moves[origin, goal]
    ]
    return columns(["from", "to", "changes", "of all changes"], lines)


def _losses_and_gains(table: Table, flows: Flows) -> str:
    net = flows.joined - flows.left
    largest = np.argsort(-abs(net), kind="stable")[:TOP]
    lines = [[table.name(i), f"{flows.left[i]:,}", f"{flows.joined[i]:,}", f"{net[i]:+,}"] for i in largest if net[i]]
    return columns(["alternative", "left it", "joined it", "net"], lines)
