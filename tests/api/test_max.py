"""``gumbel_max`` is, to the bit, the first argmax over the noise that ``gumbel`` writes down.

Every type, every family of ``cases.py`` and every length in a table of over 10^5 rows; then layouts, axes, masks, draws
and coordinates mixed by hypothesis.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgumbel
from tests.api import cases
from tests.oracle import naive


def rows_of_length(n):
    """Spend about the same on every length, and most rows on short ones."""
    return 1 if n > 10_000 else 4 if n > 1000 else 70


def test_the_table_has_over_a_hundred_thousand_rows():
    assert len(cases.DTYPES) * len(cases.FAMILIES) * sum(map(rows_of_length, cases.LENGTHS)) > 100_000


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("family", cases.FAMILIES)
def test_every_row_of_the_table(family, dtype):
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for n in cases.LENGTHS:
        seed = int(rng.integers(2**32))
        noise = fastgumbel.gumbel((rows_of_length(n), n), rng=seed)
        x = cases.log_potentials(family, dtype, rng, noise)
        expected = (x.astype(np.float64) + noise).argmax(-1)
        np.testing.assert_array_equal(fastgumbel.gumbel_max(x, rng=seed), expected, err_msg=f"{n=}")
        assert fastgumbel.gumbel_max(x[0], rng=seed) == expected[0], "alone"


@pytest.mark.heavy
@pytest.mark.parametrize("offset", [0, 1e6])
@pytest.mark.parametrize(("n", "rows"), [(3, 2 * 10**8), (10, 10**8), (70, 10**7), (200, 10**7), (3000, 10**5)])
def test_very_many_rows(n, rows, offset):
    """A filter that is wrong once in 10^8 rows is found."""
    step = 2 * 10**7 // n
    field = fastgumbel.NoiseField(n)
    rng = np.random.default_rng(n)
    noise = np.empty((step, n))
    for first in range(0, rows, step):
        here = field.at(rows=np.arange(first, first + step))
        fastgumbel.gumbel(noise.shape, noise=here, out=noise)
        x = rng.standard_normal((step, n), np.float32) + np.float32(offset)
        result = fastgumbel.gumbel_max(x, noise=here)
        noise += x
        np.testing.assert_array_equal(result, noise.argmax(-1))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int16"])
def test_a_row_so_long_that_it_is_cut(threads, dtype):
    n = 2**22 + 100
    noise = fastgumbel.gumbel(n, rng=9)
    for family in ("zeros", "normal", "descending", "near ties"):
        x = cases.log_potentials(family, dtype, np.random.default_rng(9), noise)
        for count in (1, 3):
            threads(count)
            assert fastgumbel.gumbel_max(x, rng=9) == (x.astype(np.float64) + noise).argmax()


@pytest.mark.parametrize("dtype", cases.DTYPES)
@pytest.mark.parametrize("n", [1, 10, 64, 129, 2049])
def test_the_perturbed_value_is_the_float64_sum_to_the_bit(n, dtype):
    rng = np.random.default_rng(n)
    noise = fastgumbel.gumbel((50, n), rng=7)
    x = cases.log_potentials("wide", dtype, rng, noise)
    indices, values = fastgumbel.gumbel_max(x, rng=7, return_max=True)
    expected = x.astype(np.float64) + noise
    np.testing.assert_array_equal(indices, expected.argmax(-1))
    np.testing.assert_array_equal(values, expected.max(-1))
    assert (indices.dtype, values.dtype) == (np.intp, np.float64)


def layouts():
    """Ways to lay the same values out in memory."""

    def spaced(x):
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., ::2] = x
        return wide[..., ::2]

    def read_only(x):
        x = x.copy()
        x.flags.writeable = False
        return x

    def unaligned(x):
        raw = np.empty(x.nbytes + 1, np.uint8)
        y = raw[1:].view(x.dtype).reshape(x.shape)
        y[...] = x
        return y

    return st.sampled_from(
        [
            np.ascontiguousarray,
            np.asfortranarray,
            lambda x: x[..., ::-1].copy()[..., ::-1],
            spaced,
            read_only,
            unaligned,
        ]
    )


def broadcastable_shapes(shape):
    """Shapes that broadcast to ``shape``: some axes of length one, some leading axes left out."""
    keep = st.tuples(*(st.booleans() for _ in shape))
    shrunk = keep.map(lambda flags: tuple(n if flag else 1 for n, flag in zip(shape, flags, strict=True)))
    return st.tuples(shrunk, st.integers(0, len(shape))).map(lambda pair: pair[0][pair[1] :])


@st.composite
def problems(draw):
    """Draw log-potentials with a field, an axis, a mask and a number of draws."""
    n = draw(st.one_of(st.sampled_from(cases.LENGTHS[:-1]), st.integers(1, 300)))
    batch = tuple(draw(st.lists(st.integers(1, 3 if n > 300 else 5), max_size=4)))
    size = draw(st.sampled_from([None, 1, 3, (2,), (2, 2), ()]))
    axis = draw(st.integers(0, len(batch)))
    first_draw = draw(st.sampled_from([0, 1, 2**31, 2**32 - 10]))
    field = fastgumbel.NoiseField(draw(st.integers(0, 2**64))).at(
        draw=first_draw, start=draw(st.sampled_from([0, 1, 64, 4095, 2**32 - 2049]))
    )
    if draw(st.booleans()):
        row = st.one_of(st.integers(0, 100), st.integers(0, 2**64 - 1))
        shape = draw(broadcastable_shapes(batch))
        ids = draw(st.lists(row, min_size=math.prod(shape), max_size=math.prod(shape)))
        field = field.at(rows=np.array(ids, np.uint64).reshape(shape))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (*batch[:axis], n, *batch[axis:])
    sizes = () if size is None else (size,) if isinstance(size, int) else size
    noise = naive.materialised_noise(field, shape, axis=axis, size=sizes, draw=first_draw)
    first = np.moveaxis(noise[(0,) * len(sizes)], axis, -1)
    x = cases.log_potentials(
        draw(st.sampled_from(list(cases.FAMILIES))), draw(st.sampled_from(cases.DTYPES)), rng, first
    )
    x = draw(layouts())(np.moveaxis(x, -1, axis))
    where = None
    if draw(st.booleans()):
        where = rng.random(draw(broadcastable_shapes(shape))) < draw(st.sampled_from([0.1, 0.5, 0.95]))
    if draw(st.booleans()):
        axis -= len(shape)
    return x, axis, size, where, field, noise


@given(problems(), st.sampled_from([1, 2, 5]))
@settings(max_examples=400)
def test_any_structure(problem, threads):
    x, axis, size, where, field, noise = problem
    before = x.copy()
    usual = fastgumbel.get_num_threads()
    try:
        fastgumbel.set_num_threads(threads)
        indices, values = fastgumbel.gumbel_max(
            x, axis=axis, size=size, where=where, noise=field, return_max=True, invalid="mark"
        )
        from_array = fastgumbel.gumbel_max(x, axis=axis, size=size, where=where, noise=noise, invalid="mark")
    finally:
        fastgumbel.set_num_threads(usual)
    expected_indices, expected_values = naive.gumbel_max(x, noise, axis=axis, where=where)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_array_equal(values, expected_values)
    np.testing.assert_array_equal(from_array, expected_indices)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8"])
@pytest.mark.parametrize("n", [1, 3, 10, 64, 65, 200, 1000, 1024, 1025])
def test_one_row_at_a_time(n, dtype):
    """Rows without a batch, from every draw and start: they may take a path of their own."""
    rng = np.random.default_rng(n)
    field = fastgumbel.NoiseField(n)
    for draw in range(300):
        here = field.at(draw=draw, start=int(rng.integers(2000)))
        noise = fastgumbel.gumbel(n, noise=here)
        x = cases.log_potentials(list(cases.FAMILIES)[draw % len(cases.FAMILIES)], dtype, rng, noise)
        expected = (x.astype(np.float64) + noise).argmax()
        index, value = fastgumbel.gumbel_max(x, noise=here, return_max=True)
        assert index == expected
        assert value == x.astype(np.float64)[expected] + noise[expected]
        alone = fastgumbel.gumbel_max(x, noise=here)
        assert alone == expected
        assert type(alone) is type(index) is np.intp


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("shape", [(1, 30), (3, 1), (3, 30), (2, 3, 65), (32, 32), (33, 31), (3, 400)])
def test_a_few_rows_at_a_time(shape, dtype):
    """As many as take a path of their own, and some more, in every layout."""
    rng = np.random.default_rng(shape)
    for draw in range(60):
        here = fastgumbel.NoiseField(draw).at(draw=draw, start=int(rng.integers(200)))
        noise = fastgumbel.gumbel(shape, noise=here)
        x = cases.log_potentials(list(cases.FAMILIES)[draw % len(cases.FAMILIES)], dtype, rng, noise)
        expected = (x.astype(np.float64) + noise).argmax(-1)
        swapped = x.astype(x.dtype.newbyteorder())
        for same in (x, np.asfortranarray(x), swapped, x.view(np.recarray)):
            samples = fastgumbel.gumbel_max(same, noise=here)
            np.testing.assert_array_equal(samples, expected)
            assert type(samples) is np.ndarray
        np.testing.assert_array_equal(fastgumbel.gumbel_max(np.moveaxis(x, -1, 0), axis=0, noise=here), expected)
        np.testing.assert_array_equal(fastgumbel.gumbel_max(x, axis=len(shape) - 1, noise=here), expected)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize(
    "options", [{"axis": 2}, {"axis": True}, {"axis": "0"}, {"rng": -1}, {"rng": True}, {"rng": 0.0}]
)
def test_what_is_refused_is_refused_however_little_there_is(shape, options):
    """A call that returns the values as well takes no short cut."""
    x = np.zeros(shape)
    options = {"rng": 1, **options}
    with pytest.raises((TypeError, ValueError)) as short:
        fastgumbel.gumbel_max(x, **options)
    with pytest.raises((TypeError, ValueError)) as long:
        fastgumbel.gumbel_max(x, return_max=True, **options)
    assert shape == () or (short.type, str(short.value)) == (long.type, str(long.value))


@pytest.mark.parametrize("n", [5, 64, 1000])
def test_a_broadcast_view_is_read_like_its_copy(n):
    row = np.random.default_rng(n).normal(size=n).astype(np.float32)
    x = np.broadcast_to(row, (33, n))
    np.testing.assert_array_equal(fastgumbel.gumbel_max(x, rng=5), fastgumbel.gumbel_max(x.copy(), rng=5))
    y = np.broadcast_to(np.float32(0.5), (33, n))
    np.testing.assert_array_equal(fastgumbel.gumbel_max(y, rng=5), fastgumbel.gumbel_max(y.copy(), rng=5))


def test_lists_are_taken_like_arrays():
    x = [[0.5, -1.0, 2.0], [1.0, 1.0, 1.0]]
    np.testing.assert_array_equal(fastgumbel.gumbel_max(x, rng=3), fastgumbel.gumbel_max(np.array(x), rng=3))


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [((5,), None, ()), ((5,), 3, (3,)), ((5,), (), ()), ((4, 5), 3, (3, 4)), ((2, 4, 5), (3, 1), (3, 1, 2, 4))],
)
def test_the_shape_of_the_result_is_the_draws_then_the_batch(shape, size, expected):
    indices, values = fastgumbel.gumbel_max(np.zeros(shape), size=size, rng=0, return_max=True)
    assert np.shape(indices) == np.shape(values) == expected
    assert (indices.dtype, values.dtype) == (np.intp, np.float64)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 5), (0, 0)])
@pytest.mark.parametrize("size", [None, 2, 0])
def test_an_empty_batch_gives_an_empty_result(shape, size):
    expected = (() if size is None else (size,)) + shape[:-1]
    indices, values = fastgumbel.gumbel_max(np.zeros(shape), size=size, rng=0, return_max=True)
    assert indices.shape == values.shape == expected
    assert (indices.dtype, values.dtype) == (np.intp, np.float64)


def test_no_draws_of_a_batch_give_an_empty_result():
    assert fastgumbel.gumbel_max(np.zeros((4, 5)), size=0, rng=0).shape == (0, 4)


@pytest.mark.parametrize("n", [3, 64, 1000])
def test_the_first_of_equal_perturbed_values_wins(n):
    """At 7e13 the noise is rounded to multiples of 2**-7, and the largest two are equal in one row of some hundred."""
    for far in (7e13, -7e13):
        x = np.full((2000, n), far)
        perturbed = x + fastgumbel.gumbel(x.shape, rng=1)
        ties = (perturbed == perturbed.max(-1, keepdims=True)).sum(-1) > 1
        assert ties.any()
        np.testing.assert_array_equal(fastgumbel.gumbel_max(x, rng=1), perturbed.argmax(-1))


@pytest.mark.parametrize("n", [3, 64, 1000])
def test_noise_from_an_array_breaks_ties_by_the_first_index(n):
    noise = np.zeros((6, n))
    noise[:, n // 2 :] = 1.0
    assert (fastgumbel.gumbel_max(np.zeros((6, n)), noise=noise) == n // 2).all()


@pytest.mark.parametrize("return_max", [False, True])
def test_out_is_written_and_returned(return_max):
    x = np.random.default_rng(0).normal(size=(7, 90))
    expected = fastgumbel.gumbel_max(x, rng=4, return_max=True)
    out = np.empty(7, np.intp), np.empty(7)
    if return_max:
        result = fastgumbel.gumbel_max(x, rng=4, return_max=True, out=out)
        assert result[0] is out[0]
        assert result[1] is out[1]
        np.testing.assert_array_equal(out[1], expected[1])
    else:
        assert fastgumbel.gumbel_max(x, rng=4, out=out[0]) is out[0]
    np.testing.assert_array_equal(out[0], expected[0])


def test_out_may_be_strided():
    x = np.random.default_rng(0).normal(size=(7, 90))
    wide = np.full(14, -5, np.intp)
    fastgumbel.gumbel_max(x, rng=4, out=wide[::2])
    np.testing.assert_array_equal(wide[::2], fastgumbel.gumbel_max(x, rng=4))
    assert (wide[1::2] == -5).all()


@pytest.mark.parametrize("n", [10, 200])
def test_out_may_lie_in_the_log_potentials(n):
    x = np.random.default_rng(0).integers(0, 5, size=(50, n))
    expected = fastgumbel.gumbel_max(x, rng=4)
    fastgumbel.gumbel_max(x, rng=4, out=x[:, 0])
    np.testing.assert_array_equal(x[:, 0], expected)
    x = np.random.default_rng(0).integers(0, 5, size=(50, n))
    fastgumbel.gumbel_max(x, rng=4, out=x.ravel()[:50])
    np.testing.assert_array_equal(x.ravel()[:50], expected)
