"""A categorical variational auto-encoder in NumPy, with hand-written derivatives.

Pixels x -> encoder -> log-potentials of categorical latents -> a sample z, one-hot or relaxed -> decoder -> logits
of the pixels. The loss is minus the bound: cross-entropy of the pixels plus KL(q || uniform), both in nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastgumbel as fg

Array = NDArray[np.float64]
Noise = fg.NoiseField | Array
LATENTS, CLASSES = 10, 10
PIXELS, HIDDEN = 64, 64


@dataclass(frozen=True)
class Estimator:
    """A sample of the latents, and the derivative that stands for its own."""

    name: str
    options: dict[str, Any]

    def sample(self, log_potentials: Array, tau: float, noise: Noise) -> Array:
        """What the decoder reads: on the same noise as the derivative."""
        return fg.gumbel_softmax(log_potentials, tau, hard=bool(self.options), noise=noise)

    def pull_back(self, log_potentials: Array, tau: float, cotangent: Array, noise: Noise) -> Array:
        """The Jacobian is symmetric: its product with the cotangent is the reverse-mode derivative."""
        return fg.gumbel_softmax_jvp((log_potentials, tau), (cotangent, None), noise=noise, **self.options)[1]


class Weights:
    """One flat vector, and the arrays of both networks as views of it."""

    shapes = (
        (PIXELS, HIDDEN),
        (HIDDEN,),
        (HIDDEN, LATENTS * CLASSES),
        (LATENTS * CLASSES,),
        (LATENTS * CLASSES, HIDDEN),
        (HIDDEN,),
        (HIDDEN, PIXELS),
        (PIXELS,),
    )

    def __init__(self) -> None:
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        self.flat = np.zeros(sum(sizes))
        parts = np.split(self.flat, np.cumsum(sizes)[:-1])
        self.views = [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]
        self.encoder = self.flat[: sum(sizes[:4])]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Weights:
        """Normal, with the variance of one over the inputs; no offsets."""
        weights = cls()
        for view in weights.views[::2]:
            view[...] = rng.normal(0, len(view) ** -0.5, view.shape)
        return weights


def encode(weights: Weights, x: Array) -> tuple[Array, Array]:
    """The hidden layer, and log-potentials of shape (images, LATENTS, CLASSES)."""
    w1, b1, w2, b2 = weights.views[:4]
    hidden = np.maximum(x @ w1 + b1, 0)
    return hidden, (hidden @ w2 + b2).reshape(-1, LATENTS, CLASSES)


def decode(weights: Weights, z: Array) -> tuple[Array, Array]:
    """The hidden layer, and the logits of the pixels."""
    w3, b3, w4, b4 = weights.views[4:]
    hidden = np.maximum(z.reshape(-1, LATENTS * CLASSES) @ w3 + b3, 0)
    return hidden, hidden @ w4 + b4


def log_likelihood(x: Array, logits: Array) -> Array:
    """Of Bernoulli pixels, summed over each image."""
    return (x * logits - np.logaddexp(0, logits)).sum(-1)


def divergence(log_potentials: Array) -> tuple[Array, Array]:
    """KL(q || uniform) of each image, and its derivative by the log-potentials."""
    shifted = log_potentials - log_potentials.max(-1, keepdims=True)
    log_q = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    q = np.exp(log_q)
    each = (q * log_q).sum(-1, keepdims=True)
    return each.sum((-2, -1)) + LATENTS * np.log(CLASSES), q * (log_q - each)


def differentiate(weights: Weights, x: Array, estimator: Estimator, tau: float, noise: Noise, slope: Weights) -> None:
    """Write the estimated derivative of the loss of a batch, a mean over images, into `slope`."""
    hidden_e, log_potentials = encode(weights, x)
    z = estimator.sample(log_potentials, tau, noise)
    hidden_d, logits = decode(weights, z)
    d_logits = (1 / (1 + np.exp(-logits)) - x) / len(x)
    d_z = _through_layers(weights, slope, 4, z.reshape(len(x), -1), hidden_d, d_logits)
    d_sample = estimator.pull_back(log_potentials, tau, d_z.reshape(z.shape), noise)
    d_log_potentials = d_sample + divergence(log_potentials)[1] / len(x)
    _through_layers(weights, slope, 0, x, hidden_e, d_log_potentials.reshape(len(x), -1))


def _through_layers(weights: Weights, slope: Weights, first: int, inputs: Array, hidden: Array, d_out: Array) -> Array:
    """Write the slopes of a network's four arrays, from `first` on; return that of its inputs."""
    w_in, _, w_out, _ = weights.views[first : first + 4]
    d_hidden = (d_out @ w_out.T) * (hidden > 0)
    slopes = inputs.T @ d_hidden, d_hidden.sum(0), hidden.T @ d_out, d_out.sum(0)
    for view, value in zip(slope.views[first : first + 4], slopes, strict=True):
        view[...] = value
    return d_hidden @ w_in.T


def bound(weights: Weights, x: Array, noise: fg.NoiseField, draws: int) -> float:
    """The evidence lower bound in nats an image, with hard samples of the latents."""
    _, log_potentials = encode(weights, x)
    z = fg.gumbel_softmax(log_potentials, size=draws, hard=True, noise=noise)
    logits = decode(weights, z)[1].reshape(draws, *x.shape)
    return float((log_likelihood(x, logits).mean(0) - divergence(log_potentials)[0]).mean())


class Adam:
    """Kingma and Ba 2015, on the flat vector."""

    def __init__(self, weights: Weights, rate: float) -> None:
        self.weights, self.rate, self.count = weights, rate, 0
        self.mean, self.square = np.zeros_like(weights.flat), np.zeros_like(weights.flat)

    def step(self, slope: Weights) -> None:
        """One update of the weights."""
        self.count += 1
        self.mean += 0.1 * (slope.flat - self.mean)
        self.square += 0.001 * (slope.flat**2 - self.square)
        scale = self.rate * np.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count)
        self.weights.flat -= scale * self.mean / (np.sqrt(self.square) + 1e-8)
