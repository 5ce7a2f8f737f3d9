"""Noise of -inf in an array excludes its place, whatever stands there, as `where=` does; NaN and +inf are errors."""

import numpy as np
import pytest

import fastgumbel as fg
from fastgumbel import NoiseField

CALLS = {
    "max": lambda x, **options: fg.gumbel_max(x, return_max=True, **options),
    "max, tempered": lambda x, **options: fg.gumbel_max(x, return_max=True, temperature=0.4, **options),
    "max, cold": lambda x, **options: fg.gumbel_max(x, return_max=True, temperature=0, **options),
    "top": lambda x, **options: fg.gumbel_top_k(x, 3, return_threshold=True, **options),
    "softmax": lambda x, **options: fg.gumbel_softmax(x, 0.5, **options),
    "log": lambda x, **options: fg.gumbel_softmax(x, 0.5, log=True, **options),
    "hard": lambda x, **options: fg.gumbel_softmax(x, 0.5, hard=True, **options),
    "jvp": lambda x, **options: fg.gumbel_softmax_jvp((x, 0.5), (np.cos(x), 1.0), **options),
    "straight": lambda x, **options: fg.gumbel_softmax_jvp((x, 0.5), (np.cos(x), 1.0), hard=True, **options),
    "vjp": lambda x, **options: flat(fg.gumbel_softmax_vjp((x, 0.5), weights(x, options), **options)),
    "perturb": fg.perturb,
    "exponential": lambda x, **options: fg.perturb(x, "exponential", **options),
    "uniform": lambda x, **options: fg.perturb(x, "uniform", **options),
    "log_partition": lambda x, **options: tuple(fg.log_partition(x, 3, **options)),
}


def weights(x, options):
    """Return cotangents of the samples."""
    shape = (*np.atleast_1d(options.get("size") or ()).astype(int), *x.shape)
    return np.sin(np.arange(np.prod(shape))).reshape(shape)


def flat(pair):
    """Return the parts of a gradient."""
    return pair[0], *pair[1]


def assert_equal(one, two):
    for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (one, two)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("n", [10, 100, 300, 3000])
def test_it_is_as_where(n, call, dtype):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(4, n)).astype(dtype)
    where = rng.random((4, n)) < 0.6
    where[:, :5] = True
    if call == "log_partition":
        noise = fg.gumbel((3, 4, n), noise=NoiseField(1))
        empty = np.where(where, noise, -np.inf)
        assert_equal(CALLS[call](x, noise=empty), CALLS[call](x, where=where, noise=noise))
        return
    noise = fg.gumbel((4, n), noise=NoiseField(1))
    empty = np.where(where, noise, -np.inf)
    assert_equal(CALLS[call](x, noise=empty), CALLS[call](x, where=where, noise=noise))
    # What stands in an excluded place means nothing.
    odd = np.where(where, x, dtype(np.nan))
    if call not in ("jvp", "straight"):
        assert_equal(CALLS[call](odd, noise=empty), CALLS[call](x, where=where, noise=noise))


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("log_partition", "vjp")])
@pytest.mark.parametrize("n", [10, 300])
def test_draws_have_places_of_their_own(n, call):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(4, n))
    where = rng.random((3, 4, n)) < 0.6
    where[..., :5] = True
    noise = fg.gumbel((3, 4, n), noise=NoiseField(1))
    whole = CALLS[call](x, size=3, noise=np.where(where, noise, -np.inf))
    whole = whole if isinstance(whole, tuple) else (whole,)
    for s in range(3):
        assert_equal(tuple(part[s] for part in whole), CALLS[call](x, where=where[s], noise=noise[s]))


@pytest.mark.parametrize("call", [call for call in CALLS if call != "log_partition"])
def test_the_noise_of_a_field_with_empty_places_fed_back(call):
    rng = np.random.default_rng(0)
    x, ids = rng.normal(size=(5, 30)), rng.permuted(np.tile(np.arange(-10, 20), (5, 1)), axis=-1)
    field = NoiseField(3).at(categories=ids)
    noise = fg.gumbel(x.shape, noise=field)
    assert np.isneginf(noise).any()
    assert_equal(CALLS[call](x, noise=noise), CALLS[call](x, noise=field))


@pytest.mark.parametrize("call", CALLS)
def test_rows_in_which_nothing_is_left(call):
    size = 3 if call == "log_partition" else None
    x, noise = np.zeros((2, 8)), np.zeros((3, 2, 8) if size else (2, 8))
    noise[..., 1, :] = -np.inf
    with pytest.raises(ValueError, match=r"row 1 has (no category|0 categories) left"):
        CALLS[call](x, noise=noise)
    marked = CALLS[call](x, noise=noise, invalid="mark")
    good = CALLS[call](x[:1], noise=noise[..., :1, :])
    for whole, part in zip(*(v if isinstance(v, tuple) else (v,) for v in (marked, good)), strict=True):
        if np.shape(whole) != np.shape(part):
            np.testing.assert_array_equal(whole[:1], part)
            assert (whole[1] != whole[1]).all() or (whole[1] <= 0).all()


@pytest.mark.parametrize("call", [call for call in CALLS if call != "log_partition"])
@pytest.mark.parametrize("size", [3, (2, 3)])
def test_noise_and_the_draw_are_named_where_they_are_the_cause(call, size):
    x, noise = np.zeros((2, 8)), np.zeros((*np.atleast_1d(size), 2, 8))
    noise.reshape(-1, 2, 8)[-1, 1] = -np.inf
    name = "draw 2" if size == 3 else r"draw \(1, 2\)"
    message = rf"^log_potentials: {name} of row 1 has (no category|0 categories) left.* or by noise of -inf$"
    with pytest.raises(ValueError, match=message):
        CALLS[call](x, size=size, noise=noise)
    # Not where the row has nothing of its own.
    x[1] = -1e30
    with pytest.raises(ValueError, match=r"^log_potentials: row 1 has .* or excluded by where$"):
        CALLS[call](x, size=size, noise=noise)


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("log_partition", "jvp", "straight")])
def test_what_noise_excludes_is_not_blamed(call):
    x, noise = np.array([np.nan, 0, 0, 0]), np.zeros((2, 4))
    noise[:, 0] = noise[1] = -np.inf
    with pytest.raises(ValueError, match=r"draw 1 of the row has .* or by noise of -inf$"):
        CALLS[call](x, size=2, noise=noise)


def test_estimates_name_the_draw():
    noise = np.zeros((5, 2, 8))
    noise[3, 1] = -np.inf
    with pytest.raises(ValueError, match=r"draw 3 of row 1 has no category left.* or by noise of -inf$"):
        fg.log_partition(np.zeros((2, 8)), 5, noise=noise)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_other_numbers_that_are_not_finite(call, bad):
    x, noise = np.zeros((2, 8)), np.zeros((3, 2, 8) if call == "log_partition" else (2, 8))
    noise[..., 0, 3], noise[..., 1, 4] = -np.inf, bad
    with pytest.raises(ValueError, match=f"noise must be finite.*1.* has {bad} at category 4"):
        CALLS[call](x, noise=noise)
