"""Conditioned noise is a formula over words of the fourth domain: which words, and where they go, in plain NumPy.

Like the field itself these numbers must never change. Words of quad q of categories: high halves at index 2 q, low
halves at 2 q + 1.
"""

import numpy as np
import pytest
from scipy import special

from fastgumbel import NoiseField, gumbel_given_choice
from tests.oracle.vectorised import U64, Field


def fresh_exponentials(key, row, draw, category):
    """Return the exponentials that no other function reads, at coordinates that broadcast."""
    field = Field(key)
    row, draw, category = np.broadcast_arrays(*(np.asarray(a, dtype=U64) for a in (row, draw, category)))
    lane = (category & U64(3)).astype(np.intp)
    quad = category >> U64(2)
    high, low = (np.choose(lane, field.words(3, quad * U64(2) + U64(half), row, draw)) for half in (0, 1))
    return -np.log1p(-field.uniform(high << U64(32) | low))


def conditioned(x, choice, exponentials):
    """Return -log(t exp(x) + e), where t is the exponential of the choice divided by sum(exp(x)), and its e is 0."""
    chosen = np.arange(x.shape[-1]) == choice[..., None]
    log_t = np.log((exponentials * chosen).sum(-1, keepdims=True)) - special.logsumexp(x, axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        return -np.logaddexp(log_t + x, np.where(chosen, -np.inf, np.log(exponentials)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("start", [0, 1, 62, 1001, 2**30, 2**31 - 1100])
@pytest.mark.parametrize("n", [1, 2, 5, 64, 131, 1000])
def test_the_words_of_conditioned_noise(n, start, dtype):
    rng = np.random.default_rng(n)
    rows = np.array([0, 7, 2**32 + 1, 2**64 - 1], np.uint64)
    x = rng.normal(size=(4, n)).astype(dtype)
    x[1, 1::3] = -np.inf
    choice = np.array([0, 0, n - 1, n // 2])
    field = NoiseField(n).at(rows=rows, draw=2**31, start=start)
    noise = gumbel_given_choice(x, choice, size=2, noise=field)
    categories = np.arange(start, start + n)
    for s in (0, 1):
        expected = conditioned(
            x.astype(np.float64), choice, fresh_exponentials(field.key, rows[:, None], 2**31 + s, categories)
        )
        if dtype == np.float64:
            np.testing.assert_allclose(noise[s], expected, rtol=1e-13, atol=1e-14)
        else:
            # A high half leaves an exponential open by 2^-32 exp(e), as in float32 noise.
            e = np.exp(-expected)
            rounding = 8 * np.spacing(np.maximum(abs(expected), 1).astype(np.float32))
            assert (abs(noise[s] - expected) <= rounding + (2.0**-31 + 2.0**-32 * np.exp(e)) / e).all()
