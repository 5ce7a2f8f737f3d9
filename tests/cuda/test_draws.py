"""A first draw for each row, on a device: what the row alone gets of the CPU at its own draw."""

import numpy as np
import pytest

from fastgumbel import (
    NoiseField,
    categorical,
    gumbel,
    gumbel_given_choice,
    gumbel_max,
    gumbel_softmax,
    gumbel_softmax_jvp,
    gumbel_top_k,
)
from tests.cuda.arrays import host
from tests.cuda.planted import plant_source
from tests.cuda.sides import differing, there

BATCH = (3, 2)
DRAWS = np.array([[5, 2**32 - 40], [0, 7], [7, 2**31]])
ROWS = np.array([[2**64 - 1, 2**32], [3, 3], [5, 2**63]], np.uint64)
FIELD = NoiseField(6).at(start=61)


def potentials(n, dtype=np.float32):
    """Return normal log-potentials, some of them -inf."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(*BATCH, n)).astype(dtype)
    x[..., 1:][rng.random((*BATCH, n - 1)) < 0.1] = -np.inf
    return x


def parts(result):
    """Return the arrays of a result."""
    return result if isinstance(result, tuple) else (result,)


def check(function, *arguments, field=FIELD, draws=DRAWS, **options):
    """Compare two draws of all rows with the CPU's of each row alone; arguments have the axes of the batch first."""
    here = field.at(rows=ROWS, draw=draws)
    together = parts(function(*map(there, arguments), size=2, noise=here, **options))
    for place in np.ndindex(*BATCH):
        here = field.at(rows=ROWS[place], draw=int(draws[place]))
        alone = parts(function(*(argument[place] for argument in arguments), size=2, noise=here, **options))
        for got, expected in zip(together, alone, strict=True):
            assert not len(differing(there(host(got)[(slice(None), *place)]), expected)), place


def top(x, **options):
    """Return the three best."""
    return gumbel_top_k(x, 3, invalid="mark", **options)


def relaxed(x, **options):
    """Return relaxed samples."""
    return gumbel_softmax(x, 0.5, **options)


def tangents(x, dx, **options):
    """Return relaxed samples and tangents."""
    return gumbel_softmax_jvp((x, 0.5), (dx, 1.0), **options)


def repeated(x, **options):
    """Draw often enough for tables."""
    return categorical(x, **options | {"size": 33})


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [5, 97, 700])
def test_noise(device, n, dtype):
    for field in (FIELD, FIELD.at(categories=np.arange(n)[::-1])):
        out = device.empty((*BATCH, n), dtype, None)
        gumbel((*BATCH, n), noise=field.at(rows=ROWS, draw=DRAWS), dtype=dtype, out=out)
        for place in np.ndindex(*BATCH):
            expected = gumbel(n, noise=field.at(rows=ROWS[place], draw=int(DRAWS[place])), dtype=dtype)
            assert not len(differing(there(host(out)[place]), expected))


@pytest.mark.parametrize("function", [gumbel_max, top, relaxed], ids=lambda function: function.__name__)
@pytest.mark.parametrize(("n", "dtype"), [(9, np.float32), (150, np.float32), (150, np.float64)])
def test_samples(device, n, dtype, function):
    check(function, potentials(n, dtype))
    if dtype == np.float32:
        check(function, potentials(n, dtype), field=FIELD.at(categories=np.arange(n)[::-1]))


def test_pruned_searches_of_segments(device):
    device.attributes = type(device.attributes)(132, 2**15)
    check(gumbel_max, potentials(4500), return_max=True)
    check(top, potentials(4500))


@pytest.mark.parametrize("n", [9, 150])
def test_independent_draws(device, n):
    for function in (categorical, repeated):
        check(function, potentials(n), field=FIELD.at(start=0))


@pytest.mark.parametrize("n", [9, 150])
def test_noise_given_a_choice(device, n):
    for field in (FIELD, FIELD.at(categories=np.arange(n)[::-1])):
        check(gumbel_given_choice, potentials(n), np.zeros(BATCH, np.int64), field=field)


@pytest.mark.parametrize("n", [9, 150])
def test_tangents(device, n):
    x = potentials(n)
    slopes = np.sin(np.arange(x.size, dtype=x.dtype)).reshape(x.shape)
    check(tangents, x, slopes)
    check(tangents, x, slopes, draws=np.minimum(DRAWS, 2**29), rao=3)


def test_rows_of_several_pieces(device):
    """Rows whose axes have no one stride."""
    x, field = potentials(20), FIELD.at(rows=ROWS, draw=DRAWS)
    moved = gumbel_max(there(np.moveaxis(x, -1, 1).copy()), axis=1, size=2, noise=field)
    np.testing.assert_array_equal(host(moved), host(gumbel_max(there(x), size=2, noise=field)))


@pytest.mark.parametrize(
    ("module", "old", "function", "n"),
    [
        ("max_short", "first_draw(field, r)", gumbel_max, 9),
        ("max_long", "first_draw(field, line)", gumbel_max, 150),
        ("softmax_short", "first_draw(field, r)", relaxed, 9),
        ("softmax_long", "first_draw(field, r)", relaxed, 150),
    ],
)
def test_one_draw_for_all_is_caught(device, monkeypatch, module, old, function, n):
    plant_source(monkeypatch, module, old, "field.draw")
    with pytest.raises(AssertionError):
        check(function, potentials(n))
