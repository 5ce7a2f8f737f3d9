"""Starts, masks and category ids in compiled code: the bits of the array functions."""

import numba
import numpy as np
import pytest

import fastgumbel.jit as fgj
from fastgumbel import NoiseField, gumbel_max, gumbel_softmax

FIELD = NoiseField(18)
KEY = FIELD.key
ROW, DRAW = 5, 9
KINDS = ("float64", "float32", "int16")
LENGTHS = (1, 2, 3, 4, 5, 63, 64, 65, 96, 97, 257)


@numba.njit
def draw(x, tau, out, temperature, start, mask, ids):
    """Draw from every other place of x."""
    x, out = x[::2], out[::2]
    index = fgj.gumbel_max(x, KEY, ROW, DRAW, temperature, start, mask, ids)
    pair = fgj.gumbel_max_value(x, KEY, ROW, DRAW, where=mask, categories=ids, start=start, temperature=temperature)
    fgj.gumbel_softmax(x=x, tau=tau, key=KEY, row=ROW, draw=DRAW, out=out, categories=ids, where=mask, start=start)
    return index, pair


def assert_same(x, temperature, tau, start=0, mask=None, ids=None):
    """Compare what compiled code draws from every other place of x with the array functions."""
    field = FIELD.at(rows=ROW, draw=DRAW, start=start) if ids is None else FIELD.at(rows=ROW, draw=DRAW, categories=ids)
    options = {"noise": field, "where": mask, "invalid": "mark"}
    out = np.empty(len(x), np.float32 if x.dtype == np.float32 else np.float64)
    index, pair = draw(x, tau, out, temperature, start, mask, ids)
    np.testing.assert_array_equal(pair, gumbel_max(x[::2], temperature=temperature, return_max=True, **options))
    assert index == pair[0]
    np.testing.assert_array_equal(out[::2], gumbel_softmax(x[::2], tau, **options))
    if x.dtype == out.dtype:
        draw(x, tau, x, temperature, start, mask, ids)
        np.testing.assert_array_equal(x[::2], out[::2])


def row(n, kind, rng):
    """Return log-potentials in every other place; there are ties, and some are excluded."""
    x = rng.integers(-3, 4, 2 * n) if kind == "int16" else rng.normal(size=2 * n).round(1)
    if kind != "int16":
        x[rng.random(2 * n) < 0.1] = -np.inf
    return x.astype(kind)


def settings(rng):
    return rng.choice([0.0, 0.5, 1.0, 30.0]), rng.choice([0.0, 1e-3, 0.7, 40.0])


@pytest.mark.parametrize("kind", KINDS)
def test_starts(kind):
    rng = np.random.default_rng(1)
    for n in LENGTHS:
        for start in (0, 1, 2, 3, 62, 63, 64, 127, 1001, 2**31 + 5, 2**32 - n):
            assert_same(row(n, kind, rng), *settings(rng), start)


@pytest.mark.parametrize("kind", KINDS)
def test_masks(kind):
    """What is excluded may be anything."""
    rng = np.random.default_rng(2)
    for n in LENGTHS:
        for start in (0, 67):
            for share in (0.0, 0.3, 0.9):
                mask = rng.random(n) >= share
                x = row(n, kind, rng)
                if kind != "int16":
                    x[::2][~mask] = rng.choice([np.nan, np.inf, 2.0**46, 1.0], n - mask.sum())
                assert_same(x, *settings(rng), start, mask)


def lists_of_ids(n, rng, kind):
    """Return ids: ascending, shuffled, few, and the largest; with empty places where there can be any."""
    least = 0 if np.dtype(kind).kind == "u" else -1
    top = 100 if kind == "int8" else 2**32 - 1
    wide = [] if kind == "int8" else [2**32, 2**32 + 1, 3 * 2**32 + 63, 2**63 - 1]
    lists = [
        np.arange(n) % 100,
        rng.permutation(n) % 100,
        rng.integers(least, 3, n),
        rng.integers(least, n + 2, n) % 99,
        rng.choice([least, 0, 1, top, top - 1, 63, 64, *wide], n),
    ]
    return [ids.astype(kind) for ids in lists]


@pytest.mark.parametrize(
    ("kind", "id_kind"),
    [*((kind, "int64") for kind in KINDS), ("float64", "uint64"), ("float32", "int8")],
)
def test_ids(kind, id_kind):
    """Also such as stand twice."""
    rng = np.random.default_rng(3)
    for n in LENGTHS:
        for ids in lists_of_ids(n, rng, id_kind):
            x, y, mask = row(n, kind, rng), row(n, kind, rng), rng.random(n) < 0.7
            if kind != "int16":
                if id_kind != "uint64":
                    x[::2][ids < 0] = rng.choice([np.nan, np.inf, 1.0], (ids < 0).sum())
                y[::2][~mask] = np.nan
            assert_same(x, *settings(rng), ids=ids)
            assert_same(y, *settings(rng), mask=mask, ids=ids)
