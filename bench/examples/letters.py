"""Draw the relaxed distribution of letter frequencies at several temperatures, as in figure 1 of Jang et al. 2017.

Needs the extra `plot`. The text is Python's own documentation of its topics (`pydoc_data`). One noise serves all
temperatures, so a sample is the same letter in each. Prints a table of the same; with --write, also puts it on the page
of examples.
"""

from __future__ import annotations

import argparse
import string
import sys
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import PICTURES, machine, replace_section

import fastgumbel as fg

PICTURE = PICTURES / "letters.png"
TAUS = (0.1, 0.5, 1.0, 10.0)
SHOWN = 3
BLUE, RED, GREY = "#4477aa", "#cc6677", "#555555"


def letter_counts() -> NDArray[np.int64]:
    letters = np.frombuffer("".join(topics.values()).lower().encode("ascii", "ignore"), np.uint8)
    return np.bincount(letters, minlength=256)[ord("a") : ord("z") + 1]


def table(frequencies: NDArray[np.float64], samples: dict[float, NDArray[np.float64]], letters: int, seed: int) -> str:
    draws = len(next(iter(samples.values())))
    lines = [
        f"Run on {machine('numpy', 'matplotlib')}",
        f"Frequencies of {letters:,} letters; {draws:,} samples a temperature, seed {seed}.",
        "",
        "| tau | mean of a sample's largest component | total variation from expectation to frequencies | to uniform |",
        "| --- | --- | --- | --- |",
    ]
    for tau, sample in samples.items():
        mean = sample.mean(0)
        far = [abs(mean - other).sum() / 2 for other in (frequencies, 1 / len(mean))]
        lines.append(f"| {tau:g} | {sample.max(1).mean():.3f} | {far[0]:.3f} | {far[1]:.3f} |")
    return "\n".join(lines)


def picture(frequencies: NDArray[np.float64], samples: dict[float, NDArray[np.float64]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6))
    axes = figure.subplots(1 + SHOWN, len(samples), sharex=True, sharey="row", height_ratios=[2] + [1] * SHOWN)
    places = np.arange(len(frequencies))
    for column, (tau, sample) in zip(axes.T, samples.items(), strict=True):
        column[0].set_title(f"τ = {tau:g}")
        column[0].bar(places, sample.mean(0), color=BLUE, width=0.8)
        outline = column[0].stairs(frequencies, np.arange(len(places) + 1) - 0.5, color="black", linewidth=0.9)
        for axis, one in zip(column[1:], sample, strict=False):
            axis.bar(places, one, color=[RED if i == one.argmax() else GREY for i in places], width=0.8)
            axis.set(ylim=(0, 1.05), yticks=(0, 1))
        column[-1].set_xticks(places, string.ascii_lowercase, fontsize=7)
    axes[0, 0].set_ylabel("expectation")
    axes[0, -1].legend([outline], ["letter frequencies"], frameon=False, fontsize=8)
    for number, axis in enumerate(axes[1:, 0], 1):
        axis.set_ylabel(f"sample {number}")
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(axis="x", length=0)
        axis.margins(x=0.01)
    figure.align_ylabels()
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE, help="where to save the picture (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=100_000, help="samples a temperature (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    if options.draws < 2:
        parser.error("--draws must be at least 2")
    counts = letter_counts()
    samples = {tau: fg.gumbel_softmax(np.log(counts), tau, size=options.draws, rng=options.seed) for tau in TAUS}
    frequencies = counts / counts.sum()
    picture(frequencies, samples, options.out)
    text = table(frequencies, samples, counts.sum(), options.seed)
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/letters.py", text)


if __name__ == "__main__":
    main()
