"""Arguments that make no sense: an error of the right type that names the argument."""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField, gumbel, gumbel_max

X = np.zeros((3, 5))
BOTH = (TypeError, ValueError)


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({"rng": 1, "noise": NoiseField(1)}, BOTH, "rng.*noise|noise.*rng"),
        ({"rng": 1, "noise": X}, BOTH, "rng.*noise|noise.*rng"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"rng": 0.5}, TypeError, "rng"),
        ({"rng": np.random.RandomState(1)}, TypeError, "rng"),
        ({"rng": -1}, ValueError, "rng"),
        ({"size": -1}, ValueError, "size"),
        ({"size": (2, -1)}, ValueError, "size"),
        ({"size": 0.5}, TypeError, "size"),
        ({"size": "2"}, TypeError, "size"),
        ({"axis": 2}, ValueError, "axis"),
        ({"axis": -3}, ValueError, "axis"),
        ({"axis": 0.0}, TypeError, "axis"),
        ({"axis": None}, TypeError, "axis"),
        ({"where": np.ones((3, 5))}, TypeError, "where"),
        ({"where": np.full((3, 5), 2)}, ValueError, "where"),
        ({"where": np.ones((3, 4), bool)}, ValueError, "where"),
        ({"where": np.ones((2, 3, 5), bool)}, ValueError, "where"),
        ({"invalid": "ignore"}, ValueError, "invalid"),
        ({"invalid": None}, BOTH, "invalid"),
        ({"noise": np.zeros((3, 4))}, ValueError, "noise"),
        ({"noise": np.zeros(5)}, ValueError, "noise"),
        ({"noise": np.zeros((2, 3, 5))}, ValueError, "noise"),
        ({"noise": np.zeros((3, 5)), "size": 2}, ValueError, "noise"),
        ({"noise": np.zeros((3, 2, 5)), "size": 2}, ValueError, "noise"),
        ({"noise": np.full((3, 5), np.nan)}, ValueError, "noise"),
        ({"noise": np.zeros((3, 5), complex)}, TypeError, "noise"),
        ({"noise": "field"}, TypeError, "noise"),
        ({"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "rows"),
        ({"noise": NoiseField(1).at(rows=np.zeros((2, 3), int))}, ValueError, "rows"),
        ({"noise": NoiseField(1).at(draw=2**32 - 1), "size": 2}, ValueError, "draw"),
        ({"noise": NoiseField(1).at(start=2**32 - 4)}, ValueError, "start|categories"),
        ({"out": np.empty(4, np.intp)}, ValueError, "out"),
        ({"out": np.empty((3, 1), np.intp)}, ValueError, "out"),
        ({"out": np.empty(3, np.int32)}, BOTH, "out"),
        ({"out": np.empty(3)}, BOTH, "out"),
        ({"out": [0, 0, 0]}, TypeError, "out"),
        ({"out": (np.empty(3, np.intp), np.empty(3))}, TypeError, "out"),
        ({"out": read_only(np.empty(3, np.intp))}, ValueError, "out"),
        ({"out": np.empty(3, np.intp), "return_max": True}, BOTH, "out"),
        ({"out": (np.empty(3, np.intp),), "return_max": True}, BOTH, "out"),
        ({"out": (np.empty(3, np.intp), np.empty(3, np.float32)), "return_max": True}, BOTH, "out"),
        ({"out": (np.empty(3, np.intp), np.empty(4)), "return_max": True}, ValueError, "out"),
        ({"out": (np.empty(3, np.intp), read_only(np.empty(3))), "return_max": True}, ValueError, "out"),
        ({"out": np.empty(3, np.intp), "size": 2}, ValueError, "out"),
    ],
)
def test_bad_options_of_gumbel_max(options, error, name):
    with pytest.raises(error, match=name):
        gumbel_max(X, **options)


