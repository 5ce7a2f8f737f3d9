"""``gumbel_given_choice(temperature=)``: on its noise ``gumbel_max`` gives the choice, and its law is that of x / T.

The slow reference is the formula over the exponentials of ``contract/test_given_words.py``.
"""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel_given_choice, gumbel_max
from fastgumbel._host import given
from tests.api import cases
from tests.contract.test_given_words import conditioned, fresh_exponentials
from tests.law import conditional_laws, laws
from tests.oracle import naive

# Far from the ends of float32; 0 where the choice is the plain argmax.
TEMPERATURES = (1e-12, 1e-3, 0.3, 1.0, 2.0, 7.0, 1e6, 1e20, 1e300)
X = np.array([1.0, 3.0, 3.0, -np.inf, 0.0])


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int16"])
@pytest.mark.parametrize("family", ["zeros", "normal", "wide", "duplicates", "million", "spike", "minus infinity"])
def test_the_choice_comes_back(family, dtype):
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for n in (1, 2, 10, 65, 129, 1000):
        x = cases.log_potentials(family, dtype, rng, np.empty((24, n)))
        choice = np.where(x > -np.inf, rng.random((3, *x.shape)), -1).argmax(-1)
        temperature = rng.choice(TEMPERATURES, 24)
        temperature[::7] = 0
        choice[:, ::7] = x[::7].argmax(-1)
        for own in (temperature, temperature[:, np.newaxis]):
            noise = gumbel_given_choice(x, choice, size=3, temperature=own, rng=n)
            assert np.isfinite(noise).all()
            np.testing.assert_array_equal(gumbel_max(x, size=3, noise=noise, temperature=own), choice)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 5, 64, 130, 1000])
def test_it_is_the_formula_at_x_over_t(n, dtype):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(6, n)).astype(dtype)
    choice, temperature = rng.integers(n, size=6), np.array([0.2, 0.7, 1.0, 3.0, 1e3, 1e30])
    noise = gumbel_given_choice(x, choice, temperature=temperature, rng=n)
    e = fresh_exponentials(NoiseField(n).key, np.arange(6)[:, np.newaxis], 0, np.arange(n))
    wanted = conditioned(x / temperature[:, np.newaxis], choice, e)
    np.testing.assert_allclose(noise, wanted, rtol=1e-12 if dtype == np.float64 else 1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [3, 70, 300])
def test_powers_of_two_give_the_bits_of_x_over_t(n, dtype):
    rng = np.random.default_rng(n)
    x = (rng.normal(size=(40, n)) * rng.choice([1, 1e3, 1e6], size=(40, 1))).astype(dtype)
    x[:, 2] = -np.inf
    choice = rng.integers(2, size=(2, 40))
    for temperature in (0.25, 2.0, 1024.0, 2.0 ** rng.integers(-9, 9, size=40)):
        wanted = gumbel_given_choice(x / np.reshape(temperature, (-1, 1)).astype(dtype), choice, size=2, rng=1)
        np.testing.assert_array_equal(gumbel_given_choice(x, choice, size=2, temperature=temperature, rng=1), wanted)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_slots_give_the_bits_of_rows_one_by_one(monkeypatch, dtype):
    rng = np.random.default_rng(3)
    for n in (1, 2, 5, 64, 100, 128):
        x = (rng.normal(size=(150, n)).round(1) * rng.choice([0, 1, 30, 1e6], size=(150, 1))).astype(dtype)
        x[rng.random(x.shape) < 0.1] = -1e30
        x[np.arange(150), rng.integers(n, size=150)] = 0
        choice = np.where(x > -naive.LIMIT, rng.random((3, 150, n)), -1).argmax(-1)
        temperature = rng.choice(TEMPERATURES, 150)
        temperature[::9], choice[:, ::9] = 0, x[::9].argmax(-1)
        results = []
        for slots in (1, 2**62):
            monkeypatch.setattr(given, "_SLOTS", slots)
            monkeypatch.setattr(given, "_FEW_SLOTS", slots)
            results.append(gumbel_given_choice(x, choice, size=3, temperature=temperature, rng=n))
        assert results[0].tobytes() == results[1].tobytes()
        np.testing.assert_array_equal(gumbel_max(x, size=3, noise=results[0], temperature=temperature), choice)


@pytest.mark.parametrize("n", [4, 300])
def test_what_is_excluded_weighs_nothing_at_any_temperature(n):
    """Also a finite log-potential, which is next to nothing beside a huge temperature."""
    x = np.zeros((20, n))
    options = {"size": 5, "temperature": 1e200, "rng": 1}
    x[:, 1] = -np.inf
    wanted = gumbel_given_choice(x, np.zeros(20, int), **options)
    x[:, 1] = -1e30
    np.testing.assert_array_equal(gumbel_given_choice(x, np.zeros(20, int), **options), wanted)
    e = fresh_exponentials(NoiseField(1).key, np.arange(20), 0, 1)
    np.testing.assert_allclose(wanted[0, :, 1], -np.log(e), rtol=1e-12)


