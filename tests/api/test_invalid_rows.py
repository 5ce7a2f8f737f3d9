"""NaN, plus infinity and rows with nothing left, wherever they are: an error that names them, or -1 and NaN.

The other rows keep their results, and what the mask hides is never looked at.
"""

import re

import numpy as np
import pytest

import fastgumbel

LENGTHS = (2, 64, 65, 200, 5000)
BAD = {"nan": np.nan, "negative nan": -np.nan, "infinity": np.inf}
DTYPES = ("float64", "float32", "float16", ">f8")


def clean(n, dtype="float64", batch=(9,)):
    return np.random.default_rng(n).normal(size=(*batch, n)).astype(dtype)


def numbers(error):
    """Return the integers that a message names, but for the limit of log-potentials."""
    return [int(i) for i in re.findall(r"\d+", str(error.value).replace("2**46", ""))]


def raises(x, **options):
    """Return the error, with and without the value and for several draws, all the same."""
    errors = []
    for more in ({}, {"return_max": True}, {"size": 3}):
        with pytest.raises(ValueError, match="row") as error:
            fastgumbel.gumbel_max(x, rng=1, **options, **more)
        errors.append(error)
    assert len({str(e.value) for e in errors}) == 1
    return errors[0]


def assert_marked(x, bad, expected, **options):
    """Check that exactly the rows of ``bad`` are marked and the others as expected."""
    for size in ((), (3,)):
        indices, values = fastgumbel.gumbel_max(x, rng=1, size=size, invalid="mark", return_max=True, **options)
        alone = fastgumbel.gumbel_max(x, rng=1, size=size, invalid="mark", **options)
        np.testing.assert_array_equal(alone, indices)
        first = (0,) * len(size)
        assert (indices[..., bad] == -1).all()
        assert np.isnan(values[..., bad]).all()
        np.testing.assert_array_equal(indices[first][~bad], expected[0][~bad])
        np.testing.assert_array_equal(values[first][~bad], expected[1][~bad])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("n", LENGTHS)
