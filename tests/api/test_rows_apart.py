"""``NoiseField.at`` with a draw or a start for each row: every row gets what it gets alone with its own number."""

import pickle

import numpy as np
import pytest

import fastgumbel as fg
from fastgumbel import NoiseField

ROWS = np.array([5, 0, 2**64 - 1, 7, 7, 9, 11], np.uint64)
DRAW = np.array([0, 1, 2**32 - 10, 7, 8, 2**31, 3])
START = np.array([0, 1, 2**31 - 5000, 64, 63, 4095, 1000])
FIELD = NoiseField(8).at(rows=ROWS)
LENGTHS = (1, 3, 40, 97, 200, 300, 3000)


def potentials(n, dtype=np.float64):
    x = np.random.default_rng(n).normal(size=(len(ROWS), n)).round(2)
    x[:, 1:][np.random.default_rng(1).random((len(ROWS), n - 1)) < 0.1] = -np.inf
    return x.astype(dtype)


def _tangents(x, noise, **options):
    return fg.gumbel_softmax_jvp((x, 0.5), (np.ones_like(x), 1.0), noise=noise, **options)


def _gradient(x, noise, **options):
    y, (dx, _) = fg.gumbel_softmax_vjp((x, 0.5), np.ones(options.get("size", ()) + x.shape), noise=noise, **options)
    return y, dx


CALLS = {
    "max": lambda x, noise: fg.gumbel_max(x, noise=noise, return_max=True, size=5),
    "max alone": lambda x, noise: fg.gumbel_max(x, noise=noise),
    "top": lambda x, noise: fg.gumbel_top_k(x, min(3, x.shape[-1]), noise=noise, size=2, invalid="mark"),
    "top of all": lambda x, noise: fg.gumbel_top_k(x, x.shape[-1], noise=noise, invalid="mark"),
    "softmax": lambda x, noise: fg.gumbel_softmax(x, 0.5, noise=noise, size=3),
    "hard": lambda x, noise: fg.gumbel_softmax(x, 0.5, hard=True, noise=noise, size=3),
    "log": lambda x, noise: fg.gumbel_softmax(x, 0.5, log=True, noise=noise),
    "jvp": lambda x, noise: _tangents(x, noise, size=3),
    "rao": lambda x, noise: _tangents(x, noise.at(draw=np.asarray(noise.draw) % 2**29), rao=3, size=2),
    "vjp": lambda x, noise: _gradient(x, noise, size=(2,)),
    "vjp rao": lambda x, noise: _gradient(x, noise.at(draw=np.asarray(noise.draw) % 2**29), rao=3),
    "given": lambda x, noise: fg.gumbel_given_choice(x, np.zeros(x.shape[:-1], np.intp), noise=noise, size=3),
    "perturb": lambda x, noise: fg.perturb(x, noise=noise, size=3),
    "log_partition": lambda x, noise: tuple(fg.log_partition(x, 9, noise=noise)),
    "noise": lambda x, noise: fg.gumbel(x.shape, noise=noise),
    "noise 32": lambda x, noise: fg.gumbel(x.shape, noise=noise, dtype=np.float32),
}
NO_DRAWS = ("max alone", "top of all", "log", "vjp rao", "noise", "noise 32")


def assert_rows(call, x, field, alone):
    """Compare each row of a call with the call of that row by itself."""
    together = CALLS[call](x, field)
    for row in range(len(x)):
        own = CALLS[call](x[row], alone(row))
        for whole, part in zip(*(v if isinstance(v, tuple) else (v,) for v in (together, own)), strict=True):
            # Seven rows: no other axis is as long, but for categories, which come last.
            np.testing.assert_array_equal(whole.take(row, whole.shape.index(len(x))), part, err_msg=f"{row=}")


@pytest.mark.parametrize("call", CALLS)
def test_a_draw_for_each_row(call):
    for n in LENGTHS:
        for dtype in (np.float64, np.float32):
            x = potentials(n, dtype)
            assert_rows(call, x, FIELD.at(draw=DRAW), lambda row: NoiseField(8).at(rows=ROWS[row], draw=DRAW[row]))


@pytest.mark.parametrize("call", CALLS)
def test_a_start_for_each_row(call):
    for n in LENGTHS:
        x = potentials(n)
        assert_rows(call, x, FIELD.at(start=START), lambda row: NoiseField(8).at(rows=ROWS[row], start=START[row]))


@pytest.mark.parametrize("call", ["max", "top", "softmax", "perturb"])
def test_both_with_category_ids(call):
    x = potentials(40)
    ids = np.random.default_rng(0).integers(-1, 60, size=40)
    field = FIELD.at(draw=DRAW, categories=ids)
    assert_rows(call, x, field, lambda row: NoiseField(8).at(rows=ROWS[row], draw=DRAW[row], categories=ids))
    field = FIELD.at(draw=DRAW, start=START)
    assert_rows(call, x, field, lambda row: NoiseField(8).at(rows=ROWS[row], draw=DRAW[row], start=START[row]))


@pytest.mark.parametrize("n", [3, 200, 300])
@pytest.mark.parametrize("draws", [1, 2, 5, 50])
def test_draws_of_categorical(n, draws):
    x = potentials(n)
    drawn = fg.categorical(x, draws, noise=FIELD.at(draw=DRAW % 2**31))
    for row in range(len(x)):
        own = NoiseField(8).at(rows=ROWS[row], draw=DRAW[row] % 2**31)
        np.testing.assert_array_equal(drawn[:, row], fg.categorical(x[row], draws, noise=own))


