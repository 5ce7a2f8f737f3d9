"""Relaxed samples along the temperature, and their tangents; a picture.

Needs the extra `plot`. Left, one relaxed sample on one noise as the temperature changes, with its tangents of
`gumbel_softmax_jvp`. Right, the derivative in the temperature of an expected loss, (y_0 - y_1)^2, from the same number
of draws: the mean of tangents, and differences between samples on fresh noise.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import PICTURES

import fastgumbel as fg

PICTURE = PICTURES / "tangents.png"
X = np.log([5.0, 3.0, 2.0, 1.0])
TAUS = np.linspace(0.05, 2.0, 118)
MARKED = (0.2, 0.6, 1.2)
STEP = 0.1
COLOURS = ("#4477aa", "#cc6677", "#ddaa33", "#228833")


def loss(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.square(y[..., 0] - y[..., 1])


def derivatives(tau: float, draws: int, seed: int) -> tuple[float, float]:
    """Of the expected loss in the temperature: by tangents, and by differences on fresh noise."""
    y, dy = fg.gumbel_softmax_jvp((X, tau), (None, 1.0), size=draws, rng=seed)
    by_tangents = (2 * (y[:, 0] - y[:, 1]) * (dy[:, 0] - dy[:, 1])).mean()
    ends = [
        loss(fg.gumbel_softmax(X, tau + move * STEP / 2, size=draws, rng=seed + 2 + move)).mean() for move in (-1, 1)
    ]
    return float(by_tangents), float((ends[1] - ends[0]) / STEP)


def picture(draws: int, seed: int, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4))
    left, right = figure.subplots(1, 2)
    noise = fg.NoiseField(seed)
    curves = np.stack([fg.gumbel_softmax(X, tau, noise=noise) for tau in TAUS])
    for category, colour in enumerate(COLOURS):
        left.plot(TAUS, curves[:, category], color=colour, label=f"category {category}")
    for tau in MARKED:
        y, dy = fg.gumbel_softmax_jvp((X, tau), (None, 1.0), noise=noise)
        for category, colour in enumerate(COLOURS):
            reach = np.array([-0.14, 0.14])
            left.plot(tau + reach, y[category] + dy[category] * reach, color="black", linewidth=1)
            left.plot(tau, y[category], "o", color=colour, markersize=4)
    left.set(xlabel="temperature", ylabel="component of the sample", ylim=(-0.02, 1.02))
    left.set_title("one sample on one noise, and its tangents", loc="left", fontsize=10)
    left.legend(frameon=False, fontsize=8)
    every = TAUS[::3]
    tangents, differences = np.transpose([derivatives(tau, draws, seed + 10 * i) for i, tau in enumerate(every)])
    right.plot(every, differences, "x", color="#999999", markersize=5, label="differences on fresh noise")
    right.plot(every, tangents, "o", color="#cc3311", markersize=4, label="mean of tangents")
    right.set(xlabel="temperature", ylabel="derivative of the expected loss")
    right.set_title(f"{draws:,} draws a point", loc="left", fontsize=10)
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE, help="where to save the picture (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=1000, help="a point on the right (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    picture(options.draws, options.seed, options.out)
    print(options.out)


if __name__ == "__main__":
    main()
