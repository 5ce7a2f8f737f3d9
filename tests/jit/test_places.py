"""Starts, masks and category ids in compiled code: the bits of the array functions."""

import json

import numba
import numpy as np
import pytest

import fastgumbel.jit as fgj
from fastgumbel import NoiseField, categorical, gumbel_max, gumbel_softmax
from tests.subprocesses import python

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


def test_what_is_not_excluded_must_be_valid():
    """Also where an id is out of its range, or categories end behind 2**32."""
    mask, ids = np.array([True, True, False]), np.array([3, 2**63 - 1, -1])
    for bad in (np.nan, np.inf, 2.0**46):
        x = np.array([0.0, bad, 0.0])
        for where, categories in ((mask, None), (None, ids), (mask, ids)):
            assert_marked(x, 0, where, categories)
    for excluded in (-np.inf, -(2.0**46)):
        for where, categories in ((mask, None), (None, ids), (mask, ids)):
            assert_marked(np.full(3, excluded), 0, where, categories)
    assert_marked(np.zeros(3), 0, np.zeros(3, bool), None)
    assert_marked(np.zeros(3), 0, None, np.full(3, -1))
    assert_marked(np.zeros(3), 0, None, np.array([0, 2**63, 1], np.uint64))
    assert_marked(np.zeros(3), 2**32 - 2, None, None)


def assert_marked(x, start, mask, ids):
    for tau in (0.0, 1.0):
        out = np.zeros(3)
        index, pair = draw(np.repeat(x, 2), tau, np.repeat(out, 2), 1.0, start, mask, ids)
        fgj.gumbel_softmax(x, tau, KEY, 0, 0, out, start, mask, ids)
        assert index == pair[0] == -1
        assert np.isnan(pair[1])
        assert np.isnan(out).all()


def test_start_counts_from_the_end():
    for start in (-4, 2**34 - 4):
        pair = fgj.gumbel_max_value(np.zeros(4), KEY, 0, 0, start=start)
        assert pair == gumbel_max(np.zeros(4), noise=FIELD.at(start=2**32 - 4), return_max=True)


def test_the_value_from_python():
    x = np.random.default_rng(4).normal(size=70)
    for temperature in (0, 0.5, 1):
        pair = fgj.gumbel_max_value(x, KEY, 0, 0, temperature)
        assert pair == gumbel_max(x, noise=FIELD, temperature=temperature, return_max=True)


CALLS = {
    "gumbel_max": (np.zeros(3), KEY, 0, 0),
    "gumbel_max_value": (np.zeros(3), KEY, 0, 0),
    "gumbel_softmax": (np.zeros(3), 1.0, KEY, 0, 0, np.zeros(3)),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"start": 1.0}, "start must be an integer"),
        ({"where": True}, "where must be a one-dimensional array"),
        ({"where": np.ones((1, 3), bool)}, "where must be a one-dimensional array"),
        ({"where": np.ones(3)}, "where must be of bool, not float64"),
        ({"categories": 3}, "categories must be a one-dimensional array"),
        ({"categories": np.ones(3)}, "categories must be of integers, not float64"),
        ({"categories": np.ones(3, bool)}, "categories must be of integers, not bool"),
    ],
)
def test_types_are_refused_when_compiled(name, keywords, message):
    with pytest.raises(numba.TypingError, match=f"fastgumbel.jit: {message}"):
        getattr(fgj, name)(*CALLS[name], **keywords)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"where": np.ones(4, bool)}, "where must have as many places as x"),
        ({"categories": np.ones(2, int)}, "categories must have as many places as x"),
        ({"categories": np.ones(3, int), "start": 1}, "start and categories exclude each other"),
    ],
)
def test_lengths_are_refused(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        getattr(fgj, name)(*CALLS[name], **keywords)


def test_nothing_is_allocated():
    x, mask, ids = np.zeros(6), np.ones(3, bool), np.zeros(3, int)
    draw(x, 1.0, x, 1.0, 0, mask, ids)
    assert not any("NRT_MemInfo_alloc" in code for code in draw.inspect_asm().values())


CALLER = """
import json
import numba, numpy as np
import fastgumbel.jit as fgj

@numba.njit(cache=True, parallel=True, fastmath=True)
def sample(x, key, mask, ids, pairs, relaxed, many):
    for r in numba.prange(len(x)):
        i, value = fgj.gumbel_max_value(x[r], key, r, 1, where=mask[r], categories=ids)
        pairs[r, 0], pairs[r, 1] = i, value
        fgj.gumbel_softmax(x[r], 0.7, key, r, 1, relaxed[r], where=mask[r], start=5)
        fgj.categorical_into(x[r], key, r, 1, many[r])

x, mask = np.random.default_rng(1).normal(size=(500, 5)), np.random.default_rng(2).random((500, 5)) < 0.9
pairs, relaxed, many = np.empty((500, 2)), np.empty((500, 5)), np.empty((500, 20), np.int64)
sample(x, np.uint64(12345), mask, np.array([3, 70, 1, 1, -1]), pairs, relaxed, many)
hits = sum(sample.stats.cache_hits.values())
print(json.dumps([hits, pairs.tolist(), relaxed.tolist(), many.tolist()]))
"""


def test_cached_parallel_fast_math_code(tmp_path):
    (tmp_path / "caller.py").write_text(CALLER)
    run = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import caller"
    first, second = (json.loads(python(run, NUMBA_CACHE_DIR=None)) for _ in range(2))
    assert (first[0], second[0]) == (0, 1)
    np.testing.assert_equal(first[1:], second[1:])
    x, mask = np.random.default_rng(1).normal(size=(500, 5)), np.random.default_rng(2).random((500, 5)) < 0.9
    field, options = NoiseField.from_key(12345).at(draw=1), {"where": mask, "invalid": "mark"}
    pairs = gumbel_max(x, noise=field.at(categories=[3, 70, 1, 1, -1]), return_max=True, **options)
    np.testing.assert_array_equal(np.array(first[1]).T, pairs)
    np.testing.assert_array_equal(first[2], gumbel_softmax(x, 0.7, noise=field.at(start=5), **options))
    np.testing.assert_array_equal(np.array(first[3]).T, categorical(x, 20, noise=field))
