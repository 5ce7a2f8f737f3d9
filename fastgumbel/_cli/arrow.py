"""The library that reads and writes `.parquet` files: it is loaded when one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastgumbel._cli.console import UserError


def require_pyarrow(path: Path) -> Any:
    """Return pyarrow, with its part for Parquet files loaded; say how to install it where it is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as missing:
        raise UserError(f"{path}: .parquet files need pyarrow: pip install 'fastgumbel[parquet]'") from missing
    return pyarrow
