"""Few short rows, one by one, have the bits that they have as vector slots, and equal the definition."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel_max
from fastgumbel._host import max as host_max
from tests.cpu.test_middle import TEMPERATURES, check, crafted

LENGTHS = (1, 2, 3, 5, 21, 31, 32, 33, 63, 64, 65, 127, 128, 129, 192)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_equals_the_definition(dtype):
    rng = np.random.default_rng(dtype().itemsize)
    for n in LENGTHS:
        for rows in (1, 2, 10, host_max._EACH, host_max._EACH + 1):
            check(rng, rows, n, dtype)


def both(monkeypatch, *arguments, **options):
    """Return indices and values of rows one by one, and as vector slots."""
    results = []
    for lanes in (0, 2**62):
        monkeypatch.setattr(host_max, "_EACH", lanes)
        index, value = gumbel_max(*arguments, return_max=True, **options)
        assert np.asarray(gumbel_max(*arguments, **options)).tobytes() == index.tobytes()
        results.append((index.tobytes(), value.tobytes()))
    return results


@pytest.mark.parametrize("n", LENGTHS)
def test_bits_of_vector_lanes(monkeypatch, n):
    """Also with masks, zeros of both signs, draws of their own, and rows that are invalid."""
    rng = np.random.default_rng(n)
    field = NoiseField(n).at(rows=rng.integers(2**63, size=7), draw=rng.integers(2**31, size=7), start=n)
    for _ in range(8):
        x = crafted(rng, 7, n, np.float64)
        x[3] = rng.choice([0.0, -0.0, -1.0], size=n)
        x[rng.integers(7), rng.integers(n)] = rng.choice([np.nan, np.inf, 2.0**46, -(2.0**46), 0.0])
        temperature = rng.choice([*TEMPERATURES, 1e300, 5e-324], size=7)
        options = {"noise": field, "where": rng.random(n) < 0.8, "invalid": "mark"}
        one, other = both(monkeypatch, x, size=2, temperature=temperature, **options)
        assert one == other
        one, other = both(monkeypatch, x, **options)
        assert one == other


def test_the_first_of_equals(monkeypatch):
    """Where a category far above all noise stands twice, the sum is rounded to the same number."""
    x = np.full((4, 40), -1e5)
    x[:, [5, 33]] = 2.0**45
    one, other = both(monkeypatch, x, rng=1, temperature=1e-9)
    assert one == other
    assert (gumbel_max(x, rng=1, temperature=1e-9) == 5).all()
