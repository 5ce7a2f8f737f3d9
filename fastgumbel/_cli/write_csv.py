"""Choices as a `.csv` file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.console import blaming
from fastgumbel._cli.labels import RowLabels


class CsvSink:
    """Lines of row, draw and the alternative's name, or its index if it has none.

    Chunks must come in the order of rows, then draws.
    """

    def __init__(self, target: Path, file: BinaryIO, *, header: tuple[str, ...] | None, labels: RowLabels) -> None:
        self._target, self._file, self._labels = target, file, labels
        self._names = None if header is None else [_csv_cell(name) for name in header]
        with blaming(target):
            file.write(f"{_csv_cell(labels.name)},draw,choice\n".encode())

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Append a chunk."""
        draws, rows = choices.shape
        indices = choices.T.ravel().tolist()
        cells = iter(indices if self._names is None else [self._names[index] for index in indices])
        labels = self._labels.part(row, row + rows)
        lines = (
            f"{label},{number},{next(cells)}\n"
            for label in (map(_csv_cell, labels) if self._labels.are_text else labels)
            for number in range(draw, draw + draws)
        )
        with blaming(self._target):
            self._file.write("".join(lines).encode())


def _csv_cell(name: str) -> str:
    """Quote a name where it needs it.

    Examples
    --------
    >>> _csv_cell("bus"), _csv_cell("a, b")
    ('bus', '"a, b"')
    """
    end = "\r\n"  # a name with one of these is quoted, too
    cell = io.StringIO()
    csv.writer(cell, lineterminator=end).writerow([name])
    return cell.getvalue().removesuffix(end)
