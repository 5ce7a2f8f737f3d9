"""Gradients of rows side by side, as vector slots: the bits are those of rows one by one."""

import numpy as np
import pytest

from fastgumbel import gumbel_softmax_vjp
from fastgumbel._host import softmax_vjp
from tests.cpu.test_softmax_slots import ROWS, problem

# Sums are taken one by one, or with a whole group of 64.
LENGTHS = (1, 2, 3, 7, 8, 9, 31, 60, 63, 64, 65, 130)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("log", [False, True])
def test_gradients(log, dtype, monkeypatch):
    monkeypatch.setattr(softmax_vjp, "_SLOT_BYTES", 2**20)
    rng = np.random.default_rng(1)
    for n in LENGTHS:
        x, tau = problem(n, dtype, rng)
        weights = rng.normal(size=(3, *x.shape)) * rng.choice([1, 1e30], size=(ROWS, 1))
        weights[1, 3, 0], weights[2, 4, n - 1] = np.inf, np.nan
        # Draws whose noise excludes all are invalid, here after one whose cotangent is infinite.
        noise = rng.gumbel(size=weights.shape)
        noise[2, 3], noise[0, 5, 0] = -np.inf, -np.inf
        for options in ({"noise": noise}, {"rng": n}, {"rng": n, "rao": 4}):
            results = []
            for slots in (1, 2**62):
                monkeypatch.setattr(softmax_vjp, "_SLOTS", slots)
                y, (dx, dtau) = gumbel_softmax_vjp((x, tau), weights, size=3, log=log, invalid="mark", **options)
                results.append([a.tobytes() for a in (y, dx, dtau)])
            assert results[0] == results[1]


@pytest.mark.parametrize("options", [{}, {"log": True}, {"rao": 3}])
@pytest.mark.parametrize("shape", [(0, 5), (2, 0, 3)])
def test_no_rows(shape, options):
    y, (dx, dtau) = gumbel_softmax_vjp((np.zeros(shape), 0.5), np.zeros((2, *shape)), size=2, rng=1, **options)
    assert y.shape == (2, *shape)
    assert dx.shape == shape
    assert not dtau.any()
