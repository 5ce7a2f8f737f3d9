"""The one exception of the command line."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """What the user can mend; its text is the one line they see."""


@contextmanager
def blaming(name: object) -> Iterator[None]:
    """Turn what the system says about a file into a line that names the file at fault."""
    try:
        yield
    except OSError as fault:
        raise UserError(f"{name}: {fault.strerror or fault}") from fault
