"""``categorical`` equals its definition on every path, and its argument handling; the law is in its own file."""

import re

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField, categorical
from fastgumbel._host import categorical as _categorical
from tests.api import cases
from tests.oracle import inversion

LENGTHS = (1, 2, 3, 10, 63, 64, 65, 256, 257, 3000)
# What makes a call go one way, whatever its shape.
PATHS = {
    "as it comes": {},
    "lanes": {"FEW": 10**9, "SHORT": 10**9, "MANY": 10**9},
    "bisected": {"FEW": 0, "GUIDED": 0, "MANY": 10**9},
    "guided": {"FEW": 0, "GUIDED": 10**9, "MANY": 10**9},
    "shared, bisected": {"MANY": 0, "GUIDED": 0, "_PART": 3},
    "shared, guided": {"MANY": 0, "GUIDED": 10**9, "_PART": 3},
}


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    """Send all calls one way."""
    for name, value in PATHS[request.param].items():
        assert hasattr(_categorical, name)
        monkeypatch.setattr(_categorical, name, value)


def matrix(n, rows=7, scale=2.0, dtype=np.float64):
    rng = np.random.default_rng(n)
    x = scale * rng.normal(size=(rows, n))
    x[rng.random(x.shape) < 0.2] = -np.inf
    x[:, n // 2] = 0
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", LENGTHS)
def test_the_definition_on_every_path(path, n, dtype):
    x = matrix(n, dtype=dtype)
    for first, draws in ((0, 1), (1, 2), (4, 7), (2**32 - 300, 300)):
        field = NoiseField(n).at(draw=first)
        expected = inversion.categorical(x, draws, key=field.key, draw=first)
        np.testing.assert_array_equal(categorical(x, draws, noise=field), expected)


@pytest.mark.parametrize("family", [f for f in cases.FAMILIES if "ties" not in f])
@pytest.mark.parametrize("n", [9, 300])
def test_families_of_log_potentials(path, family, n):
    rng = np.random.default_rng(n)
    for dtype in (np.float64, np.float32):
        x = cases.log_potentials(family, dtype, rng, np.zeros((30, n)))
        key = NoiseField(n).key
        with np.errstate(over="ignore"):
            expected = inversion.categorical(x, 2, key=key)
        np.testing.assert_array_equal(categorical(x, 2, noise=NoiseField.from_key(key)), expected)


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("n", [10, 300])
def test_types(n, dtype):
    x = cases.cast(3 * np.random.default_rng(n).normal(size=(20, n)), dtype)
    expected = inversion.categorical(x, 3, key=NoiseField(1).key)
    np.testing.assert_array_equal(categorical(x, 3, rng=1), expected)


@pytest.mark.parametrize("n", [2, 10, 200])
def test_targets_near_the_end_of_a_category(path, n):
    """Rows made for their own uniform: it ends a category, but for a hair from 10^-1 to 10^-13 of it."""
    rows = 500
    rng = np.random.default_rng(n)
    field = NoiseField(n)
    u = inversion.uniforms(field.key, np.arange(rows), 0) * 2.0**-64
    hair = rng.choice([-1, 1], size=rows) * 10.0 ** rng.uniform(-13, -1, size=rows)
    end = np.clip(u * (1 + hair), 1e-9, 1 - 1e-9)
    c = rng.integers(1, n, size=rows)
    before = np.arange(n) < c[:, None]
    x = np.where(before, np.log(end / c)[:, None], np.log((1 - end) / (n - c))[:, None])
    np.testing.assert_array_equal(categorical(x, noise=field), inversion.categorical(x, 1, key=field.key)[0])
    x = x.astype(np.float32)
    np.testing.assert_array_equal(categorical(x, noise=field), inversion.categorical(x, 1, key=field.key)[0])


def test_long_rows_in_pieces():
    """More categories than a buffer holds, of a type and with a mask that are converted piece by piece."""
    rng = np.random.default_rng(5)
    x = rng.integers(-3, 3, size=(3, 70_000))
    where = rng.random(x.shape) < 0.5
    expected = inversion.categorical(np.where(where, x, -np.inf), 4, key=NoiseField(2).key)
    np.testing.assert_array_equal(categorical(x, 4, where=where, rng=2), expected)


@pytest.mark.parametrize(("shape", "size"), [((40_000, 10), 3), ((300, 2000), 40), ((2, 3000), 10**6), ((5000,), 70)])
def test_threads(threads, shape, size):
    x = np.random.default_rng(1).normal(size=shape)
    results = []
    for count in (1, 2, 5):
        threads(count)
        results.append(categorical(x, size, rng=1))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize("n", [10, 400])
def test_rows_and_draws_apart(n):
    x = np.random.default_rng(n).normal(size=(50, n))
    field = NoiseField(3).at(draw=5)
    whole = categorical(x, (2, 40), noise=field)
    assert whole.shape == (2, 40, 50)
    order = np.random.default_rng(1).permutation(50)
    np.testing.assert_array_equal(categorical(x[order], (2, 40), noise=field.at(rows=order)), whole[..., order])
    for s in (0, 1, 2, 39, 40, 77, 79):
        np.testing.assert_array_equal(categorical(x, noise=field.at(draw=5 + s)), whole.reshape(80, 50)[s])
    np.testing.assert_array_equal(categorical(x[7], 80, noise=field.at(rows=7)), whole.reshape(80, 50)[:, 7])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_axes(axis):
    x = np.random.default_rng(2).normal(size=(4, 5, 6))
    where = np.random.default_rng(3).random((4, 5, 6)) < 0.8
    moved = np.moveaxis(x, axis, -1)
    expected = categorical(np.ascontiguousarray(moved), 3, where=np.moveaxis(where, axis, -1), rng=1)
    np.testing.assert_array_equal(categorical(x, 3, axis=axis, where=where, rng=1), expected)


@pytest.mark.parametrize("n", [10, 300])
def test_what_is_excluded_is_not_looked_at(n):
    x = np.random.default_rng(n).normal(size=(20, n))
    where = np.arange(n) % 3 > 0
    expected = inversion.categorical(np.where(where, x, -np.inf), 5, key=NoiseField(1).key)
    np.testing.assert_array_equal(categorical(np.where(where, x, np.nan), 5, where=where, rng=1), expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [2, 10, 300])
def test_invalid_rows(path, n, dtype):
    x = np.random.default_rng(n).normal(size=(9, n)).astype(dtype)
    good = categorical(x, 3, rng=1)
    for value in (np.nan, np.inf):
        bad = x.copy()
        bad[4, n - 1] = value
        with pytest.raises(ValueError, match="row 4") as error:
            categorical(bad, 3, rng=1)
        assert re.findall(r"\d+", str(error.value)) == ["4", str(n - 1)]
        marked = categorical(bad, 3, rng=1, invalid="mark")
        assert (marked[:, 4] == -1).all()
        np.testing.assert_array_equal(np.delete(marked, 4, 1), np.delete(good, 4, 1))
    bad = x.copy()
    bad[2] = -np.inf
    with pytest.raises(ValueError, match="row 2 has no category left"):
        categorical(bad, 3, rng=1)
    assert (categorical(bad, 3, rng=1, invalid="mark")[:, 2] == -1).all()


def test_no_categories_no_rows_no_draws():
    with pytest.raises(ValueError, match="no category left"):
        categorical(np.zeros((3, 0)), rng=1)
    np.testing.assert_array_equal(categorical(np.zeros((3, 0)), 2, rng=1, invalid="mark"), np.full((2, 3), -1))
    assert categorical(np.zeros((0, 5)), 2, rng=1).shape == (2, 0)
    assert categorical(np.zeros((3, 5)), 0, rng=1).shape == (0, 3)


def test_a_scalar_and_out():
    x = np.random.default_rng(1).normal(size=(6, 5))
    one = categorical(x[0], rng=1)
    assert isinstance(one, np.intp)
    out = np.empty((3, 6), np.intp)
    assert categorical(x, 3, rng=1, out=out) is out
    np.testing.assert_array_equal(out, categorical(x, 3, rng=1))
    strided = np.empty((6, 3), np.intp).T
    assert categorical(x, 3, rng=1, out=strided) is strided
    np.testing.assert_array_equal(strided, out)
    integers = np.random.default_rng(1).integers(5, size=(6, 5))
    expected = categorical(integers, rng=1)
    np.testing.assert_array_equal(categorical(integers, rng=1, out=integers[:, 0]), expected)


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({"rng": 1, "noise": NoiseField(1)}, ValueError, "rng.*noise"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"noise": np.zeros((3, 5))}, TypeError, "noise"),
        ({"noise": NoiseField(1).at(start=1)}, ValueError, "start"),
        ({"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "rows"),
        ({"noise": NoiseField(1).at(draw=2**32 - 1)}, ValueError, "draws"),
        ({"axis": 2}, ValueError, "axis"),
        ({"where": np.ones((3, 5))}, TypeError, "where"),
        ({"invalid": "ignore"}, ValueError, "invalid"),
        ({"out": np.empty((2, 3))}, TypeError, "out"),
        ({"out": np.empty(3, np.intp)}, ValueError, "out"),
    ],
)
def test_bad_options(options, error, name):
    with pytest.raises(error, match=name):
        categorical(np.zeros((3, 5)), 2, **options)


