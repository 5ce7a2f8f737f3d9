"""Arrays of other libraries: read as they are meant, or refused by name with the remedy."""

import re

import numpy as np
import pytest
from scipy.sparse import csr_array

import fastgumbel as fg

X = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
FIELD = fg.NoiseField(1)
EXPECTED = fg.gumbel_max(X, noise=FIELD)
ROUNDED = (X.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


class Speaks:
    """Something that speaks DLPack, and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Fails:
    """Something that is no array after all."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no memory left there")


def test_dlpack():
    np.testing.assert_array_equal(fg.gumbel_max(Speaks(X), noise=FIELD), EXPECTED)
    np.testing.assert_array_equal(
        fg.gumbel_softmax(Speaks(X), 0.5, noise=FIELD), fg.gumbel_softmax(X, 0.5, noise=FIELD)
    )


@pytest.mark.parametrize("name", ["log_potentials", "where", "noise", "tau", "choice"])
def test_errors_of_others_name_the_argument(name):
    calls = {
        "log_potentials": lambda: fg.gumbel_max(Fails(), noise=FIELD),
        "where": lambda: fg.gumbel_max(X, where=Fails(), noise=FIELD),
        "noise": lambda: fg.gumbel_max(X, noise=Fails()),
        "tau": lambda: fg.gumbel_softmax(X, Fails(), noise=FIELD),
        "choice": lambda: fg.gumbel_given_choice(X, Fails(), noise=FIELD),
    }
    with pytest.raises(TypeError, match=f"{name} cannot be read as an array: RuntimeError: no memory left there"):
        calls[name]()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (csr_array(X), "an array or a number, not csr_array: pass its toarray(), in which all that is not stored is 0"),
        ({"bus": 1.0, "car": 2.0}, "an array or a number, not dict: pass a list of its values"),
        ((x for x in (1.0, 2.0)), "an array or a number, not generator: pass a list of its items"),
        (None, "an array or a number, not NoneType"),
        (X.astype(object), "real numbers (float16, float32, float64 or integers), not object: pass np.asarray(log_"),
        (X > 0, "real numbers (float16, float32, float64 or integers), not bool: pass np.asarray(log_"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused_with_the_remedy(bad, message):
    with pytest.raises(TypeError, match=re.escape(f"log_potentials must be {message}")):
        fg.gumbel_max(bad, noise=FIELD)


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_availability_as_integers(kind):
    where = np.random.default_rng(1).random(X.shape) < 0.7
    where[:, 0] = True
    expected = fg.gumbel_max(X, where=where, noise=FIELD)
    np.testing.assert_array_equal(fg.gumbel_max(X, where=where.astype(kind), noise=FIELD), expected)
    with pytest.raises(ValueError, match=r"where must be boolean, or 0 and 1, but where\[0, 0\] is 2: pass where != 0"):
        fg.gumbel_max(X, where=2 * where.astype(kind), noise=FIELD)
    with pytest.raises(TypeError, match=r"where must be boolean, or integers 0 and 1, not float64: pass where != 0"):
        fg.gumbel_max(X, where=where.astype(float), noise=FIELD)


def test_bfloat16():
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    x = ROUNDED.astype(bfloat16)
    for function in (fg.gumbel_max, fg.gumbel_softmax, fg.perturb, lambda x, noise: fg.categorical(x, 5, noise=noise)):
        np.testing.assert_array_equal(function(x, noise=FIELD), function(ROUNDED, noise=FIELD))
    assert fg.gumbel_softmax(x, noise=FIELD).dtype == np.float32
    where = ROUNDED < 0.5
    for own, plain in ((x[::-1, ::2], ROUNDED[::-1, ::2]), (x[0], ROUNDED[0]), (x[:, :0], ROUNDED[:, :0])):
        options = {"noise": FIELD, "invalid": "mark"}
        np.testing.assert_array_equal(fg.gumbel_max(own, **options), fg.gumbel_max(plain, **options))
        np.testing.assert_array_equal(fg.diagnose(own), fg.diagnose(plain))
    np.testing.assert_array_equal(
        fg.gumbel_softmax(x, axis=0, where=where, noise=FIELD, invalid="mark"),
        fg.gumbel_softmax(ROUNDED, axis=0, where=where, noise=FIELD, invalid="mark"),
    )
    y, dy = fg.gumbel_softmax_jvp((x, 1.0), (x, None), noise=x)
    for a, b in zip((y, dy), fg.gumbel_softmax_jvp((ROUNDED, 1.0), (ROUNDED, None), noise=ROUNDED), strict=True):
        np.testing.assert_array_equal(a, b)
    reservoirs = fg.Reservoir(2, rng=1), fg.Reservoir(2, rng=1)
    for reservoir, row in zip(reservoirs, (x[0], ROUNDED[0]), strict=True):
        reservoir.update(row)
    np.testing.assert_array_equal(reservoirs[0].values, reservoirs[1].values)
    x[3, 4] = np.nan
    with pytest.raises(ValueError, match="row 3 has nan at category 4"):
        fg.gumbel_max(x, noise=FIELD)


def test_fields_of_a_structure():
    with pytest.raises(TypeError, match="log_potentials must be real numbers"):
        fg.gumbel_max(X.view(np.uint16).view([("bfloat16", np.uint16)]), noise=FIELD)


def test_pytorch():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(X)
    np.testing.assert_array_equal(fg.gumbel_max(tensor, noise=FIELD), EXPECTED)
    half = torch.tensor(ROUNDED).to(torch.bfloat16)
    np.testing.assert_array_equal(fg.gumbel_max(half, noise=FIELD), fg.gumbel_max(ROUNDED, noise=FIELD))
    np.testing.assert_array_equal(fg.gumbel_max(half.T, axis=0, noise=FIELD), fg.gumbel_max(ROUNDED, noise=FIELD))
    with pytest.raises(TypeError, match=r"log_potentials must not require grad: pass log_potentials\.detach\(\)"):
        fg.gumbel_max(tensor.requires_grad_(), noise=FIELD)
    with pytest.raises(TypeError, match=r"tau must not require grad: pass tau\.detach\(\)"):
        fg.gumbel_softmax(X, torch.tensor(0.5, requires_grad=True), noise=FIELD)
    with pytest.raises(TypeError, match=r"log_potentials must lie on the CPU .* not on meta"):
        fg.gumbel_max(torch.zeros(3, device="meta"), noise=FIELD)


def frames(pandas):
    """Yield a frame of the same numbers in every kind of column."""
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    yield frame
    yield frame.convert_dtypes()
    yield frame.astype("Float32")
    if pytest.importorskip("pyarrow"):
        yield frame.astype("float32[pyarrow]")


def test_pandas():
    pandas = pytest.importorskip("pandas")
    for frame in frames(pandas):
        np.testing.assert_array_equal(fg.gumbel_max(frame, noise=FIELD), EXPECTED)
        assert fg.gumbel_softmax(frame, noise=FIELD).dtype == np.float32
    for frame in list(frames(pandas))[1:]:
        gap = frame.copy()
        gap.iloc[2, 3] = pandas.NA
        with pytest.raises(ValueError, match="row 2 has nan at category 3"):
            fg.gumbel_max(gap, noise=FIELD)
    assert fg.gumbel_max(pandas.Series(X[0]), noise=FIELD) == EXPECTED[0]
    counts = pandas.DataFrame({"a": [1, 2], "b": [3, 4]}, dtype="Int64")
    np.testing.assert_array_equal(fg.gumbel_max(counts, noise=FIELD), fg.gumbel_max([[1, 3], [2, 4]], noise=FIELD))


def test_columns_of_truth_values():
    pandas = pytest.importorskip("pandas")
    mixed = pandas.DataFrame(X, columns=list("abcdef")).assign(available=True)
    with pytest.raises(TypeError, match="log_potentials must be numbers, but its column 'available' is boolean"):
        fg.gumbel_max(mixed, noise=FIELD)
    where = pandas.DataFrame(X > -1)
    expected = fg.gumbel_max(X, where=X > -1, noise=FIELD)
    np.testing.assert_array_equal(fg.gumbel_max(X, where=where, noise=FIELD), expected)
    np.testing.assert_array_equal(fg.gumbel_max(X, where=where.astype("boolean"), noise=FIELD), expected)
    gap = where.astype("boolean")
    gap.iloc[1, 1] = pandas.NA
    with pytest.raises(TypeError, match=r"where must be true or false, but has missing values: see fillna\(\)"):
        fg.gumbel_max(X, where=gap, noise=FIELD)


def test_columns_of_text():
    pandas = pytest.importorskip("pandas")
    mixed = pandas.DataFrame(X, columns=list("abcdef")).assign(mode="bus")
    for frame in (mixed, mixed.convert_dtypes(), mixed.astype({"mode": "category"}), mixed.astype(object)):
        with pytest.raises(
            TypeError, match=r"log_potentials must be numbers, but its column '(mode|a)' is of type .*: leave"
        ):
            fg.gumbel_max(frame, noise=FIELD)


def test_ids_of_frames():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match=r"rows\[1\] is missing \(nan\)"):
        FIELD.at(rows=pandas.Series([1.0, np.nan]))
    with pytest.raises(TypeError, match=r"rows\[0\] is 'a'; hash text, as by pandas\.util\.hash_array"):
        FIELD.at(rows=pandas.Series(["a", "b"]))
    names = pandas.array(["a", "b"])
    assert FIELD.at(rows=pandas.util.hash_array(names)).rows.shape == (2,)
    assert FIELD.at(categories=pandas.util.hash_array(names) >> 1).categories.shape == (2,)


