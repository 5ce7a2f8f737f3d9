"""Dask arrays give the bits of the array functions on the whole, whatever the chunks."""

import itertools
import re

import dask
import dask.array as da
import numpy as np
import pytest

import fastgumbel as fg
import fastgumbel.dask as fgd
from tests.subprocesses import python

FIELD = fg.NoiseField(5)
# Rows by categories: irregular, empty and single chunks; none, some and all boundaries on blocks and groups of 64.
SHAPE = (5, 331)
CHUNKS = [
    ((5,), (331,)),
    ((2, 3), (331,)),
    ((5,), (64, 128, 139)),
    ((1, 0, 4), (1, 62, 0, 2, 3, 200, 63)),
    ((3, 2), (100, 231)),
]


@pytest.fixture(autouse=True)
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


def normal(shape, dtype=float, seed=0):
    """Log-potentials, a tenth of them -inf."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return np.where(rng.random(shape) < 0.1, -np.inf, x).astype(dtype)


def lazy(x, chunks):
    return da.from_array(x, chunks=chunks)


def computed(result):
    """Compute one or several arrays, which must have the shapes and types that they promise."""
    lazies = result if isinstance(result, tuple) else (result,)
    arrays = dask.compute(*lazies)
    for array, promise in zip(arrays, lazies, strict=True):
        assert array.shape == promise.shape
        assert array.dtype == promise.dtype
    return arrays


def assert_equal(result, expected):
    expected = expected if isinstance(expected, tuple) else (expected,)
    for array, other in zip(computed(result), expected, strict=True):
        np.testing.assert_array_equal(array, other)
        assert array.dtype == np.asarray(other).dtype


# Every function with everything it can return: name, arguments, options.
CALLS = {
    "max": ("gumbel_max", (), {"return_max": True}),
    "top 1": ("gumbel_top_k", (1,), {"return_threshold": True}),
    "top 70": ("gumbel_top_k", (70,), {"return_threshold": True}),
    "softmax": ("gumbel_softmax", (0.7,), {}),
    "log softmax": ("gumbel_softmax", (0.7,), {"log": True}),
    "hard softmax": ("gumbel_softmax", (0.7,), {"hard": True}),
    "hard log softmax": ("gumbel_softmax", (0.7,), {"hard": True, "log": True}),
    "categorical": ("categorical", (), {}),
}


def both(call, x, chunks, lazy_options=(), size=None, **options):
    """Call the function on the chunked array and on the whole."""
    name, arguments, own = CALLS[call]
    draws = {"size": size}
    if name == "categorical":
        arguments, draws = (size,), {}
    options = {"noise": FIELD} | own | draws | options
    result = getattr(fgd, name)(lazy(x, chunks), *arguments, **(options | dict(lazy_options)))
    return result, getattr(fg, name)(x, *arguments, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("call", CALLS)
def test_any_chunks(call, dtype):
    x = normal(SHAPE, dtype)
    for chunks in CHUNKS:
        assert_equal(*both(call, x, chunks))


@pytest.mark.parametrize("call", CALLS)
def test_few_categories(call):
    """Rows whose sums are defined otherwise than those of long ones."""
    x = normal((3, 96), np.float32)
    for chunks in [((2, 1), (96,)), ((3,), (1, 0, 63, 32))]:
        assert_equal(*both(call, x, chunks))


@pytest.mark.parametrize("call", CALLS)
def test_axes_draws_masks_coordinates(call):
    """Everything at once: three axes, draws in chunks along two axes, a mask that broadcasts, row ids, offsets."""
    x = normal((2, 150, 3), np.float32)
    where = np.random.default_rng(1).random((150, 1)) < 0.8
    rows = np.array([[7, 5, 0], [2**63, 2**40, 7]], np.uint64)
    for start in (0, 1_000):
        noise = FIELD.at(rows=rows, draw=3, start=0 if call == "categorical" else start)
        lazy_options = {"draw_chunks": ((1, 2), (2, 3)), "where": da.from_array(where, chunks=(40, 1))}
        chunks = ((1, 1), (90, 60), (2, 1))
        assert_equal(*both(call, x, chunks, lazy_options, size=(3, 5), axis=1, where=where, noise=noise))


@pytest.mark.parametrize("chunks", [((2, 3), (7, 140, 53)), ((5,), (200,))])
@pytest.mark.parametrize("call", CALLS)
def test_category_ids(call, chunks):
    ids = np.random.default_rng(3).permuted(np.arange(-50, 1000) * np.ones((5, 1), int), axis=1)[:, :200]
    noise = FIELD.at(rows=np.arange(7, 12), categories=ids)
    if call == "categorical":
        with pytest.raises(ValueError, match="read no category ids"):
            both(call, normal(ids.shape), chunks, size=(2,), noise=noise)
    else:
        assert_equal(*both(call, normal(ids.shape), chunks, size=(2,), noise=noise))


@pytest.mark.parametrize("call", [call for call in CALLS if call != "categorical"])
def test_ids_that_stand_twice(call):
    ids = np.random.default_rng(3).integers(-50, 100, (5, 200))
    noise = FIELD.at(categories=ids)
    assert_equal(*both(call, normal(ids.shape), ((2, 3), (200,)), size=(2,), noise=noise, invalid="mark"))
    with pytest.raises(ValueError, match=r"row 0 has the category id \d+ twice.*rechunk"):
        both(call, normal(ids.shape), ((5,), (100, 100)), noise=noise)


def test_noise_at_category_ids():
    ids = np.random.default_rng(3).integers(-50, 1000, 59)
    field = FIELD.at(categories=ids)
    assert_equal(fgd.gumbel((5, 59), chunks=((2, 3), (7, 40, 12)), noise=field), fg.gumbel((5, 59), noise=field))


@pytest.mark.parametrize("call", CALLS)
def test_one_row(call):
    x = normal(300)
    assert_equal(*both(call, x, ((100, 200),), size=3))
    assert_equal(*both(call, x, ((100, 200),), noise=FIELD.at(rows=17)))


@pytest.mark.parametrize("call", ["max", "softmax"])
def test_other_types(call):
    for dtype in (np.float16, np.int32):
        assert_equal(*both(call, normal((2, 100)).clip(-9).astype(dtype), ((1, 1), (30, 70))))


def test_temperatures_by_row():
    x = normal((4, 300))
    for tau in ([0.1, 0, 3, 1e-300], [[0.5]], 0, [0, 0, 0, 0]):
        for log in (False, True):
            tau_of_row = np.reshape(tau, -1) if np.ndim(tau) else tau
            expected = fg.gumbel_softmax(x, tau_of_row, size=2, log=log, noise=FIELD)
            for chunks in [((1, 3), (130, 170)), ((1, 3), (300,))]:
                result = fgd.gumbel_softmax(lazy(x, chunks), tau_of_row, size=2, log=log, noise=FIELD)
                assert_equal(result, expected)


TEMPERATURES = np.array([0.0, 0.3, 1.0, 0.0, 1e-300])


@pytest.mark.parametrize("call", ["max", "top 1", "top 70", "categorical"])
@pytest.mark.parametrize("temperature", [0, 0.3, TEMPERATURES, TEMPERATURES[:, np.newaxis]])
def test_temperatures_of_the_noise(call, temperature):
    x = normal(SHAPE).round(1)
    for chunks in CHUNKS:
        assert_equal(*both(call, x, chunks, size=3, temperature=temperature))
        assert_equal(*both(call, np.zeros(SHAPE), chunks, size=3, temperature=temperature))


@pytest.mark.parametrize("call", CALLS)
def test_a_draw_and_a_start_for_each_row(call):
    x, draw, start = normal(SHAPE), np.array([3, 0, 3, 2**31, 8]), np.array([0, 0, 64, 5, 10**6])
    for chunks in CHUNKS:
        assert_equal(*both(call, x, chunks, size=3, noise=FIELD.at(draw=draw)))
        if call != "categorical":
            assert_equal(*both(call, x, chunks, size=3, noise=FIELD.at(draw=draw, start=start)))


def test_noise_with_a_draw_and_a_start_for_each_row():
    for field in (FIELD.at(draw=[1, 0, 7]), FIELD.at(start=[1, 0, 70]), FIELD.at(draw=[1, 0, 7], start=[1, 0, 70])):
        assert_equal(fgd.gumbel((3, 100), chunks=((1, 2), (30, 70)), noise=field), fg.gumbel((3, 100), noise=field))


def test_ties_go_to_the_first_index():
    """Log-potentials so large that noise is rounded to multiples of 2**-7."""
    x = np.full((2, 400), 7e13)
    for chunks in [((2,), (150, 250)), ((1, 1), (100,) * 4)]:
        assert_equal(*both("max", x, chunks))
        assert_equal(*both("top 70", x, chunks))


def test_many_categorical_draws():
    x = normal((2, 500))
    result, expected = both("categorical", x, ((2,), (200, 300)), size=1001, noise=FIELD.at(draw=3))
    assert_equal(result, expected)


def test_gumbel():
    rows = np.arange(12).reshape(3, 4) ** 9
    for noise in (FIELD, FIELD.at(rows=rows, draw=2, start=2**32 - 200), FIELD.at(rows=3)):
        for dtype in (np.float64, np.float32):
            expected = fg.gumbel((3, 4, 200), noise=noise, dtype=dtype)
            for chunks in ("auto", (2, 3, 70), ((1, 2), (4,), (0, 1, 199))):
                assert_equal(fgd.gumbel((3, 4, 200), chunks=chunks, noise=noise, dtype=dtype), expected)
    assert_equal(fgd.gumbel(100, chunks=30, rng=1), fg.gumbel(100, rng=1))
    assert_equal(fgd.gumbel((), rng=1), fg.gumbel((), rng=1))


@pytest.mark.parametrize("call", CALLS)
def test_nothing(call):
    """No rows, no draws."""
    assert_equal(*both(call, normal((0, 100)), ((0,), (60, 40))))
    assert_equal(*both(call, normal((2, 100)), ((2,), (60, 40)), size=0))
    assert_equal(*both(call, normal((2, 100)), ((2,), (60, 40)), size=(2, 0)))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("chunks", [((1, 2), (60, 140)), ((3,), (200,))])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e20])
def test_no_draws_of_invalid_rows_are_no_error(call, chunks, bad):
    x = normal((3, 200))
    x[1, 70] = bad
    for size in (0, (2, 0)):
        assert_equal(*both(call, x, chunks, size=size))


def faulty(k):
    """Rows of 200: two whose first shard has nothing left, one without anything, and bad values in two."""
    x = normal((6, 200))
    x[1, :150] = -np.inf
    x[2] = -np.inf
    x[3, 170] = np.nan
    x[4, [130, 140]] = np.inf, np.nan
    x[5, : 201 - k] = -np.inf
    return x


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("chunks", [((2, 4), (50, 100, 50)), ((6,), (200,))])
def test_invalid_rows_are_marked(call, chunks):
    for x in (faulty(1), faulty(70)):
        assert_equal(*both(call, x, chunks, size=2, invalid="mark"))


def complaint(work):
    """Return what the error says, or None where there is none."""
    try:
        work()
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("chunks", [((1,) * 6, (50, 100, 50)), ((1,) * 6, (200,))])
def test_invalid_rows_are_refused(call, chunks):
    """The message names row and category in the whole, in the words of the array functions."""
    name, arguments, own = CALLS[call]
    complaints = []
    for row in range(6):
        x = normal((6, 200))
        x[row] = faulty(70)[row]
        expected = complaint(lambda x=x: getattr(fg, name)(x, *arguments, noise=FIELD, **own))
        results = getattr(fgd, name)(lazy(x, chunks), *arguments, noise=FIELD, **own)
        for result in results if isinstance(results, tuple) else (results,):
            assert complaint(result.compute) == expected
        complaints.append(expected)
    assert complaints[0] is None
    assert all(f"row {row} " in complaints[row] for row in (2, 3, 4))
    assert ("row 5 has" in str(complaints[5])) is (call == "top 70")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("chunks", [((2, 5), (50, 100, 50)), ((7,), (200,)), ((7,), (60, 0, 140))])
def test_limits(call, chunks):
    """Numbers that are too large or too low, in one shard or in all."""
    last = 2.0**46 - 1
    x = normal((7, 200))
    x[1, 170], x[2], x[3] = 2.0**46, -(2.0**46), -1e30
    x[4], x[4, 160:] = -1e30, -last
    x[5], x[6] = last, -last
    assert_equal(*both(call, x, chunks, size=2, invalid="mark"))
    name, arguments, own = CALLS[call]
    for row in (1, 2, 3):
        part = x[[0, row]]
        expected = complaint(lambda part=part: getattr(fg, name)(part, *arguments, noise=FIELD, **own))
        results = getattr(fgd, name)(lazy(part, ((1, 1), chunks[1])), *arguments, noise=FIELD, **own)
        for result in results if isinstance(results, tuple) else (results,):
            assert complaint(result.compute) == expected
        assert "subtract the row's maximum" in expected


@pytest.mark.parametrize("call", ["softmax", "log softmax"])
@pytest.mark.parametrize("n", [90, 200])
def test_offsets(call, n):
    x = normal((3, n), np.float32) + np.float32(1e6)
    for chunks in (((3,), (n,)), ((1, 2), (50, 0, 10, n - 60))):
        assert_equal(*both(call, x, chunks, size=2))


def test_rows_of_two_axes_are_named():
    x = normal((2, 3, 100))
    x[1, 2, 60] = np.nan
    with pytest.raises(ValueError, match=r"row \(1, 2\) has nan at category 60;"):
        fgd.gumbel_max(lazy(x, ((1, 1), (2, 1), (50, 50))), noise=FIELD).compute()


def test_no_categories():
    x = lazy(np.empty((2, 0)), ((2,), (0,)))
    for function in (fgd.gumbel_max, fgd.gumbel_softmax, fgd.categorical):
        with pytest.raises(ValueError, match="row 0 has no category left"):
            function(x, rng=1).compute()
    np.testing.assert_array_equal(fgd.gumbel_max(x, rng=1, invalid="mark"), [-1, -1])
    assert fgd.gumbel_softmax(x, rng=1, invalid="mark").compute().shape == (2, 0)


def test_reservoir():
    x = normal(5_000)
    where = np.random.default_rng(2).random(5_000) < 0.5
    indices, values, threshold = fg.gumbel_top_k(x, 20, noise=FIELD, where=where, return_threshold=True)
    for chunks in ((5_000,), (1, 0, 1_999, 3_000), (700,) * 7 + (100,)):
        sample = fgd.reservoir(lazy(x, (chunks,)), 20, noise=FIELD, where=where).compute()
        np.testing.assert_array_equal(sample.indices, indices)
        np.testing.assert_array_equal(sample.values, values)
        assert sample.threshold == threshold
        assert sample.count == 5_000


def test_a_reservoir_goes_on():
    x = normal(1_000)
    sample = fgd.reservoir(lazy(x[300:], ((400, 300),)), 5, noise=FIELD, first=300).compute()
    before = fg.Reservoir(5, noise=FIELD)
    before.update(x[:300])
    before.merge(sample)
    np.testing.assert_array_equal(before.indices, fg.gumbel_top_k(x, 5, noise=FIELD)[0])


def test_a_reservoir_names_the_item():
    x = np.zeros(100)
    x[70] = np.nan
    with pytest.raises(ValueError, match="item 1070 of the stream"):
        fgd.reservoir(lazy(x, ((50, 50),)), 5, rng=0, first=1_000).compute()


def test_threads_give_the_same():
    x = normal((20, 3_000), np.float32)
    chunks = ((7, 13), (500,) * 6)
    with dask.config.set(scheduler="threads", num_workers=4):
        for call in CALLS:
            assert_equal(*both(call, x, chunks, size=3, lazy_options={"draw_chunks": 2}))


def test_nothing_is_computed_before_it_is_asked_for():
    def refuse(block):
        raise AssertionError

    x = da.zeros((4, 300), chunks=(2, 100)).map_blocks(refuse, meta=np.empty((0, 0)))
    fgd.gumbel_max(x, size=2, rng=1, where=x > 0)
    fgd.gumbel_top_k(x, 3, rng=1)
    fgd.gumbel_softmax(x, rng=1)
    fgd.categorical(x, rng=1)
    fgd.reservoir(x[0], 3, rng=1)


def test_a_generator_gives_up_bits_once():
    x = lazy(normal((50, 300)), ((20, 30), (100, 200)))
    rng, same = np.random.default_rng(0), np.random.default_rng(0)
    sample = fgd.gumbel_max(x, rng=rng)
    np.testing.assert_array_equal(sample, fg.gumbel_max(x.compute(), rng=same))
    np.testing.assert_array_equal(sample, sample.compute())
    assert (fgd.gumbel_max(x, rng=rng).compute() != sample.compute()).any()
    assert fgd.gumbel_max(x, rng=1).name == fgd.gumbel_max(x, rng=1).name


def test_no_task_depends_on_all_shards():
    """No worker ever needs more than a few chunks: a task has few inputs, however many shards there are."""
    x = da.zeros((2, 64_000), chunks=(1, 1_000))
    lazies = [fgd.gumbel_max(x, rng=1), fgd.gumbel_softmax(x, rng=1), fgd.categorical(x, rng=1)]
    for result in [*lazies, *fgd.gumbel_top_k(x, 3, rng=1), fgd.reservoir(x[0], 3, rng=1)]:
        dependencies = dask.core.get_deps(dict(dask.optimize(result)[0].__dask_graph__()))[0]
        assert max(map(len, dependencies.values())) <= 9


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"where": np.ones(3, bool)}, ValueError, r"where of shape \(3,\) does not broadcast"),
        ({"where": np.ones((1, 4, 300), bool)}, ValueError, r"where of shape \(1, 4, 300\) does not broadcast"),
        ({"where": np.ones(300)}, TypeError, "where must be boolean.*, not float64"),
        ({"noise": np.zeros((4, 299))}, ValueError, r"noise must have shape \(4, 300\), not \(4, 299\)"),
        ({"noise": 3}, TypeError, "noise must be a NoiseField or an array, not int: pass rng="),
        ({"noise": FIELD, "rng": 1}, ValueError, "give rng or noise, not both"),
        ({"noise": FIELD.at(rows=[1, 2])}, ValueError, r"noise: rows of shape \(2,\) do not broadcast"),
        ({"noise": FIELD.at(start=2**32 - 200)}, ValueError, "go beyond the last"),
        ({"axis": 2}, ValueError, "axis must be from -2 to 1"),
        ({"size": -1}, ValueError, "size must not be negative"),
        ({"invalid": "no"}, ValueError, "invalid must be 'raise' or 'mark'"),
        ({"draw_chunks": 3}, ValueError, "draw_chunks needs size"),
    ],
)
def test_bad_arguments_are_refused_at_once(options, error, message):
    x = da.zeros((4, 300), chunks=(2, 100))
    for function in (fgd.gumbel_max, fgd.gumbel_softmax):
        with pytest.raises(error, match=message):
            function(x, **options)


def test_other_bad_arguments():
    x = da.zeros((4, 300), chunks=(2, 100))
    with pytest.raises(TypeError, match="log_potentials must be a dask array, not ndarray"):
        fgd.gumbel_max(np.zeros(3))
    with pytest.raises(TypeError, match="not complex128"):
        fgd.gumbel_max(x + 1j)
    with pytest.raises(ValueError, match="log_potentials has chunks of unknown sizes"):
        fgd.gumbel_max(x[x[:, 0] > 0])
    with pytest.raises(ValueError, match="log_potentials has chunks of unknown sizes"):
        fgd.reservoir(x[0][x[0] > 0], 3)
    with pytest.raises(ValueError, match="where has chunks of unknown sizes"):
        fgd.gumbel_max(x, where=(x > 0)[x[:, 0] > 0])
    with pytest.raises(ValueError, match="k must be at most the number of categories, 300"):
        fgd.gumbel_top_k(x, 301)
    with pytest.raises(TypeError, match="not a dask array"):
        fgd.gumbel_softmax(x, da.ones(4))
    with pytest.raises(ValueError, match="tau must be finite and at least 0, but row 2 has -1"):
        fgd.gumbel_softmax(x, [1, 1, -1, 1])
    with pytest.raises(ValueError, match="start must be 0, not 7"):
        fgd.categorical(x, noise=FIELD.at(start=7))
    with pytest.raises(ValueError, match="must have one axis, not 2"):
        fgd.reservoir(x, 3)
    with pytest.raises(ValueError, match="k must be at least 1"):
        fgd.reservoir(x[0], 0)
    with pytest.raises(TypeError, match="size must be an int or a tuple of ints, not None"):
        fgd.gumbel(None)
    with pytest.raises(TypeError, match="dtype must be float64 or float32"):
        fgd.gumbel(3, dtype=int)


def test_without_dask():
    code = """
