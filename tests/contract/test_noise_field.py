"""``NoiseField`` as a value: its key, its coordinates, equality, hash, pickle, and that nothing changes it."""

import copy
import pickle
import re

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**40, 2**100])
def test_the_key_of_a_seed(seed):
    key = NoiseField(seed).key
    assert type(key) is np.uint64
    assert key == np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    assert NoiseField(np.random.SeedSequence(seed)).key == key


def test_no_seed_means_fresh_entropy():
    assert NoiseField().key != NoiseField().key
    assert NoiseField(None).key != NoiseField(None).key


@pytest.mark.parametrize("key", [0, 1, 2**63, 2**64 - 1, np.uint64(2**64 - 1)])
def test_from_key(key):
    field = NoiseField.from_key(key)
    assert type(field.key) is np.uint64
    assert int(field.key) == int(key)


def fields():
    """Make fields that differ from each other, anew on every call."""
    field = NoiseField(1)
    return [
        field,
        NoiseField(2),
        field.at(draw=1),
        field.at(start=1),
        field.at(rows=0),
        field.at(rows=5),
        field.at(rows=[5, 6]),
        field.at(rows=[[5, 6]]),
        field.at(rows=[6, 5]),
        field.at(rows=2**64 - 1, draw=2**32 - 1, start=2**32 - 1),
        field.at(categories=1),
        field.at(categories=[1, -1]),
        field.at(categories=[[1, -1]]),
        field.at(categories=[-1, 1], rows=5),
    ]


def test_equality_and_hash_go_by_value():
    for i, a in enumerate(fields()):
        for j, b in enumerate(fields()):
            assert (a == b) is (i == j)
            if i == j:
                assert hash(a) == hash(b)
    assert NoiseField(1) != 1
    assert len(set(fields() + fields())) == len(fields())


@pytest.mark.parametrize("i", range(len(fields())))
def test_pickle_and_copy_keep_everything(i):
    field = fields()[i]
    assert pickle.loads(pickle.dumps(field)) == field
    assert copy.copy(field) == copy.deepcopy(field) == field


def test_the_repr_tells_fields_apart():
    assert len({repr(field) for field in fields()}) == len(fields())
    assert all(repr(field).startswith("NoiseField") for field in fields())


@pytest.mark.parametrize("name", ["key", "rows", "draw", "start", "categories", "anything"])
def test_a_field_cannot_be_changed(name):
    with pytest.raises(AttributeError):
        setattr(NoiseField(1), name, 3)


def test_at_makes_a_new_field_and_keeps_what_it_is_not_told():
    field = NoiseField(1)
    moved = field.at(draw=3)
    assert moved != field
    assert field == NoiseField(1)
    assert moved.at(start=64).at(rows=[1, 2]) == field.at(rows=[1, 2], draw=3, start=64)
    assert field.at() == field


def test_row_ids_are_copied():
    ids = np.array([3, 4])
    field = NoiseField(1).at(rows=ids)
    values, before = fastgumbel.gumbel((2, 5), noise=field), hash(field)
    ids[:] = 0
    np.testing.assert_array_equal(fastgumbel.gumbel((2, 5), noise=field), values)
    assert hash(field) == before


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64, ">i4"])
def test_row_ids_of_any_integer_type(dtype):
    ids = np.array([3, 100], dtype)
    assert NoiseField(1).at(rows=ids) == NoiseField(1).at(rows=[3, 100])


@pytest.mark.parametrize(
    ("coordinates", "error"),
    [
        ({"rows": -1}, ValueError),
        ({"rows": [0, 1, -1]}, ValueError),
        ({"rows": np.array([0, -(2**63)])}, ValueError),
        ({"rows": 2**64}, (TypeError, ValueError)),
        ({"rows": 0.5}, TypeError),
        ({"rows": [1.0, 2.0]}, TypeError),
        ({"rows": "1"}, TypeError),
        ({"draw": -1}, ValueError),
        ({"draw": 2**32}, ValueError),
        ({"draw": 0.5}, TypeError),
        ({"draw": [1.0, 2.0]}, TypeError),
        ({"start": -1}, ValueError),
        ({"start": 2**32 + 1}, ValueError),
        ({"start": 1.0}, TypeError),
        ({"start": "1"}, TypeError),
    ],
)
def test_bad_coordinates_are_named(coordinates, error):
    with pytest.raises(error, match=next(iter(coordinates))):
        NoiseField(1).at(**coordinates)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (-1, "but rows is -1$"),
        ([[0, 1], [2, -3]], r"but rows\[1, 1\] is -3$"),
        ([3, 2**64, 2**65], r"but rows\[1\] is 18446744073709551616$"),
        ([[0, 1], [2]], "rows must be an array"),
    ],
)
def test_a_bad_row_id_is_told_with_its_place(rows, match):
    with pytest.raises(ValueError, match=match):
        NoiseField(1).at(rows=rows)


