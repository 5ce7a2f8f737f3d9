"""What ``gumbel_softmax`` and its tangent take and give: shapes, ``out``, invalid rows, errors that name arguments."""

import re

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField, gumbel_softmax, gumbel_softmax_jvp

X = np.zeros((3, 5))
BOTH = (TypeError, ValueError)


def jvp(x, tau=1.0, **options):
    """Both results along a fixed direction, so that most of the tables below serve both functions."""
    return gumbel_softmax_jvp((x, tau), (np.ones(np.shape(x)), 1.0), **options)


def read_only(array):
    array.flags.writeable = False
    return array


BAD_OPTIONS = [
    ({"rng": 1, "noise": NoiseField(1)}, BOTH, "rng.*noise|noise.*rng"),
    ({"rng": 1, "noise": X}, BOTH, "rng.*noise|noise.*rng"),
    ({"rng": "seed"}, TypeError, "rng"),
    ({"rng": -1}, ValueError, "rng"),
    ({"size": -1}, ValueError, "size"),
    ({"size": 0.5}, TypeError, "size"),
    ({"axis": 2}, ValueError, "axis"),
    ({"axis": -3}, ValueError, "axis"),
    ({"axis": 0.0}, TypeError, "axis"),
    ({"where": np.ones((3, 5))}, TypeError, "where"),
    ({"where": np.ones((3, 4), bool)}, ValueError, "where"),
    ({"where": np.ones((2, 3, 5), bool)}, ValueError, "where"),
    ({"invalid": "ignore"}, ValueError, "invalid"),
    ({"noise": np.zeros((3, 4))}, ValueError, "noise"),
    ({"noise": np.zeros(5)}, ValueError, "noise"),
    ({"noise": np.zeros((2, 3, 5))}, ValueError, "noise"),
    ({"noise": np.zeros((3, 5)), "size": 2}, ValueError, "noise"),
    ({"noise": np.full((3, 5), np.nan)}, ValueError, "noise"),
    ({"noise": np.full((3, 5), np.inf)}, ValueError, "noise"),
    ({"noise": np.zeros((3, 5), complex)}, TypeError, "noise"),
    ({"noise": "field"}, TypeError, "noise"),
    ({"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "rows"),
    ({"noise": NoiseField(1).at(draw=2**32 - 1), "size": 2}, ValueError, "draw"),
    ({"noise": NoiseField(1).at(start=2**32 - 4)}, ValueError, "start|categories"),
]


@pytest.mark.parametrize(("options", "error", "name"), BAD_OPTIONS)
@pytest.mark.parametrize("function", [gumbel_softmax, jvp])
def test_bad_options(function, options, error, name):
    with pytest.raises(error, match=name):
        function(X, **options)


@pytest.mark.parametrize("function", [gumbel_softmax, jvp])
@pytest.mark.parametrize(
    ("tau", "error"),
    [
        (-1.0, ValueError),
        (-1e-300, ValueError),
        (np.nan, ValueError),
        (np.inf, ValueError),
        (-np.inf, ValueError),
        ([1.0, -1.0, 1.0], ValueError),
        ([1.0, 1.0, np.nan], ValueError),
        ([1.0, 1.0], ValueError),
        (np.ones((1, 3)), ValueError),
        (np.ones((3, 5)), ValueError),
        ("1", TypeError),
        (None, TypeError),
        (1j, TypeError),
        (True, TypeError),
    ],
)
def test_bad_temperatures(function, tau, error):
    with pytest.raises(error, match="tau"):
        function(X, tau, rng=0)


@pytest.mark.parametrize("function", [gumbel_softmax, jvp])
@pytest.mark.parametrize(("axis", "shape"), [(-1, (3, 1)), (0, (1, 3))])
def test_temperatures_may_keep_the_axis_of_the_categories(function, axis, shape):
    x = np.moveaxis(X, -1, axis)
    got = function(x, np.array([0.5, 1.0, 2.0]).reshape(shape), axis=axis, rng=0)
    np.testing.assert_array_equal(got, function(x, [0.5, 1.0, 2.0], axis=axis, rng=0))


def test_the_row_of_a_bad_temperature_is_named():
    tau = np.ones((3, 4))
    tau[2, 1] = -1
    with pytest.raises(ValueError, match=r"tau.*2, 1"):
        gumbel_softmax(np.zeros((3, 4, 5)), tau, rng=0)
    tau[2, 1] = 0
    gumbel_softmax(np.zeros((3, 4, 5)), tau, rng=0)
    with pytest.raises(ValueError, match=r"tau.*2, 1"):
        jvp(np.zeros((3, 4, 5)), tau, rng=0)


@pytest.mark.parametrize("options", [{}, {"hard": True}, {"log": True}, {"rao": 2}])
def test_a_tangent_has_no_hard_limit(options):
    with pytest.raises(ValueError, match="tau"):
        jvp(X, 0.0, rng=0, **options)


@pytest.mark.parametrize(
    "x",
    [np.zeros((3, 5), bool), np.zeros((3, 5), complex), np.zeros((3, 5), object), np.full((3, 5), "0"), None, "text"],
    ids=["bool", "complex", "object", "strings", "None", "text"],
)
@pytest.mark.parametrize("function", [gumbel_softmax, lambda x, **o: gumbel_softmax_jvp((x, 1.0), (None, 1.0), **o)])
def test_log_potentials_of_a_type_that_has_no_place(function, x):
    with pytest.raises(TypeError, match="log_potentials"):
        function(x, rng=0)


@pytest.mark.parametrize("function", [gumbel_softmax, lambda x, **o: gumbel_softmax_jvp((x, 1.0), (None, 1.0), **o)])
def test_log_potentials_without_an_axis(function):
    with pytest.raises(ValueError, match=r"log_potentials|axis"):
        function(1.0, rng=0)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.empty((3, 4)), ValueError),
        (np.empty((1, 3, 5)), ValueError),
        (np.empty((3, 5), np.float32), BOTH),
        (np.empty((3, 5), int), BOTH),
        (read_only(np.empty((3, 5))), ValueError),
        ([[0.0] * 5] * 3, TypeError),
    ],
)
def test_bad_out(out, error):
    with pytest.raises(error, match="out"):
        gumbel_softmax(X, rng=0, out=out)
    for pair in ((out, np.empty((3, 5))), (np.empty((3, 5)), out), (out,), out):
        with pytest.raises(BOTH, match="out"):
            jvp(X, rng=0, out=pair)


