"""What ``gumbel_nested`` takes and gives: nests, types, ``out``, coordinates. Values: ``contract/test_nested.py``."""

import numpy as np
import pytest

import fastgumbel as fg

N = 9
NESTS = [(0.7, [3, (0.5, [1, 2])]), (0.4, [0, 8])]
FIELD = fg.NoiseField(5)


def noise(*size, nests=NESTS, **options):
    """Return nested noise of a field at some coordinates."""
    return fg.gumbel_nested((*size, N), nests, noise=FIELD.at(**options))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [N, (N,), (3, N), (2, 3, N), (0, N), (40_000, N)])
def test_size_is_the_shape(size, dtype):
    values = fg.gumbel_nested(size, NESTS, rng=0, dtype=dtype)
    assert values.shape == (size if isinstance(size, tuple) else (size,))
    assert values.dtype == dtype
    assert np.isfinite(values).all()


def test_leading_axes_are_rows_in_c_order():
    cube = noise(2, 3, 50)
    np.testing.assert_array_equal(cube.reshape(300, N), noise(300))
    np.testing.assert_array_equal(cube[1, 2, 49], noise(rows=299))


@pytest.mark.parametrize(
    "nests",
    [
        [[0.7, [3, [0.5, [1, 2]]]], [0.4, [0, 8]]],
        ((0.7, (3, (0.5, (1, 2)))), (0.4, (0, 8))),
        [(np.float64(0.7), [np.int64(3), (0.5, range(1, 3))]), (np.array(0.4), np.array([8, 0], np.uint8))],
        [(0.7, [(0.5, [2, 1]), 3]), (0.4, [8, 0])],
    ],
    ids=["lists", "tuples", "NumPy", "another order"],
)
def test_what_nests_may_be_made_of(nests):
    np.testing.assert_array_equal(noise(20, nests=nests), noise(20))


@pytest.mark.parametrize("nests", [[], [(1, range(N))], [(1.0, [1, (1.0, [2, 3]), (1, [4])])]])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scale_1_is_no_nest(nests, dtype):
    """To the bit in float64, the sign of zeros included; float32 is that rounded once, where `gumbel` reads less."""
    values = fg.gumbel_nested((300, N), nests, noise=FIELD, dtype=dtype)
    expected = fg.gumbel((300, N), noise=FIELD).astype(dtype)
    np.testing.assert_array_equal(values.view(f"u{values.itemsize}"), expected.view(f"u{values.itemsize}"))


def test_a_nest_of_scale_1_changes_nothing_inside_others():
    np.testing.assert_array_equal(
        noise(40, nests=[(0.5, [0, (1, [1, 2])])])[:, :3], noise(40, nests=[(0.5, [0, 1, 2])])[:, :3]
    )


def test_float32_is_float64_rounded_once():
    values = fg.gumbel_nested((300, N), NESTS, noise=FIELD, dtype=np.float32)
    np.testing.assert_array_equal(values, noise(300).astype(np.float32))


def test_categories_in_no_nest_keep_the_noise_of_the_field():
    np.testing.assert_array_equal(noise(30)[:, 4:8], fg.gumbel((30, N), noise=FIELD)[:, 4:8])


