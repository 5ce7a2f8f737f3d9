"""Tables from files, by their suffix."""

from __future__ import annotations

from pathlib import Path

from fastgumbel._cli.columns import Reading
from fastgumbel._cli.console import UserError
from fastgumbel._cli.read_csv import open_csv
from fastgumbel._cli.read_npy import open_npy
from fastgumbel._cli.read_parquet import open_parquet
from fastgumbel._cli.table import Table


def open_table(path: Path, reading: Reading, *, quiet: bool) -> Table:
    """Open a `.npy`, `.csv` or `.parquet` file of log-potentials."""
    match path.suffix.lower():
        case ".npy":
            for option, value in (("--id", reading.id_column), ("--columns", reading.alternatives)):
                if value is not None:
                    raise UserError(f"{path}: {option} needs named columns, which .csv and .parquet have")
            return open_npy(path)
        case ".csv":
            return open_csv(path, reading, quiet=quiet)
        case ".parquet":
            return open_parquet(path, reading, quiet=quiet)
    raise UserError(f"{path}: expected a file named .npy, .csv or .parquet")
