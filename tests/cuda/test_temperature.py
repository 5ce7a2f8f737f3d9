"""Noise scaled by a temperature, on a device: the definition's bits, through the PTX that would be loaded."""

import numpy as np
import pytest

from fastgumbel import NoiseField, categorical, gumbel, gumbel_max, gumbel_top_k
from fastgumbel._law.ops import fma
from tests.cuda.arrays import host, on_device
from tests.cuda.planted import plant_source
from tests.cuda.sides import messages, same
from tests.cuda.test_categorical import near_ends

FIELD = NoiseField(7).at(draw=3, start=61)
# Beyond what float32 takes, and within, powers of two and others.
TEMPERATURES = (0.0, 1e-300, 2.0**-150, 2.0**-101, 1e-20, 0.3, 1.0, 4.0, 1e20, 2.0**101, 1e300)

_fma = np.frompyfunc(lambda a, b, c: float(fma(np.float64(a), np.float64(b), np.float64(c))), 3, 1)


def perturbed(x, temperature, noise):
    """Return perturbed values by the definition; -inf where a category is excluded."""
    left = (x > -(2.0**46)) & (noise > -np.inf)
    scale = np.asarray(temperature, np.float64)[..., None]
    values = _fma(scale, np.where(left, noise, 0), np.where(left, x, 0).astype(np.float64))
    return np.where(left, values.astype(np.float64), -np.inf)


def drawn(x, field, size):
    """Return the noise of draws of rows."""
    first = field.draw
    return np.stack([gumbel(x.shape, noise=field.at(draw=first + s)) for s in range(size)])


def ranked(values, k):
    """Return the indices and values of the k largest, the first of equals first."""
    order = np.argsort(-values, axis=-1, kind="stable")[..., :k]
    return order, np.take_along_axis(values, order, -1)


def equal(got, expected):
    """Check bits."""
    a, b = np.ascontiguousarray(host(got)), np.ascontiguousarray(expected)
    np.testing.assert_array_equal(a.view(np.uint64), b.view(np.uint64))


def check_max(x, temperature, field=FIELD, size=1):
    """Compare indices and values with the definition, and indices alone too."""
    index, values = ranked(perturbed(x, temperature, drawn(x, field, size)), 1)
    options = {"noise": field, "temperature": temperature, "size": size, "invalid": "mark"}
    got = gumbel_max(on_device(x), return_max=True, **options)
    equal(got[0], index[..., 0])
    equal(got[1], values[..., 0])
    equal(gumbel_max(on_device(x), **options), index[..., 0])


def check_top(x, k, temperature, field=FIELD, size=1):
    """Compare lists, and their thresholds, with the definition."""
    values = perturbed(x, temperature, drawn(x, field, size))
    index, best = ranked(np.concatenate([values, np.full((*values.shape[:-1], 1), -np.inf)], -1), k + 1)
    options = {"noise": field, "temperature": temperature, "size": size, "invalid": "mark"}
    got = gumbel_top_k(on_device(x), k, return_threshold=True, **options)
    equal(got[0], index[..., :k])
    equal(got[1], best[..., :k])
    equal(got[2], best[..., k])


def check_categorical(x, size, temperature, field):
    """Compare draws with those of quotients, which are the CPU's at temperature 1."""
    scale = np.broadcast_to(temperature, x.shape[:-1])[..., None]
    distance = x.astype(np.float64) - x.max(-1, keepdims=True)
    if (scale > 0).all():
        expected = categorical(distance / scale, size, noise=field)
    else:
        safe = np.where(scale > 0, distance / np.where(scale > 0, scale, 1), 0)
        expected = np.where(scale[..., 0] > 0, categorical(safe, size, noise=field), x.argmax(-1))
    equal(categorical(on_device(x), size, noise=field, temperature=temperature), expected)


def potentials(shape, dtype=np.float32, scale=1.0):
    """Return normal log-potentials, a tenth of them -inf, but never the last of a row."""
    rng = np.random.default_rng(3)
    x = rng.normal(scale=scale, size=shape).astype(dtype)
    x[..., :-1][rng.random(x[..., :-1].shape) < 0.1] = -np.inf
    return x


def near_ties(rows, n, temperature, field=FIELD):
    """Return rows whose perturbed values are within a hair of each other."""
    rng = np.random.default_rng(5)
    hair = 10.0 ** rng.uniform(-17, -3, size=(rows, 1)) * rng.normal(size=(rows, n))
    return temperature * (hair - gumbel((rows, n), noise=field))


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("n", [7, 200])
def test_max_at_every_temperature(device, n, temperature):
    """Ordinary potentials, such as the noise reaches, ties that only the definition makes, and all equal."""
    for dtype in (np.float32, np.float64):
        check_max(potentials((3, n), dtype), temperature)
    scale = min(max(temperature, 1e-290), 1e12)
    check_max(potentials((3, n), np.float64, scale), temperature, size=2)
    check_max(near_ties(8, n, scale), temperature)
    check_max(np.random.default_rng(1).choice([-7e13, 7e13], size=(3, n)), temperature)
    check_max(np.full((2, n), -3.0, np.float32), temperature)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 64, 96, 97, 130, 4097])
