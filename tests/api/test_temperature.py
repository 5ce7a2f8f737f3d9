"""``temperature=`` is, to the bit, a factor of the noise: the first argmax of ``fma(T, G, x)``, and P ~ exp(x / T).

p-values are compared with ``laws.ALARM``.
"""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import fastgumbel
from fastgumbel import NoiseField, categorical, gumbel_max, gumbel_top_k
from fastgumbel._host import categorical as _categorical
from tests.api import cases
from tests.api.test_categorical import PATHS
from tests.api.test_max import broadcastable_shapes, problems
from tests.law import laws
from tests.oracle import inversion, naive

TEMPERATURES = (0.0, 5e-324, 1e-300, 1e-31, 1e-6, 0.3, 1.0, 7.0, 1e6, 1e20, 1e300)


def ranked(x, noise, k, temperature, axis=-1):
    """Return indices and values of the k best of rows: ties by index, -1 and -inf where no category is left."""
    sums = naive.perturbed(x.astype(np.float64), noise, naive.by_row(temperature, x.shape, axis))
    sums = np.where(x > -naive.LIMIT, sums, -np.inf)
    order = np.argsort(-sums, axis=-1, kind="stable")[..., :k]
    values = np.take_along_axis(sums, order, -1)
    return np.where(values > -np.inf, order, -1), values


def assert_equal(got, wanted, message=""):
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=message)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
@pytest.mark.parametrize("family", cases.FAMILIES)
def test_every_family_and_length(family, dtype):
    rng = np.random.default_rng(list(f"{family} {dtype}".encode()))
    for n, rows in ((1, 5), (3, 150), (64, 20), (200, 40), (257, 3), (600, 3), (2049, 2)):
        seed = int(rng.integers(2**32))
        noise = fastgumbel.gumbel((rows, n), rng=seed)
        temperature = rng.choice(TEMPERATURES, rows)
        x = cases.log_potentials(family, dtype, rng, noise * np.minimum(temperature, 1e12)[:, np.newaxis])
        wanted = naive.gumbel_max(x, noise, temperature=temperature)
        got = gumbel_max(x, rng=seed, temperature=temperature, return_max=True, invalid="mark")
        assert_equal(got, wanted, f"{n=}")
        alone = gumbel_max(x, rng=seed, temperature=temperature, invalid="mark")
        np.testing.assert_array_equal(alone, wanted[0])
        k = min(n, 4)
        got = gumbel_top_k(x, k, rng=seed, temperature=temperature, invalid="mark")
        assert_equal(got, ranked(x, noise, k, temperature), f"{n=} {k=}")


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("n", [3, 30, 300, 3000, 140_000])
def test_one_temperature_for_all(n, temperature):
    """As a number, an array with one item, and one a row; of few rows, and of one."""
    x = np.random.default_rng(n).normal(size=(2, n))
    noise = fastgumbel.gumbel(x.shape, rng=1)
    wanted = naive.gumbel_max(x, noise, temperature=temperature)
    for given_as in (temperature, [temperature], [[temperature], [temperature]], np.full(2, temperature)):
        assert_equal(gumbel_max(x, rng=1, temperature=given_as, return_max=True), wanted)
        np.testing.assert_array_equal(gumbel_max(x, rng=1, temperature=given_as), wanted[0])
    assert gumbel_max(x[0], rng=1, temperature=temperature) == wanted[0][0]
    assert_equal(gumbel_top_k(x, 3, rng=1, temperature=temperature), ranked(x, noise, 3, temperature))


@pytest.mark.parametrize("k", [1, 3, 100, 1000])
def test_many_of_long_rows(k):
    """Over more than one chunk of blocks, with draws, starts and one temperature a row."""
    field = NoiseField(5).at(rows=[2**64 - 1, 7, 8, 9], draw=2**32 - 3, start=100)
    temperature = np.array([0.3, 5.0, 0.0, 1e-5])
    x = np.random.default_rng(k).normal(size=(4, 150_000)).round(3)
    noise = naive.materialised_noise(field, x.shape, size=(2,), draw=field.draw)
    got = gumbel_top_k(x, k, noise=field, size=2, temperature=temperature, return_threshold=True)
    wanted = ranked(x, noise, k + 1, temperature)
    assert_equal(got, (wanted[0][..., :k], wanted[1][..., :k], wanted[1][..., k]))


