"""Log-potentials from a `.csv` file, copied once into binary form."""

import tempfile
from io import TextIOWrapper
from pathlib import Path

import numpy as np

from .csv_text import CsvText
from .errors import UserError, blaming
from .progress import progress
from .tables import Table


def open_csv(path: Path, *, quiet: bool) -> Table:
    """Read the text once into a nameless temporary file, checking every cell, and map that file.

    So a table may exceed memory, may be read again and again, and is known to be sound before anything is drawn.
    """
    copy = f"the temporary copy of {path} in {tempfile.gettempdir()}"
    with blaming(path):
        file = path.open("rb")
    with (
        TextIOWrapper(file, encoding="utf-8-sig", newline="") as stream,
        progress(path.stat().st_size, "B", quiet=quiet) as advance,
    ):
        text = CsvText(path, stream)
        with blaming(copy), tempfile.TemporaryFile() as spool:
            rows = done = 0
            for block in text.blocks():
                spool.write(block.data)
                rows += len(block)
                here = file.tell()
                advance(here - done)
                done = here
            if rows == 0:
                raise UserError(f"{path}: no rows below the header")
            spool.flush()
            values = np.memmap(spool, np.float64, mode="r", shape=(rows, len(text.header)))
    return Table(str(path), values, text.header)
