"""Nothing but the coordinates matters: not threads, chunks, order of rows, shards of categories, nor other draws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgumbel
from fastgumbel import NoiseField, gumbel, gumbel_max

SHAPES = ((1, 200_000), (3, 40_000), (50, 3000), (2000, 70), (30_000, 10))
DTYPES = (np.float64, np.float32)


def problem(shape, dtype):
    return np.random.default_rng(shape).normal(size=shape).astype(dtype)


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_threads(threads, shape, dtype):
    x = problem(shape, dtype)
    where = np.random.default_rng(1).random(shape) < 0.9
    results = []
    for count in (1, 2, 5):
        threads(count)
        assert fastgumbel.get_num_threads() == count
        results.append(
            (
                gumbel(shape, rng=1, dtype=dtype),
                *gumbel_max(x, rng=1, return_max=True),
                *gumbel_max(x, rng=1, where=where, size=3, return_max=True),
            )
        )
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])


def test_more_threads_than_rows(threads):
    threads(64)
    for shape in ((1, 5), (2, 70), (3, 100_000)):
        x = problem(shape, np.float64)
        np.testing.assert_array_equal(gumbel_max(x, rng=2), (x + gumbel(shape, rng=2)).argmax(-1))


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_chunks_of_rows(shape):
    x = problem(shape, np.float32)
    field = NoiseField(3)
    whole = gumbel_max(x, noise=field, return_max=True)
    ids = np.arange(len(x))
    parts = np.array_split(ids, 3)
    chunks = [gumbel_max(x[part], noise=field.at(rows=part), return_max=True) for part in parts]
    assert_same(whole, (np.concatenate(column) for column in zip(*chunks, strict=True)))


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_order_of_rows(shape):
    x = problem(shape, np.float32)
    order = np.random.default_rng(4).permutation(len(x))
    field = NoiseField(4)
    whole = gumbel_max(x, noise=field, return_max=True)
    permuted = gumbel_max(x[order], noise=field.at(rows=order), return_max=True)
    assert_same((column[order] for column in whole), permuted)
    np.testing.assert_array_equal(
        gumbel(shape, noise=field.at(rows=order), dtype=np.float32), gumbel(shape, noise=field, dtype=np.float32)[order]
    )


def merge(pairs, starts):
    """Combine results of shards: the larger value wins, and the first on ties."""
    values = np.array([values for _, values in pairs])
    indices = np.array([np.asarray(indices) + start for (indices, _), start in zip(pairs, starts, strict=True)])
    best = values.argmax(0)[None]
    return np.take_along_axis(indices, best, 0)[0], np.take_along_axis(values, best, 0)[0]


@given(
    n=st.sampled_from([2, 65, 200, 3000]),
    cuts=st.lists(st.integers(1, 2999), max_size=5),
    kind=st.sampled_from(["normal", "ties", "rounded away"]),
    dtype=st.sampled_from(DTYPES),
)
@settings(max_examples=100)
def test_shards_of_categories(n, cuts, kind, dtype):
    x = np.random.default_rng(5).normal(size=(20, n))
    x = {"normal": x, "ties": np.rint(x), "rounded away": np.full_like(x, 7e13)}[kind].astype(dtype)
    field = NoiseField(5)
    edges = [0, *sorted({c for c in cuts if c < n}), n]
    pairs = [gumbel_max(x[:, a:b], noise=field.at(start=a), return_max=True) for a, b in itertools.pairwise(edges)]
    assert_same(gumbel_max(x, noise=field, return_max=True), merge(pairs, edges[:-1]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(10,), (200,), (7, 10), (7, 200), (3, 3000)])
def test_many_draws_are_single_draws(shape, dtype):
    x = problem(shape, dtype)
    field = NoiseField(6).at(draw=11)
    together = gumbel_max(x, noise=field, size=(2, 3), return_max=True)
    apart = [gumbel_max(x, noise=field.at(draw=11 + s), return_max=True) for s in range(6)]
    assert_same(together, (np.array(column).reshape(2, 3, *shape[:-1]) for column in zip(*apart, strict=True)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_index_is_the_same_with_and_without_the_value(shape, dtype):
    x = problem(shape, dtype)
    np.testing.assert_array_equal(gumbel_max(x, rng=7), gumbel_max(x, rng=7, return_max=True)[0])


@pytest.mark.parametrize("n", [10, 70, 5000])
def test_a_mask_is_minus_infinity(n):
    x = problem((40, n), np.float32)
    where = np.random.default_rng(8).random((40, n)) < 0.3
    where[:, 0] = True
    infinite = np.where(where, x, np.float32(-np.inf))
    assert_same(gumbel_max(x, rng=8, where=where, return_max=True), gumbel_max(infinite, rng=8, return_max=True))


@pytest.mark.parametrize("n", [10, 70, 5000])
def test_categories_that_leave_do_not_move_the_others(n):
    """Rows whose winner stays keep it: the same noise serves the base and the scenario."""
    x = problem((400, n), np.float64)
    base = gumbel_max(x, rng=9)
    scenario = gumbel_max(x, rng=9, where=np.arange(n) % 2 == 0)
    kept = base % 2 == 0
    assert kept.any()
    np.testing.assert_array_equal(scenario[kept], base[kept])
    np.testing.assert_array_equal(gumbel_max(x[:, : n // 2], rng=9)[base < n // 2], base[base < n // 2])


def test_a_gain_moves_only_those_who_choose_it():
    x = problem((5000, 10), np.float64)
    base = gumbel_max(x, rng=10)
    x[:, 3] += 0.5
    scenario = gumbel_max(x, rng=10)
    moved = base != scenario
    assert moved.any()
    assert (scenario[moved] == 3).all()
