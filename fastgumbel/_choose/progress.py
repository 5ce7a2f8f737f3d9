"""A progress bar for work that takes more than a moment."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 1.0  # seconds before a bar appears: short work shows none


@contextmanager
def progress(total: int, unit: str, *, quiet: bool) -> Iterator[Callable[[int], object]]:
    """Give a function that reports steps, drawn on a terminal's stderr if tqdm (the extra `cli`) is there."""
    try:
        from tqdm import tqdm  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        quiet = True
    if quiet or not sys.stderr.isatty():
        yield lambda steps: None
        return
    with tqdm(total=total, unit=unit, unit_scale=True, delay=PATIENCE, leave=False, file=sys.stderr) as bar:
        yield bar.update
