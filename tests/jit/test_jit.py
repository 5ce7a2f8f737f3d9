"""``fastgumbel.jit`` gives the bits of the array functions inside compiled code, whatever stands around it."""

import json

import numba
import numpy as np
import pytest

import fastgumbel
import fastgumbel.jit
from fastgumbel import NoiseField, categorical, gumbel, gumbel_max, gumbel_softmax
from tests.subprocesses import python

KEY = np.uint64(0x9876543210ABCDEF)
FIRST, DRAWS = 7, 4


@numba.njit
def draw_all(x, key, first, tau, samples, choices, relaxed, noise):
    """Draw from every row of x, with all functions; row r is row 3 r + 1 of the field."""
    for r in range(len(x)):
        for s in range(samples.shape[1]):
            samples[r, s] = fastgumbel.jit.gumbel_max(x[r], key, 3 * r + 1, first + s)
            choices[r, s] = fastgumbel.jit.categorical(x[r], key, np.uint32(3 * r + 1), first + s)
        fastgumbel.jit.gumbel_softmax(x[r], tau, key, 3 * r + 1, first, relaxed[r])
        for c in range(x.shape[1]):
            noise[r, c] = fastgumbel.jit.gumbel(key, 3 * r + 1, first, np.int32(c))


def drawn(x, tau, draws=DRAWS):
    """Return samples, choices, relaxed samples and noise of ``draw_all``."""
    kind = np.float32 if x.dtype == np.float32 else np.float64
    relaxed, noise = np.full((len(x), 2 * x.shape[1]), 7, kind)[:, ::2], np.empty(x.shape)
    samples, choices = np.empty((2, len(x), draws), np.int64)
    draw_all(x, KEY, FIRST, tau, samples, choices, relaxed, noise)
    return samples, choices, relaxed, noise


def expected(x, tau, draws=DRAWS):
    """Return the same of the array functions."""
    field = NoiseField.from_key(KEY).at(rows=3 * np.arange(len(x)) + 1, draw=FIRST)
    options = {"noise": field, "invalid": "mark"}
    samples, choices = gumbel_max(x, size=draws, **options).T, categorical(x, draws, **options).T
    return samples, choices, gumbel_softmax(x, tau, **options), gumbel(x.shape, noise=field)


