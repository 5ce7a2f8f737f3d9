"""What is left in memory that nobody has written changes no bit and no message.

New arrays, those that kernels make among them, are filled with what does harm where it is read: integers that are lanes
and places, before or within a row, beside numbers that beat any log-potential or that none is beaten by.
"""

import dask
import dask.array as da
import numba
import numpy as np
import pytest

import fastgumbel as fg
import fastgumbel.dask as fgd
import fastgumbel.jit as fgj
from tests.calls import CALLS, NOISE, logits, parts
from tests.faults.mixed import EVERY
from tests.faults.poison import poisoned

FIELD = NOISE.at(start=0)


def _words(values, dtype):
    """Return numbers, over and over, as 1024 words of eight bytes."""
    return np.resize(np.atleast_1d(np.asarray(values, dtype)).view(np.uint8), 8192).view(np.uint64)


INTEGERS = {
    "integers before a row": _words(-64 * np.arange(80), np.int64),
    "integers within a row": _words(np.arange(128), np.int64),
    "integers of 32 bits": _words(np.arange(128), np.int32),
    "-1": _words(-1, np.int64),
}
REALS = {
    "steps": _words(-64.0 * np.arange(80), np.float64),
    "12.5": _words(12.5, np.float64),
    "-12.5": _words(-12.5, np.float64),
    "12.5 of 32 bits": _words(12.5, np.float32),
    "-inf": _words(-np.inf, np.float64),
    "inf": _words(np.inf, np.float64),
}


def mixture(integers, reals):
    """Return words of two kinds in any order."""
    return np.random.default_rng(0).choice(np.concatenate([INTEGERS[integers], REALS[reals]]), 8192)


POISONS = [
    INTEGERS["-1"],
    REALS["12.5 of 32 bits"],
    *(mixture("integers before a row", reals) for reals in ("steps", "12.5", "-12.5")),
    *(mixture("integers within a row", reals) for reals in ("12.5", "-inf")),
]
EVERY_POISON = [
    *INTEGERS.values(),
    *REALS.values(),
    *(mixture(integers, reals) for integers in INTEGERS for reals in REALS),
]


def _given(x):
    """Return noise that the caller computed."""
    return fg.gumbel(x.shape, noise=NOISE, dtype=x.dtype)


def _temperatures(x):
    """Return one temperature for each row, of every third 0."""
    return np.where(np.arange(x.shape[0]) % 3 == 1, 0.0, 0.7)


def _gumbel_rao(place, x):
    tangents = (np.stack([x, np.ones_like(x)]).clip(-9), None)
    return fg.gumbel_softmax_jvp((place(x), 0.5), tangents, size=3, rao=2, noise=NOISE)


def _above(sample):
    """Return coordinates and values as one tuple."""
    return *sample[0], sample[1]


def _logarithm_and_tangent(place, x):
    return fg.gumbel_softmax_jvp((place(x), 0.5), (None, 1.0), size=3, log=True, noise=NOISE)


def _inside(place, x):
    return _in_compiled_code(place(x), NOISE.key)


@numba.njit
def _in_compiled_code(x, key):
    y = np.empty_like(x)
    found = np.empty((len(x), 2), np.intp)
    for r in range(len(x)):
        fgj.gumbel_softmax(x[r], 0.5, key, r, 0, y[r])
        found[r, 0] = fgj.gumbel_max(x[r], key, r, 0)
        found[r, 1] = fgj.categorical(x[r], key, r, 0)
    return y, found


