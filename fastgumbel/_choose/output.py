"""Files of choices that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .errors import UserError, blaming

SUFFIXES = (".npy", ".csv")


def require_free(target: Path, inputs: list[Path], *, force: bool) -> None:
    """Refuse, before any work, a target that could not be put in place."""
    if target.suffix.lower() not in SUFFIXES:
        raise UserError(f"{target}: expected a file named .npy or .csv")
    if target.is_dir():
        raise UserError(f"{target}: is a directory")
    if not target.parent.is_dir():
        raise UserError(f"{target}: there is no directory {target.parent}")
    if target.exists():
        if any(target.samefile(path) for path in inputs if path.exists()):
            raise UserError(f"{target}: is the input")
        if not force:
            raise UserError(f"{target}: exists already; --force replaces it")


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a hidden file beside `target` that takes its place if the block ends well, and is removed if not."""
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