@pytest.mark.parametrize("n", [5, 200])
def test_at_0_nothing_is_known_of_the_noise(n):
    x = np.zeros((20, n))
    x[:, 1:3] = 3
    noise = gumbel_given_choice(x, np.ones(20, int), temperature=0, rng=4)
    e = fresh_exponentials(NoiseField(4).key, np.arange(20)[:, np.newaxis], 0, np.arange(n))
    np.testing.assert_allclose(noise, -np.log(e), rtol=1e-12, atol=1e-14)
    for wrong in (0, 2, n):
        choice = np.ones(20, int)
        choice[7] = wrong
        for invalid in ("raise", "mark"):
            with pytest.raises(
                ValueError, match=f"choice must be.*row 7 has {wrong}; at temperature 0 it is the first"
            ):
                gumbel_given_choice(x, choice, temperature=0, rng=4, invalid=invalid)


def test_an_invalid_row_is_told_at_0_too():
    x = np.zeros((2, 3))
    x[1, 1] = np.nan
    with pytest.raises(ValueError, match="row 1 has nan at category 1"):
        gumbel_given_choice(x, [0, 0], temperature=0.0, rng=0)
    marked = gumbel_given_choice(x, [0, 0], temperature=[0.0, 1.0], rng=0, invalid="mark")
    assert np.isnan(marked).tolist() == [[False] * 3, [True] * 3]


def test_ids_masks_and_axes():
    rng = np.random.default_rng(1)
    x, where = rng.normal(size=(4, 3, 6)), rng.random((4, 3, 6)) < 0.7
    where[..., 0] = True
    temperature, choice = np.array([0.5, 2.0, 10.0]), np.zeros((4, 3), int)
    field = NoiseField(2).at(categories=[5, 9, 5, 2, 7, -1])
    noise = gumbel_given_choice(x, choice, where=where, temperature=temperature, noise=field)
    assert (noise[..., 0] == noise[..., 2]).all()
    assert (noise[..., 5] == 0).all()
    # The choice stands for its id.
    left = where & (np.arange(6) < 5)
    found = gumbel_max(x, where=left, noise=noise, temperature=temperature)
    assert np.isin(found, (0, 2)).all()
    moved = gumbel_given_choice(
        np.moveaxis(x, -1, 0), choice, axis=0, where=np.moveaxis(where, -1, 0), temperature=temperature, rng=3
    )
    same = gumbel_given_choice(x, choice, where=where, temperature=temperature, rng=3)
    np.testing.assert_array_equal(np.moveaxis(moved, 0, -1), same)
    np.testing.assert_array_equal(gumbel_max(x, where=where, noise=same, temperature=temperature), choice)


@pytest.mark.parametrize(
    ("dtype", "temperature", "remedy"), [(np.float64, 1e-310, "a higher"), (np.float32, 1e-40, "float64")]
)
def test_noise_that_would_be_infinite_is_refused(dtype, temperature, remedy):
    x = np.tile(X, (3, 1)).astype(dtype)
    each = np.array([1.0, 1.0, temperature])
    with pytest.raises(ValueError, match=f"temperature of row 2 is so low.*overflows {np.dtype(dtype)}.*{remedy}"):
        gumbel_given_choice(x, [0, 0, 0], temperature=each, rng=1)
    noise = gumbel_given_choice(x, [0, 0, 1], temperature=each, rng=1)
    np.testing.assert_array_equal(gumbel_max(x, noise=noise, temperature=each), [0, 0, 1])


def test_noise_that_would_be_lowered_without_end_is_refused():
    """Beside 1e13 noise is rounded away, so that of two equal ones the second is no choice of finite noise."""
    x = np.full((1, 2), 1e13, np.float32)
    with pytest.raises(ValueError, match="temperature of row 0 is so low"):
        gumbel_given_choice(x, [1], temperature=1e-100, rng=1)
    noise = gumbel_given_choice(x, [1], temperature=1e-20, rng=1)
    assert np.isfinite(noise).all()
    assert gumbel_max(x, noise=noise, temperature=1e-20) == 1


@pytest.mark.parametrize(
    ("temperature", "error"),
    [(-1.0, ValueError), (np.nan, ValueError), (1e301, ValueError), ([1.0, 2.0], ValueError), ("1", TypeError)],
)
def test_bad_temperatures(temperature, error):
    with pytest.raises(error, match="temperature"):
        gumbel_given_choice(np.zeros((3, 5)), [0, 0, 0], temperature=temperature, rng=1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("temperature", [0.3, 4.0])
def test_the_choice_of_the_same_temperature_gives_plain_noise(temperature, dtype):
    """The choice from a field, the noise given the choice: together they are Gumbel noise."""
    x = np.random.default_rng(5).normal(size=6).astype(dtype)
    choice = gumbel_max(x, size=100_000, temperature=temperature, rng=1)
    noise = gumbel_given_choice(x, choice, size=100_000, temperature=temperature, rng=1).astype(np.float64)
    assert conditional_laws.unconditional_law(noise) > laws.ALARM
    wrong = gumbel_given_choice(x, choice, size=100_000, rng=1).astype(np.float64)
    assert conditional_laws.unconditional_law(wrong) < laws.ALARM
