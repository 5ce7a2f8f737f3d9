"""Precomputed noise beside dask arrays, as a dask or a NumPy array, gives what it gives beside the whole.

And so do nests, whose noise `fastgumbel.dask.gumbel_nested` writes.
"""

import re

import dask
import dask.array as da
import numpy as np
import pytest

import fastgumbel as fg
import fastgumbel.dask as fgd
from tests.dask.test_dask import CHUNKS, FIELD, SHAPE, assert_equal, complaint, faulty, lazy, normal

CALLS = {
    "max": ("gumbel_max", (), {"return_max": True}),
    "cold max": ("gumbel_max", (), {"return_max": True, "temperature": 0.3}),
    "top 1": ("gumbel_top_k", (1,), {"return_threshold": True}),
    "top 70": ("gumbel_top_k", (70,), {"return_threshold": True, "temperature": 2.5}),
    "softmax": ("gumbel_softmax", (0.7,), {}),
    "log softmax": ("gumbel_softmax", (0.7,), {"log": True}),
    "hard softmax": ("gumbel_softmax", (0.7,), {"hard": True}),
    "mixed softmax": ("gumbel_softmax", (np.array([[0.7], [0.0]]),), {}),
    "above": ("gumbel_above", (2.0,), {"temperature": 0.8}),
}
NESTS = [(0.6, [3, (0.5, [1, 200])]), (0.3, range(210, 300)), (0.9, [0])]


@pytest.fixture(autouse=True)
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


def flat(result):
    """Return the arrays of a result, one after the other."""
    if isinstance(result, tuple):
        return [array for part in result for array in flat(part)]
    return [result]


def check(call, x, chunks, noise, noise_chunks, lazy_options=(), **options):
    """Check that the function gives the same beside a dask array, for both kinds of noise."""
    name, arguments, own = CALLS[call]
    expected = flat(getattr(fg, name)(x, *arguments, noise=noise, **(own | options)))
    for given in (noise, lazy(noise, noise_chunks)):
        result = getattr(fgd, name)(lazy(x, chunks), *arguments, noise=given, **(own | options | dict(lazy_options)))
        for array, wanted in zip(dask.compute(*flat(result)), expected, strict=True):
            np.testing.assert_array_equal(array, wanted)
            assert array.dtype == np.asarray(wanted).dtype


def holes(noise):
    """Return noise with a tenth of it -inf, but for the first category."""
    hidden = np.random.default_rng(9).random(noise.shape) < 0.1
    hidden[..., 0] = False
    return np.where(hidden, -np.inf, noise)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("call", [call for call in CALLS if call != "mixed softmax"])
def test_any_chunks(call, dtype):
    x = normal(SHAPE, dtype)
    x[:, 0] = 0
    noise = holes(fg.gumbel(SHAPE, noise=FIELD, dtype=dtype))
    for chunks in CHUNKS:
        check(call, x, chunks, noise, (2, 100))
    check(call, normal((3, 96), dtype), ((2, 1), (1, 0, 63, 32)), fg.gumbel((3, 96), rng=1), (3, 50))


@pytest.mark.parametrize("call", CALLS)
def test_axes_draws_and_masks(call):
    """Everything at once; each draw has places of its own that the noise leaves empty."""
    x = normal((2, 150, 3), np.float32)
    where = np.random.default_rng(1).random((150, 1)) < 0.8
    where[0], x[:, 0] = True, 0
    noise = np.moveaxis(holes(fg.gumbel((3, 5, 2, 3, 150), noise=FIELD)), -1, -2)
    lazy_options = {"draw_chunks": ((1, 2), (2, 3)), "where": da.from_array(where, chunks=(40, 1))}
    for own in (lazy_options, {}):
        for chunks in (((1, 1), (90, 60), (2, 1)), ((2,), (150,), (2, 1))):
            check(call, x, chunks, noise, (2, 2, 1, 77, 3), own, size=(3, 5), axis=1, where=where)


