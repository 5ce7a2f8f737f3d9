"""Simulate races whose results follow the Plackett-Luce model, and find the runners' strengths from the results.

Needs the extra `bench`. Each race is one row of a noise field, read with `fastgumbel.jit.gumbel` in a compiled loop:
the order of strength + noise is the result. Podiums and pairs beside their exact chances, `gumbel_top_k` on the same
noise, the MM algorithm (Hunter 2004) on more and more races, and one runner who trains, in the same races. Prints
tables; with --write, also puts them on the page of examples.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import machine, replace_section

import fastgumbel as fg
import fastgumbel.jit as fgj

Orders = NDArray[np.int8]
STRENGTHS = np.linspace(1, -1, 10)
TRAINED, GAIN = 4, 0.5
ITERATIONS = 200
CHUNK = 100_000


@numba.njit(parallel=True)
def race(strengths, key, first, orders):
    """Write the order in which runners finish, best first, race by race."""
    n = len(strengths)
    for r in numba.prange(len(orders)):
        values = np.empty(n)
        for c in range(n):
            value = strengths[c] + fgj.gumbel(key, first + r, 0, c)
            place = c
            while place > 0 and values[place - 1] < value:
                values[place] = values[place - 1]
                orders[r, place] = orders[r, place - 1]
                place -= 1
            values[place] = value
            orders[r, place] = c


def podiums() -> tuple[NDArray[Any], NDArray[np.float64]]:
    """All ordered triples and their exact chances."""
    weights = np.exp(STRENGTHS)
    triples = np.array(list(itertools.permutations(range(len(weights)), 3)))
    first, second, third = weights[triples].T
    total = weights.sum()
    return triples, first / total * second / (total - first) * third / (total - first - second)


def p_value(counts: NDArray[Any], chances: NDArray[np.float64]) -> float:
    expected = chances * counts.sum()
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), len(counts) - 1))


def fitted(orders: Orders) -> NDArray[np.float64]:
    """Strengths of largest likelihood, with mean 0: each step divides wins by the chances to win (Hunter 2004)."""
    n = orders.shape[1]
    patterns, counts = np.unique(orders, axis=0, return_counts=True)
    wins = np.bincount(patterns[:, :-1].ravel(), np.repeat(counts, n - 1), n)
    weights = np.ones(n)
    for _ in range(ITERATIONS):
        left = weights[patterns][:, ::-1].cumsum(1)[:, :0:-1]  # weights of all who are not yet in
        chances = (counts[:, np.newaxis] / left).cumsum(1)
        chances = np.concatenate([chances, chances[:, -1:]], 1)  # the last one took part as often as the one before
        weights = wins / np.bincount(patterns.ravel(), chances.ravel(), n)
        weights /= np.exp(np.log(weights).mean())
    return np.log(weights)


def fits(orders: Orders) -> Iterator[str]:
    for races in (100, 1000, 10_000, 100_000):
        if races <= len(orders):
            off = fitted(orders[:races]) - STRENGTHS
            yield f"| {races:,} | {np.sqrt((off**2).mean()):.4f} | {np.sqrt((off**2).mean() * races):.2f} |"


def tables(races: int, seed: int) -> str:
    field = fg.NoiseField(seed)
    n = len(STRENGTHS)
    triples, chances = podiums()
    counts = np.zeros(n**3, np.int64)
    beaten = np.zeros((n, n), np.int64)
    moves = np.zeros(2, np.int64)
    changed_others = 0
    trained = STRENGTHS.copy()
    trained[TRAINED] += GAIN
    kept = np.empty((min(races, CHUNK), n), np.int8)
    for first in tqdm(range(0, races, CHUNK), unit=" chunks"):
        orders = np.empty((min(CHUNK, races - first), n), np.int8)
        after = np.empty_like(orders)
        race(STRENGTHS, field.key, first, orders)
        race(trained, field.key, first, after)
        if first == 0:
            kept = orders
            rows = field.at(rows=np.arange(len(orders)))
            top, _ = fg.gumbel_top_k(np.broadcast_to(STRENGTHS, orders.shape), n, noise=rows)
            if not (top == orders).all():
                raise RuntimeError("the compiled loop and gumbel_top_k differ")
        counts += np.bincount(orders[:, :3].astype(np.int64) @ [n * n, n, 1], minlength=n**3)
        places, places_after = orders.argsort(1), after.argsort(1)
        for c in range(n):
            beaten[c] += (places[:, c : c + 1] < places).sum(0)
        moves += [
            np.count_nonzero(places_after[:, TRAINED] < places[:, TRAINED]),
            np.count_nonzero(places_after[:, TRAINED] > places[:, TRAINED]),
        ]
        others, others_after = (o[o != TRAINED].reshape(-1, n - 1) for o in (orders, after))
        changed_others += np.count_nonzero((others != others_after).any(1))
    counts = counts[triples @ [n * n, n, 1]]
    one, two = np.triu_indices(n, 1)
    pairs = 1 / (1 + np.exp(STRENGTHS[two] - STRENGTHS[one]))
    z = (beaten[one, two] - races * pairs) / np.sqrt(races * pairs * (1 - pairs))
    usual = counts.argmax()
    return "\n".join(
        [
            f"Run on {machine('numpy', 'numba', 'scipy')}",
            f"{races:,} races of {n} runners, strengths from {STRENGTHS[0]:g} to {STRENGTHS[-1]:g}, seed {seed}.",
            f"`gumbel_top_k` gave the same results on the same noise, in the first {len(kept):,} races.",
            "",
            "| what | simulated | Plackett-Luce |",
            "| --- | --- | --- |",
            f"| the most frequent podium, {tuple(triples[usual].tolist())} | {counts[usual] / races:.5f} "
            f"| {chances[usual]:.5f} |",
            f"| the rarest, {tuple(triples[counts.argmin()].tolist())} | {counts.min() / races:.5f} "
            f"| {chances[counts.argmin()]:.5f} |",
            f"| chi-square of all {len(triples)} podiums | p = {p_value(counts, chances):.3f} | |",
            f"| the {len(pairs)} pairs, in standard errors | {np.sqrt((z**2).mean()):.2f} rms, "
            f"{abs(z).max():.1f} at most | 1 rms |",
            f"| races in which runner {TRAINED} does better, {GAIN:g} stronger | {moves[0] / races:.3f} | |",
            f"| worse | {moves[1]} of them | none |",
            f"| races in which others change their order | {changed_others} | none |",
            "",
            "Strengths of largest likelihood, by the MM algorithm:",
            "",
            "| races | rms error | times the root of races |",
            "| --- | --- | --- |",
            *fits(kept),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=2_000_000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--write", action="store_true", help="replace the tables on the page")
    options = parser.parse_args()
    if options.races < 1:
        parser.error("needs at least one race")
    text = tables(options.races, options.seed)
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/ranking.py", text)


if __name__ == "__main__":
    main()
