"""``gumbel_given_choice`` of device arrays gives the CPU's bits, through the PTX that would be loaded."""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import gumbel_given_choice, gumbel_max
from tests.cuda.arrays import ForeignArray, aligned, host, on_device
from tests.cuda.sides import differing, messages, same
from tests.cuda.test_relax import potentials

FIELD = fastgumbel.NoiseField(6).at(draw=3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 97, 130, 1000, 4097])
def test_awkward_lengths_and_starts(device, n, dtype):
    x = potentials(4, n, dtype)
    choice = gumbel_max(x, rng=1, size=2)
    for start in (0, 3, 62):
        same(gumbel_given_choice, x, choice, size=2, noise=FIELD.at(start=start))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_warps_cannot_matter(device, seed):
    device.seed = seed
    x = potentials(4, 4500)
    same(gumbel_given_choice, x, gumbel_max(x, rng=1), noise=FIELD)


def test_what_rounding_would_let_beat_the_choice_yields(device):
    x = np.full((50, 40), 2.0**20, np.float32)
    x[:, ::3] += 2.0**21
    choice = gumbel_max(x, rng=1, size=4)
    noise = same(gumbel_given_choice, x, choice, size=4, noise=FIELD)
    np.testing.assert_array_equal((x + noise.astype(np.float64)).argmax(-1), choice)


@pytest.mark.parametrize("n", [9, 130])
def test_axes_masks_and_choices(device, n):
    x, where = potentials(6, n).reshape(2, 3, n), np.random.default_rng(2).random(n) < 0.7
    where[0] = True
    choice = gumbel_max(x, where=where, rng=1, size=2)
    same(gumbel_given_choice, x, choice, size=2, where=where, noise=FIELD.at(rows=[[5], [2**40]]))
    same(gumbel_given_choice, x, choice[1].astype(np.uint8), size=2, where=where, noise=FIELD)
    moved = np.moveaxis(x, -1, 1).copy()
    same(gumbel_given_choice, moved, np.zeros((2, 3), np.int32), axis=1, noise=FIELD)
    got = gumbel_given_choice(on_device(x), choice[0], where=where, noise=FIELD)
    assert not len(differing(got, gumbel_given_choice(x, choice[0], where=where, noise=FIELD)))
    view = ForeignArray(choice[0].T.copy().T)
    got = gumbel_given_choice(on_device(x), view, where=where, noise=FIELD)
    assert not len(differing(got, gumbel_given_choice(x, choice[0], where=where, noise=FIELD)))


@pytest.mark.parametrize("n", [9, 130])
def test_faults_are_named(device, n):
    x, choice = potentials(4, n), np.zeros((2, 4), np.int64)
    bad = x.copy()
    bad[1, 2], bad[3] = np.nan, -np.inf
    cpu, gpu = messages(gumbel_given_choice, bad, choice, size=2, noise=FIELD)
    assert cpu == gpu
    assert "row 1 has nan at category 2" in gpu
    same(gumbel_given_choice, bad, choice, size=2, noise=FIELD, invalid="mark")
    for wrong in (-1, n, 1):
        choice[1, 3] = wrong
        cpu, gpu = messages(gumbel_given_choice, x, choice, size=2, noise=FIELD)
        assert cpu == gpu
        assert f"row 3 has {min(wrong, 0)}, {max(wrong, 0)}" in gpu
    marked = host(gumbel_given_choice(on_device(x), on_device(choice), size=2, noise=FIELD, invalid="mark"))
    assert np.isnan(marked[1, 3]).all()
    assert not np.isnan(np.delete(marked.reshape(8, n), 7, 0)).any()


def test_memory_of_the_caller(device):
    x, choice = potentials(4, 9), np.zeros(4, np.int64)
    out = ForeignArray(aligned((4, 9), np.float32))
    assert gumbel_given_choice(on_device(x), on_device(choice), noise=FIELD, out=out) is out
    assert not len(differing(out, gumbel_given_choice(x, choice, noise=FIELD)))


def test_a_temperature_is_refused_with_what_to_do(device):
    x, choice = potentials(4, 9), np.zeros(4, np.int64)
    with pytest.raises(ValueError, match=r"temperature must be 1 where.*device arrays: pass log_potentials / temp"):
        gumbel_given_choice(on_device(x), choice, noise=FIELD, temperature=2.0)
    assert host(gumbel_given_choice(on_device(x), choice, noise=FIELD, temperature=[1.0] * 4)).shape == (4, 9)