@pytest.mark.parametrize("x", [np.zeros(5), np.zeros(5, np.float32), np.zeros(2000)], ids=["short", "single", "long"])
@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({"rng": 1, "noise": NoiseField(1)}, BOTH, "rng.*noise|noise.*rng"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"size": -1}, ValueError, "size"),
        ({"axis": 1}, ValueError, "axis"),
        ({"axis": -2}, ValueError, "axis"),
        ({"axis": 0.0}, TypeError, "axis"),
        ({"axis": -1.0}, TypeError, "axis"),
        ({"axis": False}, TypeError, "axis"),
        ({"where": np.ones(4, bool)}, ValueError, "where"),
        ({"invalid": "ignore"}, ValueError, "invalid"),
        ({"noise": "field"}, TypeError, "noise"),
        ({"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "rows"),
        ({"noise": NoiseField(1).at(start=2**32 - 4)}, ValueError, "start|categories"),
        ({"noise": NoiseField(1).at(draw=2**32 - 1), "size": 2}, ValueError, "draw"),
        ({"out": np.empty(1, np.intp)}, ValueError, "out"),
    ],
)
def test_bad_options_for_a_single_row(x, options, error, name):
    with pytest.raises(error, match=name):
        gumbel_max(x, **options)


@pytest.mark.parametrize(
    "x",
    [
        np.zeros((3, 5), bool),
        np.zeros((3, 5), complex),
        np.zeros((3, 5), object),
        np.zeros((3, 5), np.longdouble),
        np.zeros((3, 5), "datetime64[s]"),
        np.full((3, 5), "0"),
        "text",
        None,
        [[None, 1.0]],
        np.ma.masked_array(X, X > 0),
        list(np.ma.masked_array(X, X > 0)),
    ],
    ids=[
        "bool",
        "complex",
        "object",
        "longdouble",
        "datetime",
        "strings",
        "text",
        "None",
        "list with None",
        "masked array",
        "list of masked arrays",
    ],
)
def test_log_potentials_of_a_type_that_has_no_place(x):
    with pytest.raises(TypeError, match="log_potentials"):
        gumbel_max(x, rng=0)


def test_log_potentials_without_an_axis():
    with pytest.raises(ValueError, match=r"log_potentials|axis"):
        gumbel_max(1.0, rng=0)


def test_the_last_draw_and_the_last_category_are_allowed():
    gumbel_max(X, noise=NoiseField(1).at(draw=2**32 - 1, start=2**32 - 5))
    gumbel(5, noise=NoiseField(1).at(draw=2**32 - 1, start=2**32 - 5))


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({"rng": 1, "noise": NoiseField(1)}, BOTH, "rng.*noise|noise.*rng"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"noise": X}, TypeError, "noise"),
        ({"size": -1}, ValueError, "size"),
        ({"size": (-1, 5)}, ValueError, "size"),
        ({"size": 0.5}, TypeError, "size"),
        ({"size": None}, TypeError, "size"),
        ({"dtype": np.float16}, BOTH, "dtype"),
        ({"dtype": np.int64}, BOTH, "dtype"),
        ({"dtype": "no type"}, TypeError, "dtype|data type"),
        ({"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "rows"),
        ({"noise": NoiseField(1).at(start=2**32 - 4)}, ValueError, "start|categories"),
        ({"out": np.empty((3, 4))}, ValueError, "out"),
        ({"out": np.empty((3, 5), np.float32)}, BOTH, "out"),
        ({"out": np.empty((3, 5)), "dtype": np.float32}, BOTH, "out"),
        ({"out": read_only(np.empty((3, 5)))}, ValueError, "out"),
        ({"out": [0.0] * 5}, TypeError, "out"),
    ],
)
def test_bad_options_of_gumbel(options, error, name):
    with pytest.raises(error, match=name):
        gumbel(**{"size": (3, 5), **options})


@pytest.mark.parametrize(
    "seed",
    [3, np.int64(3), np.random.PCG64(3), np.random.default_rng(3), np.random.SeedSequence(3), np.random.RandomState(3)],
    ids=lambda seed: type(seed).__name__,
)
def test_a_seed_in_the_place_of_noise(seed):
    message = rf"^noise must be a NoiseField( or an array)?, not {type(seed).__name__}: pass rng=$"
    for call in (gumbel_max, fastgumbel.categorical, fastgumbel.gumbel_softmax):
        with pytest.raises(TypeError, match=message):
            call(X, noise=seed)
    for call in (gumbel, fastgumbel.Reservoir):
        with pytest.raises(TypeError, match=message):
            call(5, noise=seed)


