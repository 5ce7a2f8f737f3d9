"""Numbers as tables write them: plain decimal text, which is less than Python's `float` takes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

BLANK = "the cell is blank; --blank unavailable excludes such alternatives"

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_SIGNED_WORD = re.compile(r"[+-]?(inf|Inf|INF|infinity|Infinity|INFINITY|nan|NaN|NAN)")


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
    "'0,5' is not a number; write a decimal point"
    >>> complaint("0.5")
    """
    text = cell.strip(" \t\r\n")
    if not text:
        return BLANK
    try:
        value = float(text)
    except ValueError:
        remedy = "; write a decimal point" if _DECIMAL_COMMA.fullmatch(text) else ""
        return f"{cell!r} is not a number{remedy}"
    if _SIGNED_WORD.fullmatch(text):
        return None
    if not _DECIMAL.fullmatch(text):
        return f"{cell!r} is not a plain decimal number"
    return None if math.isfinite(value) else f"{cell!r} is too large for float64"


def is_number(cell: str) -> bool:
    """Whether a cell is a number of a table."""
    return complaint(cell) is None
