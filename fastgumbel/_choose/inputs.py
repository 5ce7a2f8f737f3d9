"""Which reader a file gets."""

from pathlib import Path

from .csv_file import open_csv
from .errors import UserError
from .npy_file import open_npy
from .tables import Table


def open_table(path: Path, *, quiet: bool) -> Table:
    """Open a `.npy` or `.csv` file of log-potentials."""
    match path.suffix.lower():
        case ".npy":
            return open_npy(path)
        case ".csv":
            return open_csv(path, quiet=quiet)
    raise UserError(f"{path}: expected a file named .npy or .csv")