def test_a_generator_of_another_library():
    class Generator:
        pass

    with pytest.raises(TypeError, match=r"not Generator of another library: pass an int$"):
        gumbel_max(X, rng=Generator())


def test_options_are_keywords():
    with pytest.raises(TypeError):
        gumbel_max(X, -1)
    with pytest.raises(TypeError):
        gumbel(5, 1)


@pytest.mark.parametrize(("count", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError)])
def test_bad_numbers_of_threads(count, error):
    usual = fastgumbel.get_num_threads()
    with pytest.raises(error):
        fastgumbel.set_num_threads(count)
    assert fastgumbel.get_num_threads() == usual


MASKED = np.ma.masked_array([[True, False]] * 3, [[False, True]] * 3)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: gumbel_max(np.zeros((3, 2)), where=MASKED, rng=1), "where"),
        (lambda: gumbel_max(np.zeros((3, 2)), noise=np.ma.masked_array(np.zeros((3, 2)))), "noise"),
        (lambda: fastgumbel.gumbel_given_choice(np.zeros((3, 2)), np.ma.masked_array([0, 1, 0]), rng=1), "choice"),
        (lambda: fastgumbel.gumbel_softmax(np.zeros((3, 2)), np.ma.masked_array([1.0, 1.0, 1.0]), rng=1), "tau"),
        (lambda: NoiseField(1).at(rows=np.ma.masked_array([0, 1])), "rows"),
        (lambda: fastgumbel.anneal.constant(1.0)(np.ma.masked_array([0, 1])), "step"),
    ],
)
def test_a_mask_is_never_forgotten(call, name):
    with pytest.raises(TypeError, match=f"{name} must not be a masked array; see its filled"):
        call()


def test_no_remedy_is_named_for_what_a_field_has_for_itself():
    field = NoiseField(1)
    with pytest.raises(AttributeError, match=r"immutable; use \.at\(rows=\.\.\.\)"):
        field.rows = [1]
    with pytest.raises(AttributeError, match=r"immutable; use NoiseField\.from_key\(\)"):
        field.key = 1
    for name in ("_span", "_everywhere", "colour"):
        with pytest.raises(AttributeError, match=r"^a NoiseField is immutable$"):
            setattr(field, name, 1)
    with pytest.raises(TypeError, match="unexpected keyword argument '_span'"):
        field.at(_span=1)


def test_fields_of_a_seed_are_told_apart_by_its_type():
    """The field of an int is kept, and True and 1.0 are equal to 1."""
    assert gumbel_max(np.zeros((2, 3)), rng=1).shape == gumbel_max(np.zeros((2, 3)), rng=np.uint8(1)).shape
    for seed in (True, 1.0):
        with pytest.raises(TypeError, match="rng must be None, an int"):
            gumbel(3, rng=seed)


def test_layouts_are_told_apart_by_the_type_of_the_axis():
    x = np.zeros((2, 3))
    assert gumbel_max(x, axis=1, size=2, rng=0).shape == (2, 2)
    for axis in (True, 1.0, [1]):
        with pytest.raises(TypeError, match="axis must be an integer"):
            gumbel_max(x, axis=axis, size=2, rng=0)


def test_a_field_is_read_in_batches_of_any_shape():
    """Its coordinates are kept where they are those of every batch."""
    for field in (NoiseField(1), NoiseField(1).at(draw=2, start=3), NoiseField(1).at(rows=[3])):
        whole = gumbel((2, 2, 3), noise=field)
        first = gumbel_max(np.zeros((4, 3)), size=2, noise=field)
        np.testing.assert_array_equal(first, gumbel_max(np.zeros((2, 2, 3)), size=2, noise=field).reshape(2, 4))
        np.testing.assert_array_equal(first[0], whole.argmax(-1).reshape(-1))
        again = gumbel_max(np.zeros((4, 3)), size=2, noise=field.at(draw=field.draw + 1))
        np.testing.assert_array_equal(first[1], again[0])
