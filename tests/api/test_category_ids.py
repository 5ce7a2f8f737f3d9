"""``NoiseField.at(categories=ids)``: every place of a row reads the noise of its own category, in whatever order.

Ids that count are no ids, to the bit; ids elsewhere are held against the contract written in plain NumPy and against
the definition of the sampler over noise that lies in memory; an empty place is an excluded one.
"""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField
from tests.api import cases
from tests.calls import assert_same_bits, logits, parts
from tests.oracle import crafted, naive
from tests.oracle.vectorised import U64, Field

FIELD = NoiseField.from_key(2**64 - 3).at(draw=7)
TYPES = ("float64", "float32")
# Short rows as vector lanes, with and without neighbours in a lane; long ones; more than a piece holds.
SHAPES = ((7,), (300, 30), (3, 256), (2, 2, 257), (2, 40_000))


def _noise(x, noise, where):
    return fastgumbel.gumbel(x.shape, noise=noise, dtype=x.dtype)


def _hard(x, noise, where):
    return fastgumbel.gumbel_max(x, noise=noise, where=where)


def _hard_draws(x, noise, where):
    return fastgumbel.gumbel_max(x, size=(2, 3), noise=noise, where=where, return_max=True)


def _top(x, noise, where):
    options = {"where": where, "return_threshold": True, "invalid": "mark"}
    return fastgumbel.gumbel_top_k(x, 3, size=2, noise=noise, **options)


def _relaxed(x, noise, where):
    return fastgumbel.gumbel_softmax(x, 0.5, size=2, noise=noise, where=where)


def _relaxed_logarithm(x, noise, where):
    return fastgumbel.gumbel_softmax(x, 0.5, noise=noise, where=where, log=True)


def _relaxed_hard(x, noise, where):
    return fastgumbel.gumbel_softmax(x, 0.5, noise=noise, where=where, hard=True)


def _tangents(x, noise, where):
    steps = np.stack([np.cos(np.arange(x.size)).reshape(x.shape).astype(x.dtype), np.ones_like(x)])
    return fastgumbel.gumbel_softmax_jvp((x, 0.5), (steps, None), noise=noise, where=where)


def _rao(x, noise, where):
    small = x[..., :300]
    noise = noise if noise.categories is None else noise.at(categories=noise.categories[..., : small.shape[-1]])
    where = None if where is None else where[..., : small.shape[-1]]
    return fastgumbel.gumbel_softmax_jvp((small, 0.5), (np.ones_like(small), 1.0), noise=noise, where=where, rao=2)


def _given(x, noise, where):
    choice = np.zeros(x.shape[:-1], np.intp)
    return fastgumbel.gumbel_given_choice(x, choice, size=2, noise=noise, where=where)


