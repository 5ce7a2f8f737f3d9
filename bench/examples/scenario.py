"""What a fifth off the train's cost changes, with the same noise before and after, and with fresh noise; a picture.

Needs the extra `plot`. The data are the 210 travellers of `python -m fastgumbel choose`. One draw gives each traveller
one choice before and one after; a draw's answer is how many more take the train.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import PICTURES, machine, replace_section

import fastgumbel as fg
from fastgumbel._cli.input import load_travellers, utilities

TRAIN = 1
PICTURE = PICTURES / "scenario.png"
SAME, FRESH = "#cc3311", "#4477aa"


def shares(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def table(answers: dict[str, NDArray[np.intp]], others: dict[str, float], exact: float, seed: int) -> str:
    draws = len(next(iter(answers.values())))
    lines = [
        f"Run on {machine('numpy', 'matplotlib')}",
        f"{draws:,} draws of 210 travellers, seed {seed}. Exact: {exact:.3f} more take the train.",
        "",
        "| noise before and after | more take the train: mean | standard deviation | other changes, a draw |",
        "| --- | --- | --- | --- |",
    ]
    for name, answer in answers.items():
        error = answer.std(ddof=1) / draws**0.5
        mean = f"{answer.mean():.3f} ± {error:.3f}"
        lines.append(f"| {name} | {mean} | {answer.std(ddof=1):.2f} | {others[name]:.2f} |")
    return "\n".join(lines)


def picture(answers: dict[str, NDArray[np.intp]], exact: float, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6))
    axes = figure.subplots()
    values = np.arange(min(map(np.min, answers.values())), max(map(np.max, answers.values())) + 2)
    for (name, answer), colour in zip(answers.items(), (SAME, FRESH), strict=True):
        share = np.histogram(answer, values)[0] / len(answer)
        axes.stairs(share, values - 0.5, fill=True, color=colour, alpha=0.75, label=f"{name} noise")
    axes.axvline(exact, color="black", linewidth=1, label="exact")
    axes.axvline(0, color="#999999", linewidth=0.8, linestyle=":")
    axes.set(xlabel="more passengers on the train, of 210 travellers, in one draw", ylabel="share of draws")
    axes.set_title("A fifth off the train's cost", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE, help="where to save the picture (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=20_000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    if options.draws < 2:
        parser.error("--draws must be at least 2")
    travellers = load_travellers()
    base, cheaper = utilities(travellers), utilities(travellers, train_cost=0.8)
    exact = float((shares(cheaper) - shares(base))[:, TRAIN].sum())
    before = fg.gumbel_max(base, size=options.draws, rng=options.seed)
    answers, others = {}, {}
    for name, seed in (("the same", options.seed), ("fresh", options.seed + 1)):
        after = fg.gumbel_max(cheaper, size=options.draws, rng=seed)
        answers[name] = (after == TRAIN).sum(1) - (before == TRAIN).sum(1)
        others[name] = float(((after != before) & (after != TRAIN)).sum(1).mean())
    picture(answers, exact, options.out)
    text = table(answers, others, exact, options.seed)
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/scenario.py", text)


if __name__ == "__main__":
    main()
