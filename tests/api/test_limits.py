"""Log-potentials beside which noise is rounded away are refused, everywhere in the same way, and never sampled.

The limit is 2**46 in magnitude: a row with one that is not below it is invalid, and only what is above its negative is
left.
"""

import numpy as np
import pytest

import fastgumbel as fg
from tests.oracle import naive

LIMIT = 2.0**46
FIELD = fg.NoiseField(1)
# Below 96 and 256 categories, above them, and more than a chunk of the pruned search; few rows and many.
SHAPES = [(4,), (96,), (97,), (300,), (5000,), (300_000,), (2, 70), (40, 10), (200, 3), (3, 5000)]
CALLS = {
    "gumbel_max": lambda x, **o: fg.gumbel_max(x, noise=FIELD, **o),
    "gumbel_max, draws and values": lambda x, **o: fg.gumbel_max(x, size=3, return_max=True, noise=FIELD, **o)[1],
    "gumbel_max, ids": lambda x, **o: fg.gumbel_max(x, noise=FIELD.at(categories=np.arange(x.shape[-1])[::-1]), **o),
    "gumbel_max, noise": lambda x, **o: fg.gumbel_max(x, noise=np.zeros(x.shape), **o),
    "gumbel_top_k": lambda x, **o: fg.gumbel_top_k(x, 2, noise=FIELD, **o)[1],
    "gumbel_top_k, all": lambda x, **o: fg.gumbel_top_k(x, x.shape[-1], noise=FIELD, **o)[1],
    "gumbel_top_k, noise": lambda x, **o: fg.gumbel_top_k(x, 2, noise=np.zeros(x.shape), **o)[1],
    "gumbel_softmax": lambda x, **o: fg.gumbel_softmax(x, noise=FIELD, **o),
    "gumbel_softmax, logarithm": lambda x, **o: fg.gumbel_softmax(x, 0.5, log=True, size=2, noise=FIELD, **o),
    "gumbel_softmax, hard": lambda x, **o: fg.gumbel_softmax(x, hard=True, noise=FIELD, **o),
    "gumbel_softmax, noise": lambda x, **o: fg.gumbel_softmax(x, noise=np.zeros(x.shape), **o),
    "gumbel_softmax_jvp": lambda x, **o: fg.gumbel_softmax_jvp((x, 0.5), (None, 1.0), noise=FIELD, **o)[1],
    "gumbel_softmax_jvp, rao": lambda x, **o: fg.gumbel_softmax_jvp((x, 0.5), (None, 1.0), rao=2, noise=FIELD, **o)[0],
    "gumbel_given_choice": lambda x, **o: fg.gumbel_given_choice(x, np.zeros(x.shape[:-1], int), noise=FIELD, **o),
    "categorical": lambda x, **o: fg.categorical(x, noise=FIELD, **o),
    "categorical, draws": lambda x, **o: fg.categorical(x, 100, noise=FIELD, **o),
    "perturb": lambda x, **o: fg.perturb(x, noise=FIELD, **o),
    "perturb, exponential": lambda x, **o: fg.perturb(x, "exponential", noise=FIELD, **o),
    "log_partition": lambda x, **o: fg.log_partition(x, 5, noise=FIELD, **o).estimate,
}
HIGH = {"at": LIMIT, "above": 1e17, "far above": 1e300}
LOW = {"at": -LIMIT, "below": -1e17, "far below": -1e30}


def all_marked(call, result):
    """Whether everything is a mark; the places of a list that nothing is left for are empty."""
    if result.dtype.kind != "f":
        return (result == -1).all()
    return (~np.isfinite(result) if "top" in call else np.isnan(result)).all()


def refused(call, x, match):
    """Check the error, and that nothing but a mark comes where it is asked for."""
    with pytest.raises(ValueError, match=match):
        CALLS[call](x)
    assert all_marked(call, np.asarray(CALLS[call](x, invalid="mark")))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_rows_of_numbers_that_are_too_large(shape, call):
    for value in HIGH.values():
        refused(call, np.full(shape, value), "row.* at (category|place) 0.*; .*subtract the row's maximum")
    last = np.zeros(shape)
    last[..., -1] = LIMIT
    refused(
        call, last, rf"row.* has 70368744177664.0 at (category|place) {shape[-1] - 1}.*; .*subtract the row's maximum"
    )


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_rows_of_numbers_that_are_too_low(shape, call):
    match = (
        "row.* has (no category|0 categories) left.* at most -2\\*\\*46 \\(subtract the row's maximum\\), or excluded"
    )
    for value in LOW.values():
        refused(call, np.full(shape, value), match)
        x = np.full(shape, value)
        x[..., ::2] = -np.inf
        refused(call, x, match)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("dtype", ["int64", "uint64", ">i8", "float32"])
