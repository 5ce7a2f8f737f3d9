"""What a fifth off the train's cost changes in a logit and in a nested logit, drawn and by the closed form.

Needs the extra `bench`. The data are the 210 travellers of `python -m fastgumbel choose`. The nested logit has a nest
of the modes on the ground, and is fitted by maximum likelihood from the model of that command, which is the logit.
Prints a table; with --write, also puts it on the page of examples.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import machine, replace_section

import fastgumbel as fg
from fastgumbel._cli.input import (
    AIR_INCOME,
    CONSTANTS,
    COST,
    MODES,
    TERMINAL_TIME,
    TRAIN_COST_FACTOR,
    Travellers,
    load_travellers,
)

TRAIN = MODES.index("train")
GROUND = [1, 2, 3]
LOGIT = np.array([*CONSTANTS[:3], COST, TERMINAL_TIME, AIR_INCOME[0], 1.0])

Matrix = NDArray[np.float64]


def utilities(parameters: Matrix, travellers: Travellers, train_cost: float = 1.0) -> Matrix:
    """Systematic utilities: three constants, and what a unit of cost, of waiting and of income (by air) changes."""
    *constants, cost, waiting, income, _ = parameters
    prices = travellers.cost * np.where(np.arange(len(MODES)) == TRAIN, train_cost, 1.0)
    by_air = np.array([income, 0.0, 0.0, 0.0])
    return np.array([*constants, 0.0]) + cost * prices + waiting * travellers.terminal_time + by_air * travellers.income


def log_shares(x: Matrix, scale: float) -> Matrix:
    """Logarithms of the chances of a nested logit, by the closed form."""
    ground = x[:, GROUND] / scale
    branches = log_softmax(np.column_stack([x[:, 0], scale * logsumexp(ground, 1)]), 1)
    return np.column_stack([branches[:, 0], branches[:, 1:] + log_softmax(ground, 1)])


def log_likelihood(parameters: Matrix, travellers: Travellers) -> float:
    return float(log_shares(utilities(parameters, travellers), parameters[-1])[travellers.chosen].sum())


def fitted(travellers: Travellers) -> Matrix:
    """Parameters of largest likelihood, in units of those of the logit."""
    found: Any = minimize(lambda p: -log_likelihood(p * LOGIT, travellers), np.ones(len(LOGIT)), method="BFGS")
    return np.asarray(found.x * LOGIT)


def line(name: str, parameters: Matrix, travellers: Travellers, draws: int, seed: int) -> str:
    """Row of the table: the answer by the closed form and drawn, and the modes that passengers come from."""
    scale = float(parameters[-1])
    before, after = (utilities(parameters, travellers, factor) for factor in (1.0, TRAIN_COST_FACTOR))
    exact = (np.exp(log_shares(after, scale)) - np.exp(log_shares(before, scale))).sum(0)
    people = np.arange(len(before))
    field = fg.NoiseField(seed).at(rows=people, draw=np.arange(draws)[:, np.newaxis])
    noise = fg.gumbel_nested((draws, *before.shape), [(scale, GROUND)], noise=field)
    old, new = (fg.gumbel_max(x, size=draws, noise=noise) for x in (before, after))
    if (new != old)[new != TRAIN].any():
        raise RuntimeError("someone moved to another mode than the train")
    gains = (new == TRAIN).sum(1) - (old == TRAIN).sum(1)
    answer = f"{gains.mean():.3f} ± {gains.std(ddof=1) / draws**0.5:.3f} ({exact[TRAIN]:.3f})"
    left = (old != new)[..., np.newaxis] & (old[..., np.newaxis] == np.arange(len(MODES)))
    origins = left.mean(0).sum(0)
    shown = " | ".join(f"{origins[m]:.2f} ({-exact[m]:.2f})" for m in range(len(MODES)) if m != TRAIN)
    return f"| {name} | {scale:.3f} | {log_likelihood(parameters, travellers):.2f} | {answer} | {shown} |"


def table(draws: int, seed: int) -> str:
    travellers = load_travellers()
    origins = " | ".join(f"from {mode}" for mode in MODES if mode != "train")
    lines = [
        f"Run on {machine('numpy', 'scipy')}",
        f"{draws:,} draws of 210 travellers, seed {seed}; mean ± standard error, and in brackets the closed form.",
        "",
        f"| model | scale | log-likelihood | more take the train | {origins} |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, parameters in (("logit", LOGIT), ("nested logit", fitted(travellers))):
        lines.append(line(name, parameters, travellers, draws, seed))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20_000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    if options.draws < 2:
        parser.error("--draws must be at least 2")
    text = table(options.draws, options.seed)
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/nested.py", text)


if __name__ == "__main__":
    main()
