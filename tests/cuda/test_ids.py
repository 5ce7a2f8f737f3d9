"""Category ids and device arrays: the CPU's bits, through the PTX that would be loaded, in parts or at once."""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import categorical, gumbel_given_choice, gumbel_max, gumbel_softmax, gumbel_softmax_jvp
from fastgumbel._cuda import ids as device_ids
from tests.cuda.arrays import ForeignArray, on_device
from tests.cuda.planted import plant_source
from tests.cuda.sides import differing, messages, same
from tests.ptx import PTXError

FIELD = fastgumbel.NoiseField.from_key(2**64 - 3).at(draw=7)
N = (9, 130)


def some_ids(*shape, empty=0.3):
    """Return ids, the largest and the smallest among them, and empty places, but never the first of a row."""
    rng = np.random.default_rng(2)
    ids = rng.integers(2**31 - 4, size=shape)
    edges = [0, 63, 64, 127, 2**31 - 5]
    ids.reshape(-1)[: len(edges)] = edges[: ids.size]
    places = rng.random(shape) < empty
    places[..., 0] = False
    return np.where(places, -1, ids)


def potentials(*shape, dtype=np.float32):
    """Return random log-potentials."""
    return np.random.default_rng(1).normal(size=shape).astype(dtype)


def written(device, shape, dtype, noise):
    """Check that a device array gets the noise that one of NumPy's does."""
    out = device.empty(shape, dtype, None)
    assert fastgumbel.gumbel(shape, noise=noise, dtype=dtype, out=out) is out
    assert not len(differing(out, fastgumbel.gumbel(shape, noise=noise, dtype=dtype)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise(device, dtype):
    rows = np.array([[0], [2**64 - 1], [2**40]], np.uint64)
    ids = some_ids(3, 2, 67)
    ids[0, 0, 1:3] = 2**32 - 1, 2**32 - 65
    written(device, ids.shape, dtype, FIELD.at(rows=rows, categories=ids, draw=2**32 - 1))
    for shape in ((67,), (3, 1, 67), (2, 1), (3, 1, 1), ()):
        written(device, ids.shape, dtype, FIELD.at(categories=some_ids(*shape) if shape else 5))
    for shape in ((), (1,), (0,), (3, 0)):
        written(device, shape, dtype, FIELD.at(categories=np.full(shape or (1,), 70)))
    assert device.reads == 0


def every_function(x, noise, draws, **options):
    """Compare all functions that take log-potentials."""
    rng = np.random.default_rng(3)
    axis = options.get("axis", -1)
    steps, batch = rng.normal(size=x.shape).astype(x.dtype), np.delete(x.shape, axis)
    best = same(gumbel_max, x, size=draws, noise=noise, return_max=True, **options)[0]
    for k in (2, x.shape[axis]):
        ranked = {"return_threshold": True, "invalid": "mark"}
        same(fastgumbel.gumbel_top_k, x, k, size=draws, noise=noise, **ranked, **options)
    for how in ({"log": True}, {"hard": True}):
        same(gumbel_softmax, x, 0.7, size=draws, noise=noise, **how, **options)
    for how in ({}, {"hard": True}, {"rao": 3}):
        same(gumbel_softmax_jvp, (x, 0.7), (steps, np.ones(batch)), size=draws, noise=noise, **how, **options)
    same(gumbel_given_choice, x, best, size=draws, noise=noise, **options)


@pytest.mark.parametrize("n", N)
def test_empty_places_of_every_row(device, n):
    every_function(potentials(5, n), FIELD.at(categories=some_ids(5, n), rows=[2**40, 3, 1, 2**64 - 1, 0]), 2)


@pytest.mark.parametrize("n", N)
def test_double_precision_without_empty_places(device, n):
    ids = some_ids(n, empty=0)
    every_function(potentials(3, n, dtype=np.float64), FIELD.at(categories=ids), None)


@pytest.mark.parametrize("n", N)
def test_in_parts(device, monkeypatch, n):
    """Few rows of a draw at once, or several draws; also of a batch without one distance of rows."""
    whole, cut = some_ids(6, n), some_ids(2, n, 3)
    for lines, pieces, draws in ((2, 3, 4), (4, 2, 4), (24, 1, 1)):
        monkeypatch.setattr(device_ids, "_SCRATCH", 8 * n * lines)
        before = len(device.launches)
        same(gumbel_max, potentials(6, n), size=(2, 2), noise=FIELD.at(categories=whole))
        assert [name for name, *_ in device.launches[before:]].count("write_at") == pieces * draws
        same(gumbel_softmax, potentials(6, n), size=3, noise=FIELD.at(categories=whole))
        same(gumbel_max, potentials(2, n, 3), axis=1, size=(2, 2), noise=FIELD.at(categories=cut))


def test_masks_here_and_there(device):
    x, where = potentials(2, 3, 9), np.random.default_rng(4).random((3, 9)) < 0.7
    where[:, 0] = True
    for ids in (some_ids(9), some_ids(2, 3, 9)):
        noise = FIELD.at(categories=ids)
        expected = same(gumbel_max, x, where=where, size=50, noise=noise)
        got = gumbel_max(on_device(x), where=where, size=50, noise=noise)
        assert not len(differing(got, expected))
        left = np.broadcast_to(where & (ids >= 0), x.shape)
        assert np.take_along_axis(left[np.newaxis], expected[..., np.newaxis], -1).all()


def test_categorical_refuses_ids(device):
    for x in (potentials(2, 9), on_device(potentials(2, 9))):
        with pytest.raises(ValueError, match="read no category ids"):
            categorical(x, 3, noise=FIELD.at(categories=np.arange(9)))


def _two(x, **options):
    return fastgumbel.gumbel_top_k(x, 2, **options)


def _given(x, **options):
    return gumbel_given_choice(x, [0, 0], **options)


@pytest.mark.parametrize("call", [gumbel_max, gumbel_softmax, _two, _given])
def test_an_id_may_stand_once_in_a_row(device, call):
    """Which of two places counts would have to be read."""
    x, ids = potentials(2, 9), np.arange(18).reshape(2, 9)
    ids[1, 7] = ids[1, 2]
    with pytest.raises(ValueError, match=r"row 1 has the category id 11 twice.*pass where="):
        call(on_device(x), noise=FIELD.at(categories=ids))
    with pytest.raises(ValueError, match=r"row 0 has the category id 11 twice"):
        call(on_device(x), noise=FIELD.at(categories=ids[1]))
    ids[1, 7] = -1
    call(on_device(x), noise=FIELD.at(categories=ids))


@pytest.mark.parametrize("n", N)
def test_faults_are_named(device, n):
    ids = some_ids(4, n)
    x, choice = potentials(4, n), np.zeros((4,), np.intp)
    ids[2] = -1
    noise = FIELD.at(categories=ids)
    calls = {
        gumbel_max: (x,),
        gumbel_softmax: (x,),
        gumbel_given_choice: (x, choice),
        fastgumbel.gumbel_top_k: (x, 2),
    }
    for call, arguments in calls.items():
        cpu, gpu = messages(call, *arguments, noise=noise, size=2)
        assert cpu == gpu
        assert "row 2 has" in gpu
        assert gpu.endswith("or excluded by where or by an empty place of the category ids")
        reads = device.reads
        same(call, *arguments, noise=noise, size=2, invalid="mark")
        assert device.reads == reads
    x[1, 0] = np.nan
    cpu, gpu = messages(gumbel_max, x, noise=noise)
    assert cpu == gpu
    assert f"row 1 has nan at place 0 (category id {ids[1, 0]})" in gpu


def test_shapes_that_do_not_fit(device):
    noise = FIELD.at(categories=np.zeros((2, 3), int))
    for call in (gumbel_max, gumbel_softmax, categorical):
        cpu, gpu = messages(call, np.zeros((5, 4)), noise=noise)
        assert cpu == gpu
    with pytest.raises(ValueError, match=r"categories of shape \(2, 3\) do not broadcast to the shape \(5, 4\)"):
        fastgumbel.gumbel((5, 4), noise=noise, out=device.empty((5, 4), np.float64, None))
    assert gumbel_max(ForeignArray(np.zeros((3, 0))), noise=FIELD.at(categories=np.zeros((3, 0), int)), invalid="mark")


def test_planted_faults_are_caught(device, monkeypatch):
    noise = FIELD.at(categories=some_ids(3, 9))
    for old, new in (
        ("first_draw(field, r) + np.uint64(s)", "first_draw(field, r)"),
        ("s * step + r * n", "s * step + r * n_rows"),
    ):
        with monkeypatch.context() as patch:
            plant_source(patch, "ids", old, new)
            with pytest.raises((AssertionError, PTXError)):
                same(gumbel_max, potentials(3, 9), noise=noise, size=20)