def test_members_of_a_nest_share_a_shift():
    shifted = noise(30)[:, [0, 8]] - 0.4 * fg.gumbel((30, N), noise=FIELD)[:, [0, 8]]
    np.testing.assert_allclose(shifted[:, 0], shifted[:, 1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(N,), (50, N), (2, 3, N)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_out_is_written_and_returned(shape, dtype):
    expected = fg.gumbel_nested(shape, NESTS, noise=FIELD, dtype=dtype)
    out = np.full(shape, np.nan, dtype)
    assert fg.gumbel_nested(shape, NESTS, noise=FIELD, dtype=dtype, out=out) is out
    np.testing.assert_array_equal(out, expected)
    wide = np.full((*shape[:-1], 2 * N), -7.0, dtype)
    fg.gumbel_nested(shape, NESTS, noise=FIELD, dtype=dtype, out=wide[..., ::2])
    np.testing.assert_array_equal(wide[..., ::2], expected)
    assert (wide[..., 1::2] == -7).all()


def test_rows_draws_and_starts_are_those_of_the_field():
    rows, draws = np.array([7, 2**40, 7]), np.array([[0], [3], [2**32 - 1], [9]])
    values = noise(4, 3, rows=rows, draw=draws, start=61)
    for s, r in np.ndindex(4, 3):
        alone = noise(rows=int(rows[r]), draw=int(draws[s, 0]), start=61)
        np.testing.assert_array_equal(values[s, r], alone)
    plain = fg.gumbel((4, 3, N), noise=FIELD.at(rows=rows, draw=draws, start=61))
    np.testing.assert_array_equal(values[..., 4:8], plain[..., 4:8])


@pytest.mark.parametrize("ids", [np.arange(N)[::-1] * 1000, np.arange(N) + 2**40])
def test_category_ids_name_the_noise_and_nests_name_places(ids):
    ids[5] = -1
    values, plain = noise(20, categories=ids), fg.gumbel((20, N), noise=FIELD.at(categories=ids))
    np.testing.assert_array_equal(values[:, 4:8], plain[:, 4:8])
    assert (values[:, 5] == -np.inf).all()
    shift = noise(20)[:, 0] - 0.4 * fg.gumbel((20, N), noise=FIELD)[:, 0]
    np.testing.assert_allclose(values[:, 0], shift + 0.4 * plain[:, 0], rtol=0, atol=1e-13)


def test_a_draw_axis_for_gumbel_max():
    x, s = np.linspace(0, 1, N) * np.ones((3, 1)), 4
    draws = noise(s, 3, rows=[0, 1, 2], draw=np.arange(s)[:, np.newaxis])
    choices = fg.gumbel_max(x, size=s, noise=draws)
    for d in range(s):
        np.testing.assert_array_equal(choices[d], fg.gumbel_max(x, noise=noise(3, draw=d)))


def test_every_function_takes_it():
    x = np.random.default_rng(0).normal(size=(50, N))
    values = noise(50)
    best = (x + values).argmax(-1)
    np.testing.assert_array_equal(fg.gumbel_max(x, noise=values), best)
    np.testing.assert_array_equal(fg.gumbel_top_k(x, 3, noise=values)[0][:, 0], best)
    np.testing.assert_array_equal(fg.gumbel_softmax(x, 0.1, noise=values).argmax(-1), best)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_threads_and_batches_change_nothing(threads, n_threads):
    threads(n_threads)
    whole = noise(90_000)
    parts = [noise(stop - first, rows=np.arange(first, stop)) for first, stop in ((0, 1), (1, 700), (700, 90_000))]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_long_rows_and_many_nests():
    """Longer than a piece, and more nests than a stage has places; what is in no nest has the field's noise."""
    n = 2**18 + 1000
    nests = [(0.5, range(2 * i, 2 * i + 2)) for i in range(300)] + [(0.3, [n - 1, 600])]
    values, plain = fg.gumbel_nested((2, n), nests, noise=FIELD), fg.gumbel((2, n), noise=FIELD)
    np.testing.assert_array_equal(values[:, 601:-1], plain[:, 601:-1])
    few = fg.gumbel_nested((2, 602), [*nests[:300], (0.3, [600])], noise=FIELD)
    np.testing.assert_array_equal(values[:, :602], few)
    shift = values[:, 600] - 0.3 * plain[:, 600]
    np.testing.assert_allclose(values[:, -1] - 0.3 * plain[:, -1], shift, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scales", [(0.7, 0.5), (1e-3, 1e-3), (0.999, 0.2)])
def test_who_moves_moves_to_what_improves(scales):
    """Exactly: noise does not depend on x, and rounded sums keep the order."""
    outer, inner = scales
    nests = [(outer, [0, 1, (inner, [2, 3])]), (inner, [4, 5])]
    values = noise(30_000, nests=nests)
    x = np.random.default_rng(1).normal(size=(30_000, N))
    before = fg.gumbel_max(x, noise=values)
    for j in range(N):
        for gain in (1e-9, 0.3, 5.0):
            after = fg.gumbel_max(x + gain * (np.arange(N) == j), noise=values)
            assert set(np.unique(after[after != before])) <= {j}


LOOP = [(1.0, [])]
LOOP[0][1].append(LOOP[0])
DEEP = 0
for _ in range(65):
    DEEP = (1, [DEEP])


@pytest.mark.parametrize(
    ("nests", "error", "message"),
    [
        (None, TypeError, r"nests must be a list"),
        ("ab", TypeError, r"nests must be a list"),
        ({0.5: [1]}, TypeError, r"nests must be a list"),
        ((0.5, [0, 1]), TypeError, r"nests\[0\] must be a pair.*single nest stands in a list"),
        ([(0.5, [0]), 4], TypeError, r"nests\[1\] must be a pair.*categories in no nest are left out"),
        ([(0.5,)], ValueError, r"nests\[0\] must be a pair"),
        ([(0.5, [1]), (0, [2])], ValueError, r"nests\[1\]\[0\].*above 0 and at most 1.*not 0.0"),
        ([(0.5, [1, (1.1, [2])])], ValueError, r"nests\[0\]\[1\]\[1\]\[0\].*at most 1.*not 1.1"),
        ([(-0.5, [1])], ValueError, r"nests\[0\]\[0\].*above 0"),
        ([(np.nan, [1])], ValueError, r"nests\[0\]\[0\].*not nan"),
        ([(1e-7, [1, (1e-7, [2])])], ValueError, r"nests\[0\]\[1\]\[1\]\[0\].*at least 2\*\*-40"),
        ([("x", [1])], TypeError, r"nests\[0\]\[0\], a scale"),
        ([(True, [1])], TypeError, r"nests\[0\]\[0\], a scale"),
        ([(np.array([0.5]), [1])], TypeError, r"nests\[0\]\[0\] must be one number"),
        ([(0.5, [])], ValueError, r"nests\[0\] is empty"),
        ([(0.5, [1, (0.5, np.empty(0, int))])], ValueError, r"nests\[0\]\[1\]\[1\] is empty"),
        ([(0.5, [1, N])], ValueError, r"nests\[0\]\[1\]\[1\].*from 0 to 8, not 9"),
        ([(0.5, np.array([1, N]))], ValueError, r"nests\[0\]\[1\]\[1\].*from 0 to 8, not 9"),
        ([(0.5, [-1])], ValueError, r"nests\[0\]\[1\]\[0\].*not -1"),
        ([(0.5, [2**70])], ValueError, r"nests\[0\]\[1\]\[0\]"),
        ([(0.5, [1, 1])], ValueError, r"category 1 is in nests\[0\] twice"),
        ([(0.5, np.array([1, 1]))], ValueError, r"category 1 is in nests\[0\] twice"),
        ([(0.5, [1]), (0.5, [2, 1])], ValueError, r"category 1 is in nests\[1\] and in nests\[0\]"),
        ([NESTS[0], NESTS[0]], ValueError, r"category 3 is in nests\[1\] and in nests\[0\]"),
        ([(0.5, [1, (0.5, [1])])], ValueError, r"category 1 is in nests\[0\]\[1\]\[1\] and in nests\[0\]"),
        ([(0.5, [True])], TypeError, r"nests\[0\]\[1\]\[0\], a category"),
        ([(0.5, [np.True_])], TypeError, r"nests\[0\]\[1\]\[0\], a category"),
        ([(0.5, np.array([True]))], TypeError, r"nests\[0\]\[1\], members"),
        ([(0.5, [1.0])], TypeError, r"nests\[0\]\[1\]\[0\], a category"),
        ([(0.5, 3)], TypeError, r"nests\[0\]\[1\], members"),
        ([(0.5, "12")], TypeError, r"nests\[0\]\[1\], members"),
        ([(0.5, {1, 2})], TypeError, r"nests\[0\]\[1\], members"),
        ([(0.5, np.zeros((2, 2), int))], TypeError, r"nests\[0\]\[1\], members"),
        (LOOP, ValueError, r"nests must be at most 64 levels deep, but nests\[0\] has more"),
        ([DEEP], ValueError, r"nests must be at most 64 levels deep"),
    ],
)
def test_bad_trees_are_named(nests, error, message):
    rng = np.random.default_rng(1)
    with pytest.raises(error, match=message):
        fg.gumbel_nested((2, N), nests, rng=rng)
    assert rng.bit_generator.state == np.random.default_rng(1).bit_generator.state


def test_64_levels_are_not_too_many():
    np.testing.assert_array_equal(noise(5, nests=[DEEP[1][0]]), fg.gumbel((5, N), noise=FIELD))


class OnADevice:
    """An array that says it is on a device."""

    __cuda_array_interface__ = {"shape": (2, N), "typestr": "<f8", "data": (0, False), "version": 3}  # noqa: RUF012


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"out": np.empty((2, N + 1))}, ValueError, "out must have shape"),
        ({"out": np.empty((2, N), np.float32)}, TypeError, "out must have dtype"),
        ({"out": [[0.0] * N] * 2}, TypeError, "out must be a numpy array"),
        ({"out": np.broadcast_to(0.0, (2, N))}, ValueError, "out must be writable"),
        ({"out": OnADevice()}, TypeError, "out must be a host array.*copy"),
        ({"dtype": np.float16}, TypeError, "dtype must be float64 or float32"),
        ({"rng": 1, "noise": FIELD}, ValueError, "rng or noise, not both"),
        ({"noise": np.zeros((2, N))}, TypeError, "noise must be a NoiseField"),
        ({"noise": FIELD.at(rows=[1, 2, 3])}, ValueError, "rows of shape"),
        ({"noise": FIELD.at(start=2**32 - 3)}, ValueError, "go beyond the last"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        fg.gumbel_nested((2, N), NESTS, **options)


@pytest.mark.parametrize("size", [None, -1, 2.0, (2, True), 2**33])
def test_bad_sizes(size):
    with pytest.raises((TypeError, ValueError), match="size"):
        fg.gumbel_nested(size, [])


def test_where_there_are_no_categories_none_is_named():
    with pytest.raises(ValueError, match=r"nests\[0\]\[1\]\[0\] must be a category, and size leaves none, not 0"):
        fg.gumbel_nested((2, 0), [(0.5, [0, 1])], rng=0)
