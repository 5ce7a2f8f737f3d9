"""Conditioned noise, and Gumbel-Rao, of short rows: as vector slots and in blocks, the bits are those of one by one."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel_given_choice, gumbel_softmax_jvp
from fastgumbel._host import given, softmax

LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 10, 31, 63, 64, 65, 96, 97, 127, 128, 129, 200, 256)


def problem(n, dtype, rng):
    """Return rows of many a spread with ties, some excluded and some invalid, and choices, of which some win rarely."""
    x = rng.normal(size=(150, n)).round(1) * rng.choice([0, 1, 30, 1e6], size=(150, 1))
    x[rng.random(x.shape) < 0.1] = -np.inf
    x[np.arange(150), rng.integers(n, size=150)] = 0
    choice = np.where(x > -np.inf, rng.random((3, 150, n)), -1).argmax(-1)
    x[::40, 0] = np.nan
    return x.astype(dtype), choice


def settings(n):
    """Return fields that count from the start and from within a quad, with row ids and draws of their own."""
    return NoiseField(n), NoiseField(n).at(rows=np.arange(150) * 2**40, draw=np.arange(150), start=2 * n + 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_slots_give_the_bits_of_rows_one_by_one(monkeypatch, dtype):
    """Also where rounding must be mended so that the choice wins, in some thousand of these rows."""
    rng = np.random.default_rng(1)
    for n in LENGTHS:
        x, choice = problem(n, dtype, rng)
        for field in settings(n):
            for rows, size in ((slice(None), 3), (slice(1, 2), 70)):
                place = field if field.rows is None else field.at(rows=field.rows[rows], draw=field.draw[rows])
                chosen = choice[:, rows] if size == 3 else choice[:1, rows].repeat(70, 0)
                results = []
                for lanes in (1, 2**62):
                    monkeypatch.setattr(given, "_SLOTS", lanes)
                    monkeypatch.setattr(given, "_FEW_SLOTS", lanes)
                    results.append(gumbel_given_choice(x[rows], chosen, size=size, noise=place, invalid="mark"))
                assert results[0].tobytes() == results[1].tobytes()


@pytest.mark.parametrize("kind", ["plain", "masked", "ids"])
def test_blocks_of_gumbel_rao(monkeypatch, kind):
    rng = np.random.default_rng(2)
    for n in (3, 64, 130):
        x, _ = problem(n, np.float64, rng)
        dx, tau = rng.normal(size=(2, *x.shape)), rng.uniform(0.3, 2, size=150)
        dx[0, 7, 0] = np.nan
        field, where = settings(n)[1], np.isfinite(x) if kind == "masked" else None
        if kind == "ids":
            field = NoiseField(n).at(categories=rng.permuted(np.tile(np.arange(n), (150, 1)), axis=1))
        results = []
        for block in (2**40, 2**12, 1):
            monkeypatch.setattr(softmax, "_BLOCK", block)
            options = {"size": 4, "where": where, "noise": field, "rao": 3, "invalid": "mark"}
            y, dy = gumbel_softmax_jvp((x, tau), (dx, None), **options)
            results.append(y.tobytes() + dy.tobytes())
        assert len(set(results)) == 1


def test_what_is_wrong_is_told_whatever_the_block(monkeypatch):
    x = np.zeros((300, 10))
    dx = np.zeros_like(x)
    monkeypatch.setattr(softmax, "_BLOCK", 500)
    dx[211, 3] = np.inf
    with pytest.raises(ValueError, match=r"tangents.*row 211"):
        gumbel_softmax_jvp((x, 1.0), (dx, None), rng=0, rao=2)
    x[123, 4] = np.nan
    with pytest.raises(ValueError, match=r"row 123.*category 4"):
        gumbel_softmax_jvp((x, 1.0), (np.ones_like(x), None), rng=0, rao=2)