def test_max_of_awkward_lengths(device, n, dtype):
    device.seed = n
    check_max(potentials((2, n), dtype), 0.3, NoiseField(n).at(start=1))
    check_max(potentials((2, n), dtype, 30.0), 8.0, NoiseField(n).at(start=61))
    check_max(potentials((2, n), dtype, 30.0), 0.0)


@pytest.mark.parametrize("n", [9, 150])
def test_what_is_beyond_the_limit_does_not_win(device, n):
    """A category of less than -2^46, which much noise would lift above all others."""
    x = np.full((20, n), -(2.0**46) - 5)
    x[:, 2:5] = -(2.0**46) + 1
    for temperature in (0.5, 100.0, 1e6):
        check_max(x, temperature)


@pytest.mark.parametrize("n", [6, 150])
def test_one_temperature_a_row(device, n):
    """Of a batch in one piece, and in several."""
    rng = np.random.default_rng(8)
    x, temperature = potentials((2, 3, n)), 2.0 ** rng.integers(-6, 6, size=(2, 3))
    temperature[1, 2] = 0
    check_max(x, temperature, size=2)
    check_top(x, 3, temperature, size=2)
    field = FIELD.at(start=0)
    finite = np.where(x > -np.inf, x, -50)
    for size in (2, 40):
        check_categorical(finite, size, temperature, field)
    moved = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    where = rng.random(x.shape) < 0.7
    where[..., -1] = True
    index, values = ranked(perturbed(np.where(where, x, -np.inf), temperature, drawn(x, FIELD, 1)[0]), 1)
    mask = np.ascontiguousarray(np.moveaxis(where, -1, 1))
    options = {"axis": 1, "noise": FIELD, "temperature": temperature[:, None]}
    got = gumbel_max(on_device(moved), where=on_device(mask), return_max=True, **options)
    equal(got[0], index[..., 0])
    equal(got[1], values[..., 0])
    columns = categorical(on_device(np.moveaxis(finite, -1, 1)), 2, **options | {"noise": field})
    equal(columns, host(categorical(on_device(finite), 2, noise=field, temperature=temperature)))
    equal(gumbel_max(on_device(x), noise=FIELD, temperature=np.ones(3)), gumbel_max(x, noise=FIELD))


@pytest.mark.parametrize(
    ("n", "k", "names"),
    [
        (9, 4, {"fill_field", "rank"}),
        (300, 9, {"fill_field", "select"}),
        (600, 520, {"fill_field", "sort_step", "take"}),
        (1000, 6, {"top_long", "take"}),
        (9000, 5, {"top_long", "rank"}),
    ],
)
def test_every_way_to_rank(device, n, k, names):
    device.seed = n
    for temperature in (0.0, 0.3, 16.0) if n > 9 else TEMPERATURES:
        check_top(potentials((2, n)), k, temperature)
    assert {launch[0] for launch in device.launches} == names


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_the_pruned_search_at_every_temperature(device, temperature):
    scale = min(max(temperature, 1e-290), 1e12)
    check_top(potentials((2, 1000)), 6, temperature)
    check_top(potentials((2, 1000), np.float64, scale), 6, temperature)
    check_top(near_ties(2, 1000, scale), 6, temperature)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize(("n", "size"), [(5, 2), (97, 3), (40, 33)])
def test_categorical_at_every_temperature(device, n, size, temperature):
    """Ties of the largest among them, of which the first is drawn at temperature 0."""
    field = FIELD.at(start=0)
    scale = min(max(temperature, 1e-290), 1e12)
    for x in (potentials((4, n)), potentials((4, n), np.float64, scale)):
        x[:, 1], x[:, 3] = x.max(-1), x.max(-1)
        check_categorical(x, size, temperature, field)


@pytest.mark.parametrize("temperature", [2.0**-90, 0.125, 2.0**40])
@pytest.mark.parametrize("n", [3, 60])
def test_categorical_near_the_end_of_a_category(device, n, temperature):
    """So near that float32 cannot tell, for half of the rows."""
    check_categorical(temperature * near_ends(n, 300, np.float64), 1, temperature, NoiseField(n))


