"""``gumbel_given_choice``: the argmax is the choice, whatever the log-potentials; what it takes, gives and refuses.

Its law is in ``law/test_given.py``, that threads and chunks do not matter in ``test_softmax_invariance.py``.
"""

import re

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField, gumbel_given_choice
from tests.api import cases

BOTH = (TypeError, ValueError)
X = np.zeros((3, 5))
K = np.array([0, 1, 4])


def random_choices(x, rng, size=(), where=None):
    """Return one of the categories that are left in each row, all alike."""
    left = (x > -np.inf) & (True if where is None else where)
    return np.where(left, rng.random((*size, *x.shape)), -1).argmax(-1)


def assert_leads_to(choice, x, noise, **options):
    """Check that the choice is the first argmax in float64, the definition of ``gumbel_max``."""
    assert np.isfinite(noise).all()
    size = noise.shape[: noise.ndim - x.ndim]
    index = fastgumbel.gumbel_max(x, noise=noise, size=size, **options)
    np.testing.assert_array_equal(index, np.broadcast_to(choice, index.shape))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "uint32", ">f8", ">f4"])
@pytest.mark.parametrize(
    "family",
    ["zeros", "normal", "wide", "duplicates", "subnormal", "million", "ascending", "steep", "spike", "minus infinity"],
)
def test_the_argmax_is_the_choice(family, dtype):
    """Also of a choice that had next to no chance, and of one after others like it."""
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for n in (1, 2, 10, 63, 64, 65, 129, 1000):
        x = cases.log_potentials(family, dtype, rng, np.empty((8, n)))
        choice = random_choices(x.astype(np.float64), rng, size=(4,))
        noise = gumbel_given_choice(x, choice, size=4, rng=n)
        assert noise.shape == (4, 8, n)
        assert_leads_to(choice, x, noise)
        last = n - 1 - (x[:, ::-1] > -np.inf).argmax(-1)
        for fixed in (x.argmax(-1), x.argmin(-1) if family != "minus infinity" else last, last):
            assert_leads_to(fixed, x, gumbel_given_choice(x, fixed, rng=n))


