"""Choices as a `.parquet` file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.arrow import require_pyarrow
from fastgumbel._cli.console import blaming
from fastgumbel._cli.labels import RowLabels


class ParquetSink:
    """Columns of row, draw and the alternative's name, or its index if it has none; use `parquet_sink`.

    Chunks must come in the order of rows, then draws.
    """

    def __init__(self, target: Path, file: BinaryIO, *, header: tuple[str, ...] | None, labels: RowLabels) -> None:
        self._arrow = arrow = require_pyarrow(target)
        self._target, self._labels = target, labels
        self._names = None if header is None else arrow.array(header, arrow.string())
        # Signed where it can be, as most programs write ids so and join tables by type.
        numbers = arrow.int64() if labels.largest() < 1 << 63 else arrow.uint64()
        kinds = {
            labels.name: arrow.string() if labels.are_text else numbers,
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
        labels = arrow.array(self._labels.part(row, row + rows), self._schema.field(0).type)
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

    def close(self) -> None:
        """Write what makes the file complete."""
        with blaming(self._target):
            self._writer.close()


@contextmanager
def parquet_sink(
    target: Path, file: BinaryIO, *, header: tuple[str, ...] | None, labels: RowLabels
) -> Iterator[ParquetSink]:
    """Give a sink whose file is complete when the context ends well."""
    sink = ParquetSink(target, file, header=header, labels=labels)
    try:
        yield sink
    except BaseException:
        # The file is going to be removed, and the writer would otherwise close itself later, and fail then.
        with suppress(Exception):
            sink.close()
        raise
    sink.close()