CALLS = {
    "gumbel_max": _hard,
    "gumbel_max, draws": _hard_draws,
    "gumbel_top_k": _top,
    "gumbel_softmax": _relaxed,
    "gumbel_softmax, logarithm": _relaxed_logarithm,
    "gumbel_softmax, hard": _relaxed_hard,
    "gumbel_softmax_jvp": _tangents,
    "gumbel_softmax_jvp, rao": _rao,
    "gumbel_given_choice": _given,
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("call", [*CALLS, "gumbel"])
def test_ids_that_count_are_no_ids(call, dtype):
    call = CALLS.get(call, _noise)
    for shape in SHAPES:
        x = logits(shape, dtype)
        for ids in (np.arange(shape[-1]), np.broadcast_to(np.arange(shape[-1]), shape)):
            for actual, expected in zip(
                parts(call(x, FIELD.at(categories=ids), None)), parts(call(x, FIELD, None)), strict=True
            ):
                assert_same_bits(actual, expected)


@pytest.mark.parametrize("dtype", TYPES)
def test_the_noise_is_that_of_the_ids(dtype):
    ids = np.random.default_rng(0).integers(2**32, size=(3, 5, 67))
    ids[0, 0, :4] = 0, 2**32 - 1, 64, 63
    rows = np.array([[0], [2**32 + 1], [2**64 - 1]], np.uint64)
    noise = fastgumbel.gumbel(ids.shape, noise=FIELD.at(rows=rows, categories=ids), dtype=dtype)
    expected = Field(FIELD.key).gumbel(rows[..., None], FIELD.draw, ids.astype(U64))
    if dtype == "float64":
        np.testing.assert_allclose(noise, expected, rtol=1e-13, atol=1e-14)
    else:
        np.testing.assert_allclose(noise, expected, rtol=1e-5, atol=1e-5)
    counted = fastgumbel.gumbel((15, 700), noise=FIELD, dtype=dtype)
    few = np.random.default_rng(1).integers(700, size=(15, 40))
    assert_same_bits(
        fastgumbel.gumbel(few.shape, noise=FIELD.at(categories=few), dtype=dtype),
        np.take_along_axis(counted, few, -1),
    )


@pytest.mark.parametrize("dtype", [*TYPES, "float16", "int8", ">f8"])
@pytest.mark.parametrize("family", cases.FAMILIES)
def test_the_sample_is_the_definition(family, dtype):
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for shape in ((1,), (140, 2), (300, 30), (3, 200), (4, 300)):
        # Few ids: many stand twice in a row.
        ids = rng.integers(3 * shape[-1], size=shape)
        for categories in (ids, ids[..., :1, :] if len(shape) > 1 else ids):
            field = FIELD.at(categories=categories)
            noise = fastgumbel.gumbel(shape, noise=field)
            x = cases.log_potentials(family, dtype, rng, noise)
            index, value = naive.gumbel_max(x, noise, where=naive.once_each(x, categories))
            np.testing.assert_array_equal(fastgumbel.gumbel_max(x, noise=field), index)
            found = fastgumbel.gumbel_max(x, noise=field, return_max=True)
            np.testing.assert_array_equal(found[0], index)
            np.testing.assert_array_equal(found[1], value)
            np.testing.assert_array_equal(fastgumbel.gumbel_top_k(x, 1, noise=field)[0][..., 0], index)


@pytest.mark.parametrize("word", [0, 2**13, 2**40, 2**64 - 2**12, 2**64 - 2**40, 2**64 - 2**49])
def test_a_block_at_the_end_of_its_range(word):
    """A float32 race knows these blocks worst. Philox run backwards finds them."""
    rng = np.random.default_rng(word)
    row, draw, block, _ = crafted.even_blocks(np.full(2000, word, U64), FIELD.key, rng)
    assert len(row) > 5
    hairs = np.array([0.0, *(sign * 10.0**k for k in range(-15, 0) for sign in (1, -1))])
    for r, s, b in zip(row, draw, block, strict=True):
        for lane in (word % 64, (word + 9) % 64):
            ids = [int(b) * 64 + lane, 5, int(b) * 64 + (lane + 3) % 64]
            field = FIELD.at(rows=int(r), draw=int(s), categories=ids)
            noise = fastgumbel.gumbel(3, noise=field)
            x = np.stack([noise[1] - noise[0] + hairs, 0 * hairs, noise[1] - noise[2] - 2 * hairs], -1)
            for values in (x, x + 1000.0, x.astype(np.float32)):
                np.testing.assert_array_equal(
                    fastgumbel.gumbel_max(values, noise=field), (values.astype(np.float64) + noise).argmax(-1)
                )


@pytest.mark.parametrize("call", CALLS)
def test_an_empty_place_is_an_excluded_one(call):
    for dtype in TYPES:
        for shape in ((7,), (300, 30), (3, 300)):
            x = logits(shape, dtype)
            ids = np.random.default_rng(5).permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1)
            empty = np.random.default_rng(6).random(shape) < 0.4
            empty[..., 0] = False
            field = FIELD.at(categories=np.where(empty, -3, ids))
            for actual, expected in zip(
                parts(CALLS[call](x, field, None)), parts(CALLS[call](x, FIELD.at(categories=ids), ~empty)), strict=True
            ):
                if call == "gumbel_given_choice":
                    expected = np.where(empty, 0, expected).astype(dtype)
                assert_same_bits(actual, expected)


def test_where_and_empty_places_both_exclude():
    x = np.zeros((40, 6))
    field, where = FIELD.at(categories=[3, -1, 9, 4, -1, 2]), np.array([True, True, False, True, False, True])
    assert set(np.unique(fastgumbel.gumbel_max(x, noise=field, where=where))) == {0, 3, 5}
    y = fastgumbel.gumbel_softmax(x, noise=field, where=where)
    assert ((y > 0).all(0) == [True, False, False, True, False, True]).all()