def test_bad_arguments():
    for size, error in ((-1, ValueError), (0.5, TypeError), ("2", TypeError)):
        with pytest.raises(error, match="size"):
            categorical(np.zeros(5), size)
    with pytest.raises(TypeError, match="log_potentials"):
        categorical(np.zeros(5, complex))


def test_conditioned_noise_leaves_its_words_free():
    """Or a draw would tell something of noise that was conditioned."""
    field = NoiseField(0).at(start=2**31 - 5)
    fastgumbel.gumbel_given_choice([0.0], 0, noise=field)
    with pytest.raises(ValueError, match=r"2\*\*31 - 5"):
        fastgumbel.gumbel_given_choice([0.0, 0.0], 0, noise=field)


# Key, row, draw, and its category of 2^20 equal ones and of 1,000 that fall. A change of them is value-breaking.
GOLDEN = (
    (0x0, 0x0, 0x0, 279374, 39),
    (0x1, 0x1, 0x0, 201106, 27),
    (0x123456789ABCDEF, 0xFFFFFFFF, 0x1, 93684, 11),
    (0xFFFFFFFFFFFFFFFF, 0x100000000, 0x1, 448520, 71),
    (0x0, 0xFFFFFFFFFFFFFFFF, 0x80000000, 967169, 326),
    (0x1, 0x0, 0x80000000, 63064, 7),
    (0x123456789ABCDEF, 0x1, 0xFFFFFFFF, 1035547, 557),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 764644, 167),
    (0x0, 0x100000000, 0x0, 711922, 145),
    (0x1, 0xFFFFFFFFFFFFFFFF, 0x0, 703692, 142),
)


@pytest.mark.parametrize(("key", "row", "draw", "equal", "falling"), GOLDEN)
def test_frozen_values(key, row, draw, equal, falling):
    field = NoiseField.from_key(key).at(rows=row, draw=draw)
    assert categorical(np.zeros(2**20), noise=field) == equal
    assert categorical(np.arange(1000) / -128, noise=field) == falling


def test_frozen_values_on_every_path(path):
    for key, row, draw, _, falling in GOLDEN:
        field = NoiseField.from_key(key).at(rows=row, draw=draw)
        assert categorical(np.arange(1000) / -128, noise=field) == falling