import sys
sys.modules["dask"] = None
import fastgumbel
try:
    import fastgumbel.dask
except ImportError as error:
    print(error)
"""
    assert python(code) == "fastgumbel.dask needs dask: pip install 'fastgumbel[dask]'"


def test_chunks_of_draws():
    x = da.zeros((2, 300), chunks=(1, 100))
    assert fgd.gumbel_max(x, size=7, draw_chunks=3, rng=1).chunks == ((3, 3, 1), (1, 1))
    assert fgd.gumbel_softmax(x, size=(7, 2), draw_chunks=(3, 1), rng=1).chunks[:2] == ((3, 3, 1), (1, 1))
    with dask.config.set({"array.chunk-size": "64 KiB"}):
        assert all(map(len, fgd.gumbel_softmax(x, size=1_000, rng=1).chunks))
        assert max(fgd.gumbel_softmax(x, size=1_000, rng=1).chunks[0]) * 100 * 8 <= 2**16


CHUNKED = [
    fgd.gumbel_max,
    lambda x, **options: fgd.gumbel_top_k(x, 2, **options),
    fgd.gumbel_above,
    fgd.gumbel_softmax,
    fgd.categorical,
]


@pytest.mark.parametrize("function", CHUNKED)
@pytest.mark.parametrize(
    ("size", "chunks"),
    [
        (4, (3, 3)),
        (4, "x"),
        (4, 2.5),
        (4, 0),
        (4, -3),
        (4, ((1, 2),)),
        ((4, 3), (2,)),
        ((4, 3), (2, 3, 1)),
        (4, {0: 2}),
    ],
)
def test_chunks_that_do_not_cut_the_draws(function, size, chunks):
    shape = size if isinstance(size, tuple) else (size,)
    expected = re.escape(f"draw_chunks must cut the axes of size, {shape}: "), re.escape(f", not {chunks!r}")
    with pytest.raises(ValueError, match="^{}.*{}$".format(*expected)):
        function(da.zeros((4, 6), chunks=(2, 3)), size=size, draw_chunks=chunks, rng=1)


def test_lengths_of_the_chunks_of_one_axis():
    x = da.zeros((4, 6), chunks=(2, 3))
    for chunks in ((1, 3), ((1, 3),), [1, 3]):
        assert fgd.gumbel_max(x, size=4, draw_chunks=chunks, rng=1).chunks[0] == (1, 3)
    assert fgd.gumbel(4, chunks=(1, 3), rng=1).chunks == ((1, 3),)
    for chunks in ((3, 3, 2), 0):
        with pytest.raises(ValueError, match=r"^chunks must cut the axes of size, \(4, 6\)"):
            fgd.gumbel((4, 6), chunks=chunks, rng=1)


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_availability_as_integers(kind):
    rng = np.random.default_rng(3)
    x, where = rng.normal(size=(4, 30)), (rng.random((4, 30)) < 0.5).astype(kind)
    where[:, 0] = 1
    lazy = da.from_array(x, chunks=(2, 10))
    for function, plain in ((fgd.gumbel_max, fg.gumbel_max), (fgd.gumbel_softmax, fg.gumbel_softmax)):
        sample = function(lazy, where=da.from_array(where, chunks=(3, 7)), rng=1)
        np.testing.assert_array_equal(sample.compute(), plain(x, where=where, rng=1))
    where[3, 25] = 2
    for mask, name in ((where, r"where\[3, 25\]"), (where[3], r"where\[25\]"), (where[3, 25], "where")):
        sample = fgd.gumbel_max(lazy, where=da.asarray(mask, chunks=7), rng=1)
        with pytest.raises(ValueError, match=f"where must be boolean, or 0 and 1, but {name} is 2: pass where != 0"):
            sample.compute()


def test_every_combination_of_cuts_of_a_row():
    """The carried sums of 64, against every way to cut 200 categories at three of seven places."""
    x = normal(200)
    expected = fg.gumbel_softmax(x, 0.9, noise=FIELD)
    for cuts in itertools.combinations((1, 63, 64, 65, 127, 128, 199), 3):
        lengths = tuple(np.diff((0, *cuts, 200)).tolist())
        assert_equal(fgd.gumbel_softmax(lazy(x, (lengths,)), 0.9, noise=FIELD), expected)


def test_places_of_ids_are_named_in_the_whole_row():
    x = np.zeros((2, 6))
    x[1, 4] = np.nan
    field = FIELD.at(categories=[9, 8, 7, 6, 5, 4])
    for call in (lambda lazy: fgd.gumbel_max(lazy, noise=field), lambda lazy: fgd.gumbel_above(lazy, noise=field)[1]):
        with pytest.raises(ValueError, match=r"row 1 has nan at place 4 \(category id 5\)"):
            call(lazy(x, (1, 3))).compute()


@pytest.mark.parametrize(("rows", "size", "threshold"), [(2, 0, (0, 2)), (0, 4, (0,))])
def test_thresholds_of_nothing(rows, size, threshold):
    x = np.zeros((rows, 3))
    (coordinates, values) = fgd.gumbel_above(lazy(x, (1, 3)), np.zeros(threshold), size=size, noise=FIELD)
    expected, _ = fg.gumbel_above(x, np.zeros(threshold), size=size, noise=FIELD)
    assert [len(axis) for axis in dask.compute(*coordinates)] == [len(axis) for axis in expected]
    assert values.compute().size == 0


def test_masked_arrays_are_refused():
    """Their masks would be lost: before the graph is made, or in a task where only the blocks are masked."""
    masked = np.ma.masked_array(np.zeros((4, 6)), np.tile(np.arange(6) < 4, (4, 1)))
    x, delayed = lazy(masked, (2, 3)), da.from_delayed(dask.delayed(masked), masked.shape, float)
    message = "log_potentials must not be a masked array; pass where=~mask with its data"
    functions = (fgd.gumbel_max, fgd.gumbel_softmax, fgd.gumbel_above, fgd.categorical, fg.gumbel_max, fg.perturb)
    for function in (*functions, lambda x, rng: fgd.gumbel_top_k(x, 2, rng=rng)):
        with pytest.raises(TypeError, match=message):
            function(x, rng=1)
        with pytest.raises(TypeError, match=message):
            dask.compute(function(delayed, rng=1))
    with pytest.raises(TypeError, match="where must not be a masked array; see its filled"):
        fgd.gumbel_max(da.zeros((4, 6)), where=x > 0, rng=1)


def test_noise_of_more_than_two_to_the_32():
    assert fgd.gumbel((2**20, 2**13), rng=1).shape == (2**20, 2**13)