def test_out_is_written_and_returned():
    x = np.random.default_rng(1).normal(size=(3, 4, 70))
    for dtype in (np.float64, np.float32):
        for options in ({}, {"size": 2}, {"axis": 0}, {"log": True}, {"hard": True}):
            expected = gumbel_softmax(x.astype(dtype), 0.5, rng=1, **options)
            out = np.full(expected.shape, np.nan, dtype)
            assert gumbel_softmax(x.astype(dtype), 0.5, rng=1, out=out, **options) is out
            np.testing.assert_array_equal(out, expected)
            y, dy = jvp(x.astype(dtype), 0.5, rng=1, **options)
            out = np.full(y.shape, np.nan, dtype), np.full(dy.shape, np.nan, dtype)
            result = jvp(x.astype(dtype), 0.5, rng=1, out=out, **options)
            assert result[0] is out[0]
            assert result[1] is out[1]
            np.testing.assert_array_equal(out[0], y)
            np.testing.assert_array_equal(out[1], dy)


def test_out_with_directions_has_their_axis():
    directions = np.ones((4, 3, 5))
    y, dy = gumbel_softmax_jvp((X, 1.0), (directions, None), rng=0)
    out = np.empty((3, 5)), np.empty((4, 3, 5))
    gumbel_softmax_jvp((X, 1.0), (directions, None), rng=0, out=out)
    np.testing.assert_array_equal(out[0], y)
    np.testing.assert_array_equal(out[1], dy)
    with pytest.raises(ValueError, match="out"):
        gumbel_softmax_jvp((X, 1.0), (directions, None), rng=0, out=(np.empty((3, 5)), np.empty((3, 5))))


def test_out_may_be_strided():
    x = np.random.default_rng(1).normal(size=(4, 70))
    wide = np.full((140, 4), -7.0)
    gumbel_softmax(x, 0.5, rng=3, out=wide[::2].T)
    np.testing.assert_array_equal(wide[::2].T, gumbel_softmax(x, 0.5, rng=3))
    assert (wide[1::2] == -7.0).all()


