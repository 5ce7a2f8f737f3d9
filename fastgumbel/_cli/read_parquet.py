"""Tables from `.parquet` files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.arrow import require_pyarrow
from fastgumbel._cli.columns import Columns, Reading, id_advice, pick
from fastgumbel._cli.console import UserError, blaming, progress
from fastgumbel._cli.number import BLANK
from fastgumbel._cli.spool import Block, spooled
from fastgumbel._cli.table import Table, first_fault

CELLS = 1 << 18  # of a chunk that is checked at once


def open_parquet(path: Path, reading: Reading, *, quiet: bool) -> Table:
    """Read the columns that are asked for, check them, and keep the numbers on disk."""
    arrow = require_pyarrow(path)
    with blaming(path), path.open("rb") as stream:
        try:
            file = arrow.parquet.ParquetFile(stream)
            columns = pick(file.schema_arrow.names, reading, str(path))
            _require_types(arrow, path, file.schema_arrow, columns)
            with progress(file.metadata.num_rows, " rows", quiet=quiet) as advance:
                return spooled(path, columns, _ParquetRows(arrow, path, columns, reading).blocks(file, advance))
        except arrow.ArrowException as fault:
            raise UserError(f"{path}: not a .parquet file that can be read: {str(fault).splitlines()[0]}") from fault


def _require_types(arrow: Any, path: Path, schema: Any, columns: Columns) -> None:
    """Refuse columns that hold no numbers, and ids that are neither integers nor text."""
    types = arrow.types
    for name, place in zip(columns.header, columns.places, strict=True):
        kind = schema.field(place).type
        if not (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)):
            raise UserError(f"{path}: column {name!r} holds {kind}; expected numbers{id_advice(name)}")
    if columns.id_place is not None:
        kind = schema.field(columns.id_place).type
        kind = kind.value_type if types.is_dictionary(kind) else kind
        if not (types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind)):
            raise UserError(f"{path}: column {columns.id_name!r} holds {kind}; ids are whole numbers or text")


class _ParquetRows:
    """The rows of one file; every complaint names the row.

    Parameters
    ----------
    arrow : module
        Pyarrow.
    path : Path
        What complaints call the file.
    columns : Columns
        What is read.
    reading : Reading
        How it is read.
    """

    def __init__(self, arrow: Any, path: Path, columns: Columns, reading: Reading) -> None:
        self._arrow, self._path, self._columns, self._reading = arrow, path, columns, reading

    def blocks(self, file: Any, advance: Callable[[int], object]) -> Iterator[Block]:
        """Yield the rows, some at a time, as soon as they are known to be fit to draw from."""
        names = file.schema_arrow.names
        places = [*self._columns.places] + [place for place in [self._columns.id_place] if place is not None]
        rows = max(1, CELLS // len(places))
        first = 0
        with blaming(self._path):
            for batch in file.iter_batches(batch_size=rows, columns=[names[place] for place in places]):
                part = [batch.column(names[place]) for place in places]
                values = self._values(part[: len(self._columns.header)], first)
                yield Block(values, None if self._columns.id_place is None else self._ids(part[-1], first))
                advance(len(values))
                first += len(values)

    def _values(self, part: list[Any], first: int) -> NDArray[np.float64]:
        blank = np.column_stack([column.is_null().to_numpy(zero_copy_only=False) for column in part])
        if blank.any() and not self._reading.blank_excludes:
            row, column = np.argwhere(blank)[0]
            raise self._error(first + row, self._columns.header[column], BLANK)
        double = self._arrow.float64()
        chunk = np.column_stack([column.cast(double, safe=False).to_numpy(zero_copy_only=False) for column in part])
        chunk[blank] = -np.inf
        fault = first_fault(chunk)
        if fault is not None:
            name = None if fault.column is None else self._columns.header[fault.column]
            raise self._error(first + fault.row, name, fault.what)
        return chunk

    def _ids(self, column: Any, first: int) -> list[str]:
        texts: list[str | None] = column.cast(self._arrow.string()).to_pylist()
        for row, text in enumerate(texts, start=first):
            if text is None or not text.strip():
                raise self._error(row, self._columns.id_name, "the cell is blank, so the row has no id")
        return [text for text in texts if text is not None]

    def _error(self, row: int, column: str | None, what: str) -> UserError:
        place = "" if column is None else f", column {column!r}"
        return UserError(f"{self._path}: row {row}{place}: {what}")
