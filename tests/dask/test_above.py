"""``fastgumbel.dask.gumbel_above`` gives what the array function gives of the whole, whatever the chunks."""

import dask
import dask.array as da
import numpy as np
import pytest

import fastgumbel as fg
import fastgumbel.dask as fgd
from tests.dask.test_dask import CHUNKS, FIELD, SHAPE, complaint, faulty, lazy, normal


@pytest.fixture(autouse=True)
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


def assert_equal(lazies, expected):
    coordinates, values = dask.compute(*lazies)
    assert len(coordinates) == len(expected[0])
    for array, promise, other in zip(
        (*coordinates, values), (*lazies[0], lazies[1]), (*expected[0], expected[1]), strict=True
    ):
        assert array.dtype == promise.dtype == other.dtype
        np.testing.assert_array_equal(array, other)


def both(x, chunks, threshold, lazy_options=(), **options):
    """Call the function on the chunked array and on the whole."""
    options = {"noise": FIELD} | options
    lazies = fgd.gumbel_above(lazy(x, chunks), threshold, **(options | dict(lazy_options)))
    return lazies, fg.gumbel_above(x, threshold, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("chunks", CHUNKS)
def test_any_chunks(chunks, dtype):
    x = normal(SHAPE, dtype)
    for threshold in (-np.inf, 2.0, np.arange(5.0), 20.0):
        assert_equal(*both(x, chunks, threshold))
    assert_equal(*both(x, chunks, np.arange(15.0).reshape(3, 5) / 3, size=3, temperature=np.arange(5) / 2))


def test_axes_draws_masks_coordinates():
    """Three axes, draws in chunks along two axes, a mask that broadcasts, row ids, thresholds of all shapes."""
    x = normal((2, 150, 3), np.float32)
    where = np.random.default_rng(1).random((150, 1)) < 0.8
    noise = FIELD.at(rows=[[7, 5, 0], [2**63 - 1, 2**40, 7]], draw=3, start=1000)
    lazy_options = {"draw_chunks": ((1, 2), (2, 3)), "where": da.from_array(where, chunks=(40, 1))}
    rng = np.random.default_rng(2)
    for threshold in (1.0, rng.normal(size=(2, 3)), rng.normal(size=(2, 1, 3)), rng.normal(size=(3, 5, 2, 3))):
        options = {"size": (3, 5), "axis": 1, "where": where, "noise": noise}
        assert_equal(*both(x, ((1, 1), (90, 60), (2, 1)), threshold, lazy_options, **options))


def test_one_row_and_none():
    x = normal(331)
    assert_equal(*both(x, 50, 1.0))
    assert_equal(*both(x, 50, 1.0, size=4))
    assert_equal(*both(normal((0, 100)), ((0,), (60, 40)), 1.0))
    assert_equal(*both(normal((2, 100)), ((2,), (60, 40)), 1.0, size=(2, 0)))
    x[3] = np.nan
    assert_equal(*both(x, 50, 1.0, invalid="mark"))


def test_category_ids():
    ids = np.random.default_rng(3).integers(-50, 100, (5, 200))
    noise = FIELD.at(categories=ids)
    assert_equal(*both(normal(ids.shape), ((2, 3), (200,)), 1.0, size=2, noise=noise))
    with pytest.raises(ValueError, match=r"row 0 has the category id \d+ twice.*rechunk"):
        both(normal(ids.shape), ((5,), (100, 100)), 1.0, noise=noise)


@pytest.mark.parametrize("chunks", [((2, 4), (50, 100, 50)), ((6,), (200,)), ((1,) * 6, (50, 100, 50))])
def test_invalid_rows(chunks):
    """Marked ones are left out of all shards; the message names row and category in the whole."""
    x = faulty(1)
    assert_equal(*both(x, chunks, 1.0, size=2, invalid="mark"))
    for row in (3, 4):
        whole = normal(x.shape)
        whole[row] = x[row]
        expected = complaint(lambda x=whole: fg.gumbel_above(x, 1.0, noise=FIELD))
        coordinates, values = fgd.gumbel_above(lazy(whole, chunks), 1.0, noise=FIELD)
        assert f"row {row} " in expected
        assert all(complaint(own.compute) == expected for own in (*coordinates, values))


def test_arguments_and_graph():
    x = da.zeros((2, 64_000), chunks=(1, 1_000))
    with pytest.raises(TypeError, match=r"threshold must be .* not a dask array"):
        fgd.gumbel_above(x, da.ones(2))
    with pytest.raises(ValueError, match=r"threshold .* row 1 has nan"):
        fgd.gumbel_above(x, [0.0, np.nan])
    (row, category), _ = fgd.gumbel_above(x, 9.0, rng=1)
    assert row.numblocks == (2,)
    for result in (row, category):
        dependencies = dask.core.get_deps(dict(dask.optimize(result)[0].__dask_graph__()))[0]
        assert max(map(len, dependencies.values())) <= 9
