"""Standard output that fails in one line, too."""

import os

from .errors import UserError


def say(text: str) -> None:
    """Print at once, so that a full disk or a closed pipe is known here and not as Python exits."""
    try:
        print(text, flush=True)
    except OSError as fault:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered would fail a second time
        raise UserError(f"standard output: {fault.strerror}") from fault