@pytest.mark.parametrize("family", ["million", "far", "limits", "all huge", "all very low"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_argmax_is_the_choice_where_noise_is_rounded_away(family, dtype):
    """Potentials beside which a Gumbel is nothing: the noise bends, the choice stands."""
    rng = np.random.default_rng(1)
    for n in (2, 10, 70):
        x = cases.log_potentials(family, dtype, rng, np.empty((30, n)))
        for choice in (random_choices(x, rng), np.full(30, n - 1), np.zeros(30, int), x.argmax(-1)):
            assert_leads_to(choice, x, gumbel_given_choice(x, choice, rng=1))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_many_draws_lead_to_the_choice(dtype):
    """A hundred thousand near-ties: the two noises of equal potentials are close once in 10^5."""
    x = np.array([0.0, 0.0, 1.0, 1e3, 1e3], dtype)
    for choice in range(5):
        assert_leads_to(choice, x, gumbel_given_choice(x, choice, size=100_000, rng=choice))


@pytest.mark.parametrize("n", [5, 70, 1000])
def test_masks_and_axes(n):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(3, 4, n))
    where = rng.random(x.shape) < 0.5
    where[..., 0] = True
    choice = random_choices(x, rng, where=where)
    noise = gumbel_given_choice(x, choice, where=where, rng=1)
    assert_leads_to(choice, x, noise, where=where)
    hidden = np.where(where, x, np.nan)
    np.testing.assert_array_equal(gumbel_given_choice(hidden, choice, where=where, rng=1), noise)
    np.testing.assert_array_equal(gumbel_given_choice(np.where(where, x, -np.inf), choice, rng=1), noise)
    for axis in (0, 1, -3, -2):
        moved, mask = np.moveaxis(x, -1, axis), np.moveaxis(where, -1, axis)
        other = gumbel_given_choice(moved, choice, axis=axis, where=mask, rng=1)
        np.testing.assert_array_equal(np.moveaxis(other, axis, -1), noise)


def test_one_choice_a_row_serves_all_draws():
    np.testing.assert_array_equal(
        gumbel_given_choice(X, K, size=(2, 4), rng=1),
        gumbel_given_choice(X, np.broadcast_to(K, (2, 4, 3)), size=(2, 4), rng=1),
    )


@pytest.mark.parametrize("choice", [K.astype(np.uint8), K.astype(">i4"), [0, 1, 4], K[::-1].copy()[::-1]])
def test_choices_of_any_type(choice):
    np.testing.assert_array_equal(gumbel_given_choice(X, choice, rng=1), gumbel_given_choice(X, K, rng=1))


def test_a_choice_of_gumbel_max_is_a_choice():
    x = np.random.default_rng(1).normal(size=(4, 70))
    for rows in (x, x[0]):
        for size in (None, 3):
            choice = fastgumbel.gumbel_max(rows, size=size, rng=1)
            assert_leads_to(choice, rows, gumbel_given_choice(rows, choice, size=size, rng=1))


@pytest.mark.parametrize("size", [None, (), 1, 3, (2, 3), 0])
@pytest.mark.parametrize("batch", [(), (4,), (2, 3), (2, 1, 3), (0,)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", ">f4"])
def test_shapes_and_types(dtype, batch, size):
    lead = () if size is None else (size,) if isinstance(size, int) else size
    noise = gumbel_given_choice(np.ones((*batch, 5), dtype), np.ones(batch, int), size=size, rng=1)
    assert isinstance(noise, np.ndarray)
    assert noise.shape == (*lead, *batch, 5)
    assert noise.dtype == (np.float32 if dtype in ("float32", "float16", ">f4") else np.float64)


def test_out_is_written_and_returned():
    x = np.random.default_rng(1).normal(size=(3, 70))
    for dtype in (np.float64, np.float32):
        expected = gumbel_given_choice(x.astype(dtype), [1, 2, 3], rng=1)
        out = np.full(x.shape, np.nan, dtype)
        assert gumbel_given_choice(x.astype(dtype), [1, 2, 3], rng=1, out=out) is out
        np.testing.assert_array_equal(out, expected)
    wide = np.full((140, 3), -7.0)
    gumbel_given_choice(x, [1, 2, 3], rng=1, out=wide[::2].T)
    np.testing.assert_array_equal(wide[::2].T, gumbel_given_choice(x, [1, 2, 3], rng=1))
    assert (wide[1::2] == -7.0).all()
    expected = gumbel_given_choice(x, [1, 2, 3], rng=1)
    np.testing.assert_array_equal(gumbel_given_choice(x, [1, 2, 3], rng=1, out=x), expected)


def test_it_is_not_the_noise_of_the_field():
    """Words of its own, so that what is conditioned on a choice knows nothing of the noise that led to it."""
    x = np.zeros((50, 70))
    field = NoiseField(1)
    noise = gumbel_given_choice(x, fastgumbel.gumbel_max(x, noise=field), noise=field)
    assert not np.isin(noise, fastgumbel.gumbel(x.shape, noise=field)).any()
    assert len(np.unique(noise)) == noise.size


@pytest.mark.parametrize(
    ("options", "error", "name"),
    [
        ({"rng": 1, "noise": NoiseField(1)}, BOTH, "rng.*noise|noise.*rng"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"size": -1}, ValueError, "size"),
        ({"axis": 2}, ValueError, "axis"),
        ({"axis": 0.0}, TypeError, "axis"),
        ({"where": np.ones((3, 5))}, TypeError, "where"),
        ({"where": np.ones((3, 4), bool)}, ValueError, "where"),
        ({"invalid": "ignore"}, ValueError, "invalid"),
        ({"noise": X}, TypeError, "noise"),
        ({"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "rows"),
        ({"noise": NoiseField(1).at(draw=2**32 - 1), "size": 2}, ValueError, "draw"),
        ({"noise": NoiseField(1).at(start=2**32 - 4)}, ValueError, "start|categories"),
        ({"out": np.empty((3, 4))}, ValueError, "out"),
        ({"out": np.empty((3, 5), np.float32)}, BOTH, "out"),
        ({"out": [0.0]}, TypeError, "out"),
        ({"out": np.empty((3, 5)), "size": 2}, ValueError, "out"),
    ],
)
def test_bad_options(options, error, name):
    with pytest.raises(error, match=name):
        gumbel_given_choice(X, K, **options)


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        ([0, 1], ValueError),
        ([[0], [1], [2]], ValueError),
        (0, ValueError),
        ([0, 1, 5], ValueError),
        ([0, -1, 1], ValueError),
        ([0, 1, 2**62], ValueError),
        (np.array([0, 1, 2**64 - 1], np.uint64), ValueError),
        ([0.0, 1.0, 2.0], TypeError),
        ([True, False, True], TypeError),
        (None, TypeError),
        ("012", TypeError),
    ],
)
def test_bad_choices(choice, error):
    with pytest.raises(error, match="choice"):
        gumbel_given_choice(X, choice, rng=0)
    with pytest.raises(error, match="choice"):
        gumbel_given_choice(X, choice, rng=0, invalid="mark")


@pytest.mark.parametrize("n", [5, 70, 1000])
def test_the_row_of_a_bad_choice_is_named(n):
    """Out of range, or of a category that is excluded: by minus infinity, or by the mask."""
    x = np.zeros((4, 6, n))
    good = np.ones((4, 6), int)
    for bad in (-1, n, 3):
        choice = good.copy()
        choice[2, 5] = bad
        options = {}
        if bad == 3:
            options["where"] = np.ones(x.shape, bool)
            options["where"][2, 5, 3] = False
        for size in (None, 2):
            with pytest.raises(ValueError, match="choice") as error:
                gumbel_given_choice(x, choice, rng=0, size=size, **options)
            assert [int(i) for i in re.findall(r"\d+", str(error.value).partition("row")[2])][:2] == [2, 5]
    x[2, 5, 1] = -np.inf
    with pytest.raises(ValueError, match=r"choice.*2, 5"):
        gumbel_given_choice(x, good, rng=0)


def test_the_row_of_a_bad_choice_of_one_draw_is_named():
    choice = np.ones((2, 3), int)
    choice[1, 2] = 5
    with pytest.raises(ValueError, match=r"choice.*row 2"):
        gumbel_given_choice(X, choice, size=2, rng=0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [3, 10, 70, 1000])
def test_invalid_rows(n, dtype):
    good = np.random.default_rng(n).normal(size=(9, n)).astype(dtype)
    x = good.copy()
    x[2, n // 2], x[5, n - 1], x[8] = np.nan, np.inf, -np.inf
    choice = np.zeros(9, int)
    bad = np.isin(np.arange(9), (2, 5, 8))
    for size in (None, 2):
        marked = gumbel_given_choice(x[:8], choice[:8], size=size, rng=1, invalid="mark")
        assert np.isnan(marked[..., bad[:8], :]).all()
        expected = gumbel_given_choice(good, choice, size=size, rng=1)
        np.testing.assert_array_equal(marked[..., ~bad[:8], :], expected[..., ~bad, :])
    with pytest.raises(ValueError, match=rf"log_potentials.*row 2.*{n // 2}"):
        gumbel_given_choice(x, choice, rng=1)


def test_options_are_keywords():
    with pytest.raises(TypeError):
        gumbel_given_choice(X, K, -1)


@pytest.mark.parametrize(
    ("x", "choice", "where", "ids"),
    [
        ([1.0, 2.0, 0.0, 3.0], 1, [True, False, True, True], [5, 5, 5, 7]),
        ([1.0, 2.0, 0.0, -np.inf], 3, None, [5, 5, 7, 7]),
        ([1.0, 2.0, 0.0, 3.0], 0, None, [-1, 5, 5, 7]),
    ],
)
def test_an_excluded_place_is_no_choice_though_its_id_stands_elsewhere(x, choice, where, ids):
    with pytest.raises(ValueError, match=rf"choice must be a category that is left.* has {choice}"):
        gumbel_given_choice(x, choice, where=where, noise=NoiseField(3).at(categories=ids))


def test_a_choice_stands_for_its_id():
    x, ids = np.array([1.0, 2.0, 0.0, 3.0]), [5, 5, 5, 7]
    g = gumbel_given_choice(x, 0, size=50, noise=NoiseField(3).at(categories=ids))
    assert ((x + g).argmax(-1) == 1).all()
    assert (g[:, 0] == g[:, 1]).all()


def test_a_bad_choice_is_told_as_it_was_passed():
    with pytest.raises(ValueError, match=f"from 0 to 2, but row 1 has {2**63}"):
        gumbel_given_choice(np.zeros((2, 3)), np.array([0, 2**63], np.uint64), rng=0)
    with pytest.raises(ValueError, match=f"from 0 to 2, but row 0 has 0, {2**64 - 1}"):
        gumbel_given_choice(np.zeros((1, 3)), np.array([[0], [2**64 - 1]], np.uint64), size=2, rng=0)


def test_no_rows_have_no_choices():
    assert gumbel_given_choice(np.zeros((0, 2)), [], rng=1).shape == (0, 2)