@pytest.mark.parametrize("n", [7, 70, 1000])
def test_out_may_be_an_input(n):
    """The log-potentials, the noise or a tangent may be overwritten by a result."""
    rng = np.random.default_rng(n)
    x, dx, noise = rng.normal(size=(3, 6, n))
    expected = gumbel_softmax(x, 0.5, noise=noise)
    for i in range(2):
        arguments = [x.copy(), noise.copy()]
        np.testing.assert_array_equal(gumbel_softmax(arguments[0], 0.5, noise=arguments[1], out=arguments[i]), expected)
    y, dy = gumbel_softmax_jvp((x, 0.5), (dx, 1.0), noise=noise)
    for i, j in ((0, 1), (1, 2), (2, 0), (2, 1), (0, 2), (1, 0)):
        arguments = [x.copy(), noise.copy(), dx.copy()]
        gumbel_softmax_jvp(
            (arguments[0], 0.5), (arguments[2], 1.0), noise=arguments[1], out=(arguments[i], arguments[j])
        )
        np.testing.assert_array_equal(arguments[i], y)
        np.testing.assert_array_equal(arguments[j], dy)


@pytest.mark.parametrize(
    ("tangents", "error"),
    [
        ((np.ones((3, 4)), None), ValueError),
        ((np.ones(5), None), ValueError),
        ((1.0, None), ValueError),
        ((np.ones((2, 2, 3, 5)), None), ValueError),
        ((np.ones((3, 5), complex), None), TypeError),
        ((np.ones((3, 5), object), None), TypeError),
        (("text", None), TypeError),
        ((np.full((3, 5), np.nan), None), ValueError),
        ((None, np.ones(4)), ValueError),
        ((None, np.ones((2, 4))), ValueError),
        ((None, np.ones((2, 2, 3))), ValueError),
        ((None, "1"), TypeError),
        ((None, np.inf), ValueError),
        ((np.ones((2, 3, 5)), np.ones((4, 3))), ValueError),
        ((None, None, None), BOTH),
        ((None,), BOTH),
        (None, TypeError),
        (1.0, TypeError),
    ],
)
def test_bad_tangents(tangents, error):
    with pytest.raises(error, match="tangents"):
        gumbel_softmax_jvp((X, 1.0), tangents, rng=0)


@pytest.mark.parametrize("primals", [X, (X,), (X, 1.0, 1.0), None, 1.0])
def test_bad_primals(primals):
    with pytest.raises(BOTH, match="primals"):
        gumbel_softmax_jvp(primals, (None, None), rng=0)


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({"rao": 0}, ValueError, "rao"),
        ({"rao": -1}, ValueError, "rao"),
        ({"rao": 1.0}, TypeError, "rao"),
        ({"rao": True}, TypeError, "rao"),
        ({"rao": "2"}, TypeError, "rao"),
        ({"rao": 2, "noise": X}, BOTH, "rao|noise"),
        ({"rao": 2, "noise": NoiseField(0).at(draw=2**31)}, ValueError, "draw"),
        ({"rao": 2**20, "size": 2**12 + 1}, ValueError, "draw"),
    ],
)
def test_bad_rao(options, error, name):
    with pytest.raises(error, match=name):
        jvp(X, **{"rng": None if "noise" in options else 0, **options})


def test_options_are_keywords():
    with pytest.raises(TypeError):
        gumbel_softmax(X, 1.0, -1)
    with pytest.raises(TypeError):
        gumbel_softmax_jvp((X, 1.0), (None, None), -1)


def everything(x, **options):
    """All functions and their options on the same rows: arrays whose trailing shape is that of the rows."""
    yield gumbel_softmax(x, 0.5, rng=1, **options)
    yield gumbel_softmax(x, 0.5, rng=1, log=True, **options)
    yield gumbel_softmax(x, 0.5, rng=1, hard=True, **options)
    yield gumbel_softmax(x, 0, rng=1, **options)
    for more in ({}, {"log": True}, {"hard": True}, {"rao": 2}):
        yield from jvp(x, 0.5, rng=1, **more, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 5), (0, 3, 70), (0, 0)])
def test_no_rows(shape, dtype):
    for result in everything(np.zeros(shape, dtype)):
        assert result.shape == shape
    for result in everything(np.zeros(shape, dtype), size=(2, 3)):
        assert result.shape == (2, 3, *shape)


@pytest.mark.parametrize("size", [0, (0,), (2, 0), (0, 3)])
def test_no_draws(size):
    for result in everything(np.zeros((3, 70)), size=size):
        assert result.shape == (*np.atleast_1d(size), 3, 70)


