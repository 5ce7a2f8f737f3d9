"""Relaxed samples, tangents and conditioned noise are the same bits for any threads, split of the batch, and draws."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField

LENGTHS = (1, 2, 10, 63, 64, 65, 129, 1000, 131_072)
DTYPES = (np.float64, np.float32)


def softmax(x, tau, **options):
    return (fastgumbel.gumbel_softmax(x, tau, **options),)


def log_softmax(x, tau, **options):
    return (fastgumbel.gumbel_softmax(x, tau, log=True, **options),)


def hard(x, tau, **options):
    return (fastgumbel.gumbel_softmax(x, tau, hard=True, **options),)


def jvp(x, tau, **options):
    return fastgumbel.gumbel_softmax_jvp((x, tau), (np.cos(x), 1.5), **options)


def log_jvp(x, tau, **options):
    return fastgumbel.gumbel_softmax_jvp((x, tau), (np.cos(x), 1.5), log=True, **options)


def straight_through(x, tau, **options):
    return fastgumbel.gumbel_softmax_jvp((x, tau), (np.cos(x), None), hard=True, **options)


def rao(x, tau, **options):
    return fastgumbel.gumbel_softmax_jvp((x, tau), (np.cos(x), 1.5), rao=3, **options)


def given_choice(x, tau, **options):
    """Each row is given its largest log-potential."""
    return (fastgumbel.gumbel_given_choice(x, x.argmax(-1), **options),)


FUNCTIONS = (softmax, log_softmax, hard, jvp, log_jvp, straight_through, rao, given_choice)
functions = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
lengths = pytest.mark.parametrize("n", LENGTHS)


def problem(n, dtype=np.float64):
    """Return rows, a dozen or two, and a temperature for each."""
    rng = np.random.default_rng(n)
    rows = 24 if n < 1000 else 11 if n == 1000 else 3
    return rng.normal(size=(rows, n)).astype(dtype), rng.uniform(0.3, 2, size=rows)


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@functions
@lengths
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_is_the_same_alone_as_in_the_batch(function, n, dtype):
    x, tau = problem(n, dtype)
    field = NoiseField(n)
    whole = function(x, tau, noise=field)
    for row in {0, 1, len(x) // 2, len(x) - 1}:
        assert_same(function(x[row], tau[row], noise=field.at(rows=row)), [part[row] for part in whole])


@functions
@lengths
def test_chunks_and_order_of_rows(function, n):
    x, tau = problem(n)
    field = NoiseField(n + 1)
    whole = function(x, tau, noise=field)
    order = np.random.default_rng(1).permutation(len(x))
    for part in (order, order[:5], np.arange(len(x))[1:], np.arange(len(x))[::2]):
        assert_same(function(x[part], tau[part], noise=field.at(rows=part)), [p[part] for p in whole])


@functions
@lengths
@pytest.mark.parametrize("dtype", DTYPES)
def test_threads(threads, function, n, dtype):
    x, tau = problem(n, dtype)
    if n <= 129:
        x, tau = np.tile(x, (60, 1)), np.tile(tau, 60)
    results = []
    for count in (1, 2, 5):
        threads(count)
        results.append(function(x, tau, rng=n))
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])


def test_calls_from_many_python_threads():
    work = [(function, *problem(n), n) for function in FUNCTIONS for n in (10, 65, 1000)]
    expected = [function(x, tau, rng=seed) for function, x, tau, seed in work]
    with ThreadPoolExecutor(16) as pool:
        results = pool.map(lambda job: job[0](*job[1:3], rng=job[3]), work)
        for result, alone in zip(results, expected, strict=True):
            assert_same(result, alone)


@functions
@pytest.mark.parametrize("n", [1, 10, 65, 1000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_many_draws_are_single_draws(threads, function, n, dtype):
    x, tau = problem(n, dtype)
    field = NoiseField(6).at(draw=11)
    threads(2)
    together = function(x, tau, noise=field, size=(2, 3))
    apart = [function(x, tau, noise=field.at(draw=11 + s)) for s in range(6)]
    assert_same(together, (np.array(column).reshape(2, 3, *x.shape) for column in zip(*apart, strict=True)))


@functions
@pytest.mark.parametrize("n", [10, 70, 1000])
def test_layout_and_byte_order(function, n):
    x, tau = problem(n)
    expected = function(x, tau, rng=1)
    wide = np.zeros((len(x), 2 * n))
    wide[:, ::2] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    for same in (np.asfortranarray(x), wide[:, ::2], x[::-1].copy()[::-1], frozen, x.astype(">f8")):
        assert_same(function(same, tau, rng=1), expected)


@functions
@pytest.mark.parametrize("n", [10, 70, 1000])
def test_the_batch_is_its_rows_in_c_order(function, n):
    x, tau = problem(n)
    x, tau = x[:8], tau[:8]
    flat = function(x, tau, rng=2)
    for shape in ((2, 4), (2, 2, 2), (8, 1)):
        assert_same(
            function(x.reshape(*shape, n), tau.reshape(shape), rng=2), (part.reshape(*shape, n) for part in flat)
        )


@functions
@pytest.mark.parametrize("n", [10, 70, 1000])
def test_a_mask_is_minus_infinity(function, n):
    x, tau = problem(n)
    where = np.random.default_rng(8).random(x.shape) < 0.6
    where[np.arange(len(x)), x.argmax(-1)] = True

    if function is given_choice:
        infinite = np.where(where, x, -np.inf)
        assert_same(function(x, tau, rng=8, where=where), function(infinite, tau, rng=8))
        return
    tangents = np.cos(x), 1.5
    for options in ({}, {"log": True}, {"hard": True}, {"rao": 2}):
        masked = fastgumbel.gumbel_softmax_jvp((x, tau), tangents, where=where, rng=8, **options)
        infinite = fastgumbel.gumbel_softmax_jvp((np.where(where, x, -np.inf), tau), tangents, rng=8, **options)
        assert_same(masked, infinite)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"hard": True, "log": True}])
def test_the_value_beside_a_tangent_is_the_sample(n, dtype, options):
    x, tau = problem(n, dtype)
    y, _ = fastgumbel.gumbel_softmax_jvp((x, tau), (np.cos(x), 1.0), rng=3, **options)
    np.testing.assert_array_equal(y, fastgumbel.gumbel_softmax(x, tau, rng=3, **options))
