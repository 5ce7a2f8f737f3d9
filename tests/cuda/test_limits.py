"""Log-potentials of 2**46 and more in magnitude, and common offsets: a device does what the CPU does."""

import numpy as np
import pytest

import fastgumbel
from tests.cuda.sides import messages, same

FIELD = fastgumbel.NoiseField(3).at(draw=7)
LIMIT = 2.0**46


def first(x):
    """Return the first category as the choice of every row, on either side."""
    shape = x.shape if isinstance(x, np.ndarray) else x.__cuda_array_interface__["shape"]
    return [0] * shape[0]


CALLS = {
    "gumbel_max": lambda x, **o: fastgumbel.gumbel_max(x, size=2, noise=FIELD, return_max=True, **o),
    "gumbel_top_k": lambda x, **o: fastgumbel.gumbel_top_k(x, 3, noise=FIELD, return_threshold=True, **o),
    "gumbel_top_k, not pruned": lambda x, **o: fastgumbel.gumbel_top_k(x, 5, noise=FIELD, **o),
    "gumbel_softmax": lambda x, **o: fastgumbel.gumbel_softmax(x, 0.5, size=2, noise=FIELD, **o),
    "gumbel_softmax_jvp": lambda x, **o: fastgumbel.gumbel_softmax_jvp((x, 0.5), (None, 1.0), noise=FIELD, **o),
    "gumbel_given_choice": lambda x, **o: fastgumbel.gumbel_given_choice(x, first(x), noise=FIELD, **o),
    "categorical": lambda x, **o: fastgumbel.categorical(x, 2, noise=FIELD, **o),
    "categorical, tables": lambda x, **o: fastgumbel.categorical(x, 40, noise=FIELD, **o),
}


def problem(n, dtype):
    """Return rows at both limits, beyond them, and within them beside numbers that are too low."""
    top = np.nextafter(dtype(LIMIT), dtype(0))
    x = np.zeros((9, n), dtype)
    x[1, n // 2], x[2], x[3, -1] = LIMIT, 1e17, 1e30
    x[4], x[5] = -LIMIT, -1e30
    x[6], x[7] = top, -top
    x[7, 1::2], x[8, 1:] = -LIMIT, -1e30
    return x


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [5, 96, 97, 300])
def test_limits(device, n, dtype, call):
    x = problem(n, dtype)
    same(CALLS[call], x, invalid="mark")
    for row in (1, 2, 3, 4, 5):
        cpu, gpu = messages(CALLS[call], x[[0, row]])
        assert cpu == gpu
        assert "subtract the row's maximum" in gpu


@pytest.mark.parametrize("n", [5, 300])
def test_limits_under_noise_of_the_caller(device, n):
    x, noise = problem(n, np.float64), np.zeros((9, n))
    for function in (fastgumbel.gumbel_max, fastgumbel.gumbel_softmax):
        same(function, x, noise=noise, invalid="mark")
        assert len(set(messages(function, x, noise=noise))) == 1
    same(fastgumbel.gumbel_top_k, x, 2, noise=noise, invalid="mark")


@pytest.mark.parametrize("n", [5, 96, 97, 300])
@pytest.mark.parametrize("offset", [1e6, -1e7])
def test_offsets(device, n, offset):
    x = (np.random.default_rng(n).normal(size=(5, n)) + offset).astype(np.float32)
    noise, slopes = np.sin(x), np.cos(x)
    x[3, 1::2] = -np.inf
    same(fastgumbel.gumbel_softmax, x, 0.7, noise=FIELD)
    same(fastgumbel.gumbel_softmax, x, 0.7, log=True, noise=FIELD.at(start=61))
    same(fastgumbel.gumbel_softmax, x, 0.7, noise=noise)
    same(fastgumbel.gumbel_softmax_jvp, (x, 0.7), (slopes, 1.0), noise=FIELD)
    same(fastgumbel.gumbel_softmax_jvp, (x, 0.7), (slopes, None), rao=2, noise=FIELD)