@pytest.mark.parametrize("size", [None, (), 1, 3, np.int64(3), (2, 3), [2, 3]])
@pytest.mark.parametrize("batch", [(), (4,), (2, 3), (2, 1, 3)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "uint64", ">f4"])
def test_shapes_and_types(dtype, batch, size):
    lead = () if size is None else (size,) if np.ndim(size) == 0 else tuple(size)
    for result in everything(np.ones((*batch, 5), dtype), size=size):
        assert isinstance(result, np.ndarray)
        assert result.shape == (*lead, *batch, 5)
        assert result.dtype == (np.float32 if dtype in ("float32", "float16", ">f4") else np.float64)
        assert result.dtype.isnative


def test_lists_are_arrays():
    y = gumbel_softmax(np.array([[1, 2], [3, 4]]), np.array([1, 2]), rng=1)
    np.testing.assert_array_equal(gumbel_softmax([[1, 2], [3, 4]], [1, 2], rng=1), y)


def test_the_input_is_left_alone():
    x = read_only(np.random.default_rng(1).normal(size=(4, 70)))
    before = x.copy()
    list(everything(x))
    np.testing.assert_array_equal(x, before)


def bad_rows(n, dtype):
    """Return good rows, the same with three bad ones among them, and which these are."""
    good = np.random.default_rng(n).normal(size=(9, n)).astype(dtype)
    x = good.copy()
    x[2, n // 2] = np.nan
    x[5, n - 1] = np.inf
    x[8] = -np.inf
    return good, x, np.isin(np.arange(9), (2, 5, 8))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("n", [1, 2, 10, 65, 1000])
def test_invalid_rows_are_marked_and_no_other_notices(n, dtype):
    good, x, bad = bad_rows(n, dtype)
    for options in ({}, {"size": 2}):
        for marked, expected in zip(everything(x, invalid="mark", **options), everything(good, **options), strict=True):
            assert np.isnan(marked[..., bad, :]).all()
            np.testing.assert_array_equal(marked[..., ~bad, :], expected[..., ~bad, :])


@pytest.mark.parametrize("options", [{}, {"log": True}, {"hard": True}, {"size": 2}])
@pytest.mark.parametrize("function", [gumbel_softmax, jvp])
@pytest.mark.parametrize("n", [2, 10, 65, 1000])
def test_the_first_invalid_row_and_category_are_named(n, function, options):
    _, x, _ = bad_rows(n, "float64")
    for first, category in ((2, n // 2), (5, n - 1), (8, None)):
        with pytest.raises(ValueError, match="row") as error:
            function(x, rng=1, **options)
        assert "log_potentials" in str(error.value)
        numbers = [int(i) for i in re.findall(r"\d+", str(error.value).replace("2**46", ""))]
        assert numbers[:2] == ([first] if category is None else [first, category])
        x[first] = 0


@pytest.mark.parametrize("n", [10, 1000])
def test_the_first_invalid_row_of_rao_is_named(n):
    _, x, _ = bad_rows(n, "float64")
    with pytest.raises(ValueError, match="row 2"):
        jvp(x, rng=1, rao=2)


@pytest.mark.parametrize("batch", [(), (3,), (2, 2)])
def test_no_categories_at_all(batch):
    x = np.zeros((*batch, 0))
    for function in (gumbel_softmax, jvp):
        with pytest.raises(ValueError, match="log_potentials"):
            function(x, rng=0)
    for result in everything(x, invalid="mark"):
        assert result.shape == x.shape


def test_fresh_noise_and_generators():
    x = np.zeros((2, 70))
    assert (gumbel_softmax(x) != gumbel_softmax(x)).any()
    y = gumbel_softmax(x, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(y, gumbel_softmax(x, noise=fastgumbel.gumbel(x.shape, rng=np.random.default_rng(1))))


def test_shards_of_a_row_read_their_own_noise():
    """``start`` counts categories: with the rest excluded, a shard is the renormalised part of the whole."""
    x = np.random.default_rng(1).normal(size=200)
    field = NoiseField(1)
    where = np.arange(200) >= 77
    whole = gumbel_softmax(x, 0.5, where=where, noise=field)
    np.testing.assert_allclose(gumbel_softmax(x[77:], 0.5, noise=field.at(start=77)), whole[77:], rtol=1e-12)


def test_noise_beyond_float32():
    noise, x = np.array([[0.0, -1e300, 0.0]]), np.zeros((1, 3), np.float32)
    message = r"noise must be finite in float32, .* but row 0 has -1e\+300 at category 1"
    with pytest.raises(ValueError, match=message):
        gumbel_softmax(x, noise=noise)
    with pytest.raises(ValueError, match=message):
        gumbel_softmax_jvp((x, 1.0), (None, 1.0), noise=noise)
