"""Train a categorical variational auto-encoder on scikit-learn's digits with three gradient estimators.

Needs the extras `plot` and `cli`. A pixel is on where its intensity is at least 8 of 16. Reports the bound on held-out
digits with hard samples and the variance of the gradients at the same weights, and saves a picture of generated digits;
with --write, the tables also go to the page of examples. Takes minutes; --quick takes seconds and shows nothing but
that it runs. The same seed gives the same tables on the same machine; elsewhere linear algebra may round differently,
which training magnifies.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm
from vae_model import CLASSES, LATENTS, PIXELS, Adam, Array, Estimator, Weights, bound, decode, differentiate
from vae_variance import RELAXED, STRAIGHT_THROUGH, gumbel_rao, mean_and_error, variances

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import PICTURES, machine, replace_section

import fastgumbel as fg
from fastgumbel import anneal

PICTURE = PICTURES / "vae.png"
ESTIMATORS = (RELAXED, STRAIGHT_THROUGH, gumbel_rao(10))
HELD_OUT, BATCH, RATE = 360, 100, 3e-3
DECAY, FLOOR = 1.5, 0.3  # of the temperature: exp(-DECAY) at the end of a run, were there no floor
TAUS = (1.0, 0.5, 0.1)  # at which gradients are compared
SIDE = 8  # of a panel of the picture, in digits


def split_digits(rng: np.random.Generator) -> tuple[Array, Array]:
    """Training and held-out digits, of pixels 0 and 1."""
    from sklearn.datasets import load_digits

    x = rng.permutation((load_digits().data >= 8).astype(float))
    return x[HELD_OUT:], x[:HELD_OUT]


def bernoulli(train: Array, x: Array) -> float:
    """Log-likelihood of x under independent pixels, fitted to the training digits, in nats an image."""
    p = (train.sum(0) + 0.5) / (len(train) + 1)
    return float((x * np.log(p) + (1 - x) * np.log1p(-p)).sum(1).mean())


def trained(
    x: Array,
    estimator: Estimator,
    schedule: Callable[[int], float],
    steps: int,
    seed: np.random.SeedSequence,
    progress: tqdm,
) -> Weights:
    rng, field = np.random.default_rng(seed), fg.NoiseField(seed)
    weights, slope = Weights.drawn(rng), Weights()
    adam = Adam(weights, RATE)
    progress.set_description(estimator.name)
    for step in range(steps):
        batch = x[rng.choice(len(x), BATCH, replace=False)]
        differentiate(weights, batch, estimator, schedule(step), field.at(draw=step), slope)
        adam.step(slope)
        progress.update()
    return weights


def generated(weights: Weights, field: fg.NoiseField) -> Array:
    """Probabilities of the pixels, from latents drawn from the uniform prior."""
    z = fg.gumbel_softmax(np.zeros((SIDE**2, LATENTS, CLASSES)), hard=True, noise=field)
    return 1 / (1 + np.exp(-decode(weights, z)[1]))


def picture(panels: dict[str, Array], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.5 * len(panels), 3.8))
    for axis, (title, images) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        framed = np.pad(images.reshape(SIDE, SIDE, 8, 8), [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=0.3)
        sheet = framed.swapaxes(1, 2).reshape(10 * SIDE, 10 * SIDE)
        axis.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(title)
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def bounds(weights: dict[str, list[Weights]], train: Array, held_out: Array, field: fg.NoiseField) -> Iterator[str]:
    yield f"| none: independent Bernoulli pixels | {bernoulli(train, held_out):.2f} | {bernoulli(train, train):.2f} |"
    for name, runs in weights.items():
        shown = [mean_and_error(np.array([bound(w, x, field, 20) for w in runs])) for x in (held_out, train)]
        yield f"| {name} | {' | '.join(shown)} |"


def tables(options: argparse.Namespace) -> str:
    """Train, save the picture, and return both tables."""
    split, held_out_seed, prior, *seeds = np.random.SeedSequence(options.seed).spawn(3 + options.runs)
    train, held_out = split_digits(np.random.default_rng(split))
    schedule = anneal.exponential(DECAY / options.steps, tau_min=FLOOR, every=100)
    with tqdm(total=len(ESTIMATORS) * options.runs * options.steps, unit=" steps") as progress:
        weights = {
            estimator.name: [trained(train, estimator, schedule, options.steps, seed, progress) for seed in seeds]
            for estimator in ESTIMATORS
        }
    drawn = {f"generated: {name}": generated(runs[0], fg.NoiseField(prior)) for name, runs in weights.items()}
    picture({"held-out digits": held_out[: SIDE**2], **drawn}, options.out)

    fixed = weights[STRAIGHT_THROUGH.name][0]
    lines = [
        f"Run on {machine('numpy', 'numba', 'scikit-learn')}",
        f"{LATENTS} latents of {CLASSES} classes; {len(train):,} training and {HELD_OUT} held-out digits of {PIXELS}",
        f"binary pixels; {options.steps:,} steps with batches of {BATCH}, temperature `{schedule}`.",
        f"Bounds with hard samples in nats an image, mean ± standard error of {options.runs} seeds.",
        "",
        "| gradients | held-out | training |",
        "| --- | --- | --- |",
        *bounds(weights, train, held_out, fg.NoiseField(held_out_seed)),
        "",
        f"Total variance of the gradient of the encoder's weights over {options.draws} draws, at the weights of the",
        f"first straight-through run and a batch of {BATCH}. Law: V_inf + (V_1 - V_inf) / m, both V from pairs of",
        "straight-through gradients on noise conditioned in plain NumPy.",
        "",
        "| estimator | " + " | ".join(f"tau = {tau}, measured | law" for tau in TAUS) + " |",
        "| --- |" + " --- | --- |" * len(TAUS),
    ]
    columns = [variances(fixed, train[:BATCH], tau, options.draws, options.seed) for tau in TAUS]
    for cells in zip(*columns, strict=True):
        lines.append(f"| {cells[0][0]} | " + " | ".join(f"{measured} | {law}" for _, measured, law in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4000, help="updates a run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="seeds of each estimator (default: %(default)s)")
    parser.add_argument("--draws", type=int, default=400, help="gradients for a variance (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of split, weights, batches and noise")
    parser.add_argument(
        "--out", type=Path, help=f"where to save the picture (default: {PICTURE}; vae.png with --quick)"
    )
    parser.add_argument("--quick", action="store_true", help="2 runs of 100 steps, 20 gradients")
    parser.add_argument("--write", action="store_true", help="replace the tables on the page")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("the page is written from a full run")
    options.out = options.out or (Path("vae.png") if options.quick else PICTURE)
    if options.quick:
        options.steps, options.runs, options.draws = 100, 2, 20
    if options.steps < 1 or options.runs < 2 or options.draws < 2:
        parser.error("needs --steps of at least 1, --runs and --draws of at least 2")
    text = tables(options)
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/vae.py", text)


if __name__ == "__main__":
    main()
