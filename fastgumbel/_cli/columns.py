"""How a table with named columns is read: which column names the rows, and which are alternatives."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import UserError

# Such as id, person_id, "person id", personID, index, and what pandas calls an index without a name in Parquet files.
_LIKE_ID = re.compile(r"(?i:(.*[_\W])?id|index|__index_level_\d+__)|.*[a-z]I[dD]")


@dataclass(frozen=True)
class Reading:
    """What the user says of the columns of a table.

    Parameters
    ----------
    id_column : str, optional
        The column that names the rows.
    alternatives : tuple of str, optional
        The columns to choose from; by default all others.
    delimiter : str, optional
        What separates the cells of text; by default it is found out.
    blank_excludes : bool, optional
        Whether a blank cell excludes the alternative; by default it is an error.
    """

    id_column: str | None = None
    alternatives: tuple[str, ...] | None = None
    delimiter: str | None = None
    blank_excludes: bool = False


@dataclass(frozen=True)
class Columns:
    """The columns of one file that are read.

    Parameters
    ----------
    header : tuple of str
        The alternatives' names.
    places : tuple of int
        Where each of them stands in the file.
    id_name, id_place : str and int, or None
        The same of the column that names the rows.
    suspects : tuple of int
        Alternatives, by index, that are named like ids, and that the user did not pick by name.
    """

    header: tuple[str, ...]
    places: tuple[int, ...]
    id_name: str | None
    id_place: int | None
    suspects: tuple[int, ...]


def pick(names: Sequence[str], reading: Reading, where: str) -> Columns:
    """Find the columns to read among the names of all; complaints begin with `where`."""
    _require_distinct(names, where)
    id_place = None if reading.id_column is None else _find(reading.id_column, names, where)
    if reading.alternatives is None:
        places = [place for place in range(len(names)) if place != id_place]
    else:
        places = [_find(name, names, where) for name in reading.alternatives]
    for place in places:
        if not names[place]:
            remedy = "; if it holds ids, --id '' names the rows by it" if place == 0 and id_place is None else ""
            raise UserError(f"{where}: column {place + 1} has no name{remedy}")
    if not places:
        raise UserError(f"{where}: no column is left for alternatives")
    header = tuple(names[place] for place in places)
    picked = reading.alternatives is not None
    return Columns(
        header,
        tuple(places),
        # A column without a name gets one where it is written.
        None if id_place is None else names[id_place] or "row",
        id_place,
        () if picked else tuple(index for index, name in enumerate(header) if looks_like_id(name)),
    )


def _require_distinct(names: Sequence[str], where: str) -> None:
    seen = dict[str, int]()
    for number, name in enumerate(names, start=1):
        if name and name in seen:
            raise UserError(f"{where}: columns {seen[name]} and {number} are both named {name!r}")
        seen[name] = number


def _find(name: str, names: Sequence[str], where: str) -> int:
    if name not in names:
        there = ", ".join(repr(name) for name in names if name)
        raise UserError(f"{where}: there is no column {name!r}; there are {there}")
    return names.index(name)


def looks_like_id(name: str) -> bool:
    """Whether a column of this name rather holds ids than log-potentials.

    Examples
    --------
    >>> [name for name in ("id", "person_id", "Person ID", "HHid", "personId", "index", "paid", "bid", "car") if
    ...  looks_like_id(name)]
    ['id', 'person_id', 'Person ID', 'personId', 'index']
    """
    return _LIKE_ID.fullmatch(name) is not None


def id_advice(name: str) -> str:
    """Say which options tell ids from alternatives, where a column's name looks like that of ids."""
    return (
        f"; --id {shlex.quote(name)} names the rows by it, --columns picks the alternatives"
        if looks_like_id(name)
        else ""
    )


class IdWatch:
    """Looks for a column of ids among the alternatives: one that is named so and holds nothing but whole numbers."""

    def __init__(self, columns: Columns) -> None:
        self._header, self._suspects = columns.header, list(columns.suspects)

    def look(self, values: NDArray[np.float64]) -> None:
        """See further rows; what is excluded (-inf) says nothing."""
        self._suspects = [i for i in self._suspects if (values[:, i] == np.rint(values[:, i])).all()]

    def complaint(self) -> str | None:
        """Say what is wrong after all rows; None if nothing is."""
        if not self._suspects:
            return None
        name = self._header[self._suspects[0]]
        return f"column {name!r} looks like ids, as its name says so and all its numbers are whole{id_advice(name)}"
