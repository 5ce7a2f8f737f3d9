"""``gumbel_above`` is, to the bit, where the perturbed values are above the threshold, and its law is Poisson sampling.

p-values are compared with ``laws.ALARM`` (1e-6 a test were the seeds not fixed). In 20,000 draws of 200 categories,
less than once in 10^6 are missed: one inclusion of probability 0.1 that is off by 40 %, all of them off by 1.2 %, and
pairs at some distance that are together by 7 % too often.
"""

import numpy as np
import pytest
from scipy import stats

import fastgumbel
from fastgumbel import NoiseField, gumbel_above, gumbel_top_k
from tests.api import cases
from tests.law import laws
from tests.oracle import naive


def expected(x, noise, threshold, temperature=1.0):
    """Return coordinates and values; the categories are last, thresholds and temperatures broadcast to the noise."""
    x = np.broadcast_to(np.asarray(x).astype(np.float64), noise.shape)
    values = naive.perturbed(x, noise, temperature)
    with np.errstate(invalid="ignore"):
        above = (values > threshold) & (x > -naive.LIMIT)
    return np.nonzero(above), values[above]


def assert_equal(got, wanted, message=""):
    coordinates, values = got
    assert len(coordinates) == len(wanted[0])
    assert all(own.dtype == np.intp for own in coordinates)
    for a, b in zip((*coordinates, values), (*wanted[0], wanted[1]), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=message)


