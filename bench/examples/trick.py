"""Check the trick itself: frequencies of the letters drawn by its three classical forms, beside the exact law.

Needs the extra `plot`. The weights w are the letters of Python's own documentation: probabilities, raw counts, and
counts times powers of e. One noise serves all, so every form draws the same letters as long as its numbers are told
apart; where they are not, the first letter wins. Prints a table; with --write, also puts it on the page of examples.
"""

from __future__ import annotations

import argparse
import string
import sys
from pathlib import Path

import numpy as np
from letters import BLUE, RED, letter_counts
from numpy.typing import NDArray
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import PICTURES, machine, replace_section

import fastgumbel as fg

PICTURE = PICTURES / "trick.png"
FORMS = {"uniform": "u^(1/w)", "exponential": "log(u)/w", "gumbel": "log w + Gumbel"}
TITLES = {"uniform": "$u^{1/w}$", "exponential": r"$\log(u)\,/\,w$", "gumbel": r"$\log w - \log(-\log u)$"}
# Probabilities, and then counts times exp(moved).
WEIGHTS = {"p": None, "counts": 0, "counts e^-20": -20, "counts e^30": 30, "counts e^800": 800}
LABELS = ("$w = p$", "$w =$ counts", r"$w =$ counts $e^{-20}$", r"$w =$ counts $e^{30}$", r"$w =$ counts $e^{800}$")
ALARM = 1e-6


def log_potentials(counts: NDArray[np.int64], moved: int | None) -> NDArray[np.float64]:
    x = np.log(counts)
    return x - np.log(counts.sum()) if moved is None else x + moved


def p_value(drawn: NDArray[np.int64], law: NDArray[np.float64]) -> float:
    return float(stats.chisquare(drawn, law * drawn.sum()).pvalue)


def p_text(p: float) -> str:
    return f"{p:.2g}" if p > 1e-300 else "below 1e-300"


def draw(counts: NDArray[np.int64], draws: int, seed: int) -> dict[str, dict[str, tuple[NDArray[np.int64], float]]]:
    """Letters drawn, counted, by weights and form; and the share of draws that are those of `gumbel_max`."""
    field = fg.NoiseField(seed)
    found: dict[str, dict[str, tuple[NDArray[np.int64], float]]] = {}
    for name, moved in WEIGHTS.items():
        x = log_potentials(counts, moved)
        best = fg.gumbel_max(x, size=draws, noise=field)
        found[name] = {}
        for form in FORMS:
            index = fg.perturb(x, form, size=draws, noise=field).argmax(-1)
            found[name][form] = np.bincount(index, minlength=len(x)), float((index == best).mean())
    return found


def table(found: dict[str, dict[str, tuple[NDArray[np.int64], float]]], law: NDArray[np.float64], seed: int) -> str:
    draws = found["p"]["gumbel"][0].sum()
    lines = [
        f"Run on {machine('numpy', 'scipy', 'matplotlib')}",
        f"{draws:,} draws of {len(law)} letters, seed {seed}: p-value of a chi-square against the exact law, and the",
        "share of draws that are those of `gumbel_max`.",
        "",
        f"| weights w | {' | '.join(FORMS.values())} |",
        "| --- | --- | --- | --- |",
    ]
    for name, forms in found.items():
        cells = [f"{p_text(p_value(drawn, law))}, {share:.1%}" for drawn, share in forms.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(found: dict[str, dict[str, tuple[NDArray[np.int64], float]]], law: NDArray[np.float64], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 9))
    axes = figure.subplots(len(found), len(FORMS), sharex=True, sharey=True)
    places = np.arange(len(law))
    top = 1.35 * law.max()
    for line, label, forms in zip(axes, LABELS, found.values(), strict=True):
        line[0].set_ylabel(label, fontsize=11)
        for axis, (drawn, share) in zip(line, forms.values(), strict=True):
            p = p_value(drawn, law)
            good = p > ALARM
            frequencies = drawn / drawn.sum()
            axis.bar(places, frequencies, color=BLUE if good else RED, width=0.8)
            outline = axis.stairs(law, np.arange(len(law) + 1) - 0.5, color="black", linewidth=0.9)
            verdict = f"p = {p:.2g}" if good else f"fails: {share:.0%} of the draws are right"
            axis.text(
                0.98, 0.88, verdict, transform=axis.transAxes, ha="right", fontsize=9, color=BLUE if good else RED
            )
            for letter in np.flatnonzero(frequencies > top):
                note = f"{string.ascii_lowercase[letter]}: {frequencies[letter]:.0%}"
                axis.annotate(note, (letter + 0.6, 0.9 * top), fontsize=9, color=RED, va="top")
            axis.set(ylim=(0, top))
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(axis="x", length=0)
            axis.margins(x=0.01)
            axis.yaxis.set_major_formatter("{x:.0%}")
    for axis, form in zip(axes[0], FORMS, strict=True):
        axis.set_title(TITLES[form], fontsize=13)
    for axis in axes[-1]:
        axis.set_xticks(places, string.ascii_lowercase, fontsize=8)
    axes[0, 0].legend([outline], ["exact law"], frameon=False, fontsize=9, loc="upper right", bbox_to_anchor=(1, 0.88))
    figure.align_ylabels()
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE, help="where to save the picture (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=200_000, help="draws of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    if options.draws < 2:
        parser.error("--draws must be at least 2")
    counts = letter_counts()
    law = counts / counts.sum()
    found = draw(counts, options.draws, options.seed)
    picture(found, law, options.out)
    text = table(found, law, options.seed)
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/trick.py", text)


if __name__ == "__main__":
    main()