def assert_same(x, tau, draws=DRAWS):
    for one, other in zip(drawn(x, tau, draws), expected(x, tau, draws), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def rows(n, kind, count=3):
    """Return log-potentials of an awkward layout, a fifth of which are excluded."""
    rng = np.random.default_rng(n)
    if kind == "int8":
        return rng.integers(-3, 4, (count, 2 * n)).astype(np.int8)[:, ::-2]
    x = rng.normal(size=(count, 2 * n)) * rng.choice([0.1, 1, 10])
    x[rng.random(x.shape) < 0.2] = -np.inf
    x[:, -1] = 0
    return x.astype(kind)[:, ::-2]


KINDS = ("float64", "float32", "int8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_bits_of_the_array_functions(kind):
    """Sums of relaxed samples change their order from 96 to 97 categories, and with each 64."""
    for n in [*range(1, 140), 191, 192, 193, 255, 256, 257, 300, 1000, 5000]:
        assert_same(rows(n, kind), tau=0.5)


@numba.njit
def draw_tempered(x, key, first, temperature, samples, choices):
    """Draw samples and choices from every row of x at a temperature."""
    for r in range(len(x)):
        for s in range(samples.shape[1]):
            samples[r, s] = fastgumbel.jit.gumbel_max(x[r], key, r, first + s, temperature)
            choices[r, s] = fastgumbel.jit.categorical(x[r], key, r, first + s, temperature=temperature)


@pytest.mark.parametrize("kind", KINDS)
def test_temperatures_of_the_noise(kind):
    field = NoiseField.from_key(KEY).at(draw=FIRST)
    for n in (1, 3, 30, 65, 200, 1000):
        x = rows(n, kind, 20)
        samples, choices = np.empty((2, 20, DRAWS), np.int64)
        for temperature in (0.0, 5e-324, 1e-31, 0.3, 1.0, 7, 1e32, 1e300):
            draw_tempered(x, KEY, FIRST, temperature, samples, choices)
            options = {"size": DRAWS, "noise": field, "temperature": temperature}
            np.testing.assert_array_equal(samples, gumbel_max(x, **options).T)
            np.testing.assert_array_equal(choices, categorical(x, **options).T)
        for temperature in (-1e-300, np.nan, np.inf, 2e300):
            draw_tempered(x, KEY, FIRST, temperature, samples, choices)
            assert (samples == -1).all()
            assert (choices == -1).all()
    with pytest.raises(numba.TypingError, match="temperature must be a real number"):
        fastgumbel.jit.gumbel_max(x[0], KEY, 0, 0, "cold")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tau", [0.0, 1e-320, 1e-3, 50.0])
def test_temperatures(kind, tau):
    for n in (1, 3, 65, 200):
        assert_same(rows(n, kind), tau)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_that_only_the_definition_decides(kind):
    """Of 256 categories float32 leaves some 1e-4 of the draws undecided."""
    assert_same(rows(256, kind, 1), 1.0, 50_000)


@pytest.mark.parametrize("scale", [0.0, 1e-9, 100.0, 1e13])
def test_ties_and_large_potentials(scale):
    for n in (2, 3, 64, 300):
        x = rows(n, "float64", 50)
        np.multiply(x, scale, out=x, where=x > -np.inf)
        assert_same(x, 1.0)


@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("n", [3, 100])
def test_invalid_rows_are_marked(kind, n):
    x = np.random.default_rng(n).normal(size=(5, 2 * n)).astype(kind)[:, ::-2]
    x[1, n - 1], x[2, 0], x[3] = np.nan, np.inf, -np.inf
    for tau in (0.0, 1.0):
        samples, choices, relaxed, _ = drawn(x, tau)
        assert (samples[1:4] == -1).all()
        assert (choices[1:4] == -1).all()
        assert np.isnan(relaxed[1:4]).all()
        assert_same(x, tau)
    for tau in (-1.0, np.nan, np.inf):
        assert np.isnan(drawn(x, tau)[2]).all()


def test_an_empty_row():
    x = np.empty(0)
    assert fastgumbel.jit.gumbel_max(x, KEY, 0, 0) == fastgumbel.jit.categorical(x, KEY, 0, 0) == -1
    assert fastgumbel.jit.gumbel_softmax(x, 1.0, KEY, 0, 0, x) is None


def test_coordinates_count_from_the_end():
    at_end = NoiseField.from_key(2**64 - 1).at(rows=2**64 - 2, draw=2**32 - 3, start=2**32 - 4)
    assert fastgumbel.jit.gumbel(-1, -2, -3, -4) == gumbel(1, noise=at_end)[0]
    assert fastgumbel.jit.gumbel(-1, -2, -3, 2**33 - 4) == gumbel(1, noise=at_end)[0]


def test_in_place():
    x = np.random.default_rng(1).normal(size=100)
    for tau in (0.0, 2.0):
        y = x.copy()
        fastgumbel.jit.gumbel_softmax(y, tau, KEY, 4, FIRST, y)
        np.testing.assert_array_equal(y, gumbel_softmax(x, tau, noise=NoiseField.from_key(KEY).at(rows=4, draw=FIRST)))


def test_nothing_is_allocated():
    drawn(rows(3, "float32"), 1.0)
    code = next(iter(draw_all.inspect_asm().values()))
    assert "NRT_MemInfo_alloc" not in code

    @numba.njit
    def allocates(n):
        return np.empty(n)

    allocates(3)
    assert "NRT_MemInfo_alloc" in next(iter(allocates.inspect_asm().values()))


CALLER = """
import json, sys
import numba, numpy as np
import fastgumbel.jit as fgj

@numba.njit(cache=True, parallel=True, fastmath=True)
def draw(x, key, samples, choices, relaxed):
    for r in numba.prange(len(x)):
        samples[r] = fgj.gumbel_max(x[r], key, r, 1)
        choices[r] = fgj.categorical(x[r], key, r, 1)
        fgj.gumbel_softmax(x[r], 0.7, key, r, 1, relaxed[r])

samples, choices = np.empty((2, 2000), np.int64)
relaxed = np.empty((2000, 5), np.float32)
x = np.random.default_rng(1).normal(size=relaxed.shape).astype(np.float32)
draw(x, np.uint64(12345), samples, choices, relaxed)
hits = sum(draw.stats.cache_hits.values())
print(json.dumps([hits, samples.tolist(), choices.tolist(), relaxed.view(np.int32).tolist()]))
"""


def test_cached_parallel_fast_math_code(tmp_path):
    """Numba lends a caller's fast-math to what it compiles for it, unless that is told to be exact."""
    (tmp_path / "caller.py").write_text(CALLER)
    run = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import caller"
    first, second = (json.loads(python(run, NUMBA_CACHE_DIR=None)) for _ in range(2))
    assert (first[0], second[0]) == (0, 1)
    assert first[1:] == second[1:]
    x = np.random.default_rng(1).normal(size=(2000, 5)).astype(np.float32)
    field = NoiseField.from_key(12345).at(draw=1)
    np.testing.assert_array_equal(first[1], gumbel_max(x, noise=field))
    np.testing.assert_array_equal(first[2], categorical(x, noise=field))
    np.testing.assert_array_equal(np.array(first[3], np.int32).view(np.float32), gumbel_softmax(x, 0.7, noise=field))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("gumbel", (1.5, 0, 0, 0), "key must be an integer"),
        ("gumbel", (1, 0, True, 0), "draw must be an integer"),
        ("gumbel_max", (np.zeros(3), 1, 0.0, 0), "row must be an integer"),
        ("gumbel_max", (np.zeros((2, 3)), 1, 0, 0), "x must be a one-dimensional array"),
        ("gumbel_max", ((0.0, 1.0), 1, 0, 0), "x must be a one-dimensional array"),
        ("categorical", (np.zeros(3, complex), 1, 0, 0), "x must be of float32 or float64"),
        ("gumbel_max", (np.zeros(3, np.float16), 1, 0, 0), "x must not be of float16: convert it before"),
        ("categorical_into", (np.zeros(3, ">f8"), 1, 0, 0, np.zeros(3, int)), "x must be .* in native byte order.*>f8"),
        ("gumbel_softmax", (np.zeros(3), 1j, 1, 0, 0, np.zeros(3)), "tau must be a real number"),
        ("gumbel_softmax", (np.zeros(3), 1.0, 1, 0, 0, np.zeros(3, np.float32)), "out must be of float64"),
    ],
)
def test_types_are_refused_when_compiled(name, arguments, message):
    with pytest.raises(numba.TypingError, match=f"(?s)fastgumbel.jit: {message}"):
        getattr(fastgumbel.jit, name)(*arguments)


