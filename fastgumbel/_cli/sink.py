"""Where chunks of choices go, by the suffix of the file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.labels import RowLabels
from fastgumbel._cli.output import replacing
from fastgumbel._cli.table import Table
from fastgumbel._cli.write_csv import CsvSink
from fastgumbel._cli.write_npy import NpySink
from fastgumbel._cli.write_parquet import parquet_sink


class Sink(Protocol):
    """A place for chunks of choices of shape (draws, rows)."""

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Write a chunk whose first row and draw are the ones given, counted from 0."""


def open_sink(stack: ExitStack, target: Path | None, table: Table, *, draws: int, first_row: int) -> Sink | None:
    """Open a file of choices from a table, complete when the stack closes; None where none is asked for."""
    if target is None:
        return None
    file = stack.enter_context(replacing(target))
    rows, alternatives = table.shape
    labels = RowLabels(table.ids, first_row, rows)
    match target.suffix.lower():
        case ".csv":
            return CsvSink(target, file, header=table.header, labels=labels)
        case ".parquet":
            return stack.enter_context(parquet_sink(target, file, header=table.header, labels=labels))
    return NpySink(target, file, rows=rows, draws=draws, alternatives=alternatives)