@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_a_row_so_long_that_it_is_cut(threads, temperature):
    n = 2**22 + 100
    x = np.random.default_rng(1).normal(size=n).astype(np.float32).round(1)
    sums = naive.perturbed(x.astype(np.float64), fastgumbel.gumbel(n, rng=9), temperature) if temperature else x
    order = np.argsort(-sums, kind="stable")[:5]
    for count in (1, 3):
        threads(count)
        assert gumbel_max(x, rng=9, temperature=temperature) == order[0]
        np.testing.assert_array_equal(gumbel_top_k(x, 5, rng=9, temperature=temperature)[0], order)


@st.composite
def tempered(draw):
    """Draw a problem of `gumbel_max` with a temperature, or one for each row."""
    problem = draw(problems())
    x, axis = problem[:2]
    shape = list(x.shape)
    del shape[axis]
    lead = draw(broadcastable_shapes(tuple(shape)))
    values = np.random.default_rng(draw(st.integers(0, 2**32))).choice(TEMPERATURES, lead)
    if len(lead) == len(shape) and draw(st.booleans()):
        values = np.expand_dims(values, axis)
    return problem, values


@given(tempered(), st.sampled_from([1, 2, 5]))
@settings(max_examples=150)
def test_any_structure(problem, threads):
    (x, axis, size, where, field, noise), temperature = problem
    usual = fastgumbel.get_num_threads()
    options = {"axis": axis, "size": size, "where": where, "temperature": temperature, "invalid": "mark"}
    try:
        fastgumbel.set_num_threads(threads)
        found = gumbel_max(x, noise=field, return_max=True, **options)
        from_array = gumbel_max(x, noise=noise, return_max=True, **options)
        best = gumbel_top_k(x, 1, noise=field, **options)
        of_array = gumbel_top_k(x, 1, noise=noise, **options)
    finally:
        fastgumbel.set_num_threads(usual)
    wanted = naive.gumbel_max(x, noise, axis=axis, where=where, temperature=temperature)
    assert_equal(found, wanted)
    assert_equal(from_array, wanted)
    left = wanted[0] >= 0
    for ranks in (best, of_array):
        first = [part.take(0, axis if axis < 0 else axis - x.ndim)[left] for part in ranks]
        assert_equal(first, [part[left] for part in wanted])


@pytest.mark.parametrize("n", [20, 700])
def test_category_ids(n):
    rng = np.random.default_rng(n)
    ids = rng.integers(-1, n, size=(6, n))
    temperature = np.array([0.0, 0.3, 1.0, 5.0, 1e-3, 1e10])
    x = rng.normal(size=(6, n)).round(1)
    field = NoiseField(3).at(categories=ids)
    noise = fastgumbel.gumbel(x.shape, noise=field)
    where = naive.once_each(x, ids) & (ids >= 0)
    wanted = naive.gumbel_max(x, np.where(ids < 0, 0, noise), where=where, temperature=temperature)
    found = gumbel_max(x, noise=field, temperature=temperature, return_max=True)
    assert_equal(found, wanted)
    best = gumbel_top_k(x, 3, noise=field, temperature=temperature)
    wanted = ranked(np.where(where, x, -np.inf), np.where(ids < 0, 0, noise), 3, temperature)
    assert_equal(best, wanted)


def test_temperature_1_changes_nothing():
    x = np.random.default_rng(0).normal(size=(50, 300))
    for function in (gumbel_max, lambda x, **options: gumbel_top_k(x, 5, **options)[1], categorical):
        for one in (1, 1.0, np.float32(1), np.ones(50), np.ones((50, 1))):
            np.testing.assert_array_equal(function(x, rng=1, temperature=one), function(x, rng=1))


def test_shards_merge_at_any_temperature():
    """The larger of the values of two shards is that of the whole."""
    x, field = np.random.default_rng(0).normal(size=(200, 500)), NoiseField(1)
    for temperature in (0.0, 0.2, 3.0):
        index, value = gumbel_max(x, noise=field, temperature=temperature, return_max=True)
        parts = [
            gumbel_max(x[:, c : c + 100], noise=field.at(start=c), temperature=temperature, return_max=True)
            for c in range(0, 500, 100)
        ]
        values = np.array([part[1] for part in parts])
        shard = values.argmax(0)
        np.testing.assert_array_equal(values.max(0), value)
        indices = np.array([100 * i + part[0] for i, part in enumerate(parts)])
        np.testing.assert_array_equal(indices[shard, np.arange(200)], index)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("n", [7, 400])
