"""The package's bits are those that the page of the contract states."""

import functools

import numpy as np
import pytest

import fastgumbel as fg
from tests.contract import golden
from tests.oracle import contract

KINDS = pytest.mark.parametrize(("dtype", "real"), [(np.float64, contract.DOUBLE), (np.float32, contract.SINGLE)])
KEY, ROW, DRAW = 0x0123456789ABCDEF, 2**40 + 3, 7
FIELD = fg.NoiseField.from_key(KEY).at(rows=ROW, draw=DRAW)


def potentials(n, dtype):
    return np.random.default_rng(n).normal(0, 3, size=n).astype(dtype)


@functools.cache
def noise_of(real, n):
    return [real.gumbel(KEY, ROW, DRAW, c) for c in range(n)]


def test_the_field():
    for where, double, single in golden.read():
        assert contract.DOUBLE.gumbel(*where) == double
        assert contract.SINGLE.gumbel(*where) == single


@KINDS
def test_the_field_along_a_row(dtype, real):
    assert fg.gumbel(200, noise=FIELD, dtype=dtype).tolist() == noise_of(real, 200)


@KINDS
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtau", [0.0, -0.75])
@pytest.mark.parametrize("n", [10, 96, 97, 200])
def test_relaxed_samples_and_tangents(n, dtau, log, dtype, real):
    x, tau = potentials(n, dtype), 0.3
    dx = np.random.default_rng(1).normal(size=n).astype(dtype)
    y, dy = fg.gumbel_softmax_jvp((x, tau), (dx, dtau), noise=FIELD, log=log)
    expected = real.relaxed(x.tolist(), tau, noise_of(real, n), dx.tolist(), dtau, log)
    assert (y.tolist(), dy.tolist()) == expected
    assert fg.gumbel_softmax(x, tau, noise=FIELD, log=log).tolist() == expected[0]


@KINDS
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("n", [10, 64, 150])
def test_gradients(n, log, dtype, real):
    x, tau, draws = potentials(n, dtype), 0.7, 2
    w = np.random.default_rng(1).normal(size=(draws, n)).astype(dtype)
    y, (dx, dtau) = fg.gumbel_softmax_vjp((x, tau), w, noise=FIELD, log=log, size=draws)
    expected = real.gradients(y.tolist(), w.tolist(), tau, log)
    assert (dx.tolist(), dtau.tolist()) == expected


@KINDS
@pytest.mark.parametrize("log", [False, True])
def test_gradients_of_gumbel_rao(log, dtype, real):
    n, tau, m = 10, 0.5, 3
    x, w = potentials(n, dtype), np.random.default_rng(1).normal(size=n).astype(dtype)
    y, (dx, dtau) = fg.gumbel_softmax_vjp((x, tau), w, noise=FIELD.at(draw=2), log=log, rao=m)
    samples = []
    for draw in range(2 * m, 3 * m):
        given = real.conditioned(x.tolist(), int(y.argmax()), [real.fresh(KEY, ROW, draw, c) for c in range(n)])
        samples.append(real.relaxed(x.tolist(), tau, given, log=log))
    assert (dx.tolist(), dtau.tolist()) == real.gradients(samples, [w.tolist()] * m, tau, log, m)


@pytest.mark.parametrize("shape", [(), (1, 4), (3, 1), (4,)], ids=str)
def test_a_temperature_of_several_rows_has_the_sum_of_its_gradients_in_order(shape):
    x = potentials(60, np.float64).reshape(3, 4, 5)
    w = np.random.default_rng(1).normal(size=x.shape)
    each = fg.gumbel_softmax_vjp((x, np.full((3, 4), 0.7)), w, noise=FIELD)[1][1]
    together = fg.gumbel_softmax_vjp((x, np.full(shape, 0.7)), w, noise=FIELD)[1][1]
    lines = {(): [each.ravel()], (3, 1): each}.get(shape, each.T)
    expected = [functools.reduce(float.__add__, line.tolist()) for line in lines]
    assert np.ravel(together).tolist() == expected


