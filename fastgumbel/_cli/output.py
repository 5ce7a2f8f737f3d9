"""Files of choices that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fastgumbel._cli.arrow import require_pyarrow
from fastgumbel._cli.console import UserError, blaming

SUFFIXES = (".npy", ".csv", ".parquet")


def require_free(target: Path, inputs: list[Path], *, force: bool) -> None:
    """Refuse, before any work, a target that could not be put in place."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"{target}: expected a file named .npy, .csv or .parquet")
    if target.suffix.lower() == ".parquet":
        require_pyarrow(target)
    if target.is_dir():
        raise UserError(f"{target}: is a directory")
    if not target.parent.is_dir():
        raise UserError(f"{target}: there is no directory {target.parent}")
    if target.exists():
        if any(target.samefile(path) for path in inputs if path.exists()):
            raise UserError(f"{target}: is the input")
        if not force:
            raise UserError(f"{target}: exists already; --force replaces it")


def has_lines(target: Path | None) -> bool:
    """Whether a file has a line for every row and draw, with its names, and not an array of indices."""
    return target is not None and target.suffix.lower() in (".csv", ".parquet")


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a hidden file beside `target` that takes its place if the context ends well, and is removed if not."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with blaming(target):
            with draft.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # some file systems say only now that they are full
            draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
