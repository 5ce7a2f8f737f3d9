"""Columns of text."""

from collections.abc import Sequence


def columns(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Align cells under headings, the first column left and the others right.

    Examples
    --------
    >>> print(columns(["mode", "drawn"], [["air", "58"], ["train", "63"]]))
    mode   drawn
    air       58
    train     63
    """
    table = [headings, *lines]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    return "\n".join(_line(cells, widths) for cells in table)


def percent(part: float, whole: float) -> str:
    """Give a share in per cent, '-' if there is nothing to share."""
    return f"{100 * part / whole:.2f} %" if whole else "-"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    padded = [first.ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join(padded).rstrip()