def test_very_many_draws_of_categorical():
    x, draw = potentials(10)[:2], np.array([3, 8])
    drawn = fg.categorical(x, 400_000, noise=FIELD.at(rows=None, draw=draw))
    for row in range(2):
        own = NoiseField(8).at(rows=row, draw=int(draw[row]))
        np.testing.assert_array_equal(drawn[:, row], fg.categorical(x[row], 400_000, noise=own))


def test_axes_and_broadcasting():
    x = np.random.default_rng(0).normal(size=(4, 30, 5))
    for draw, start in ((np.arange(5), 0), (np.arange(4)[:, np.newaxis], 0), (0, np.arange(20).reshape(4, 5))):
        field = NoiseField(1).at(draw=draw, start=start)
        index = fg.gumbel_max(x, axis=1, noise=field, size=2)
        draws, starts = np.broadcast_to(draw, (4, 5)), np.broadcast_to(start, (4, 5))
        for i, j in np.ndindex(4, 5):
            own = NoiseField(1).at(rows=5 * i + j, draw=int(draws[i, j]), start=int(starts[i, j]))
            np.testing.assert_array_equal(index[:, i, j], fg.gumbel_max(x[i, :, j], noise=own, size=2))


def test_equal_numbers_are_one():
    x = potentials(300)
    field = NoiseField(1).at(draw=np.full(7, 3), start=np.full((7,), 100))
    np.testing.assert_array_equal(
        fg.gumbel_max(x, noise=field), fg.gumbel_max(x, noise=NoiseField(1).at(draw=3, start=100))
    )
    assert fg.gumbel_max(np.zeros((0, 5)), noise=NoiseField(1).at(draw=[], start=[])).shape == (0,)


def test_threads(threads):
    x, draw = np.random.default_rng(0).normal(size=(3000, 700)), np.arange(3000) * 5
    field = NoiseField(1).at(draw=draw)
    for count in (1, 3):
        threads(count)
        noise = fg.gumbel(x.shape, noise=field)
        np.testing.assert_array_equal(fg.gumbel_max(x, noise=field), (x + noise).argmax(-1))
        np.testing.assert_array_equal(noise[17], fg.gumbel(700, noise=NoiseField(1).at(rows=17, draw=85)))


def test_identity():
    one, two = (NoiseField(1).at(draw=[1, 2], start=np.array([3, 4])) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    for other in (one.at(draw=[1, 3]), one.at(start=[3, 5]), one.at(draw=1), one.at(draw=[[1, 2]])):
        assert one != other
    assert one.draw.dtype == one.start.dtype == np.uint64
    assert repr(one) == f"NoiseField.from_key({int(one.key):#x}).at(draw=[1, 2], start=[3, 4])"
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert eval(repr(one), {"NoiseField": NoiseField}) == one
    with pytest.raises(ValueError, match="read-only"):
        one.draw[0] = 5
    assert one.at(draw=None, start=None) == NoiseField(1)
    assert one.at(categories=[1, 2], start=None).start == 0
    assert type(NoiseField(1).at(draw=np.int8(3)).draw) is int


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"draw": [0.5, 1.0]}, TypeError, r"draw must be integers from 0 to 2\*\*32 - 1, not float64"),
        ({"draw": [0, -1]}, ValueError, r"draw must be from 0 to 2\*\*32 - 1, but draw\[1\] is -1"),
        ({"start": [2**32, 1]}, ValueError, r"start must be from 0 to 2\*\*32 - 1, but start\[0\] is 4294967296"),
        ({"start": [True, False]}, TypeError, "start must be integers"),
        ({"draw": "1"}, TypeError, "draw must be an integer"),
        ({"draw": ["a"]}, TypeError, r"draw must be integers .*, not text: draw\[0\] is 'a'; number it"),
        ({"start": [1, None]}, TypeError, r"start must be integers .*: start\[1\] is missing \(None\); drop or fill"),
        ({"start": [1.0, 0.5]}, TypeError, r"not float64: start\[1\] is 0.5, which is no whole number"),
        ({"start": [1, 2], "categories": [3, 4]}, ValueError, "start and categories exclude each other"),
    ],
)
def test_what_is_no_coordinate(options, error, message):
    with pytest.raises(error, match=message):
        NoiseField(1).at(**options)


def test_what_does_not_fit():
    x = np.zeros((3, 5))
    for name in ("draw", "start"):
        with pytest.raises(ValueError, match=rf"{name} of shape \(2,\) does not broadcast to the batch shape \(3,\)"):
            fg.gumbel_max(x, noise=NoiseField(1).at(**{name: [1, 2]}))
    for name in ("rows", "draw", "start"):
        with pytest.raises(
            ValueError, match=rf"{name} of shape \(2,\).*: pass one a row, in the shape of the batch, or"
        ):
            fg.gumbel_max(x, noise=NoiseField(1).at(**{name: [1, 2]}))
        with pytest.raises(ValueError, match=rf"{name} of shape \(1,\).* batch shape \(\): pass a number for one row$"):
            fg.gumbel_max(x[0], noise=NoiseField(1).at(**{name: [5]}))
    with pytest.raises(ValueError, match="draws 4294967295 to 4294967296 go beyond the last"):
        fg.gumbel_max(x, size=2, noise=NoiseField(1).at(draw=[0, 2**32 - 1, 3]))
    with pytest.raises(ValueError, match="categories 4294967292 to 4294967296 go beyond the last"):
        fg.gumbel_max(x, noise=NoiseField(1).at(start=[0, 2**32 - 4, 3]))
    with pytest.raises(ValueError, match="start must be 0, not an array"):
        fg.categorical(x, noise=NoiseField(1).at(start=[0, 1, 3]))
    with pytest.raises(ValueError, match="must have one draw and one start"):
        fg.Reservoir(2, noise=NoiseField(1).at(draw=[0, 1]))
