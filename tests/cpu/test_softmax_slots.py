"""Relaxed samples of rows side by side, as vector slots: the bits are those of rows one by one."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel_softmax, gumbel_softmax_jvp
from fastgumbel._host import relax

ROWS = 140
# Rows whose sums are `total`: around whole groups of 64, and their halves.
LENGTHS = (97, 100, 127, 128, 129, 160, 191, 192, 193, 256, 257)


def problem(n, dtype, rng):
    """Return rows of many a spread, some with places excluded and some invalid, and a tau for each."""
    x = rng.normal(size=(ROWS, n)) * rng.choice([0, 1, 30, 1e6], size=(ROWS, 1))
    x[rng.random(x.shape) < 0.1] = -np.inf
    x[::40, 0], x[7] = np.nan, -np.inf
    return x.astype(dtype), rng.choice([1e-30, 0.1, 1, 50, 1e30], size=ROWS)


@pytest.fixture(params=[np.float32, np.float64])
def both(request, monkeypatch):
    """A function that calls another with slots and without, and compares the bits of all results."""

    def compare(function, *args, **options):
        results = []
        for slots in (1, 2**62):
            monkeypatch.setattr(relax, "_SLOTS", slots)
            found = function(*args, invalid="mark", **options)
            results.append([a.tobytes() for a in (found if isinstance(found, tuple) else (found,))])
        assert results[0] == results[1]

    for name in ("_SLOT_BYTES", "_SLOT_BYTES_OF_TANGENTS"):
        monkeypatch.setattr(relax, name, 2**20)
    return compare, request.param


@pytest.mark.parametrize("log", [False, True])
def test_samples(both, log):
    compare, dtype = both
    rng = np.random.default_rng(1)
    for n in LENGTHS:
        x, tau = problem(n, dtype, rng)
        field = NoiseField(n).at(rows=np.arange(ROWS) * 2**40, draw=np.arange(ROWS), start=n + 1)
        compare(gumbel_softmax, x, tau, log=log, noise=field)
        compare(gumbel_softmax, x[1:3], 0.5, size=70, log=log, noise=NoiseField(n))
        compare(gumbel_softmax, x, tau, log=log, noise=rng.gumbel(size=x.shape).astype(dtype))


@pytest.mark.parametrize("log", [False, True])
def test_tangents(both, log):
    compare, dtype = both
    rng = np.random.default_rng(2)
    for n in LENGTHS:
        x, tau = problem(n, dtype, rng)
        dx, dtau = rng.normal(size=(2, *x.shape)).astype(dtype), rng.normal(size=(2, ROWS))
        dx[0, 3, 5], dtau[1, :9] = np.inf, 0
        for along in ((dx, None), (dx, dtau), (None, dtau)):
            compare(gumbel_softmax_jvp, (x, tau), along, size=2, log=log, noise=NoiseField(n))