@pytest.mark.parametrize("call", [call for call in CALLS if call != "mixed softmax"])
@pytest.mark.parametrize("chunks", [((2, 4), (50, 100, 50)), ((6,), (200,))])
def test_invalid_rows(call, chunks):
    """Bad values that the noise hides in one draw, and rows of which it leaves nothing in another, are marked."""
    x, noise = faulty(70), fg.gumbel((3, 6, 200), noise=FIELD)
    noise[0, 3, 170], noise[1, 0], noise[:, 4, 130:150] = -np.inf, -np.inf, -np.inf
    check(call, x, chunks, noise, (1, 6, 60), size=3, invalid="mark")
    name, arguments, own = CALLS[call]
    for row in (3,) if call == "above" else (2, 3):
        part, beside = x[[5, row]], noise[:, [5, row]]
        expected = complaint(lambda p=part, b=beside: getattr(fg, name)(p, *arguments, noise=b, size=3, **own))
        results = getattr(fgd, name)(lazy(part, ((2,), chunks[1])), *arguments, noise=beside, size=3, **own)
        message = complaint(lambda results=results: dask.compute(*flat(results)))
        # Whether noise alone has excluded categories, and in which draw, is told apart on the host alone.
        assert re.sub(r" or by noise of -inf|draw \d+ of ", "", message) == expected
    results = getattr(fgd, name)(lazy(x[:1], ((1,), chunks[1])), *arguments, noise=noise[:, :1], size=3, **own)
    message = complaint(lambda: dask.compute(*flat(results)))
    assert message is None if call == "above" else message.startswith("log_potentials: draw 1 of row 0 has ")
    assert message is None or message.endswith("or by noise of -inf")


