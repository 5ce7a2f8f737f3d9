"""How a table is read: which columns are ids or alternatives, which text is a number, and which rows can be drawn."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import UserError
from fastgumbel._law.reduce import LIMIT

# Such as id, ID1, person_id, "person id", personID, and what pandas calls an index without a name in files.
_LIKE_ID = re.compile(
    r"(?i:((.*[_\W])?id|caseid|hhid|pid|personid|index|idx|rownames|row|obs|nr|key|case|person|household|respondent)\d*"
    r"|Unnamed: \d+|__index_level_\d+__)|.*[a-z]I[dD]\d*"
)

_EXCLUDES = "; --blank unavailable excludes such alternatives"
BLANK = f"the cell is blank{_EXCLUDES}"
NAN = f"NaN{_EXCLUDES}"
NOT_AVAILABLE = ("NA", "NaN", "nan")  # what programs write of a number that is missing

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
_SIGNED_WORD = re.compile(r"[+-]?(inf|Inf|INF|infinity|Infinity|INFINITY|nan|NaN|NAN)")


@dataclass(frozen=True)
class Reading:
    """What the user says of the columns of a table.

    Parameters
    ----------
    id_column : str, optional
        The column that names the rows.
    alternatives : tuple of str, optional
        The columns to choose from; by default all others.
    excluded : tuple of str, optional
        Columns that are no alternatives, "" for all without a name.
    delimiter : str, optional
        What separates the cells of text; by default it is found out.
    blank_excludes : bool, optional
        Whether a cell that is blank, NA or NaN excludes the alternative; by default it is an error.
    decimal_comma : bool, optional
        Whether the numbers of text have a decimal comma; by default they have a point.
    """

    id_column: str | None = None
    alternatives: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()
    delimiter: str | None = None
    blank_excludes: bool = False
    decimal_comma: bool = False


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
    suspects : list of int
        Alternatives, by index, that are named like ids, and that the user did not pick by name.
    leads : bool
        Whether the first alternative is the first column of the file, and the user did not pick it by name.
    """

    header: tuple[str, ...]
    places: tuple[int, ...]
    id_name: str | None
    id_place: int | None
    suspects: list[int]
    leads: bool


def pick(names: Sequence[str], reading: Reading, where: str) -> Columns:
    """Find the columns to read among the names of all; complaints begin with `where`."""
    _require_distinct(names, where)
    id_place = None if reading.id_column is None else _find(reading.id_column, names, where)
    if reading.alternatives is None:
        for name in reading.excluded:
            _find(name, names, where)
        places = [place for place, name in enumerate(names) if place != id_place and name not in reading.excluded]
    else:
        places = [_find(name, names, where) for name in reading.alternatives]
    for place in places:
        if not names[place]:
            remedy = "; if it holds ids, --id '' names the rows by it" if place == 0 and id_place is None else ""
            left_out = "; --exclude '' leaves out what has none" if reading.alternatives is None else ""
            raise UserError(f"{where}: column {place + 1} has no name{remedy}{left_out}")
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
        [] if picked else [index for index, name in enumerate(header) if looks_like_id(name)],
        not picked and places[0] == 0,
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
    >>> [name for name in ("ID1", "person_id", "Person ID", "HHid", "personId", "obs", "paid", "bid", "car") if
    ...  looks_like_id(name)]
    ['ID1', 'person_id', 'Person ID', 'HHid', 'personId', 'obs']
    """
    return _LIKE_ID.fullmatch(name) is not None


def id_advice(name: str) -> str:
    """Say which options tell ids from alternatives, where a column's name looks like that of ids."""
    return id_remedy(name) if looks_like_id(name) else ""


def id_remedy(name: str) -> str:
    """Say which options tell ids from alternatives."""
    quoted = shlex.quote(name)
    return f"; --id {quoted} names the rows by it, --exclude {quoted} leaves it out, --columns picks the alternatives"


def numbers(cells: Sequence[str]) -> list[float] | None:
    """Read cells; None if one of them is no number of a table, as `complaint` says.

    Examples
    --------
    >>> numbers(["0.5", " 2 ", "-1e-3", "-inf"])
    [0.5, 2.0, -0.001, -inf]
    >>> numbers(["1_000"]) is numbers([""]) is numbers(["-1e999"]) is None
    True
    """
    try:
        values = list(map(float, cells))
    except ValueError:
        return None
    # What passed `float` can still be odd in two ways: in its characters, or as it is not finite.
    text = "".join(cells)
    if "_" in text or not text.isascii():
        suspects = cells
    elif not math.isfinite(sum(values)):
        suspects = [cell for cell, value in zip(cells, values, strict=True) if not math.isfinite(value)]
    else:
        return values
    return None if any(map(complaint, suspects)) else values


def complaint(cell: str) -> str | None:
    """Say why a cell is no number of a table; None if it is one.

    Examples
    --------
    >>> complaint("0,5")
    "'0,5' is not a number; write a decimal point, or say --decimal ,"
    >>> complaint("0.5")
    """
    text = cell.strip(" \t\r\n")
    if not text:
        return BLANK
    if text in NOT_AVAILABLE:
        return f"{text}{_EXCLUDES}"
    try:
        value = float(text)
    except ValueError:
        return f"{cell!r} is not a number{_remedy_of_commas(text)}"
    if _SIGNED_WORD.fullmatch(text):
        return None
    if not _DECIMAL.fullmatch(text):
        return f"{cell!r} is not a plain decimal number"
    return None if math.isfinite(value) else f"{cell!r} is too large for float64"


def _remedy_of_commas(text: str) -> str:
    """Say how to write a number that has commas; "" if it is none.

    Examples
    --------
    >>> [_remedy_of_commas(text) for text in ("0,5", "1,000", "1,000,000", "1,000.5", "a,b")]
    ['; write a decimal point, or say --decimal ,', '; write 1000 or 1.000', '; write 1000000', '; write 1000.5', '']
    """
    decimal, thousands = _DECIMAL_COMMA.fullmatch(text), _THOUSANDS.fullmatch(text)
    if thousands:
        whole = text.replace(",", "")
        return f"; write {whole} or {text.replace(',', '.')}" if decimal else f"; write {whole}"
    return "; write a decimal point, or say --decimal ," if decimal else ""


class Fault(NamedTuple):
    """Why a chunk cannot be drawn from: its first bad row, and the column at fault if there is one."""

    row: int
    column: int | None
    what: str

    def text(self, header: tuple[str, ...] | None) -> str:
        """Name the column, by its index if it has no name, and say what is wrong."""
        if self.column is None:
            return f": {self.what}"
        return f", column {self.column if header is None else repr(header[self.column])}: {self.what}"


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