@pytest.mark.parametrize("temperature", [0.0, 0.3, 64.0])
@pytest.mark.parametrize("n", [5, 140])
def test_given_noise(device, n, temperature):
    """Some of it -inf, which excludes."""
    rng = np.random.default_rng(2)
    x, noise = potentials((3, n)), rng.gumbel(size=(2, 3, n))
    noise[..., :-1][rng.random(noise[..., :-1].shape) < 0.3] = -np.inf
    values = perturbed(x, temperature, noise)
    index, best = ranked(values, 3)
    options = {"noise": on_device(noise), "temperature": temperature, "size": 2}
    got = gumbel_max(on_device(x), return_max=True, **options)
    equal(got[0], index[..., 0])
    equal(got[1], best[..., 0])
    got = gumbel_top_k(on_device(x), 3, invalid="mark", **options)
    few = ~np.isfinite(best)
    equal(got[0], np.where(few, -1, index))
    equal(got[1], best)


def test_category_ids(device):
    ids = np.random.default_rng(1).permutation(5000)[:60].reshape(3, 20)
    ids[:, 5] = -1
    x, field = potentials((3, 20)), NoiseField(3).at(categories=ids)
    noise = gumbel((3, 20), noise=field)
    index, values = ranked(perturbed(x, [0.25, 0, 3], noise), 1)
    got = gumbel_max(on_device(x), noise=field, temperature=[0.25, 0, 3], return_max=True)
    equal(got[0], index[..., 0])
    equal(got[1], values[..., 0])


# Faults are planted: each must be caught by a comparison with the definition.


@pytest.mark.parametrize(
    ("module", "old", "new", "check"),
    [
        ("max_short", "np.float64(x)) * rate", "np.float64(x))", lambda: check_max(potentials((50, 9)), 0.1)),
        (
            "max_short",
            "margin_of(largest / temperature) * _TWO_MORE",
            "np.float32(1)",
            lambda: check_max(near_ties(40, 9, 0.25), 0.25),
        ),
        (
            "max_short",
            " and abs(largest) + _FAR * temperature < LIMIT",
            "",
            lambda: test_what_is_beyond_the_limit_does_not_win(None, 9),
        ),
        (
            "max_long",
            "return times(np.float32(p - largest), rate)",
            "return np.float32(p - largest)",
            lambda: check_max(potentials((20, 300), scale=9.0), 8.0),
        ),
        (
            "max_long",
            "        slack += _COLD",
            "        slack += _ROUNDED",
            lambda: check_max(near_ties(8, 200, 1e-60), 1e-60),
        ),
        (
            "max_long",
            "magnitude / moderated(temperature)",
            "magnitude",
            lambda: check_max(near_ties(8, 200, 2.0**-52) + 1, 2.0**-52),
        ),
        (
            "top_long",
            "fma(temperature, fma(abs(g), _ROUNDING, g), ",
            "fma(np.float64(1), fma(abs(g), _ROUNDING, g), ",
            lambda: check_top(potentials((9, 1000)), 6, 16.0),
        ),
        (
            "top_long",
            "fma(temperature, gumbel_bound(fma(u, fma(u, _HALF, _ONE), minimum)), p)",
            "fma(np.float64(1), gumbel_bound(fma(u, fma(u, _HALF, _ONE), minimum)), p)",
            lambda: check_top(potentials((9, 1000)), 6, 16.0),
        ),
        (
            "categorical",
            "temperature_of(field.temperatures, line) > np.float64(0)",
            "True",
            lambda: test_categorical_at_every_temperature(None, 40, 33, 0.0),
        ),
        (
            "categorical_short",
            "if is_moderate(temperature):",
            "if temperature > np.float64(0):",
            lambda: test_categorical_at_every_temperature(None, 5, 2, 1e-300),
        ),
    ],
    ids=[
        "a race at temperature 1",
        "no margin",
        "a race beyond the limit",
        "bounds at temperature 1",
        "no slack for the coldest",
        "no slack for large potentials",
        "blocks at temperature 1",
        "lanes at temperature 1",
        "any of the largest",
        "float32 decides",
    ],
)
def test_wrong_results_are_caught(device, monkeypatch, module, old, new, check):
    plant_source(monkeypatch, module, old, new)
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize("function", [gumbel_max, lambda x, **options: gumbel_top_k(x, 2, **options)])
def test_noise_that_overflows_with_its_temperature_is_refused(device, function):
    x, noise = np.zeros((3, 40)), np.zeros((2, 3, 40))
    noise[:, 0, 0], noise[1, 2, 3] = -np.inf, -1e20
    for temperature in (1e300, [1.0, 1.0, 1e290]):
        cpu, gpu = messages(function, x, size=2, noise=noise, temperature=temperature)
        assert cpu == gpu
        assert "row (1, 2) has -1e+20 at category 3" in gpu
    same(function, x, size=2, noise=noise, temperature=[1e300, 1e300, 0.0])
