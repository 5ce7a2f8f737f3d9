"""Category ids from 2**32 on: each is the category of its low half in a field whose key its high half names."""

import numpy as np
import pytest

import fastgumbel as fg
from fastgumbel import NoiseField
from tests.oracle import naive, reference

KEY = 0x9876543210ABCDEF
FIELD = NoiseField.from_key(KEY).at(draw=5)
HIGHS = (0, 1, 2, 77, 2**31 - 1)


def key_of(high):
    """Return the key of the ids with a high half, by the contract."""
    if high == 0:
        return KEY
    w0, w1, _, _ = reference.philox((3 << 30 | 2**30 - 2, high, 0, 0), (KEY & 0xFFFFFFFF, KEY >> 32))
    return w1 << 32 | w0


def mixed(n, rows=3):
    """Return ids of all high halves, each once in a row, with empty places."""
    rng = np.random.default_rng(n)
    ids = rng.integers(2**32, size=(rows, n)) | rng.choice(HIGHS, (rows, n)) << 32
    ids[:, ::7] = -1
    if n > 3:
        ids[:, 1:4] = 2**63 - 1, 2**32, 2**32 - 1
    return ids


def noise_at(ids, dtype=np.float64):
    """Return the noise of ids, one by one, each from the field of its key."""
    noise = np.full(ids.shape, -np.inf, dtype)
    for place in np.ndindex(ids.shape):
        if ids[place] >= 0:
            high, low = divmod(int(ids[place]), 2**32)
            own = NoiseField.from_key(key_of(high)).at(rows=place[0], draw=5, categories=[low])
            noise[place] = fg.gumbel(1, noise=own, dtype=dtype)[0]
    return noise


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [3, 200, 700])
def test_the_noise(n, dtype):
    ids = mixed(n)
    noise = fg.gumbel(ids.shape, noise=FIELD.at(categories=ids), dtype=dtype)
    np.testing.assert_array_equal(noise, noise_at(ids, dtype))


def test_frozen_values():
    """To change one is value-breaking."""
    field = NoiseField.from_key(KEY).at(rows=3, draw=5, categories=[2**32, 2**32 + 63, 2**40 + 5, 2**63 - 1])
    double = ["-0x1.61ec6e1484b99p+0", "0x1.e7bdac3a4161fp+1", "0x1.ba7ee67bee753p-2", "0x1.c44d51344062dp-1"]
    single = ["-0x1.61ec6e0000000p+0", "0x1.e7bdac0000000p+1", "0x1.ba7ee40000000p-2", "0x1.c44d4e0000000p-1"]
    for dtype, frozen in ((np.float64, double), (np.float32, single)):
        assert [float(v).hex() for v in fg.gumbel(4, noise=field, dtype=dtype)] == frozen


@pytest.mark.parametrize("n", [20, 300])
def test_every_function_reads_it(n):
    ids = mixed(n)
    x, field, noise = np.random.default_rng(n).normal(size=ids.shape), FIELD.at(categories=ids), noise_at(ids)
    wanted = naive.gumbel_max(x, np.where(ids < 0, 0, noise), where=ids >= 0)
    index, value = fg.gumbel_max(x, noise=field, return_max=True)
    np.testing.assert_array_equal(index, wanted[0])
    np.testing.assert_array_equal(value, wanted[1])
    np.testing.assert_array_equal(fg.gumbel_max(x, noise=field), index)
    for call in (
        lambda noise: fg.gumbel_top_k(x, 4, noise=noise)[1],
        lambda noise: fg.gumbel_softmax(x, 0.5, noise=noise),
        lambda noise: fg.perturb(x, noise=noise),
    ):
        np.testing.assert_array_equal(call(field), call(noise))


def test_ids_that_stand_twice_and_those_with_equal_low_halves():
    x = np.array([0.0, 1.0, 0.5, 0.2])
    ids = np.array([2**40, 2**40, 5, 5 + 2**32])
    noise = fg.gumbel(4, noise=NoiseField(1).at(categories=ids))
    assert noise[0] == noise[1]
    assert noise[2] != noise[3]
    indices, _ = fg.gumbel_top_k(x, 3, noise=NoiseField(1).at(categories=ids))
    assert sorted(indices) == [1, 2, 3]


def test_a_key_for_each_high_half():
    """The noise of many ids is as one field's: standard Gumbel, without a correlation of neighbours."""
    ids = (np.arange(200_000) << 32) + 7
    noise = fg.gumbel(len(ids), noise=NoiseField(1).at(categories=ids))
    assert abs(noise.mean() - np.euler_gamma) < 5 * noise.std() / np.sqrt(len(ids))
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 5 / np.sqrt(len(ids))


def test_conditioned_noise_has_none():
    with pytest.raises(ValueError, match="have no conditioned noise"):
        fg.gumbel_given_choice(np.zeros(2), 0, noise=NoiseField(1).at(categories=[1, 2**32]))


@pytest.mark.parametrize("chunks", [((3,), (200,)), ((1, 2), (64, 136))])
def test_dask(chunks):
    da = pytest.importorskip("dask.array")
    import fastgumbel.dask as fgd

    ids = mixed(200)
    x, field = np.random.default_rng(0).normal(size=ids.shape), FIELD.at(categories=ids)
    lazy = fgd.gumbel_max(da.from_array(x, chunks=chunks), noise=field)
    np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), fg.gumbel_max(x, noise=field))
    noise = fgd.gumbel(ids.shape, chunks=chunks, noise=field)
    np.testing.assert_array_equal(noise.compute(scheduler="synchronous"), fg.gumbel(ids.shape, noise=field))