def levels(x, noise):
    """Return thresholds that let in all, much, something, a single one and nothing; one is a value itself."""
    values = np.sort((x.astype(np.float64) + noise)[x > -naive.LIMIT])
    return -np.inf, values[0], values[len(values) // 2], values[-min(len(values), 30)], values[-1]


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
@pytest.mark.parametrize("family", cases.FAMILIES)
def test_every_family_and_length(family, dtype):
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for n in (1, 2, 10, 63, 64, 65, 300, 2049, 40_000):
        seed = int(rng.integers(2**32))
        noise = fastgumbel.gumbel((3, n), rng=seed)
        x = cases.log_potentials(family, dtype, rng, noise)
        for threshold in levels(x, noise):
            got = gumbel_above(x, threshold, rng=seed)
            assert_equal(got, expected(x, noise, threshold), f"{n=} {threshold=}")


@pytest.mark.parametrize("dtype", [*cases.BIG_ENDIAN, "float16", "int8", "uint64"])
def test_every_type(dtype):
    rng = np.random.default_rng(1)
    noise = fastgumbel.gumbel((5, 300), rng=1)
    x = cases.log_potentials("normal", dtype, rng, noise)
    assert_equal(gumbel_above(x, 3.0, rng=1), expected(x, noise, 3.0))


@pytest.mark.parametrize("start", [1, 62, 100, 2**32 - 30_000])
@pytest.mark.parametrize("n", [30, 700, 30_000])
def test_rows_draws_and_starts(start, n):
    field = NoiseField(5).at(rows=[2**64 - 1, 7, 8], draw=[2**32 - 3, 0, 9], start=start)
    x = np.random.default_rng(n).normal(size=(3, n))
    noise = np.stack([fastgumbel.gumbel(x.shape, noise=field.at(draw=field.draw + np.uint64(s))) for s in range(3)])
    for threshold in (-1.0, 3.0, 8.0):
        assert_equal(gumbel_above(x, threshold, noise=field, size=3), expected(x, noise, threshold))


@pytest.mark.parametrize("threshold", [3.0, 12.0])
def test_a_row_so_long_that_it_is_cut(threads, threshold):
    n = 2**22 + 100
    x = np.random.default_rng(1).normal(size=n).astype(np.float32)
    noise = fastgumbel.gumbel((2, n), rng=9)[0]
    for count in (1, 3):
        threads(count)
        assert_equal(gumbel_above(x, threshold, rng=9), expected(x, noise, threshold))
    shorter = x[::2]
    noise = np.stack([fastgumbel.gumbel(shorter.shape, noise=NoiseField(9).at(draw=s)) for s in range(2)])
    assert_equal(gumbel_above(shorter, threshold, size=2, rng=9), expected(shorter, noise, threshold))


@pytest.mark.parametrize("shape", [(2000, 700), (200, 7000), (300_000, 3)])
@pytest.mark.parametrize("size", [None, (2, 2)])
def test_any_number_of_threads(threads, shape, size):
    """Several tasks, of which each fills its buffer more than once."""
    x = np.random.default_rng(2).normal(size=shape)
    threads(1)
    wanted = gumbel_above(x, 0.5, size=size, rng=4)
    threads(3)
    assert_equal(gumbel_above(x, 0.5, size=size, rng=4), wanted)
    noise = fastgumbel.gumbel(shape, rng=4)
    first = slice(None) if size is None else (wanted[0][0] == 0) & (wanted[0][1] == 0)
    found = tuple(own[first] for own in wanted[0][-2:]), wanted[1][first]
    assert_equal(found, expected(x, noise, 0.5))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("size", [None, 2, (2, 3)])
def test_axes_draws_and_masks(axis, size):
    """The categories are last in the coordinates, wherever they lie in the log-potentials."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(12, 13, 14))
    where = rng.random(x.shape) < 0.8
    shape = () if size is None else (size,) if isinstance(size, int) else size
    moved = np.moveaxis(np.where(where, x, -np.inf), axis, -1)
    noise = naive.materialised_noise(NoiseField(4), moved.shape, size=shape)
    by_row = rng.normal(size=moved.shape[:-1])
    wanted = expected(moved, noise, by_row[..., np.newaxis])
    options = {"axis": axis, "size": size, "where": where}
    assert_equal(gumbel_above(x, by_row, noise=NoiseField(4), **options), wanted)
    assert_equal(gumbel_above(x, np.expand_dims(by_row, axis), noise=NoiseField(4), **options), wanted)
    given = np.moveaxis(noise, -1, axis if axis < 0 else axis - 3)
    assert_equal(gumbel_above(x, by_row, noise=given, **options), wanted)
    by_draw = by_row + rng.normal(size=shape + by_row.shape)
    found = gumbel_above(x, by_draw, noise=NoiseField(4), **options)
    assert_equal(found, expected(moved, noise, by_draw[..., np.newaxis]))


@pytest.mark.parametrize("temperature", [0.0, 0.3, 1e-300, 1e300])
@pytest.mark.parametrize("n", [3, 70, 3000])
def test_temperatures(n, temperature):
    """One for all and one a row; with T = 0 and equal values at the threshold, which are not above it."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(4, n)).round(1)
    x[rng.random(x.shape) < 0.1] = -np.inf
    noise = np.stack([fastgumbel.gumbel((4, n), noise=NoiseField(1).at(draw=s)) for s in range(2)])
    each = np.array([temperature, 1.0, 0.0, 2.0])
    for threshold in (-np.inf, -0.5, 1.0, 1.1, temperature):
        got = gumbel_above(x, threshold, size=2, rng=1, temperature=temperature)
        assert_equal(got, expected(x, noise, threshold, temperature))
        got = gumbel_above(x, threshold, size=2, rng=1, temperature=each)
        assert_equal(got, expected(x, noise, threshold, each[:, np.newaxis]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("temperature", [1e-2, 1.0, 1e3])
@pytest.mark.parametrize("offset", [1e3, 1e9, 1e13, -1e13])
def test_large_log_potentials_beside_their_thresholds(offset, temperature, dtype):
    field = NoiseField(37)
    x = (np.random.default_rng(38).normal(size=(5, 300)) + offset).astype(dtype)
    noise = fastgumbel.gumbel((5, 300), noise=field)
    for threshold in (offset, np.nextafter(offset, np.inf), offset + 2 * temperature, offset + 5 * temperature):
        got = gumbel_above(x, threshold, temperature=temperature, noise=field)
        assert_equal(got, expected(x, noise, threshold, temperature), f"{threshold}")


@pytest.mark.parametrize("temperature", [2.0**-101, 2.0**-99, 1e-20, 2.0**59, 2.0**61])
def test_extreme_temperatures(temperature):
    field = NoiseField(39)
    x = np.random.default_rng(40).normal(size=(5, 300)).astype(np.float32)
    noise = fastgumbel.gumbel((5, 300), noise=field)
    for threshold in (-1e300, -1.0, float(x[2, 5]), 4 * temperature, 1.0 + temperature, 1e40, 1e300):
        got = gumbel_above(x, threshold, temperature=temperature, noise=field)
        assert_equal(got, expected(x, noise, threshold, temperature), f"{threshold}")


@pytest.mark.parametrize("kind", ["strided", "transposed", "float16", "masked"])
def test_what_is_not_read_in_place(kind):
    rng = np.random.default_rng(6)
    x, where = rng.normal(size=(300, 900)).astype(np.float32), None
    if kind == "masked":
        where = rng.random(x.shape) < 0.5
        x[~where] = np.nan
    x = {"strided": x[::-1, ::3], "transposed": x.T, "float16": x.astype(np.float16)}.get(kind, x)
    noise = np.stack([fastgumbel.gumbel(x.shape, noise=NoiseField(2).at(draw=s)) for s in range(2)])
    own = x if where is None else np.where(where, x, -np.inf)
    assert_equal(gumbel_above(x, 1.5, where=where, size=2, rng=2), expected(own, noise, 1.5))


@pytest.mark.parametrize("n", [7, 300, 40_000])
def test_category_ids(n):
    """In any order, wide, in empty places, and twice: of each id the place with the largest log-potential counts."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(3, n)).round(1)
    ids = rng.integers(0, 2 * n, size=(3, n)) << rng.choice([0, 33], size=(3, n))
    ids[rng.random(ids.shape) < 0.1] = -1
    field = NoiseField(3).at(categories=ids)
    left = naive.once_each(x, np.where(ids >= 0, ids, -1 - np.arange(n)), ids >= 0)
    noise = np.stack([fastgumbel.gumbel(x.shape, noise=field.at(draw=s)) for s in range(2)])
    wanted = expected(np.where(left, x, -np.inf), np.where(ids < 0, 0, noise), 0.5)
    assert_equal(gumbel_above(x, 0.5, noise=field, size=2), wanted)


@pytest.mark.parametrize("shape", [(40, 50), (40, 1454), (3, 100_000)])
@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_the_threshold_of_the_k_best_gives_the_k_best(shape, temperature):
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    options = {"size": 2, "rng": 5, "temperature": temperature}
    indices, _, threshold = gumbel_top_k(x, 20, return_threshold=True, **options)
    coordinates, _ = gumbel_above(x, threshold, **options)
    np.testing.assert_array_equal(coordinates[-1].reshape(2, len(x), 20), np.sort(indices, -1))
    first, _, threshold = gumbel_top_k(x[0], len(x[0]), rng=5, return_threshold=True)
    np.testing.assert_array_equal(gumbel_above(x[0], threshold, rng=5)[0][0], np.sort(first))


def test_a_higher_threshold_leaves_a_subset():
    x = np.random.default_rng(1).normal(size=(50, 1000))
    (row, category), values = gumbel_above(x, 2.0, rng=1)
    high = values > 4
    assert_equal(gumbel_above(x, 4.0, rng=1), ((row[high], category[high]), values[high]))


@pytest.mark.parametrize("n", [10, 1454, 140_000])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 2.0**46])
def test_invalid_rows(n, bad):
    x = np.zeros((4, n))
    x[1, n - 3] = bad
    noise = fastgumbel.gumbel(x.shape, rng=1)
    for own in ({"rng": 1}, {"noise": noise}, {"noise": NoiseField(1).at(categories=np.arange(n))}):
        with pytest.raises(ValueError, match=rf"row 1 has .* at (category|place) {n - 3}"):
            gumbel_above(x, 3.0, **own)
        wanted = expected(np.where(np.arange(4)[:, np.newaxis] == 1, -np.inf, x), noise, 3.0)
        assert_equal(gumbel_above(x, 3.0, invalid="mark", **own), wanted)
        (draw, row, _), _ = gumbel_above(np.stack([x[1], x[0]]), 0.0, rng=1, size=2, invalid="mark")
        assert set(row) == {1}
        assert set(draw) == {0, 1}


def test_nothing_left_is_an_empty_sample():
    x = np.full((3, 200), -np.inf)
    x[1] = 0.0
    (row, _), values = gumbel_above(x, -np.inf, rng=0)
    assert (row == 1).all()
    assert row.size == 200
    assert np.isfinite(values).all()
    x[...] = -1e15
    assert gumbel_above(x, -np.inf, rng=0)[1].size == 0
    for empty in (np.zeros((3, 0)), np.zeros((0, 5)), np.zeros(0)):
        coordinates, values = gumbel_above(empty, rng=0)
        assert len(coordinates) == empty.ndim
        assert values.size == 0
    coordinates, values = gumbel_above(np.zeros(5), rng=0, size=(0, 2))
    assert [own.size for own in (*coordinates, values)] == [0, 0, 0, 0]
    assert gumbel_above(np.zeros((5, 100)), np.inf, rng=0)[1].size == 0


def test_a_threshold_that_is_nan():
    x = np.zeros((3, 50))
    field = NoiseField(1).at(rows=[7, 8, 9])
    threshold = [0.0, np.nan, 1.0]
    with pytest.raises(ValueError, match=r"threshold must be .*, but row 1 \(id 8\) has nan"):
        gumbel_above(x, threshold, noise=field)
    wanted = gumbel_above(x, [0.0, np.inf, 1.0], noise=field)
    assert_equal(gumbel_above(x, threshold, noise=field, invalid="mark"), wanted)
    with pytest.raises(ValueError, match="but draw 1 of row 0 has nan"):
        gumbel_above(x, [[0.0] * 3, [np.nan, 0.0, 0.0]], size=2, rng=1)
    with pytest.raises(ValueError, match="but every row has nan"):
        gumbel_above(x, np.nan, rng=1)
    x[1, 3] = np.nan
    _, _, threshold = gumbel_top_k(x, 5, noise=field, return_threshold=True, invalid="mark")
    (row, _), _ = gumbel_above(x, threshold, noise=field, invalid="mark")
    np.testing.assert_array_equal(row, np.repeat([0, 2], 5))


@pytest.mark.parametrize(
    ("threshold", "error", "message"),
    [
        (
            [0.0, 1.0],
            ValueError,
            r"threshold of shape \(2,\) does not broadcast to the batch shape \(3,\), nor is it of",
        ),
        (np.zeros((2, 4)), ValueError, r"threshold of shape \(2, 4\)"),
        (True, TypeError, "threshold must be real numbers"),
        ("high", TypeError, "threshold must be real numbers"),
        (None, TypeError, "threshold must be an array or a number, not NoneType"),
        (1j, TypeError, "threshold must be real numbers"),
    ],
)
def test_bad_thresholds(threshold, error, message):
    with pytest.raises(error, match=message):
        gumbel_above(np.zeros((3, 5)), threshold, size=2, rng=0)


def test_bad_noise_is_named():
    noise = np.zeros((2, 5))
    noise[1, 3] = np.nan
    with pytest.raises(ValueError, match="empty places, but row 1 has nan at category 3"):
        gumbel_above(np.zeros((2, 5)), -1.0, noise=noise)
    noise[1, 3] = -np.inf
    np.testing.assert_array_equal(gumbel_above(np.zeros((2, 5)), -1.0, noise=noise)[0][1], [0, 1, 2, 3, 4, 0, 1, 2, 4])
    x = np.where(noise == -np.inf, np.nan, 0.0)
    np.testing.assert_array_equal(gumbel_above(x, -1.0, noise=noise)[0][1], [0, 1, 2, 3, 4, 0, 1, 2, 4])
    with pytest.raises(ValueError, match="give rng or noise, not both"):
        gumbel_above(np.zeros((2, 5)), 2, noise=noise, rng=1)


def inclusions(x, threshold, draws, temperature=1.0, seed=1):
    """Return a matrix of draws by categories: who is in."""
    (draw, category), _ = gumbel_above(x, threshold, size=draws, rng=seed, temperature=temperature)
    inside = np.zeros((draws, len(x)), bool)
    inside[draw, category] = True
    return inside


@pytest.mark.parametrize("draws", [20_000, pytest.param(400_000, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_inclusions_are_independent_with_their_probabilities(temperature, draws):
    """Each category, pairs at four distances (mean squares within 10 standard errors of 1), and the samples' sizes."""
    x = np.random.default_rng(3).normal(-2, 1, size=200) * temperature
    p = -np.expm1(-np.exp(x / temperature))
    inside = inclusions(x, 0.0, draws, temperature)
    variance = draws * p * (1 - p)
    single = (inside.sum(0) - draws * p) ** 2 / variance
    assert stats.chi2.sf(single.sum(), 200) > laws.ALARM
    for step in (1, 2, 64, 100):
        a, b = inside[:, :-step], inside[:, step:]
        both = p[:-step] * p[step:]
        pairs = ((a & b).sum(0) - draws * both) ** 2 / (draws * both * (1 - both))
        usual = draws * both > 10
        assert abs(pairs[usual].mean() - 1) < 10 * np.sqrt(2 / usual.sum())
    sizes = inside.sum(1)
    spread = np.sqrt((p * (1 - p)).sum())
    assert abs(sizes.mean() - p.sum()) < 5 * spread / np.sqrt(draws)
    assert abs(sizes.var() / spread**2 - 1) < 5 * np.sqrt(2 / draws)


def test_as_often_as_draws_with_replacement():
    """With x = log(-S log1p(-p)), by 1 - (1 - p)^S."""
    p = np.random.default_rng(2).dirichlet(np.full(50, 0.5))
    inside = inclusions(np.log(-20 * np.log1p(-p)), 0.0, 20_000)
    chance = -np.expm1(20 * np.log1p(-p))
    usual = chance * 20_000 > 5
    distances = (inside.mean(0) - chance)[usual] / np.sqrt((chance * (1 - chance) / 20_000)[usual])
    assert stats.chi2.sf((distances**2).sum(), usual.sum()) > laws.ALARM


def test_horvitz_thompson_totals_are_unbiased():
    """The mean of 4,000 estimates is within 5 standard errors; without the probabilities it is not."""
    rng = np.random.default_rng(2)
    x = rng.normal(-4, 1, size=2000)
    f = x + rng.normal(7, 1, size=2000)
    p = -np.expm1(-np.exp(x))
    inside = inclusions(x, 0.0, 4000, seed=3)
    estimates = inside @ (f / p)
    error = estimates.std() / np.sqrt(4000)
    assert error < 0.02 * f.sum()
    assert abs(estimates.mean() - f.sum()) < 5 * error
    assert abs((inside @ f * len(x) / inside.sum(1)).mean() - f.sum()) > 5 * error, "the test can fail"


def test_samples_of_two_scenarios_have_much_in_common():
    """Permanent random numbers: a category is in both with the smaller of its probabilities."""
    x = np.random.default_rng(4).normal(-2, 1, size=500)
    y = x + np.random.default_rng(5).normal(0, 0.3, size=500)
    both = inclusions(x, 0.0, 4000) & inclusions(y, 0.0, 4000)
    p = -np.expm1(-np.exp(np.minimum(x, y)))
    assert stats.chi2.sf(((both.sum(0) - 4000 * p) ** 2 / (4000 * p * (1 - p))).sum(), 500) > laws.ALARM
