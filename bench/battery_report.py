"""Tables of the p-values that bench/battery.py finds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize, special, stats
from sections import machine

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.law import dieharder, laws, test_max

Found = dict[str, dict[str, Any]]

CONTROL = "NumPy's PCG64"


def p_text(p: float) -> str:
    return f"{p:.2g}" if p >= 1e-4 or p == 0 else f"{p:.0e}"


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def summary(what: str, p_values: list[float]) -> str:
    """How many there are, the smallest, the chance of one as small among them, and whether all are uniform."""
    smallest = min(p_values)
    chance = -np.expm1(len(p_values) * np.log1p(-smallest))
    uniform = stats.kstest(p_values, "uniform").pvalue
    return row(what, f"{len(p_values):,}", *map(p_text, (smallest, chance, uniform)))


def by_kind(found: Found, kind: str) -> list[float]:
    return [p for p_values in found.values() for name, p in p_values.items() if name.startswith(kind)]


def by_order(found: Found) -> dict[str, list[float]]:
    """The p-values of dieharder's tests, whose names begin with the order."""
    orders: dict[str, list[float]] = {}
    for name, p_values in found.items():
        orders.setdefault(name.rpartition(":")[0], []).extend(p_values.values())
    return orders


def of_dieharder(results: dict[str, Found]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Its p-values by what was run, the field's and those for comparison; of the serial test, 30 a run, apart."""
    found = {name: list(p_values.values()) for name, p_values in results.get("dieharder", {}).items()}
    more = {name: list(p_values.values()) for name, p_values in results.get("serial", {}).items()}

    def pooled(runs: dict[str, list[float]], control: bool, serial: bool) -> list[float]:
        chosen = [
            n for n in runs if n.startswith(CONTROL) == control and (n.endswith(": 102") or runs is more) == serial
        ]
        return [p for name in chosen for p in runs[name]]

    ours = {
        "dieharder but its serial test": pooled(found, control=False, serial=False),
        "dieharder's serial test": pooled(found, control=False, serial=True),
    }
    compared = {
        "the serial test again, at other positions": pooled(more, control=False, serial=True),
        f"the serial test on {CONTROL}": pooled(more, control=True, serial=True),
        f"dieharder but its serial test on {CONTROL}": pooled(found, control=True, serial=False),
    }
    return ours, compared


def index_law(counted: dict[str, list[int]]) -> tuple[float, str]:
    """The p-value of the counts of 10 categories, and what they would have shown."""
    x = test_max.normal(10, 1)
    probabilities = special.softmax(x)
    counts = np.sum(list(counted.values()), axis=0)
    draws = counts.sum()
    bias = counts / draws / probabilities - 1
    errors = bias / np.sqrt((1 - probabilities) / probabilities / draws)
    worst = abs(errors).argmax()
    critical = stats.chi2.isf(laws.ALARM, len(x) - 1)
    power = optimize.brentq(lambda shift: stats.ncx2.sf(critical, len(x) - 1, shift) - 0.5, 1, 100)
    p_value = laws.index_law(counts, x)
    error, alarm = np.sqrt(9 / draws), np.sqrt(9 * power / draws)
    return p_value, (
        f"Chi-square of {draws:.0e} draws from 10 categories of probability {probabilities.min():.3f} to "
        f"{probabilities.max():.3f}: p = {p_text(p_value)}.\nThe frequency farthest off, in standard errors, is so by "
        f"a relative {bias[worst]:+.1e}, or {errors[worst]:+.1f} of them. At p = 0.1 the\nstandard error is a relative "
        f"{error:.1e}, and a bias of {alarm:.1e} would raise the alarm every other time."
    )


def planted(found: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    """Alarms by defect, and the smallest p-value."""
    yield row("planted defect", "alarms of NIST's tests", "of the bits of neighbours", "of the noise of neighbours")
    yield row(*["---"] * 4)
    for name, kinds in found.items():
        alarms = [np.count_nonzero(np.array(p_values) < laws.ALARM) for p_values in kinds.values()]
        parts = zip(alarms, kinds.values(), strict=True)
        yield row(name, *(f"{count} of {len(p_values)}, {p_text(min(p_values))}" for count, p_values in parts))


def report(results: dict[str, Found], sequences: int, pairs: int) -> str:
    law, sentence = index_law(results["counts"])
    nist, neighbours, hard = results["nist"], results["neighbours"], by_order(results.get("dieharder", {}))
    ours, compared = of_dieharder(results)
    has = f"dieharder {dieharder.version()}" if hard else "without dieharder"
    families = {
        f"NIST, {len(nist)} orders of {sequences} x 2^20 bits": by_kind(nist, ""),
        **ours,
        f"noise of neighbours, {pairs:,} pairs, 8 x 8 cells": by_kind(neighbours, "noise, cells"),
        f"noise of neighbours, {pairs:,} pairs, correlation": by_kind(neighbours, "noise, correlation"),
        f"bits of neighbours, {pairs:,} pairs, each with each": by_kind(neighbours, "bits"),
    }
    families["all of these, and chi-square"] = [law, *(p for p_values in families.values() for p in p_values)]
    lines = [f"Run on {machine('numpy', 'numba', 'scipy').rstrip('.')}, {has}.", sentence, ""]
    lines += [row("statistic", "p-values", "smallest", "chance of one as small", "all uniform (KS)"), row(*["---"] * 5)]
    lines += [summary(what, p_values) for what, p_values in (families | compared).items() if p_values]
    lines += ["", row("order of the bits", "NIST: p-values, smallest", "dieharder"), row(*["---"] * 3)]
    for order, p_values in nist.items():
        both = list(p_values.values()), hard.get(order, [])
        lines.append(row(order, *(f"{len(p)}, {p_text(min(p))}" if p else "" for p in both)))
    lines += ["", *planted(results["planted"])]
    for name, p_values in results["again"].items():
        uniform = stats.kstest(p_values, "uniform").pvalue
        lines += ["", f"Looked at again, on {len(p_values)} further sequences: {name}, p = {p_text(uniform)}."]
    return "\n".join(lines)
