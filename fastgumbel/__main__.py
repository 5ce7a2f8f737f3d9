"""The command line: `python -m fastgumbel`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fastgumbel._cli.command import choose
from fastgumbel._cli.console import UserError, note, say
from fastgumbel._cli.options import parse

FAILED = 2
INTERRUPTED = 130  # what shells report of a program ended by Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default this process's own, and return its exit code; whatever goes wrong is one line."""
    try:
        options = parse(arguments)
        if isinstance(options, str):
            say(options)
        else:
            choose(options)
    except (UserError, OSError) as fault:
        return _fail(str(fault))
    except MemoryError:
        return _fail("not enough memory: a row of the table must fit, beside some 400 MiB for the libraries")
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED
    return 0


def _fail(complaint: str) -> int:
    note(f"error: {complaint}")
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