def test_labels_that_differ():
    """Places are what counts: frames whose labels are in another order are refused; other labels are not looked at."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    where = pandas.DataFrame(X > -1, columns=list("bacdef"))
    with pytest.raises(ValueError, match=r"where must have the columns of log_potentials in the same order.*reindex"):
        fg.gumbel_max(frame, where=where, noise=FIELD)
    with pytest.raises(ValueError, match="where must have the index of log_potentials"):
        fg.gumbel_max(frame, where=(frame > -1)[::-1], noise=FIELD)
    expected = fg.gumbel_max(X, where=X > -1, noise=FIELD)
    np.testing.assert_array_equal(fg.gumbel_max(frame, where=frame > -1, noise=FIELD), expected)
    np.testing.assert_array_equal(fg.gumbel_max(frame, where=X > -1, noise=FIELD), expected)
    available = (frame > -1).add_suffix("_available")
    np.testing.assert_array_equal(fg.gumbel_max(frame, where=available, noise=FIELD), expected)


def test_labels_of_other_arguments():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"), index=[f"person {i}" for i in range(len(X))])
    by_row = pandas.Series(np.linspace(0.5, 1, len(X)), frame.index)
    by_column = pandas.Series([True, True, False, True, True, True], frame.columns)
    noise = pandas.DataFrame(fg.gumbel(X.shape, noise=FIELD), frame.index, frame.columns)
    calls = (
        ("temperature", lambda a: fg.gumbel_max(frame, temperature=a, noise=FIELD), by_row),
        ("tau", lambda a: fg.gumbel_softmax(frame, a, noise=FIELD), by_row),
        ("threshold", lambda a: fg.gumbel_above(frame, a, noise=FIELD)[1], by_row),
        ("choice", lambda a: fg.gumbel_given_choice(frame, a, noise=FIELD), (by_row * 0).astype(int)),
        ("where", lambda a: fg.gumbel_max(frame, where=a, noise=FIELD), by_column),
        ("noise", lambda a: fg.gumbel_max(frame, noise=a), noise),
        ("cotangent", lambda a: fg.gumbel_softmax_vjp((frame, 1.0), a, noise=FIELD)[1][0], noise),
        (r"tangents\[0\]", lambda a: fg.gumbel_softmax_jvp((frame, 1.0), (a, None), noise=FIELD)[1], noise),
        (r"tangents\[1\]", lambda a: fg.gumbel_softmax_jvp((frame, by_row), (None, a), noise=FIELD)[1], by_row),
    )
    for name, call, argument in calls:
        np.testing.assert_array_equal(call(argument), call(argument.to_numpy()))
        np.testing.assert_array_equal(call(argument.set_axis(range(len(argument)))), call(argument))
        with pytest.raises(ValueError, match=rf"{name} must have the .* of log_potentials in the same order"):
            call(argument[::-1])
    # Along another axis, and of one row.
    turned = fg.gumbel_max(frame.T, axis=0, temperature=by_row, where=by_column.to_numpy()[:, None], noise=FIELD)
    np.testing.assert_array_equal(turned, fg.gumbel_max(frame, temperature=by_row, where=by_column, noise=FIELD))
    with pytest.raises(ValueError, match="temperature must have the columns of log_potentials"):
        fg.gumbel_max(frame.T, axis=0, temperature=by_row[::-1], noise=FIELD)
    with pytest.raises(ValueError, match="where must have the index of log_potentials"):
        fg.gumbel_max(frame.iloc[0], where=by_column[::-1], noise=FIELD)


def _named(items, *dims, **coords):
    return pytest.importorskip("xarray").DataArray(np.asarray(items), dims=dims, coords=coords)


SQUARE = np.random.default_rng(5).normal(size=(4, 4))
NAMED_WRONG = [
    (lambda x: fg.gumbel_max(x, where=_named(SQUARE > -9, "zone", "person")), "where has dimensions"),
    (lambda x: fg.gumbel_max(x, where=_named(SQUARE[0] > -9, "person")), "where has dimensions"),
    (
        lambda x: fg.gumbel_max(x, where=_named(SQUARE > -9, "person", "zone", zone=list("bacd"))),
        "coordinates of 'zone'",
    ),
    (lambda x: fg.gumbel_max(x, temperature=_named(np.ones(4), "zone")), "temperature has dimensions"),
    (lambda x: fg.gumbel_max(x, axis=0, temperature=_named(np.ones(4), "person")), "temperature has dimensions"),
    (lambda x: fg.gumbel_max(x, noise=_named(SQUARE, "zone", "person")), "noise has dimensions"),
    (lambda x: fg.gumbel_given_choice(x, _named(np.zeros(4, int), "zone")), "choice has dimensions"),
    (lambda x: fg.gumbel_above(x, _named(np.zeros(4), "zone")), "threshold has dimensions"),
    (lambda x: fg.gumbel_softmax(x, _named(np.ones(4), "zone")), "tau has dimensions"),
    (lambda x: fg.gumbel_softmax_jvp((x, 1.0), (_named(SQUARE, "zone", "person"), None)), "has dimensions"),
]


@pytest.mark.parametrize(("call", "message"), NAMED_WRONG)
def test_dimensions_of_xarray_in_another_order(call, message):
    with pytest.raises(ValueError, match=message):
        call(_named(SQUARE, "person", "zone", zone=list("abcd")))


def test_xarray():
    x, noise = _named(SQUARE, "person", "zone", zone=list("abcd")), fg.NoiseField(3)
    expected = fg.gumbel_max(SQUARE, where=SQUARE > -1, noise=noise)
    assert (
        fg.gumbel_max(x, where=_named(SQUARE > -1, "person", "zone", zone=list("abcd")), noise=noise) == expected
    ).all()
    assert (fg.gumbel_max(x.variable, where=x.variable > -1, noise=noise) == expected).all()
    # Other names may be any, and a name may be missing.
    assert (fg.gumbel_max(x, where=_named(SQUARE > -1, "dim_0", "dim_1"), noise=noise) == expected).all()
    temperatures = _named([1.0, 2.0, 3.0, 4.0], "person")
    given = fg.gumbel(x.shape, noise=noise)
    assert (
        fg.gumbel_max(x, temperature=temperatures, noise=_named(given[None], "draw", "person", "zone"), size=1)
        == fg.gumbel_max(SQUARE, temperature=temperatures.to_numpy(), noise=noise, size=1)
    ).all()
    assert (
        fg.gumbel_max(x, axis=0, temperature=_named(np.ones(4), "zone"), noise=noise)
        == fg.gumbel_max(SQUARE.T, noise=noise)
    ).all()
    rows = fg.NoiseField(3).at(rows=_named([7, 7, 8, 9], "person"))
    assert (fg.gumbel_max(x, noise=rows) == fg.gumbel_max(SQUARE, noise=fg.NoiseField(3).at(rows=[7, 7, 8, 9]))).all()


def test_polars():
    pl = pytest.importorskip("polars", reason="polars is not installed")
    frame = pl.DataFrame({name: SQUARE[:, i] for i, name in enumerate("abcd")})
    assert (fg.gumbel_max(frame, where=frame > -1, rng=3) == fg.gumbel_max(SQUARE, where=SQUARE > -1, rng=3)).all()
    with pytest.raises(TypeError, match="column 'e' is boolean"):
        fg.gumbel_max(frame.with_columns(pl.lit(True).alias("e")))
    with pytest.raises(TypeError, match=r"not LazyFrame: pass its collect\(\)"):
        fg.gumbel_max(frame.lazy())


def test_masks_of_numbers():
    pandas = pytest.importorskip("pandas")
    x = np.zeros((2, 3))
    mixed = pandas.DataFrame({"a": [1, 0], "b": [True, False], "c": [False, True]})
    np.testing.assert_array_equal(fg.gumbel_max(x, where=mixed, rng=1), fg.gumbel_max(x, where=mixed == 1, rng=1))
    gap = pandas.DataFrame([[1, 0, 1], [1, np.nan, 0]])
    for mask in (gap, gap.astype("Int64"), gap.astype(object), gap.astype(object).replace({np.nan: None})):
        with pytest.raises(TypeError, match=r"where\[1, 1\] is missing, see fillna"):
            fg.gumbel_max(x, where=mask, rng=1)
    with pytest.raises(TypeError, match=r"where must be boolean, or integers 0 and 1, not float64: pass where != 0"):
        fg.gumbel_max(x, where=[1.0, 0.0, 1.0], rng=1)
    with pytest.raises(ValueError, match=r"where must be boolean, or 0 and 1, but where\[1\] is -1"):
        fg.gumbel_max(x, where=[1, -1, 1], rng=1)


@pytest.mark.parametrize("x", [b"ab", bytearray(b"ab")])
def test_bytes_are_no_log_potentials(x):
    with pytest.raises(TypeError, match="log_potentials must be an array, not byte"):
        fg.gumbel_max(x, rng=0)


@pytest.mark.parametrize("flag", ["False", 1, None])
def test_flags_are_true_or_false(flag):
    for name, call in (
        ("hard", lambda: fg.gumbel_softmax(X, hard=flag, rng=0)),
        ("log", lambda: fg.gumbel_softmax_vjp((X, 0.5), X, log=flag, rng=0)),
        ("return_max", lambda: fg.gumbel_max(X, return_max=flag, rng=0)),
        ("return_threshold", lambda: fg.gumbel_top_k(X, 2, return_threshold=flag, rng=0)),
    ):
        with pytest.raises(TypeError, match=f"{name} must be True or False"):
            call()
