"""Variance of gradient estimators at the same weights, and the law of Gumbel-Rao.

With the choices D fixed, m independent conditioned noises leave Var = V_inf + (V_1 - V_inf) / m, where V_inf is the
variance of the mean given D: the covariance of the gradients of two such noises of one D. So pairs of plain
straight-through gradients, on noises conditioned here in NumPy, predict what `rao=m` has to reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm
from vae_model import Array, Estimator, Noise, Weights, differentiate, encode

import fastgumbel as fg

MANY = (1, 10, 100)
RELAXED = Estimator("relaxed", {})
STRAIGHT_THROUGH = Estimator("straight-through", {"hard": True})


def gumbel_rao(m: int) -> Estimator:
    return Estimator(f"Gumbel-Rao, m = {m}", {"rao": m})


def variances(weights: Weights, x: Array, tau: float, draws: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Name, measured and predicted total variance of the encoder's gradient, over draws of the noise."""
    field = fg.NoiseField(seed)
    noises = [field.at(draw=draw) for draw in range(draws)]
    pairs = conditioned_pairs(encode(weights, x)[1], noises, np.random.default_rng(seed))
    first, second = (gradients(weights, x, STRAIGHT_THROUGH, tau, side) for side in zip(*pairs, strict=True))
    v_1 = (products(first, first) + products(second, second)) / 2
    v_inf = products(first, second)

    for estimator in (RELAXED, STRAIGHT_THROUGH, *map(gumbel_rao, MANY)):
        g = gradients(weights, x, estimator, tau, noises)
        m = estimator.options.get("rao", 1)
        law = "" if estimator is RELAXED else mean_and_error(v_inf + (v_1 - v_inf) / m)
        yield estimator.name, mean_and_error(products(g, g)), law
    yield "limit of many", "", mean_and_error(v_inf)


def gradients(weights: Weights, x: Array, estimator: Estimator, tau: float, noises: Sequence[Noise]) -> Array:
    """One row a noise: the derivative of the loss by the encoder's weights."""
    slope, rows = Weights(), []
    for noise in tqdm(noises, f"variance, {estimator.name}", unit=" draws", leave=False):
        differentiate(weights, x, estimator, tau, noise, slope)
        rows.append(slope.encoder.copy())
    return np.array(rows)


def products(left: Array, right: Array) -> Array:
    """Of each draw, the product of the deviations of both from their means; its mean is the total covariance."""
    return ((left - left.mean(0)) * (right - right.mean(0))).sum(1) * len(left) / (len(left) - 1)


def mean_and_error(values: Array) -> str:
    """Mean ± standard error, with two digits of the error."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{values.mean():.{decimals}f} ± {error:.{decimals}f}"


def conditioned_pairs(
    log_potentials: Array, noises: list[fg.NoiseField], rng: np.random.Generator
) -> list[tuple[Array, Array]]:
    """Of each noise's choices, two noises that are independent given those choices."""
    p = np.exp(log_potentials)
    p /= p.sum(-1, keepdims=True)

    def given(choice: Array) -> Array:
        """The maximum is Gumbel, wherever it is; the others are Gumbels below it (Maddison et al. 2014)."""
        e = rng.exponential(size=p.shape)
        smallest = (e * choice).sum(-1, keepdims=True)
        return -np.log(np.where(choice == 1, p * smallest, e + p * smallest))

    choices = [fg.gumbel_softmax(log_potentials, hard=True, noise=noise) for noise in noises]
    return [(given(choice), given(choice)) for choice in choices]
