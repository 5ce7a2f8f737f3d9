"""What ``gumbel`` takes and gives: sizes, types, ``out``, and its key's origin. Values: ``contract/test_field.py``."""

import numpy as np
import pytest

import fastgumbel

DTYPES = (np.float64, np.float32)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [5, (5,), (3, 5), (2, 3, 5), 0, (0,), (3, 0), (0, 3), (1, 1, 1, 1, 7)])
def test_size_is_the_shape(size, dtype):
    values = fastgumbel.gumbel(size, rng=0, dtype=dtype)
    assert values.shape == (size if isinstance(size, tuple) else (size,))
    assert values.dtype == dtype
    assert values.flags.c_contiguous


def test_float64_is_the_default():
    assert fastgumbel.gumbel(3).dtype == np.float64


@pytest.mark.parametrize("name", ["float32", "f4", np.dtype(np.float32), np.float32])
def test_dtype_by_any_name(name):
    np.testing.assert_array_equal(
        fastgumbel.gumbel(9, rng=1, dtype=name), fastgumbel.gumbel(9, rng=1, dtype=np.float32)
    )


def test_no_axis_is_one_category():
    assert fastgumbel.gumbel((), rng=1) == fastgumbel.gumbel(1, rng=1)[0]


@pytest.mark.parametrize("size", [np.int64(4), [2, 4], (np.int32(2), 4)])
def test_size_may_hold_numpy_integers(size):
    expected = (4,) if np.ndim(size) == 0 else (2, 4)
    np.testing.assert_array_equal(fastgumbel.gumbel(size, rng=1), fastgumbel.gumbel(expected, rng=1))


def test_leading_axes_are_rows_in_c_order():
    cube = fastgumbel.gumbel((2, 3, 4, 70), rng=2)
    np.testing.assert_array_equal(cube.reshape(24, 70), fastgumbel.gumbel((24, 70), rng=2))
    np.testing.assert_array_equal(cube[0, 0, 0], fastgumbel.gumbel(70, rng=2))


@pytest.mark.parametrize("ids", [9, [9], [[9]], [[7, 8, 9]], [[7], [8]], [[1, 2, 3], [4, 5, 6]]])
def test_row_ids_broadcast_to_the_batch(ids):
    noise = fastgumbel.NoiseField(1)
    values = fastgumbel.gumbel((2, 3, 70), noise=noise.at(rows=ids))
    for index, row in np.ndenumerate(np.broadcast_to(ids, (2, 3))):
        np.testing.assert_array_equal(values[index], fastgumbel.gumbel(70, noise=noise.at(rows=int(row))))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(70,), (5, 70), (2, 3, 1)])
def test_out_is_written_and_returned(shape, dtype):
    out = np.full(shape, np.nan, dtype)
    assert fastgumbel.gumbel(shape, rng=3, dtype=dtype, out=out) is out
    np.testing.assert_array_equal(out, fastgumbel.gumbel(shape, rng=3, dtype=dtype))


def test_out_may_be_strided():
    wide = np.full((140, 5), -7.0)
    fastgumbel.gumbel((5, 70), rng=3, out=wide[::2].T)
    np.testing.assert_array_equal(wide[::2].T, fastgumbel.gumbel((5, 70), rng=3))
    assert (wide[1::2] == -7.0).all()


def test_an_integer_always_names_the_same_field():
    for seed in (0, 5, 2**32, 2**64, 2**100, np.int64(5), np.uint8(5)):
        first = fastgumbel.gumbel(9, rng=seed)
        np.testing.assert_array_equal(first, fastgumbel.gumbel(9, rng=seed))
        np.testing.assert_array_equal(first, fastgumbel.gumbel(9, noise=fastgumbel.NoiseField(int(seed))))
        np.testing.assert_array_equal(first, fastgumbel.gumbel(9, rng=np.random.SeedSequence(int(seed))))


def test_a_seed_sequence_is_left_as_it_was():
    sequence = np.random.SeedSequence(4)
    first = fastgumbel.gumbel(9, rng=sequence)
    np.testing.assert_array_equal(first, fastgumbel.gumbel(9, rng=sequence))
    assert sequence.n_children_spawned == 0
    child = sequence.spawn(1)[0]
    assert (first != fastgumbel.gumbel(9, rng=child)).any()


@pytest.mark.parametrize("engine", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
@pytest.mark.parametrize("wrap", [np.random.Generator, lambda bits: bits], ids=["generator", "bit generator"])
def test_a_generator_gives_up_bits_on_every_call(wrap, engine):
    rng, again = wrap(engine(1)), wrap(engine(1))
    first, second = fastgumbel.gumbel(9, rng=rng), fastgumbel.gumbel(9, rng=rng)
    assert (first != second).all()
    np.testing.assert_array_equal(first, fastgumbel.gumbel(9, rng=again))
    np.testing.assert_array_equal(second, fastgumbel.gumbel(9, rng=again))


def test_a_generator_gives_up_64_bits():
    rng, twin = np.random.default_rng(1), np.random.default_rng(1)
    fastgumbel.gumbel((100, 100), rng=rng)
    twin.bit_generator.random_raw()
    assert rng.bit_generator.state == twin.bit_generator.state


def test_no_source_means_fresh_noise():
    assert (fastgumbel.gumbel(9) != fastgumbel.gumbel(9)).all()


def test_gumbel_max_takes_its_field_from_a_generator_likewise():
    x = np.zeros((4, 70))
    indices = fastgumbel.gumbel_max(x, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(indices, fastgumbel.gumbel(x.shape, rng=np.random.default_rng(1)).argmax(-1))


def test_a_sequence_of_ints_names_a_field():
    """As in `numpy.random.default_rng`: a seed and the step of a model, say."""
    expected = fastgumbel.NoiseField(np.random.SeedSequence([7, 3]))
    for seed in ([7, 3], (7, 3), np.array([7, 3]), [np.int64(7), 3]):
        assert fastgumbel.NoiseField(seed) == expected
        np.testing.assert_array_equal(fastgumbel.gumbel(5, rng=seed), fastgumbel.gumbel(5, noise=expected))
    assert fastgumbel.NoiseField([7, 3]) != fastgumbel.NoiseField([3, 7])
    for bad in ([7, -1], [7, 0.5], [True], ["7"], [[7]]):
        with pytest.raises(ValueError, match="seed: a sequence must be of ints of at least 0"):
            fastgumbel.NoiseField(bad)
