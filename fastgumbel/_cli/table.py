"""A table of log-potentials: one row per decision, one column per alternative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import UserError
from fastgumbel._cli.ids import STEP, Ids
from fastgumbel._law.reduce import LIMIT

SHORT = 64  # alternatives up to which sums over rows are several times faster on columns that lie side by side


class Fault(NamedTuple):
    """Why a chunk cannot be drawn from: its first bad row, and the column at fault if there is one."""

    row: int
    column: int | None
    what: str


def first_fault(chunk: NDArray[Any]) -> Fault | None:
    """Find the first row that has NaN, +inf or a number that is too large, or no alternative left.

    Examples
    --------
    >>> import numpy as np
    >>> first_fault(np.array([[0.0, -np.inf], [1.0, np.nan]]))
    Fault(row=1, column=1, what='NaN')
    """
    best = chunk.max(axis=1)  # NaN and +inf come through
    bad = ~(abs(best) < LIMIT)
    if not bad.any():
        return None
    row = int(bad.argmax())
    if best[row] <= -LIMIT:
        return Fault(row, None, "every alternative is excluded (-inf, or at most -2**46: subtract the row's maximum)")
    column = int((~(chunk[row] < LIMIT)).argmax())
    value = chunk[row, column]
    if LIMIT <= value < np.inf:
        return Fault(row, column, f"{value} is not below 2**46: subtract the row's maximum")
    return Fault(row, column, "NaN" if np.isnan(value) else "+inf")


@dataclass(frozen=True)
class Table:
    """Log-potentials, perhaps on disk, and what to call them.

    Parameters
    ----------
    origin : str
        What a message calls the table.
    values : array of shape (rows, alternatives)
        Real numbers of any kind, byte order and memory order.
    header : tuple of str, optional
        The alternatives' names, where the input has some.
    ids : Ids, optional
        The rows' names, where a column has them.
    """

    origin: str
    values: NDArray[Any]
    header: tuple[str, ...] | None = None
    ids: Ids | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of alternatives."""
        rows, alternatives = self.values.shape
        return rows, alternatives

    def name(self, index: int) -> str:
        """Return an alternative's name, or its index if it has none."""
        return str(index) if self.header is None else self.header[index]

    def chunk(self, first: int, last: int) -> NDArray[Any]:
        """Return rows `first` to `last`, C-contiguous and in this machine's byte order, as a copy only if need be."""
        part = self.values[first:last]
        return np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))

    def doubles(self, first: int, last: int) -> NDArray[np.float64]:
        """Return a copy of rows `first` to `last` in float64; complain of the first one that cannot be drawn from."""
        order: Literal["C", "F"] = "F" if self.shape[1] <= SHORT else "C"
        chunk = self.values[first:last].astype(np.float64, order=order)
        fault = first_fault(chunk)
        if fault is not None:
            column = "" if fault.column is None else f", column {self._column(fault.column)}"
            raise UserError(f"{self.origin}: row {first + fault.row}{column}: {fault.what}")
        return chunk

    def _column(self, index: int) -> str:
        return str(index) if self.header is None else repr(self.header[index])


def require_twins(base: Table, scenario: Table) -> None:
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
    for first in range(0, base.shape[0], STEP):
        pairs = zip(old.labels(first, first + STEP), new.labels(first, first + STEP), strict=True)
        for row, (a, b) in enumerate(pairs, start=first):
            if a != b:
                raise UserError(
                    f"{scenario.origin}: row {row} is {b!r}, but {a!r} in {base.origin}; "
                    "both need the same rows in the same order"
                )


def _extent(table: Table) -> str:
    return "{:,} rows x {:,} alternatives".format(*table.shape)
