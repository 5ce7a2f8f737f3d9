"""How many threads a call may use where nobody has said it, and what decided."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import NamedTuple

from fastgumbel._host.quota import cpu_quota

# Where users of Numba, OpenMP and joblib say how many threads a process may use.
_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


class Limit(NamedTuple):
    """A number of threads, and where it comes from."""

    threads: int
    source: str


@functools.cache
def usual_limit() -> Limit:
    """The lowest limit on this process, the first named if several are equal; it is looked for once."""
    return min(_limits(), key=lambda limit: limit.threads)


def _limits() -> Iterator[Limit]:
    processors = os.cpu_count() or 1
    yield Limit(processors, "processors")
    if hasattr(os, "sched_getaffinity"):
        yield Limit(len(os.sched_getaffinity(0)), "affinity mask")
    quota = cpu_quota()
    if quota is not None:
        yield Limit(quota, "CPU quota")
    for name in _VARIABLES:
        # OpenMP's variable may list a number for each level of nesting; threads of ours are never nested.
        threads = count_of(os.environ.get(name, "").partition(",")[0])
        if threads is not None:
            yield Limit(threads, name)


def count_of(text: str) -> int | None:
    """Read a whole number of at least 1; None for any other text."""
    text = text.strip().lstrip("0")
    # Python refuses to read thousands of digits.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 1000 else None


if hasattr(os, "register_at_fork"):
    # A child may have been given another place since.
    os.register_at_fork(after_in_child=usual_limit.cache_clear)
