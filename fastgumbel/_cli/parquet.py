"""Tables and choices in `.parquet` files; pyarrow is loaded when one is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.columns import BLANK, NAN, Columns, Fault, Reading, first_fault, id_advice, pick
from fastgumbel._cli.console import UserError, blaming, progress
from fastgumbel._cli.table import Block, Ids, Table, spooled

CELLS = 1 << 18  # of a chunk that is checked at once


def require_pyarrow(path: Path) -> Any:
    """Return pyarrow, with its part for Parquet files loaded; say how to install it where it is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as missing:
        raise UserError(f"{path}: .parquet files need pyarrow: pip install 'fastgumbel[parquet]'") from missing
    return pyarrow


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
        double = self._arrow.float64()
        chunk = np.column_stack([column.cast(double, safe=False).to_numpy(zero_copy_only=False) for column in part])
        blank = np.isnan(chunk)  # also where there is no value
        if blank.any() and not self._reading.blank_excludes:
            row, column = map(int, np.argwhere(blank)[0])
            what = NAN if part[column][row].is_valid else BLANK
            raise self._error(first + row, Fault(row, column, what).text(self._columns.header))
        chunk[blank] = -np.inf
        fault = first_fault(chunk)
        if fault is not None:
            raise self._error(first + fault.row, fault.text(self._columns.header))
        return chunk

    def _ids(self, column: Any, first: int) -> list[str]:
        """Return the names without the spaces around them, as text files are read."""
        texts: list[str | None] = column.cast(self._arrow.string()).to_pylist()
        names = [(text or "").strip() for text in texts]
        if "" in names:
            row = first + names.index("")
            raise self._error(row, f", column {self._columns.id_name!r}: the cell is blank, so the row has no id")
        return names

    def _error(self, row: int, what: str) -> UserError:
        return UserError(f"{self._path}: row {row}{what}")


class ParquetSink:
    """Columns of row, draw and the alternative's name, or its index if it has none; complete as the context ends.

    Chunks must come in the order of rows, then draws.
    """

    def __init__(self, target: Path, file: BinaryIO, *, header: tuple[str, ...] | None, labels: Ids, rows: int) -> None:
        self._arrow = arrow = require_pyarrow(target)
        self._target, self._labels = target, labels
        self._names = None if header is None else arrow.array(header, arrow.string())
        # Signed where it can be, as most programs write ids so and join tables by type.
        numbers = arrow.int64() if labels.largest(rows) < 1 << 63 else arrow.uint64()
        kinds = {
            labels.name: arrow.string() if labels.texts else numbers,
            "draw": arrow.int64(),
            "choice": arrow.int64() if header is None else arrow.dictionary(arrow.int32(), arrow.string()),
        }
        self._schema = arrow.schema(list(kinds.items()))
        with blaming(target):
            self._writer = arrow.parquet.ParquetWriter(file, self._schema)

    def write(self, choices: NDArray[np.integer[Any]], row: int, draw: int) -> None:
        """Append a chunk."""
        arrow = self._arrow
        draws, rows = choices.shape
        labels = arrow.array(self._labels.labels(row, row + rows), self._schema.field(0).type)
        indices = choices.T.ravel()
        if self._names is None:
            chosen = arrow.array(indices, arrow.int64())
        else:
            chosen = arrow.DictionaryArray.from_arrays(arrow.array(indices, arrow.int32()), self._names)
        columns = [
            labels.take(arrow.array(np.repeat(np.arange(rows), draws))),
            arrow.array(np.tile(np.arange(draw, draw + draws, dtype=np.int64), rows)),
            chosen,
        ]
        with blaming(self._target):
            self._writer.write_table(arrow.Table.from_arrays(columns, schema=self._schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, fault: object, trace: object) -> None:
        """Write what makes the file complete."""
        if kind is None:
            with blaming(self._target):
                self._writer.close()
        else:
            # The file is going to be removed, and the writer would otherwise close itself later, and fail then.
            with suppress(Exception):
                self._writer.close()
