"""How contenders are timed: in turn, round after round, in one process; and where fresh processes run."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

# Of a short call, a round takes the best of so many, or of as many as fit in so many seconds.
_CALLS, _TURN = 9, 0.05


def _times(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds of each contender in every round, by a clock; all take part in each.

    A call that is not counted comes first, so that nobody pays for the threads and caches of the one before.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            call()
            begin = clock()
            call()
            times[name].append(clock() - begin)
    return times


def medians(contenders: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each contender, in turn."""
    return {name: statistics.median(values) for name, values in _times(contenders, rounds, time.perf_counter).items()}


def least_of_rounds(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Least seconds of each contender, in turn: for a machine that others use, too."""
    return {name: min(values) for name, values in _times(contenders, rounds, clock).items()}


def least_of_calls(
    contenders: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Least seconds of each contender, which other work on the machine disturbs least; all take part in every round.

    Calls that are not counted come before the first round, as some compile.
    """
    for call in contenders.values():
        call()
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, call in contenders.items():
            spent = 0.0
            for _ in range(_CALLS):
                begin = clock()
                call()
                seconds = clock() - begin
                best[name] = min(best[name], seconds)
                spent += seconds
                if spent > _TURN:
                    break
    return best


def fresh_environment(cache: str) -> dict[str, str]:
    """Environment with machine code in a directory, and bytecode on disk, as installed packages have it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "NUMBA_CACHE_DIR": cache}