@pytest.mark.parametrize("whole", [np.array(3), np.int8(3), np.uint64(3)])
def test_integers_of_any_type(whole):
    assert NoiseField(1).at(draw=whole).draw == 3
    assert type(NoiseField(1).at(start=whole).start) is int
    assert NoiseField.from_key(whole) == NoiseField.from_key(3)
    with pytest.raises(TypeError, match="draw must be an integer, not"):
        NoiseField(1).at(draw=whole.astype(float))


@pytest.mark.parametrize(("key", "error"), [(-1, ValueError), (2**64, ValueError), (0.5, TypeError), ("1", TypeError)])
def test_bad_keys_are_named(key, error):
    with pytest.raises(error, match="key"):
        NoiseField.from_key(key)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (0.5, TypeError), ("1", TypeError)])
def test_bad_seeds_are_named(seed, error):
    with pytest.raises(error, match="seed"):
        NoiseField(seed)


def test_row_ids_in_a_list_keep_all_their_bits():
    """NumPy would make floats of these."""
    rows = NoiseField(1).at(rows=[2**64 - 1, 7]).rows
    assert rows.dtype == np.uint64
    assert rows.tolist() == [2**64 - 1, 7]
    with pytest.raises(ValueError, match="rows must be from 0"):
        NoiseField(1).at(rows=[2**64, 7])
    with pytest.raises(TypeError, match="rows must be integers"):
        NoiseField(1).at(rows=[2.0, 7])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (2.0, "not float64: pass int(rows)"),
        ([2.0, 7], 'not float64: pass rows.astype("int64")'),
        ([[2.0, 7], [0.5, 1]], "not float64: rows[1, 0] is 0.5, which is no whole number"),
        ([1.0, np.inf], "not float64: rows[1] is inf, which is no whole number"),
        (
            [1, np.nan],
            'not float64: rows[1] is missing (nan); drop or fill what is missing, then pass rows.astype("int64")',
        ),
        ([1, None], "not object: rows[1] is missing (None); drop or fill what is missing"),
        (["7", "8"], 'not text: pass rows.astype("int64")'),
        (["a", "b"], "not text: rows[0] is 'a'; hash text, as by pandas.util.hash_array, or number it"),
        (np.array([1, "b"], object), "not object: rows[1] is 'b'; hash text"),
    ],
)
def test_row_ids_that_are_not_integers(rows, message):
    with pytest.raises(
        TypeError,
        match=re.escape(f"rows must be integers from 0 to 2**64 - 1, {message}"),
    ):
        NoiseField(1).at(rows=rows)


@pytest.mark.parametrize(
    ("seed", "remedy"),
    [
        (np.random.RandomState(0), "not RandomState: np.random.default_rng makes a Generator"),
        (NoiseField(0), "not NoiseField: pass noise="),
        (0.5, "not float$"),
    ],
    ids=["RandomState", "NoiseField", "float"],
)
def test_what_names_no_field(seed, remedy):
    with pytest.raises(TypeError, match=rf"rng must be None, an int, .* or Generator, {remedy}"):
        fastgumbel.gumbel(3, rng=seed)


def test_a_field_serves_arrays_of_several_shapes():
    """What is kept of one read is not taken for another, of a shape or an axis of its own."""
    field = NoiseField(1).at(rows=[[3], [5]], draw=[1, 2, 9, 4])
    x = np.random.default_rng(1).normal(size=(2, 4, 4))
    for array, axis in ((x, -1), (x, 1), (x, -1), (x[:, :, :3], -1), (x[:1], -1), (x, 1)):
        fresh = NoiseField(1).at(rows=[[3], [5]], draw=[1, 2, 9, 4])
        results = []
        for noise in (field, fresh):
            rows = noise if len(array) == 2 else noise.at(rows=[[3]])
            results.append(fastgumbel.gumbel_max(array, axis=axis, noise=rows))
        np.testing.assert_array_equal(*results)
    with pytest.raises(ValueError, match="rows of shape"):
        fastgumbel.gumbel_max(x[:1], noise=field)
    named, whole = NoiseField(1).at(categories=[7, 3, 9]), fastgumbel.gumbel((2, 10), noise=NoiseField(1))
    np.testing.assert_array_equal(fastgumbel.gumbel((2, 3), noise=named), whole[:, [7, 3, 9]])
    with pytest.raises(ValueError, match="categories of shape"):
        fastgumbel.gumbel((2, 4), noise=named)
