"""Arrays as they come: of another byte order, misaligned, read-only, strided, of a subclass, empty, or beyond 2**31."""

import tempfile

import numpy as np
import pytest

import fastgumbel as fg
from tests.faults.mixed import EVERY, KINDS, SHAPES, results


def big_endian(x):
    return x.astype(x.dtype.newbyteorder(">"))


def misaligned(x):
    bytes_ = np.zeros(x.nbytes + 1, np.uint8)[1:]
    array = bytes_.view(x.dtype).reshape(x.shape)
    array[...] = x
    assert not array.flags.aligned or x.itemsize == 1 or not x.size
    return array


def read_only(x):
    array = x.copy()
    array.flags.writeable = False
    return array


def backwards(x):
    """Every stride negative, and twice as long as it need be."""
    array = np.zeros([2 * n for n in x.shape], x.dtype)[tuple(slice(None, None, -2) for _ in x.shape)]
    array[...] = x
    return array


def of_a_subclass(x):
    return x.view(np.matrix) if x.ndim == 2 else x.view(np.memmap)


def memory_map(x):
    with tempfile.TemporaryFile() as file:
        array = np.memmap(file, x.dtype, "w+", shape=x.shape)
    array[...] = x
    return array


X = np.random.default_rng(0).normal(size=(4, 6))
FORMS = (big_endian, misaligned, read_only, np.asfortranarray, backwards, of_a_subclass, memory_map)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("gumbel", "gumbel, ids")])
def test_the_form_of_an_input_changes_no_bit(name, form):
    for shape in SHAPES:
        for kind in KINDS:
            for actual, expected in zip(results(name, shape, kind, form), results(name, shape, kind), strict=True):
                assert type(actual) in (np.ndarray, type(expected))
                assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
                assert actual.tobytes() == expected.tobytes()


REFUSED = {
    "objects": np.array([[0.0, 1.0], [2.0, 3.0]], object),
    "masked": np.ma.masked_array([[0.0, 1.0], [2.0, 3.0]], [[True, False], [False, False]]),
    "booleans": np.array([[True, False]] * 2),
    "strings": np.array([["0", "1"]] * 2),
}
CALLS = {
    "gumbel_max": lambda x: fg.gumbel_max(x, rng=1),
    "gumbel_top_k": lambda x: fg.gumbel_top_k(x, 1, rng=1),
    "gumbel_above": lambda x: fg.gumbel_above(x, rng=1),
    "gumbel_softmax": lambda x: fg.gumbel_softmax(x, rng=1),
    "gumbel_softmax_jvp": lambda x: fg.gumbel_softmax_jvp((x, 1.0), (None, 1.0), rng=1),
    "gumbel_given_choice": lambda x: fg.gumbel_given_choice(x, [0, 0], rng=1),
    "categorical": lambda x: fg.categorical(x, rng=1),
    "Reservoir": lambda x: fg.Reservoir(1, rng=1).update(x[0]),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("name", CALLS)
def test_arrays_that_have_no_place(name, kind):
    with pytest.raises(TypeError, match="log_potentials"):
        CALLS[name](REFUSED[kind])


@pytest.mark.parametrize("name", ["gumbel_max", "gumbel_softmax", "categorical"])
def test_no_rows_give_nothing_and_no_categories_are_an_error(name):
    for shape in [(0, 3), (2, 0, 3), (0, 700)]:
        result = CALLS[name](np.zeros(shape))
        assert result.shape in (shape, shape[:-1])
    for shape in [(2, 0), (1, 2, 0)]:
        with pytest.raises(ValueError, match=r"log_potentials.*no category left"):
            CALLS[name](np.zeros(shape))


@pytest.mark.heavy
def test_a_row_of_more_than_two_to_the_31():
    """Read in place, and piece by piece; zeros that nobody wrote to take no memory."""
    n = 2**31 + 100
    best = n - 3
    x = np.zeros(n, np.float32)
    x[best] = 60
    assert fg.gumbel_max(x, rng=1) == best
    indices, values = fg.gumbel_top_k(x, 3, rng=1)
    assert indices[0] == best
    assert values[0] > 50 > values[1] > values[2]
    reservoir = fg.Reservoir(3, rng=1)
    reservoir.update(x)
    np.testing.assert_array_equal(reservoir.indices, indices)
    np.testing.assert_array_equal(reservoir.values, values)
    small = np.zeros(n, np.int8)
    small[best] = 60
    assert fg.gumbel_max(small, rng=1) == best


@pytest.mark.heavy
def test_a_batch_of_more_than_two_to_the_31():
    """Row by row, and its last rows alone; in place, and by zero strides."""
    rows, n = 2**21 + 3, 1030
    x = np.zeros((rows, n), np.float32)
    assert x.size > 2**31
    field = fg.NoiseField(1)
    choices = fg.gumbel_max(x, noise=field)
    ids = np.arange(rows - 5, rows)
    np.testing.assert_array_equal(choices[-5:], fg.gumbel_max(x[-5:], noise=field.at(rows=ids)))
    lazy = np.broadcast_to(x[0], x.shape)
    np.testing.assert_array_equal(fg.gumbel_max(lazy, noise=field), choices)
    drawn = fg.categorical(lazy[:, :9], noise=field)
    np.testing.assert_array_equal(drawn[-5:], fg.categorical(x[-5:, :9], noise=field.at(rows=ids)))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize(
    "function",
    [
        lambda field, out: fg.gumbel((4, 6), noise=field, out=out),
        lambda field, out: fg.gumbel_softmax(X, 0.5, noise=field, out=out),
        lambda field, out: fg.gumbel_given_choice(X, [0, 2, 3, 4], noise=field, out=out),
        lambda field, out: fg.perturb(X, noise=field, out=out),
    ],
    ids=["gumbel", "gumbel_softmax", "gumbel_given_choice", "perturb"],
)
@pytest.mark.parametrize("categories", [None, [5, -1, 3, 2, 1, 0]])
def test_a_matrix_is_written_to_as_an_array_is(function, categories):
    field = fg.NoiseField(1) if categories is None else fg.NoiseField(1).at(categories=categories)
    out = np.matrix(np.empty((4, 6)))
    assert function(field, out) is out
    np.testing.assert_array_equal(np.asarray(out), function(field, None))
