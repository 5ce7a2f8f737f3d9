"""Run the long statistics of the tests once and print their figures; with --write, put them on their page.

The statistics are those of tests/law/laws.py, and `python -m pytest -m heavy` runs them as tests. A p-value below 1e-6
is an alarm.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sections import machine, replace_section

sys.path.insert(0, str(Path(__file__).parent.parent))

import fastgumbel as fg
from tests.law import laws, planted, test_max, test_planted_defects, test_tail

Statistic = Callable[[], str]


def index(n: int, draws: int, spread: float = 1.0) -> tuple[str, str, Statistic]:
    def run() -> str:
        return f"{test_max.index_law(test_max.normal(n, spread), draws, seed=n):.3g}"

    return f"chi-square of {n:,} categories", f"{draws:.0e}", run


def excluded(n: int, draws: int) -> tuple[str, str, Statistic]:
    def run() -> str:
        x, where = test_max.excluded(n)
        counts = np.bincount(fg.gumbel_max(x, where=where, size=draws, rng=8), minlength=n)
        return f"{int(counts[~(where & (x > -np.inf))].sum())} drawn"

    return f"excluded categories among {n:,}, drawn", f"{draws:.0e}", run


def maximum(n: int, draws: int) -> tuple[str, str, Statistic]:
    def run() -> str:
        x = test_max.normal(n, 1)
        law, independent = laws.maximum_law(*fg.gumbel_max(x, size=draws, rng=2, return_max=True), x)
        return f"{law:.3g}, {independent:.3g}"

    return f"maximum of {n:,}: logsumexp + Gumbel (KS), independent of the index", f"{draws:.0e}", run


def rare(p: float) -> tuple[str, str, Statistic]:
    def run() -> str:
        drawn = laws.rare_item_draws(test_tail.pick, p, tries=2_500_000, seed=1)
        return f"{laws.rare_item_odds(drawn):.3g}"

    return f"64 items of probability {p:.0e} under a head", f"{1 / p:.0e}, where they can win", run


def defect(kind: type, statistic: Callable[[type, float], float], parameter: float) -> tuple[str, str, Statistic]:
    def run() -> str:
        return f"{statistic(kind, parameter):.1e}, and {statistic(test_planted_defects.Field, parameter):.2g} without"

    return f"planted: {kind.__doc__.splitlines()[0]}", "caught", run


def statistics() -> Iterator[tuple[str, str, Statistic]]:
    yield index(3, 10**9)
    yield index(10, 10**9)
    yield index(5000, 10**7)
    yield index(131_072, 10**6)
    yield excluded(10, 10**8)
    yield excluded(3000, 10**7)
    yield maximum(64, 10**7)
    yield maximum(1000, 10**6)
    for p in (1e-8, 1e-9, 1e-10, 1e-12, 1e-14):
        yield rare(p)
    yield defect(planted.CoarseUniform, test_planted_defects.by_rare_items, 1e-10)
    yield defect(planted.LastLaneNeverWins, test_planted_defects.by_index, 64)
    yield defect(planted.LanesShareWords, test_planted_defects.by_index, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    lines = [f"Run on {machine('numpy', 'numba', 'scipy')}", "", "| what | draws | p-value |", "| --- | --- | --- |"]
    for name, draws, run in statistics():
        begin = time.perf_counter()
        lines.append(f"| {name} | {draws} | {run()} |")
        print(lines[-1], f"{time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    text = "\n".join(lines)
    print(text)
    if options.write:
        replace_section("bench/pages/statistics.md", "bench/law.py", text)


if __name__ == "__main__":
    main()