def test_categorical_refuses_ids():
    with pytest.raises(ValueError, match="read no category ids: pass where=categories >= 0"):
        fastgumbel.categorical(np.zeros((5, 3)), 9, noise=FIELD.at(categories=[3, -1, 8]))


@pytest.mark.parametrize("n", [5, 300])
def test_rows_with_nothing_left(n):
    ids = np.tile(np.arange(n), (4, 1))
    ids[2] = -1
    x, field = np.zeros((4, n)), FIELD.at(categories=ids)
    assert (fastgumbel.gumbel_max(x, noise=field, invalid="mark") >= 0).tolist() == [True, True, False, True]
    assert np.isnan(fastgumbel.gumbel_softmax(x, noise=field, invalid="mark")).all(-1).tolist() == [0, 0, 1, 0]
    causes = "or excluded by where or by an empty place of the category ids$"
    for call in (_hard, _hard_draws, _relaxed, _relaxed_hard):
        with pytest.raises(ValueError, match=f"row 2 has no category left.*{causes}"):
            call(x, field, None)
    with pytest.raises(ValueError, match=f"row 2 has 0 categories left.*{causes}"):
        fastgumbel.gumbel_top_k(x, 2, noise=field)
    x[1, 1] = np.nan
    with pytest.raises(ValueError, match=r"row 1 has nan at place 1 \(category id 1\)"):
        fastgumbel.gumbel_max(x, noise=field)
    x[1, 1] = 0
    choices = np.zeros(4, int)
    with pytest.raises(ValueError, match="row 2"):
        fastgumbel.gumbel_given_choice(x, choices, noise=field)
    ids[2, 1:] = 7
    with pytest.raises(ValueError, match=r"choice.*row 2"):
        fastgumbel.gumbel_given_choice(x, choices, noise=FIELD.at(categories=ids))


def test_the_noise_of_an_empty_place():
    noise = fastgumbel.gumbel((3, 4), noise=FIELD.at(categories=[5, -1, 5, -7]))
    assert (noise[:, [1, 3]] == -np.inf).all()
    assert (noise[:, 0] == noise[:, 2]).all()
    assert np.isfinite(noise[:, 0]).all()