def test_out_must_be_writable_and_of_the_length():
    x, out = np.zeros(3), np.zeros(3)
    with pytest.raises(ValueError, match="out must have as many places as x"):
        fastgumbel.jit.gumbel_softmax(x, 1.0, KEY, 0, 0, np.zeros(4))
    out.flags.writeable = False
    with pytest.raises(numba.TypingError, match="out must be writable"):
        fastgumbel.jit.gumbel_softmax(x, 1.0, KEY, 0, 0, out)


@pytest.mark.parametrize("n", [3, 64, 100, 300])
def test_limits(n):
    """Beyond 2**46 in magnitude, as in every function."""
    for value in (2.0**46, 1e17, 10**17, -(2.0**46), -1e30):
        x = np.full((2, n), value)
        for tau in (0.0, 1.0):
            samples, choices, relaxed, _ = drawn(x, tau)
            assert (samples == -1).all()
            assert (choices == -1).all()
            assert np.isnan(relaxed).all()
    for value in (2.0**46 - 1, 1 - 2.0**46):
        x = np.full((2, n), value)
        x[:, 1::2] = -(2.0**46)
        assert_same(x, 1.0)


def test_what_a_float_row_is_made_of_is_told():
    @numba.njit
    def sample(x, key, i, base):
        # Some versions of Numba make such a number of an unsigned and a signed integer.
        return fastgumbel.jit.gumbel_max(x, key, np.float64(i) + base, 0)

    with pytest.raises(numba.TypingError, match=r"row must be an integer, not float64: cast .* np\.int64\(i\) \+ ids"):
        sample(np.zeros(3), NoiseField(1).key, 1, np.int64(7))


def test_a_field_is_no_key():
    @numba.njit
    def sample(x, field):
        return fastgumbel.jit.gumbel_max(x, field, 0, 0)

    for call in (sample, lambda x, field: fastgumbel.jit.gumbel_max(x, field, 0, 0)):
        with pytest.raises(TypeError, match=r"the key of a noise field: pass field\.key, not the field"):
            call(np.zeros(3), NoiseField(1))
