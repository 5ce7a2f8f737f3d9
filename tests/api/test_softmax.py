"""``gumbel_softmax`` against its definition on the same noise: types, families, lengths, then all options mixed.

The bound is what rounding explains, ``relaxation.rounding``: some ten units of the last place for common temperatures.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgumbel
from fastgumbel import NoiseField
from tests.api import cases
from tests.oracle import relaxation

LENGTHS = (1, 2, 10, 63, 64, 65, 129, 1000)
# Of these the sum with the noise and its logarithm stay far from the end of the range of float32.
FAMILIES = ("zeros", "normal", "wide", "duplicates", "subnormal", "million", "ascending", "spike", "minus infinity")
TYPES = ("float64", "float32", "float16", "int8", "uint32", "int64", ">f8", ">f4", ">f2")


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_type_family_and_length(family, dtype, log):
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for n in LENGTHS:
        x = cases.log_potentials(family, dtype, rng, np.empty((6, n)))
        field = NoiseField(n)
        noise = relaxation.noise_of(field, x)
        for tau in (0.1, 1, 7.5):
            y = fastgumbel.gumbel_softmax(x, tau, noise=field, log=log)
            relaxation.assert_relaxed(y, x, tau, noise, log=log)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_long_row(dtype):
    x = np.random.default_rng(1).normal(size=131_072).astype(dtype)
    field = NoiseField(2)
    for log in (False, True):
        y = fastgumbel.gumbel_softmax(x, 0.5, noise=field, log=log)
        relaxation.assert_relaxed(y, x, 0.5, relaxation.noise_of(field, x), log=log)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", LENGTHS)
def test_the_logarithm_is_that_of_the_sample(n, dtype):
    x = np.random.default_rng(n).normal(size=(50, n)).astype(dtype)
    y = fastgumbel.gumbel_softmax(x, 0.8, rng=1).astype(np.float64)
    log_y = fastgumbel.gumbel_softmax(x, 0.8, rng=1, log=True)
    np.testing.assert_allclose(np.exp(log_y.astype(np.float64)), y, rtol=200 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [10, 70])
def test_one_temperature_a_row(n, dtype):
    """Zero among them too, and each row as if it were alone."""
    x = np.random.default_rng(n).normal(size=(3, 4, n)).astype(dtype)
    tau = np.array([[0.1], [0.0], [3.0]]) * np.array([1.0, 0.5, 2.0, 7.0])
    field = NoiseField(3)
    whole = fastgumbel.gumbel_softmax(x, tau, noise=field)
    for row, index in enumerate(np.ndindex(3, 4)):
        alone = fastgumbel.gumbel_softmax(x[index], tau[index], noise=field.at(rows=row))
        np.testing.assert_array_equal(whole[index], alone)


@pytest.mark.parametrize(
    "tau", [2, np.float32(2), np.int8(2), np.array(2.0), [2.0] * 4, np.full((3, 1), 2.0), np.full((3, 4), 2)]
)
def test_a_temperature_of_any_shape_that_broadcasts(tau):
    x = np.random.default_rng(1).normal(size=(3, 4, 5))
    np.testing.assert_array_equal(fastgumbel.gumbel_softmax(x, tau, rng=1), fastgumbel.gumbel_softmax(x, 2.0, rng=1))


def test_the_default_temperature_is_one():
    x = np.random.default_rng(1).normal(size=(3, 5))
    np.testing.assert_array_equal(fastgumbel.gumbel_softmax(x, rng=1), fastgumbel.gumbel_softmax(x, 1.0, rng=1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [2, 70])
def test_shifting_the_log_potentials_changes_nothing(n, dtype):
    x = np.rint(64 * np.random.default_rng(n).normal(size=(40, n))).astype(dtype) / 64
    y = fastgumbel.gumbel_softmax(x, 0.6, rng=1)
    moved = fastgumbel.gumbel_softmax(x + dtype_of(dtype)(512), 0.6, rng=1)
    np.testing.assert_allclose(moved, y, rtol=4000 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


def dtype_of(name):
    return np.dtype(name).type


@st.composite
def problems(draw):
    """Log-potentials, temperatures, mask, axis and draws of any shapes that fit."""
    batch = tuple(draw(st.lists(st.integers(1, 4), max_size=3)))
    n = draw(st.sampled_from([1, 2, 3, 10, 63, 64, 65, 130]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    axis = draw(st.integers(-len(batch) - 1, len(batch)))
    dtype = draw(st.sampled_from(["float64", "float32", "float16", "int16", ">f8"]))
    x = np.moveaxis((3 * rng.normal(size=(*batch, n))).astype(dtype), -1, axis)
    layout = draw(st.sampled_from([np.ascontiguousarray, np.asfortranarray, reversed_view, spaced_view, read_only]))
    where = None
    if draw(st.booleans()):
        where = rng.random((*batch, n)) < 0.7
        where[..., rng.integers(n)] = True
        where = np.moveaxis(where, -1, axis)
    keep = draw(st.tuples(*(st.booleans() for _ in batch)))
    tau = rng.uniform(0.2, 3, size=tuple(b if k else 1 for b, k in zip(batch, keep, strict=True)))
    tau = tau[(0,) * draw(st.integers(0, len([*iterate_ones(tau.shape)])))]
    size = draw(st.sampled_from([None, 1, 3, (2,), (2, 2), ()]))
    return layout(x), tau, where, axis, size, draw(st.integers(0, 2**40))


def iterate_ones(shape):
    """Yield the leading axes of length one."""
    for length in shape:
        if length != 1:
            return
        yield length


def reversed_view(x):
    return x[..., ::-1].copy()[..., ::-1]


def spaced_view(x):
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def shape_of(size):
    return () if size is None else (size,) if isinstance(size, int) else size


@given(problem=problems(), log=st.booleans())
@settings(max_examples=150)
def test_all_options_mixed(problem, log):
    x, tau, where, axis, size, seed = problem
    field = NoiseField(seed).at(draw=5)
    noise = relaxation.noise_of(field, x, axis=axis, size=shape_of(size))
    y = fastgumbel.gumbel_softmax(x, tau, axis=axis, size=size, where=where, log=log, noise=field)
    assert isinstance(y, np.ndarray)
    relaxation.assert_relaxed(y, x, tau, noise, axis=axis, where=where, log=log)


@given(problem=problems(), options=st.sampled_from([{}, {"log": True}, {"hard": True}, {"hard": True, "log": True}]))
@settings(max_examples=80)
def test_noise_from_an_array_is_the_field(problem, options):
    """The same numbers, so the same bits; of float32 a hard sample is decided by the noise it is given."""
    x, tau, where, axis, size, seed = problem
    field = NoiseField(seed)
    dtype = np.float64 if options.get("hard") else None
    noise = relaxation.noise_of(field, x, axis=axis, size=shape_of(size), dtype=dtype)
    options = {"axis": axis, "size": size, "where": where, **options}
    precomputed_noise = fastgumbel.gumbel_softmax(x, tau, noise=noise, **options)
    np.testing.assert_array_equal(precomputed_noise, fastgumbel.gumbel_softmax(x, tau, noise=field, **options))


@given(problem=problems(), tau_is_zero=st.booleans(), log=st.booleans())
@settings(max_examples=80)
def test_a_hard_sample_is_the_one_hot_of_gumbel_max(problem, tau_is_zero, log):
    """With ``hard``, and also as the limit of temperature zero."""
    x, tau, where, axis, size, seed = problem
    options = {"axis": axis, "size": size, "where": where, "noise": NoiseField(seed)}
    index = np.expand_dims(fastgumbel.gumbel_max(x, **options), axis if axis < 0 else axis - x.ndim)
    categories = np.moveaxis(np.arange(x.shape[axis]).reshape((1,) * (x.ndim - 1) + (-1,)), -1, axis)
    one_hot = np.where(categories == index, 0 if log else 1, -np.inf if log else 0)
    if tau_is_zero:
        y = fastgumbel.gumbel_softmax(x, 0, log=log, **options)
    else:
        y = fastgumbel.gumbel_softmax(x, tau, hard=True, log=log, **options)
    assert y.dtype == relaxation.sample_type(x)
    np.testing.assert_array_equal(y, one_hot)