def _in_shards(function, *arguments, **options):
    """Make a call of a function of dask arrays, the rows and the categories of which are cut."""

    def call(place, x):
        rows, n = x.shape
        lazy = da.from_array(place(x), chunks=(-(-rows // 2), -(-n // 3)))
        with dask.config.set(scheduler="synchronous"):
            return dask.compute(*parts(function(lazy, *arguments, noise=FIELD, **options)))

    return call


FUNCTIONS = {
    **CALLS,
    **{f"{name}, others": EVERY[name] for name in ("gumbel_top_k", "categorical")},
    **{name: EVERY[name] for name in ("Reservoir", "gumbel_nested")},
    "gumbel_max, many draws": lambda place, x: fg.gumbel_max(place(x), size=150, noise=NOISE),
    "gumbel_max, given": lambda place, x: fg.gumbel_max(place(x), noise=_given(x), return_max=True),
    "gumbel_top_k, given": lambda place, x: fg.gumbel_top_k(place(x), 1, noise=_given(x), invalid="mark"),
    "gumbel_top_k, draws": lambda place, x: fg.gumbel_top_k(
        place(x), 2, size=5, noise=FIELD, return_threshold=True, invalid="mark"
    ),
    "gumbel_softmax, given": lambda place, x: fg.gumbel_softmax(place(x), 0.5, noise=_given(x), invalid="mark"),
    "gumbel_softmax, temperatures": lambda place, x: fg.gumbel_softmax(
        place(x), _temperatures(x), size=3, noise=NOISE, invalid="mark"
    ),
    "gumbel_softmax_jvp, rao": _gumbel_rao,
    "gumbel_softmax_jvp, log": _logarithm_and_tangent,
    "gumbel_softmax_jvp, temperature": lambda place, x: fg.gumbel_softmax_jvp(
        (place(x), 0.5), (None, 1.0), noise=NOISE
    ),
    "gumbel_above": lambda place, x: _above(fg.gumbel_above(place(x), 2.0, noise=NOISE, invalid="mark")),
    "gumbel_above, draws": lambda place, x: _above(
        fg.gumbel_above(place(x), -1.0, size=3, temperature=_temperatures(x), noise=NOISE, invalid="mark")
    ),
    "gumbel_above, noise": lambda place, x: _above(fg.gumbel_above(place(x), 1.0, noise=_given(x), invalid="mark")),
    "perturb": lambda place, x: fg.perturb(place(x), "frechet", alpha=2.0, noise=NOISE, size=3, invalid="mark"),
    "perturb, ids": lambda place, x: fg.perturb(
        place(x), np.exp, noise=FIELD.at(categories=3 * np.arange(x.shape[-1])), invalid="mark"
    ),
    "log_partition": lambda place, x: fg.log_partition(place(x), 70, noise=FIELD, invalid="mark"),
}
SHARDED = {
    "gumbel_max": _in_shards(fgd.gumbel_max, size=2),
    "gumbel_top_k": _in_shards(fgd.gumbel_top_k, 2, size=2),
    "gumbel_softmax": _in_shards(fgd.gumbel_softmax, 0.5, size=2),
    "categorical": _in_shards(fgd.categorical, 2),
}


def _few(x):
    """Leave the first category of each row, and one in twenty of the others."""
    return np.where((np.random.default_rng(3).random(x.shape) < 0.05) | (np.arange(x.shape[-1]) == 0), x, -np.inf)


def _invalid(x):
    """Make some rows invalid, in the ways there are."""
    x = x.copy()
    x[::5, -1], x[1::5, x.shape[-1] // 2], x[2::5] = np.nan, np.inf, -np.inf
    return x


ROWS = {"usual": lambda x: x, "few": _few, "invalid": _invalid}
SHAPES = ((130, 10), (3, 130), (3, 3000))
EVERY_SHAPE = (*SHAPES, (1, 1), (5, 33), (300, 9), (2, 256), (2, 257), (7, 700), (2, 4097), (1, 140_001))


def _outcome(function, x):
    """Return the bytes of the results, or what the error says."""
    try:
        return [np.asarray(array).tobytes() for array in parts(function(np.asarray, x))]
    except ValueError as error:
        return str(error)


def _check(function, shape, kind, poisons):
    """Check that a function gives the same whatever lies in memory."""
    for rows, change in ROWS.items():
        x = change(logits(shape, kind)).astype(kind)
        expected = _outcome(function, x)
        for number, poison in enumerate(poisons):
            with poisoned(poison):
                found = _outcome(function, x)
            same = found == expected
            assert same, (shape, kind, rows, number)


@pytest.fixture(autouse=True)
def in_this_thread(threads):
    """Compute in the thread whose memory is poisoned."""
    threads(1)


def test_new_memory_is_filled():
    def make(n):
        return np.empty(n, np.int64)

    for function in (make, numba.njit(make)):
        function(1)
        with poisoned(np.arange(1, 9)):
            for n in (1, 100, 100_000):
                assert set(function(n)) <= set(range(1, 9))


@numba.njit
def _second(x):
    """Return the second of two places, of which only the first is written."""
    places = np.empty(2)
    places[0] = x[0, 0]
    return places[1]


def test_a_place_that_is_never_written_is_caught():
    with pytest.raises(AssertionError):
        _check(lambda place, x: _second(x), (1, 10), np.float64, POISONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_bit_depends_on_what_lies_in_memory(name):
    for shape in SHAPES:
        for kind in (np.float32, np.float64):
            _check(FUNCTIONS[name], shape, kind, POISONS)


@pytest.mark.parametrize("name", SHARDED)
def test_no_bit_of_shards_does(name):
    _check(SHARDED[name], (3, 300), np.float32, POISONS[2:4])


@pytest.mark.heavy
@pytest.mark.parametrize("name", [*FUNCTIONS, "jit"])
def test_no_bit_depends_on_anything_that_lies_in_memory(name):
    for shape in EVERY_SHAPE:
        for kind in (np.float32, np.float64):
            _check(FUNCTIONS.get(name, _inside), shape, kind, EVERY_POISON)


@pytest.mark.heavy
@pytest.mark.parametrize("name", SHARDED)
def test_no_bit_of_shards_depends_on_anything(name):
    for shape in SHAPES:
        for kind in (np.float32, np.float64):
            _check(SHARDED[name], shape, kind, EVERY_POISON)