@pytest.mark.parametrize("n", [4, 300])
def test_an_id_that_stands_twice_is_one_alternative(n):
    """That of its largest log-potential, the first of equals: one law for all functions."""
    rng = np.random.default_rng(n)
    ids, choices = rng.integers(2 * n // 3, size=(200, n)), rng.integers(n, size=200)
    ids[:, :2] = n, n + 1
    some = rng.random((200, n)) < 0.8
    some[:, :2] = True
    for x in (np.zeros((200, n)), rng.integers(3, size=(200, n)) * 1.0, rng.normal(size=(200, n))):
        for where in (None, some):
            field, left = FIELD.at(categories=ids), naive.once_each(x, ids, where)
            plain = FIELD.at(categories=np.where(left, ids, -1))
            for call in CALLS:
                if call != "gumbel_given_choice":
                    for actual, expected in zip(
                        parts(CALLS[call](x, field, where)), parts(CALLS[call](x, plain, None)), strict=True
                    ):
                        assert_same_bits(actual, expected)
    g = fastgumbel.gumbel_given_choice(x, choices, size=3, noise=field)
    assert (g == np.take_along_axis(g, _standing(x, ids)[np.newaxis], 2)).all()
    assert ((x + g).argmax(-1) == np.take_along_axis(_standing(x, ids), choices[:, np.newaxis], 1)[:, 0]).all()


def _standing(x, ids):
    """Return which place of its row stands for the id of each place."""
    best = [
        [max(np.flatnonzero(own == i), key=lambda j: (line[j], -j)) for i in own]
        for line, own in zip(x, ids, strict=True)
    ]
    return np.array(best)


def test_no_id_is_chosen_twice():
    """Of ids 5, 5, 9 of equal utility, each alternative has an equal chance, and there are two to choose."""
    field = FIELD.at(categories=[5, 5, 9], rows=np.arange(40_000))
    x = np.zeros((40_000, 3))
    index = fastgumbel.gumbel_max(x, noise=field)
    assert not (index == 1).any()
    assert abs((index == 0).mean() - 0.5) < 0.0125  # 5 standard errors
    assert (np.sort(fastgumbel.gumbel_top_k(x, 2, noise=field)[0], -1) == [0, 2]).all()
    with pytest.raises(ValueError, match=r"2 categories left, fewer than k = 3.*, or have the id of another place"):
        fastgumbel.gumbel_top_k(x, 3, noise=field)


@pytest.mark.parametrize("n", [30, 300])
def test_places_can_stand_in_any_order(n):
    rng = np.random.default_rng(n)
    ids = np.argsort(rng.random((90, 2 * n)), -1)[:, :n]
    x = rng.normal(size=(90, n))
    order = np.argsort(rng.random((90, n)), -1)
    moved = FIELD.at(categories=np.take_along_axis(ids, order, -1))
    index, value = fastgumbel.gumbel_max(np.take_along_axis(x, order, -1), noise=moved, return_max=True)
    expected = fastgumbel.gumbel_max(x, noise=FIELD.at(categories=ids), return_max=True)
    np.testing.assert_array_equal(np.take_along_axis(order, index[:, None], -1)[:, 0], expected[0])
    np.testing.assert_array_equal(value, expected[1])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_ids_have_the_shape_of_the_log_potentials_whatever_the_axis(axis, threads):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 30, 50)).astype(np.float32)
    rows = np.arange(x.size // x.shape[axis]).reshape(np.delete(x.shape, axis)) * 2**33
    for shape in (x.shape, (1, 30, 50), (40, 1, 1), (50,)):
        ids = rng.integers(-20, 1000, size=shape)
        whole = np.moveaxis(np.broadcast_to(ids, x.shape), axis, -1)
        if (whole < 0).all(-1).any():
            ids = abs(ids)
            whole = abs(whole)
        expected = fastgumbel.gumbel_max(
            np.ascontiguousarray(np.moveaxis(x, axis, -1)), size=2, noise=FIELD.at(rows=rows, categories=whole)
        )
        field = FIELD.at(rows=rows, categories=ids)
        for count in (1, 2):
            threads(count)
            out = np.empty(expected.shape, np.intp)
            assert fastgumbel.gumbel_max(x, axis=axis, size=2, noise=field, out=out) is out
            np.testing.assert_array_equal(out, expected)
            hard = fastgumbel.gumbel_softmax(x, axis=axis, size=2, noise=field).argmax(axis if axis < 0 else axis + 1)
            np.testing.assert_array_equal(hard, expected)


def test_a_row_depends_on_its_own_ids_alone():
    rng = np.random.default_rng(9)
    ids, x = rng.integers(-5, 5000, size=(300, 30)), rng.normal(size=(300, 30))
    field = NoiseField(5).at(draw=2**31)
    whole = fastgumbel.gumbel_max(x, size=5, noise=field.at(categories=ids))
    for r in (0, 127, 128, 299):
        alone = field.at(rows=r, categories=ids[r])
        np.testing.assert_array_equal(fastgumbel.gumbel_max(x[r], size=5, noise=alone), whole[:, r])


@pytest.mark.parametrize(
    ("ids", "error", "match"),
    [
        (0.5, TypeError, "categories must be integers"),
        ([1.0, 2.0], TypeError, "categories must be integers"),
        ([True, False], TypeError, "categories must be integers"),
        ([1.0, 2.0], TypeError, r'not float64: pass categories\.astype\("int64"\)$'),
        (
            [[1.0, 2.0], [3.0, np.nan]],
            TypeError,
            r"categories\[1, 1\] is missing \(nan\); drop or fill what is missing",
        ),
        (
            ["1", "b"],
            TypeError,
            r"not text: categories\[1\] is 'b'; hash text, as by pandas\.util\.hash_array\(...\) >> 1",
        ),
        ("1", TypeError, "categories must be integers"),
        ([[1, 2**63 + 1], [3, 2**63]], ValueError, r"categories\[0, 1\] is 9223372036854775809$"),
        (np.array([1, 2**63], np.uint64), ValueError, r"categories\[1\] is 9223372036854775808$"),
        (2**63, ValueError, "but categories is 9223372036854775808$"),
        ([[1, 2], [3]], ValueError, "categories must be an array"),
        (2**64, (TypeError, ValueError), "categories"),
        (
            np.ma.MaskedArray([1, 2], [True, False]),
            TypeError,
            "masked array; make ids of empty places negative",
        ),
    ],
)
def test_bad_ids_are_named(ids, error, match):
    with pytest.raises(error, match=match):
        NoiseField(1).at(categories=ids)


def test_a_field_counts_categories_or_names_them():
    """The one that is given takes the place of the other."""
    named = NoiseField(1).at(categories=[4, 2])
    with pytest.raises(ValueError, match="start and categories"):
        NoiseField(1).at(start=3, categories=[1])
    assert named.at(start=3) == NoiseField(1).at(start=3)
    assert named.at(start=0) == named.at(start=None) == named.at(categories=None) == NoiseField(1)
    assert NoiseField(1).at(start=3).at(categories=[1]) == NoiseField(1).at(categories=[1])
    assert named.at(rows=3, draw=4).categories.tolist() == [4, 2]
    assert named.at(categories=[9]) == NoiseField(1).at(categories=[9])


def test_ids_in_arrays_of_objects():
    ids = np.array([np.int64(3), 2**40, np.uint8(7)], object)
    assert NoiseField(1).at(rows=ids).rows.tolist() == [3, 2**40, 7]
    assert NoiseField(1).at(categories=ids[::2]).categories.tolist() == [3, 7]
    for bad in ([np.int64(3), 1.5], [True, 2], ["a", 1]):
        for name in ("rows", "categories"):
            with pytest.raises(TypeError, match=name):
                NoiseField(1).at(**{name: np.array(bad, object)})


def test_ids_are_copied_and_cannot_be_changed():
    ids = np.array([3, -4])
    field = NoiseField(1).at(categories=ids)
    ids[:] = 0
    assert field.categories.tolist() == [3, -1]
    with pytest.raises(ValueError, match="read-only"):
        field.categories[0] = 1


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64, ">i4"])
def test_ids_of_any_integer_type(dtype):
    assert NoiseField(1).at(categories=np.array([3, 100], dtype)) == NoiseField(1).at(categories=[3, 100])


