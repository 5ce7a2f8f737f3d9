"""A table from a stream of rows, by way of a nameless temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cli.columns import Columns, IdWatch
from fastgumbel._cli.console import UserError, blaming
from fastgumbel._cli.ids import IdSpool
from fastgumbel._cli.table import Table


class Block(NamedTuple):
    """Some rows: their log-potentials, fit to draw from, and their names if a column has them."""

    values: NDArray[np.float64]
    ids: list[str] | None


def spooled(path: Path, columns: Columns, blocks: Iterable[Block]) -> Table:
    """Copy all blocks to disk, and map the copy.

    So a table may exceed memory, it may be read again and again, and it is known to be sound before anything is drawn.
    """
    copy = f"the temporary copy of {path} in {tempfile.gettempdir()}"
    rows, watch = 0, IdWatch(columns)
    with blaming(copy), ExitStack() as stack:
        cells, *others = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(4)]
        ids = None if columns.id_name is None else IdSpool(columns.id_name, *others)
        for block in blocks:
            watch.look(block.values)
            cells.write(block.values.data)
            if ids is not None and block.ids is not None:
                ids.add(block.ids)
            rows += len(block.values)
        if rows == 0:
            raise UserError(f"{path}: has no rows")
        complaint = watch.complaint()
        if complaint is not None:
            raise UserError(f"{path}: {complaint}")
        cells.flush()
        values = np.memmap(cells, np.float64, mode="r", shape=(rows, len(columns.header)))
        return Table(str(path), values, columns.header, None if ids is None else ids.finish(str(path)))
