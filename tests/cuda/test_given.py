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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 5, 64, 97, 130, 4097])
def test_temperatures(device, n, dtype):
    """One for all, and one a row: 0 too, and such that what is finite and excluded would weigh something."""
    x = potentials(6, n, dtype)
    x[:, 1::7] = -1e30
    each = np.array([0.0, 1e-3, 0.3, 1.0, 50.0, 1e300])
    choice = gumbel_max(x, rng=1, size=2, temperature=each)
    choice[1, 1:] = 0
    noise = same(gumbel_given_choice, x, choice, size=2, temperature=each, noise=FIELD)
    np.testing.assert_array_equal(gumbel_max(x, noise=noise, size=2, temperature=each), choice)
    for one in (0.7, 1e20):
        same(gumbel_given_choice, x, choice, size=2, temperature=one, noise=FIELD.at(start=3))
    same(gumbel_given_choice, x, x.argmax(-1), temperature=0.0, noise=FIELD)


def test_temperatures_and_category_ids(device):
    x, ids = potentials(4, 70), np.random.default_rng(1).permutation(np.arange(-5, 65))
    named = FIELD.at(categories=ids)
    same(gumbel_given_choice, x, gumbel_max(x, noise=named), temperature=[0.3, 1.0, 2.0, 9.0], noise=named)


def test_what_yields_at_a_temperature(device):
    x = np.full((50, 40), 2.0**20, np.float32)
    x[:, ::3] += 2.0**21
    choice = gumbel_max(x, rng=1, size=4, temperature=1e-3)
    same(gumbel_given_choice, x, choice, size=4, temperature=1e-3, noise=FIELD)


def test_temperatures_that_are_refused(device):
    x = np.zeros((3, 40), np.float32)
    x[:, 7:9] = 1
    for wrong in (0, 8, 40):
        choice = np.array([7, 7, wrong])
        cpu, gpu = messages(gumbel_given_choice, x, choice, temperature=[1.0, 0.0, 0.0], noise=FIELD)
        assert cpu == gpu
        assert f"row 2 has {wrong}; at temperature 0" in gpu
    with pytest.raises(ValueError, match=r"temperature of row 1 is so low that .* overflows float32: pass float64"):
        gumbel_given_choice(on_device(x), np.full(3, 7), temperature=[1.0, 1e-30, 0.0], noise=FIELD)