def test_a_bad_value_anywhere(n, bad, dtype):
    good = clean(n, dtype)
    expected = fastgumbel.gumbel_max(good, rng=1, return_max=True)
    for row in (0, 4, 8):
        for category in {0, n // 2, n - 1}:
            x = good.copy()
            x[row, category] = BAD[bad]
            error = raises(x)
            assert "log_potentials" in str(error.value)
            assert numbers(error) == [row, category]
            assert_marked(x, np.arange(9) == row, expected)
            where = np.ones((9, n), bool)
            where[row, category] = False
            masked = fastgumbel.gumbel_max(x, rng=1, where=where)
            np.testing.assert_array_equal(np.delete(masked, row), np.delete(expected[0], row))
            assert masked[row] != category


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [*BAD, "nothing left"])
@pytest.mark.parametrize("n", [1, *LENGTHS])
def test_a_row_without_a_batch(n, bad, dtype):
    for category in {0, n // 2, n - 1}:
        x = clean(n, dtype, batch=())
        if bad == "nothing left":
            x[:] = -np.inf
            raises(x)
        else:
            x[category] = BAD[bad]
            assert numbers(raises(x))[-1] == category
        assert fastgumbel.gumbel_max(x, rng=1, invalid="mark") == -1
        index, value = fastgumbel.gumbel_max(x, rng=1, invalid="mark", return_max=True)
        assert index == -1
        assert np.isnan(value)


@pytest.mark.parametrize("n", LENGTHS)
def test_the_first_bad_row_and_category_are_named(n):
    x = clean(n, batch=(3, 4))
    x[2, 1, 0] = np.nan
    x[1, 2, n - 1] = np.inf
    x[1, 2, n // 2] = np.nan
    x[1, 3, 0] = np.nan
    assert numbers(raises(x)) == [1, 2, n // 2]


def test_the_first_bad_row_is_named_whatever_the_threads(threads):
    x = clean(20, batch=(20_000,))
    x[7001:, 3] = np.nan
    for count in (1, 2, 5):
        threads(count)
        assert numbers(raises(x)) == [7001, 3]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [300_000, 2**22 + 100])
def test_one_long_row(threads, n, dtype, masked):
    """A row of many pieces, some of them on other threads: one bad value spoils it wherever it is."""
    threads(3)
    where = np.arange(n) != n // 3 if masked else None
    x = np.zeros(n, dtype)
    good = fastgumbel.gumbel_max(x, rng=1, where=where)
    for category in (0, 70_000, n // 2, n - 1):
        x[category] = np.nan
        assert numbers(raises(x, where=where))[-1] == category
        assert fastgumbel.gumbel_max(x, rng=1, where=where, invalid="mark") == -1
        x[category] = 0
    x[n // 3] = np.nan if masked else 0
    assert fastgumbel.gumbel_max(x, rng=1, where=where) == good
    x[:] = -np.inf
    raises(x, where=where)
    x[n - 2] = -1e4
    assert fastgumbel.gumbel_max(x, rng=1, where=where) == n - 2


def test_the_axis_of_a_bad_value():
    """The row is told as an index of the batch, the category along the axis."""
    x = clean(5, batch=(3, 4))
    x = np.moveaxis(x, -1, 1).copy()
    x[2, 4, 3] = np.nan
    assert numbers(raises(x, axis=1)) == [2, 3, 4]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
def test_nothing_left(n, dtype):
    good = clean(n, dtype)
    expected = fastgumbel.gumbel_max(good, rng=1, return_max=True)
    for row in (0, 4, 8):
        x = good.copy()
        x[row] = -np.inf
        assert numbers(raises(x)) == [row]
        assert_marked(x, np.arange(9) == row, expected)
        where = np.ones((9, n), bool)
        where[row] = False
        assert numbers(raises(good, where=where)) == [row]
        assert_marked(good, np.arange(9) == row, expected, where=where)
        x = good.copy()
        x[row, 1:] = -np.inf
        where = np.ones((9, n), bool)
        where[row, 0] = False
        assert_marked(x, np.arange(9) == row, expected, where=where)


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint32"])
def test_integers_with_nothing_left(dtype):
    x = np.ones((3, 70), dtype)
    where = np.array([[True], [False], [True]])
    assert numbers(raises(x, where=where)) == [1]
    assert fastgumbel.gumbel_max(x, where=where, invalid="mark", rng=0)[1] == -1


@pytest.mark.parametrize("batch", [(), (3,), (2, 2)])
def test_no_categories_at_all(batch):
    x = np.zeros((*batch, 0))
    raises(x)
    indices, values = fastgumbel.gumbel_max(x, invalid="mark", return_max=True, rng=0)
    assert np.shape(indices) == batch
    assert (np.asarray(indices) == -1).all()
    assert np.isnan(values).all()


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("rubbish", [np.nan, np.inf, 1e308, -np.inf])
def test_what_the_mask_hides_may_be_anything(n, rubbish):
    x = clean(n)
    where = np.random.default_rng(2).random((9, n)) < 0.6
    where[:, n // 2] = True
    expected = fastgumbel.gumbel_max(x, rng=1, where=where, return_max=True)
    x[~where] = rubbish
    result = fastgumbel.gumbel_max(x, rng=1, where=where, return_max=True)
    np.testing.assert_array_equal(result, expected)


def test_every_row_bad():
    x = np.full((1000, 70), np.nan)
    assert (fastgumbel.gumbel_max(x, rng=1, invalid="mark") == -1).all()
    assert numbers(raises(x)) == [0, 0]


def test_marking_writes_out():
    x = clean(70)
    x[4, 3] = np.nan
    out = np.zeros(9, np.intp), np.zeros(9)
    fastgumbel.gumbel_max(x, rng=1, invalid="mark", return_max=True, out=out)
    np.testing.assert_array_equal(out[0] == -1, np.arange(9) == 4)
    np.testing.assert_array_equal(np.isnan(out[1]), np.arange(9) == 4)


def test_a_bad_row_under_noise_from_an_array():
    x = clean(70)
    x[4, 3] = np.nan
    noise = fastgumbel.gumbel(x.shape, rng=1)
    with pytest.raises(ValueError, match="row") as error:
        fastgumbel.gumbel_max(x, noise=noise)
    assert numbers(error) == [4, 3]
    np.testing.assert_array_equal(
        fastgumbel.gumbel_max(x, noise=noise, invalid="mark"), fastgumbel.gumbel_max(x, rng=1, invalid="mark")
    )