@pytest.mark.parametrize("call", [call for call in CALLS if call != "mixed softmax"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_noise_is_named_in_the_whole(call, value):
    x, noise = normal((4, 200)), fg.gumbel((2, 4, 200), noise=FIELD)
    noise[1, 3, 170] = value
    name, arguments, own = CALLS[call]
    for invalid in ("raise", "mark"):
        expected = complaint(
            lambda i=invalid: getattr(fg, name)(x, *arguments, noise=noise, size=2, **(own | {"invalid": i}))
        )
        assert "row (1, 3) has" in expected
        for chunks in (((2, 2), (50, 100, 50)), ((3, 1), (200,))):
            results = getattr(fgd, name)(
                lazy(x, chunks), *arguments, noise=noise, size=2, draw_chunks=1, **(own | {"invalid": invalid})
            )
            assert complaint(lambda results=results: dask.compute(*flat(results))) == expected


@pytest.mark.parametrize("chunks", [((2, 2), (50, 100, 50)), ((3, 1), (200,))])
def test_noise_beyond_a_type_or_its_temperature(chunks):
    x, noise = np.zeros((4, 200), np.float32), np.zeros((4, 200))
    noise[3, 170] = 1e300
    for name, options in (("gumbel_softmax", {}), ("gumbel_max", {"temperature": [1.0, 0.0, 1.0, 1e10]})):
        expected = complaint(lambda n=name, o=options: getattr(fg, n)(x, noise=noise, **o))
        assert "row 3 has 1e+300 at category 170" in expected
        assert complaint(getattr(fgd, name)(lazy(x, chunks), noise=noise, **options).compute) == expected
    assert_equal(fgd.gumbel_softmax(lazy(x, chunks), 0.0, noise=noise), fg.gumbel_softmax(x, 0.0, noise=noise))


def test_chunks_of_draws_are_those_of_the_noise():
    x = da.zeros((4, 30), chunks=(2, 10))
    noise = fgd.gumbel((7, 4, 30), chunks=(3, 4, 30), rng=1)
    assert fgd.gumbel_max(x, size=7, noise=noise).chunks == ((3, 3, 1), (2, 2))
    assert fgd.gumbel_max(x, size=7, noise=noise, draw_chunks=7).chunks == ((7,), (2, 2))


@pytest.mark.parametrize("call", CALLS)
def test_nothing(call):
    for shape, size in (((0, 100), None), ((2, 100), 0), ((2, 100), (2, 0))):
        if call == "mixed softmax" and shape[0] == 0:
            continue
        lead = () if size is None else np.atleast_1d(size)
        check(call, normal(shape), ((shape[0],), (60, 40)), np.zeros((*lead, *shape)), -1, size=size)


def test_bad_arguments():
    x = da.zeros((4, 30), chunks=(2, 10))
    masked = np.ma.masked_array(np.zeros((4, 30)), np.ones((4, 30)))
    for noise, error, message in (
        (np.zeros((4, 29)), ValueError, r"noise must have shape \(4, 30\), not \(4, 29\)"),
        (da.zeros((4, 29)), ValueError, r"noise must have shape \(4, 30\), not \(4, 29\)"),
        (np.full((4, 30), "a"), TypeError, "noise must be real"),
        (da.zeros((4, 30), dtype=complex), TypeError, "noise must be real"),
        (masked, TypeError, "noise must not be a masked array"),
        (da.from_array(masked, chunks=2), TypeError, "noise must not be a masked array"),
        (da.zeros(120)[da.zeros(120) == 0].reshape(-1), ValueError, "noise has chunks of unknown sizes"),
        (3, TypeError, "pass rng="),
    ):
        with pytest.raises(error, match=message):
            fgd.gumbel_max(x, noise=noise)
    with pytest.raises(ValueError, match="rng or noise"):
        fgd.gumbel_max(x, noise=np.zeros((4, 30)), rng=1)
    for function in (fgd.categorical, lambda x, noise: fgd.reservoir(x[0], 2, noise=noise[0])):
        with pytest.raises(TypeError, match="noise must be a NoiseField, not"):
            function(x, noise=np.zeros((4, 30)))


def test_noise_given_choices():
    """Conditioned chunk by chunk on a choice, whose rows are named by their ids, it leads to the choice."""
    x, choice = normal((6, 30)), np.arange(6)
    x[:, :6] = 0

    def conditioned(part, own, ids):
        return fg.gumbel_given_choice(part, own[:, 0], noise=FIELD.at(rows=ids[:, 0]))

    rows = [da.from_array(items[:, np.newaxis], chunks=(2, 1)) for items in (choice, np.arange(6))]
    noise = da.map_blocks(conditioned, lazy(x, (2, 30)), *rows, dtype=float, chunks=((2, 2, 2), (30,)))
    assert_equal(noise, fg.gumbel_given_choice(x, choice, noise=FIELD))
    assert_equal(fgd.gumbel_max(lazy(x, (3, 11)), noise=noise), choice)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nests(dtype):
    """Whatever the chunks, through nests and of no items; with row ids, draws of their own and category ids."""
    shape = (3, 4, 320)
    ids = np.random.default_rng(3).permuted(np.arange(-20, 300) * np.ones((3, 4, 1), int), axis=-1)
    rows = np.arange(12).reshape(3, 4) ** 9
    fields = (FIELD, FIELD.at(rows=rows, draw=np.arange(4), start=7), FIELD.at(categories=ids), FIELD.at(rows=3))
    for field in fields:
        expected = fg.gumbel_nested(shape, NESTS, noise=field, dtype=dtype)
        for chunks in ("auto", (2, 3, 70), ((1, 2), (4,), (0, 1, 209, 110)), -1):
            assert_equal(fgd.gumbel_nested(shape, NESTS, chunks=chunks, noise=field, dtype=dtype), expected)
    assert_equal(fgd.gumbel_nested(320, NESTS, chunks=64, rng=1), fg.gumbel_nested(320, NESTS, rng=1))
    assert_equal(fgd.gumbel_nested((), [(0.5, [0])], rng=1), fg.gumbel_nested((), [(0.5, [0])], rng=1))
    assert_equal(fgd.gumbel_nested((0, 320), NESTS, rng=1), fg.gumbel_nested((0, 320), NESTS, rng=1))


def test_a_nested_logit():
    x, field = normal((2, 320)), FIELD.at(rows=[0, 1], draw=np.arange(5)[:, np.newaxis])
    noise = fgd.gumbel_nested((5, 2, 320), NESTS, chunks=(2, 1, 100), noise=field)
    expected = fg.gumbel_max(x, size=5, noise=fg.gumbel_nested((5, 2, 320), NESTS, noise=field))
    assert_equal(fgd.gumbel_max(lazy(x, (1, 120)), size=5, noise=noise), expected)


def test_nests_in_other_processes():
    noise = fgd.gumbel_nested((4, 320), NESTS, chunks=(2, 150), rng=1)
    with dask.config.set(scheduler="processes", num_workers=1):
        np.testing.assert_array_equal(noise.compute(), fg.gumbel_nested((4, 320), NESTS, rng=1))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((None, NESTS), {}, TypeError, "size must be"),
        (((2, 320), 0.5), {}, TypeError, "nests must be a list"),
        (((2, 100), NESTS), {}, ValueError, r"nests\[0\]\[1\]\[1\]\[1\]\[1\] must be a category"),
        (((2, 320), NESTS), {"chunks": (1, 2, 3)}, ValueError, "chunks must cut"),
        (((2, 320), NESTS), {"dtype": int}, TypeError, "dtype"),
        (((2, 320), NESTS), {"rng": 1, "noise": FIELD}, ValueError, "rng or noise"),
        (((2, 320), NESTS), {"noise": np.zeros((2, 320))}, TypeError, "noise must be a NoiseField"),
    ],
)
def test_bad_nests(arguments, options, error, message):
    with pytest.raises(error, match=message):
        fgd.gumbel_nested(*arguments, **options)