def test_the_law(n, temperature):
    """Frequencies of both samplers, and the perturbed value, in units of the log-potentials."""
    x = np.random.default_rng(n).normal(size=n)
    p = np.exp(x / temperature - np.logaddexp.reduce(x / temperature))
    draws = 200_000
    index, value = gumbel_max(x, size=draws, rng=1, temperature=temperature, return_max=True)
    for chosen in (index, categorical(x, draws, rng=1, temperature=temperature)):
        common = p * draws >= 10
        counts = np.bincount(chosen, minlength=n)
        observed, wanted = ([*v[common], v[~common].sum()] for v in (counts, p * draws))
        if not wanted[-1]:
            observed, wanted = observed[:-1], wanted[:-1]
        assert stats.chisquare(observed, np.array(wanted) * (draws / np.sum(wanted))).pvalue > laws.ALARM
    standard = value / temperature - np.logaddexp.reduce(x / temperature)
    assert stats.kstest(standard, stats.gumbel_r.cdf).pvalue > laws.ALARM


def test_the_threshold_gives_the_chance_of_inclusion():
    x, temperature = np.random.default_rng(3).normal(size=60), 0.6
    indices, _, threshold = gumbel_top_k(x, 20, size=40_000, rng=2, temperature=temperature, return_threshold=True)
    chances = -np.expm1(-np.exp((x[indices] - threshold[:, np.newaxis]) / temperature))
    estimates = (np.exp(x[indices] / temperature) / chances).sum(-1)
    error = estimates.std() / np.sqrt(len(estimates))
    assert abs(estimates.mean() - np.exp(x / temperature).sum()) < 5 * error


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    """Send all calls of `categorical` one way."""
    for name, value in PATHS[request.param].items():
        monkeypatch.setattr(_categorical, name, value)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [1, 10, 300])
def test_categorical_is_its_definition_on_every_path(path, n, dtype):
    rng = np.random.default_rng(n)
    x = (2 * rng.normal(size=(60, n))).round(2).astype(dtype)
    x[:, 1:][rng.random((60, n - 1)) < 0.2] = -np.inf
    temperature = rng.choice(TEMPERATURES, 60)
    for first, draws in ((0, 1), (1, 2), (2**32 - 300, 40)):
        field = NoiseField(n).at(draw=first)
        wanted = inversion.categorical(x, draws, key=field.key, draw=first, temperature=temperature)
        np.testing.assert_array_equal(categorical(x, draws, noise=field, temperature=temperature), wanted)
        np.testing.assert_array_equal(wanted[:, temperature == 0], np.tile(x[temperature == 0].argmax(-1), (draws, 1)))
    one = inversion.categorical(x, 2, key=field.key, temperature=np.full(60, 0.7))
    np.testing.assert_array_equal(categorical(x, 2, noise=NoiseField(n), temperature=0.7), one)


@pytest.mark.parametrize("function", [gumbel_max, lambda x, **options: gumbel_top_k(x, 2, **options), categorical])
@pytest.mark.parametrize(
    ("temperature", "message"),
    [
        (-1.0, "temperature must be from 0 to 1e.300, not -1"),
        (np.nan, "temperature must be from 0 to 1e.300, not nan"),
        (np.inf, "temperature must be from 0 to 1e.300"),
        (2e300, "temperature must be from 0 to 1e.300"),
        ([1.0, 2.0, -0.5], "row 2 has -0.5"),
        (np.ones(2), r"temperature of shape \(2,\) does not broadcast to the batch shape \(3,\)"),
        (np.ones((3, 5)), "does not broadcast"),
        ("1", "temperature must be real numbers"),
        (True, "temperature must be real numbers"),
        (None, "temperature"),
    ],
)
def test_what_is_no_temperature(function, temperature, message):
    with pytest.raises((TypeError, ValueError), match=message):
        function(np.zeros((3, 5)), rng=0, temperature=temperature)


def test_no_copy_is_made():
    x = np.zeros((4096, 4096), np.float32)
    temperature = np.linspace(0.1, 2, 4096)
    gumbel_max(x[:64], rng=0, temperature=temperature[:64])
    tracemalloc.start()
    try:
        result = gumbel_max(x, rng=0, temperature=temperature)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < result.nbytes + 2**22


def test_out_may_be_the_temperatures():
    x, temperatures = np.random.default_rng(0).normal(size=(3, 500)), np.array([0.5, 1.0, 2.0])
    index, value = gumbel_max(x, temperature=temperatures, rng=1, return_max=True)
    own = temperatures.copy()
    result = gumbel_max(x, temperature=own, rng=1, return_max=True, out=(np.empty(3, np.intp), own))
    np.testing.assert_array_equal(result, (index, value))
    own = temperatures[:, np.newaxis].copy()
    result = gumbel_top_k(x, 1, temperature=own, rng=1, out=(np.empty((3, 1), np.intp), own))
    np.testing.assert_array_equal(result, (index[:, np.newaxis], value[:, np.newaxis]))