def test_ids_must_fit_the_log_potentials():
    field = FIELD.at(categories=np.zeros((2, 3), int))
    for call in (_hard, _top, _relaxed, _given, _noise):
        with pytest.raises(ValueError, match=r"categories of shape \(2, 3\) do not broadcast to the shape \(5, 4\)"):
            call(np.zeros((5, 4)), field, None)


def test_conditioned_noise_ends_where_its_words_do():
    x, choice = np.zeros(2), 0
    last = 2**31 - 5
    assert np.isfinite(fastgumbel.gumbel_given_choice(x, choice, noise=FIELD.at(categories=[last, -1]))).all()
    counted = fastgumbel.gumbel_given_choice(x, choice, noise=FIELD.at(start=last - 1))
    named = fastgumbel.gumbel_given_choice(x[::-1], 1, noise=FIELD.at(categories=[last, last - 1]))
    assert_same_bits(named[::-1].copy(), counted)
    for bad in ([0, last + 1], [[2**32 - 1], [0]]):
        with pytest.raises(ValueError, match=r"2\*\*31 - 5"):
            fastgumbel.gumbel_given_choice(np.zeros((2, 2)), [0, 0], noise=FIELD.at(categories=bad))


def test_a_stream_counts():
    with pytest.raises(ValueError, match="categories"):
        fastgumbel.Reservoir(2, noise=FIELD.at(categories=[1, 2]))


def test_empty_arrays():
    for shape in ((0,), (0, 3), (3, 0), (0, 300)):
        x = np.zeros(shape)
        field = FIELD.at(categories=np.zeros(shape, int))
        assert fastgumbel.gumbel_max(x, noise=field, invalid="mark").shape == shape[:-1]
        assert fastgumbel.gumbel(shape, noise=field).shape == shape
        assert fastgumbel.gumbel_softmax(x, noise=field, invalid="mark").shape == shape
    assert NoiseField(1).at(categories=[]).categories.dtype == np.int64