@KINDS
@pytest.mark.parametrize("n", [10, 200])
def test_relaxed_samples_at_an_offset(n, dtype, real):
    x = potentials(n, dtype) + dtype(1e6)
    expected = real.relaxed(x.tolist(), 0.3, noise_of(real, n))
    assert fg.gumbel_softmax(x, 0.3, noise=FIELD).tolist() == expected


@KINDS
@pytest.mark.parametrize("n", [10, 200])
def test_gumbel_rao(n, dtype, real):
    x, tau, m, dx = potentials(n, dtype), 0.5, 3, np.eye(n, dtype=dtype)[1]
    field = FIELD.at(draw=2)
    y, dy = fg.gumbel_softmax_jvp((x, tau), (dx, None), noise=field, rao=m)
    choice, sum_ = int(y.argmax()), np.zeros(n)
    for draw in range(2 * m, 3 * m):
        given = real.conditioned(x.tolist(), choice, [real.fresh(KEY, ROW, draw, c) for c in range(n)])
        sum_ += real.relaxed(x.tolist(), tau, given, dx.tolist())[1]
    assert dy.tolist() == (sum_ / m).astype(dtype).tolist()


@KINDS
@pytest.mark.parametrize("n", [1, 10, 200])
def test_conditioned_noise(n, dtype, real):
    x, choice = potentials(n, dtype), n // 2
    noise = fg.gumbel_given_choice(x, choice, noise=FIELD)
    fresh = [real.fresh(KEY, ROW, DRAW, c) for c in range(n)]
    assert noise.tolist() == real.conditioned(x.tolist(), choice, fresh)
    for temperature in (0.3, 7.0, 1e10):
        noise = fg.gumbel_given_choice(x, choice, noise=FIELD, temperature=temperature)
        assert noise.tolist() == real.conditioned(x.tolist(), choice, fresh, temperature)
    best = int(x.argmax())
    noise = fg.gumbel_given_choice(x, best, noise=FIELD, temperature=0)
    assert noise.tolist() == real.conditioned(x.tolist(), best, fresh, 0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 10, 200])
def test_categorical(n, dtype):
    x = potentials(n, dtype)
    for temperature in (1.0, 0.0, 0.3, 7.0):
        draws = fg.categorical(x, 20, noise=FIELD, temperature=temperature)
        assert draws.tolist() == contract.categorical(x.tolist(), KEY, ROW, range(DRAW, DRAW + 20), temperature)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_samples(dtype):
    n, k = 200, 5
    x = potentials(n, dtype)
    values = np.array([float(c) + g for c, g in zip(x, noise_of(contract.DOUBLE, n), strict=True)])
    order = np.argsort(-values, kind="stable")
    index, value, threshold = fg.gumbel_top_k(x, k, noise=FIELD, return_threshold=True)
    assert index.tolist() == order[:k].tolist()
    assert value.tolist() == values[order[:k]].tolist()
    assert threshold == values[order[k]]
    assert fg.gumbel_max(x, noise=FIELD) == order[0]
    (above,), value = fg.gumbel_above(x, threshold, noise=FIELD)
    assert above.tolist() == sorted(order[:k].tolist())
    assert value.tolist() == values[above].tolist()


def test_a_stream_goes_on_in_the_next_row():
    first = 2**32 - 5
    reservoir = fg.Reservoir(3, noise=FIELD.at(start=2), first=first)
    reservoir.update(np.zeros(8))
    items = [first + i for i in range(8)]
    values = {i: contract.DOUBLE.gumbel(KEY, ROW + (2 + i >> 32), DRAW, (2 + i) % 2**32) for i in items}
    best = sorted(items, key=values.get, reverse=True)[:3]
    assert reservoir.indices.tolist() == best
    assert reservoir.values.tolist() == [values[i] for i in best]


def test_keys():
    seed = np.random.SeedSequence(5)
    assert fg.NoiseField(5).key == fg.NoiseField(seed).key == np.random.SeedSequence(5).generate_state(1, np.uint64)[0]
    bits = np.random.PCG64(5).random_raw()
    assert fg.NoiseField(np.random.Generator(np.random.PCG64(5))).key == fg.NoiseField(np.random.PCG64(5)).key == bits
