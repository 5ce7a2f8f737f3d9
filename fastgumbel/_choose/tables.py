"""A table of log-potentials: one row per decision, one column per alternative."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .errors import UserError
from .faults import first_fault

SHORT = 64  # alternatives up to which sums over rows are several times faster on columns that lie side by side


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
    """

    origin: str
    values: NDArray[Any]
    header: tuple[str, ...] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of alternatives."""
        rows, alternatives = self.values.shape
        return rows, alternatives

    def name(self, index: int) -> str:
        """Give an alternative's name, or its index for want of one."""
        return str(index) if self.header is None else self.header[index]

    def block(self, first: int, last: int) -> NDArray[Any]:
        """Rows `first` to `last`, side by side in memory and in this machine's byte order, copied only if need be."""
        part = self.values[first:last]
        return np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("="))

    def doubles(self, first: int, last: int) -> NDArray[np.float64]:
        """A copy of rows `first` to `last` in float64, once every row is known to be fit to draw from."""
        order: Literal["C", "F"] = "F" if self.shape[1] <= SHORT else "C"
        block = self.values[first:last].astype(np.float64, order=order)
        fault = first_fault(block)
        if fault is not None:
            column = "" if fault.column is None else f", column {self._column(fault.column)}"
            raise UserError(f"{self.origin}: row {first + fault.row}{column}: {fault.what}")
        return block

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


def _extent(table: Table) -> str:
    return "{:,} rows x {:,} alternatives".format(*table.shape)