def test_other_types(dtype, call):
    for n in (4, 300):
        refused(call, np.full(n, 10**17, dtype), "subtract the row's maximum")
        if dtype != "uint64":
            refused(call, np.full(n, -(10**17), dtype), "(no category|0 categories) left")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_three_cases_have_messages_of_their_own(bad, call):
    x = np.zeros((2, 10))
    x[1, 3], x[1, 4] = bad, 1e20
    with pytest.raises(ValueError, match=rf"row 1 has {bad} at (category|place) 3.*; expected real numbers or -inf"):
        CALLS[call](x)
    x[1, 2] = 1e20
    with pytest.raises(ValueError, match=r"row 1 has 1e\+20 at (category|place) 2.*; beside numbers of 2\*\*46"):
        CALLS[call](x)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", [np.nextafter(LIMIT, 0), np.nextafter(-LIMIT, 0)])
def test_the_last_numbers_that_are_allowed(value, shape, call):
    result = np.asarray(CALLS[call](np.full(shape, value)))
    assert not np.isnan(result).any()
    assert result.dtype.kind == "f" or (result >= 0).all()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("n", [10, 200, 5000])
def test_other_rows_do_not_notice(n, call):
    good = np.random.default_rng(n).normal(size=(4, n))
    x = good.copy()
    x[1, n // 2], x[3] = 1e17, -1e30
    got = np.asarray(CALLS[call](x, invalid="mark"))
    wanted = np.asarray(CALLS[call](good))
    axis = got.shape.index(4)
    for row in (0, 2):
        np.testing.assert_array_equal(got.take(row, axis), wanted.take(row, axis))
    for row in (1, 3):
        assert all_marked(call, got.take(row, axis))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [4, 64, 96, 97, 300, 5000])
def test_what_is_too_low_is_never_sampled(n, dtype):
    """Beside numbers next to the limit too, where it would win half of the draws; the definition says so."""
    rng = np.random.default_rng(n)
    x = rng.choice([-LIMIT, np.nextafter(np.dtype(dtype).type(-LIMIT), 0), -1e30, -np.inf], size=(30, n)).astype(dtype)
    x[:, 0] = np.nextafter(np.dtype(dtype).type(-LIMIT), 0)
    noise = fg.gumbel((3, *x.shape), noise=FIELD)
    noise[1:] = [fg.gumbel(x.shape, noise=FIELD.at(draw=draw)) for draw in (1, 2)]
    index, value = naive.gumbel_max(x, noise)
    for size in (None, 3):
        found = fg.gumbel_max(x, size=size, return_max=True, noise=FIELD)
        for got, wanted in zip(found, (index, value), strict=True):
            np.testing.assert_array_equal(got, wanted[0] if size is None else wanted)
        np.testing.assert_array_equal(fg.gumbel_max(x, size=size, noise=FIELD), found[0])
    left = (x > -LIMIT).sum(-1)
    for k in sorted({1, 3, n}):
        indices, values, threshold = fg.gumbel_top_k(x, k, noise=FIELD, invalid="mark", return_threshold=True)
        np.testing.assert_array_equal((indices >= 0).sum(-1), np.minimum(left, k))
        np.testing.assert_array_equal(values > -np.inf, indices >= 0)
        np.testing.assert_array_equal(threshold > -np.inf, left > k)
        perturbed = np.where(x > -LIMIT, x + noise[0], -np.inf)
        np.testing.assert_array_equal(values, -np.sort(-perturbed)[:, :k])


def test_a_choice_must_be_left():
    with pytest.raises(ValueError, match="choice must be a category that is left"):
        fg.gumbel_given_choice([0.0, -1e30, 1.0], 1, rng=1)


def test_a_row_that_threads_share(threads):
    n = 2**22 + 100
    x = np.full(n, -1e30)
    for count in (1, 3):
        threads(count)
        refused("gumbel_max", x, "no category left")
        x[n - 3] = -7e13
        assert fg.gumbel_max(x, rng=1) == fg.gumbel_top_k(x, 1, rng=1)[0][0] == n - 3
        x[n - 3], x[5] = -1e30, LIMIT
        refused("gumbel_max", x, "at category 5; ")
        x[5] = -1e30


@pytest.mark.parametrize("n", [10, 5000])
def test_a_reservoir(n):
    reservoir = fg.Reservoir(3, rng=1)
    reservoir.update(np.full(n, -1e30))
    assert (reservoir.count, len(reservoir)) == (n, 0)
    reservoir.update([0.0, -LIMIT, 1.0])
    assert sorted(reservoir.indices.tolist()) == [n, n + 2]
    assert reservoir.threshold == -np.inf
    with pytest.raises(ValueError, match=rf"item {n + 4} of the stream, at 1 in this chunk, is 1e\+17; .*subtract"):
        reservoir.update([0.0, 1e17])
    assert reservoir.count == n + 3


def test_the_values_of_the_issue():
    """They gave [9986, 6, 5, 3] draws of each category."""
    for x in (np.full(4, 1e17), np.full(4, 10**17)):
        with pytest.raises(ValueError, match="subtract the row's maximum"):
            fg.gumbel_max(x, size=10_000, rng=1)
        counts = np.bincount(fg.gumbel_max(x - x.max(), size=10_000, rng=1), minlength=4)
        assert (abs(counts - 2500) < 250).all()
