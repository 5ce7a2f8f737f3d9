"""A ``Reservoir`` of a stream is, to the bit, ``gumbel_top_k`` of the whole, however the stream is cut and merged."""

import copy
import pickle

import numpy as np
import pytest

import fastgumbel
from fastgumbel import NoiseField, Reservoir, gumbel_top_k
from tests.api import cases
from tests.subprocesses import python

SIZES = (0, 1, 63, 64, 65, 10**5)


def filled(x, k, cuts=(), **options):
    """Return the reservoir of a stream that is cut at these places."""
    reservoir = Reservoir(k, **options)
    for chunk in np.split(x, cuts):
        reservoir.update(chunk)
    return reservoir


def head(values, first, k):
    """Return positions, values and threshold of the k best of these perturbed values, of which some are -inf."""
    order = np.argsort(-values, kind="stable")[: k + 1]
    order = order[values[order] > -np.inf]
    threshold = values[order[k]] if order.size > k else -np.inf
    return order[:k] + first, values[order[:k]], threshold


def assert_equal(reservoir, wanted):
    indices, values, threshold = wanted
    np.testing.assert_array_equal(reservoir.indices, indices)
    np.testing.assert_array_equal(reservoir.values, values)
    assert reservoir.indices.dtype == np.intp
    assert reservoir.values.dtype == np.float64
    assert reservoir.threshold == threshold
    assert len(reservoir) == len(indices)


def state(reservoir):
    """Return all that can be seen of a reservoir."""
    return (
        reservoir.indices.tolist(),
        reservoir.values.tolist(),
        reservoir.threshold,
        reservoir.count,
        len(reservoir),
        repr(reservoir),
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("k", [1, 7, 100, 5000])
def test_any_cut_gives_the_top_k_of_the_whole(dtype, k):
    rng = np.random.default_rng([k, np.dtype(dtype).num])
    for seed in range(3):
        sizes = rng.permutation([*SIZES, *rng.integers(1, 3000, 8)])
        x = (rng.normal(size=sizes.sum()) * 2 + 10).astype(dtype)
        reservoir = filled(x, k, np.cumsum(sizes)[:-1], rng=seed)
        assert_equal(reservoir, gumbel_top_k(x, k, rng=seed, return_threshold=True))
        assert reservoir.count == x.size
        assert reservoir.k == k


@pytest.mark.parametrize("family", cases.FAMILIES)
def test_every_family(family):
    rng = np.random.default_rng(list(family.encode()))
    noise = fastgumbel.gumbel((1, 40_000), rng=8)
    x = cases.log_potentials(family, "float64", rng, noise)[0]
    wanted = head(np.where(x > -np.inf, x + noise[0], -np.inf), 0, 50)
    for cuts in ((), np.arange(0, x.size, 1000), np.sort(rng.integers(0, x.size, 30))):
        assert_equal(filled(x, 50, cuts, rng=8), wanted)


def test_item_by_item():
    x = np.random.default_rng(1).normal(size=700)
    reservoir = Reservoir(20, rng=1)
    for i, item in enumerate(x, 1):
        reservoir.update([item])
        if i >= 20:
            assert_equal(reservoir, gumbel_top_k(x[:i], 20, rng=1, return_threshold=True))


@pytest.mark.parametrize("k", [3, 100_000])
def test_a_chunk_so_long_that_threads_share_it(threads, k):
    x = np.random.default_rng(1).normal(size=2**22 + 300).astype(np.float32)
    wanted = gumbel_top_k(x, k, rng=9, return_threshold=True)
    for count in (1, 3):
        threads(count)
        assert_equal(filled(x, k, [100], rng=9), wanted)
        assert_equal(filled(x, k, rng=9), wanted)


@pytest.mark.parametrize("k", [4, 60, 900])
def test_any_tree_of_merges(k):
    rng = np.random.default_rng(k)
    x = rng.normal(size=20_000)
    wanted = gumbel_top_k(x, k, rng=2, return_threshold=True)
    for _ in range(10):
        cuts = np.sort(rng.integers(0, x.size, 12))
        parts = [
            filled(part, k, rng.integers(0, part.size + 1, 1), rng=2, first=int(first))
            for first, part in zip([0, *cuts], np.split(x, cuts), strict=True)
        ]
        while len(parts) > 1:
            one = parts.pop(rng.integers(len(parts)))
            before = state(one)
            parts[rng.integers(len(parts))].merge(one)
            assert state(one) == before
        assert_equal(parts[0], wanted)
        assert parts[0].count == x.size


def test_a_stream_goes_on_after_a_merge():
    x = np.random.default_rng(3).normal(size=3000)
    reservoir = filled(x[:1000], 10, rng=3)
    reservoir.merge(filled(x[2000:2500], 10, rng=3, first=2000))
    reservoir.update(x[1000:1500])
    before = state(reservoir)
    with pytest.raises(ValueError, match="items 2000 to 2099 of the stream would count twice"):
        reservoir.update(x[1500:2100])
    assert state(reservoir) == before
    reservoir.update(x[1500:2000])
    reservoir.update(x[2500:])
    assert_equal(reservoir, gumbel_top_k(x, 10, rng=3, return_threshold=True))
    assert reservoir.count == 3000


def test_a_pickled_half_goes_on_in_another_process(tmp_path):
    x = np.random.default_rng(4).normal(size=5000).astype(np.float32)
    np.save(tmp_path / "rest.npy", x[2222:])
    (tmp_path / "half").write_bytes(pickle.dumps(filled(x[:2222], 30, noise=NoiseField(4).at(rows=3, draw=5))))
    python(f"""
import pickle, pathlib, numpy
folder = pathlib.Path({str(tmp_path)!r})
reservoir = pickle.loads((folder / "half").read_bytes())
reservoir.update(numpy.load(folder / "rest.npy"))
(folder / "whole").write_bytes(pickle.dumps(reservoir))
""")
    reservoir = pickle.loads((tmp_path / "whole").read_bytes())
    field = NoiseField(4).at(rows=3, draw=5)
    assert reservoir.noise == field
    assert_equal(reservoir, gumbel_top_k(x, 30, noise=field, return_threshold=True))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_goes_its_own_way(duplicate):
    x = np.random.default_rng(5).normal(size=600)
    one = filled(x[:300], 5, rng=5)
    before = state(one)
    other = duplicate(one)
    other.update(x[300:])
    assert state(one) == before
    one.indices[:], one.values[:] = 0, 0
    assert state(one) == before
    assert_equal(other, gumbel_top_k(x, 5, rng=5, return_threshold=True))


@pytest.mark.parametrize(("row", "start"), [(None, 0), (7, 5)])
@pytest.mark.parametrize("before", [100, 70_000])
def test_positions_across_the_end_of_a_row(row, start, before):
    """Item i is category (start + i) mod 2^32 of row r + (start + i >> 32)."""
    field = NoiseField(6).at(rows=row, draw=9, start=start)
    n, first = 150_000, 2**32 - start - before
    x = np.random.default_rng(6).normal(size=n)
    line = row or 0
    noise = np.concatenate(
        [
            fastgumbel.gumbel(before, noise=field.at(rows=line, start=2**32 - before)),
            fastgumbel.gumbel(n - before, noise=field.at(rows=line + 1, start=0)),
        ]
    )
    wanted = head(x + noise, first, 2000)
    where = np.ones(n, bool)
    for cuts in ((), [before], [before - 1, before + 1], [99], np.arange(0, n, 7001)):
        assert_equal(filled(x, 2000, cuts, noise=field, first=first), wanted)
    masked = Reservoir(2000, noise=field, first=first)
    where[::3] = False
    masked.update(x, where=where)
    assert_equal(masked, head(np.where(where, x + noise, -np.inf), first, 2000))


def test_far_positions():
    field = NoiseField(7)
    first = 2**63 - 1000
    x = np.random.default_rng(7).normal(size=1000)
    noise = fastgumbel.gumbel(1000, noise=field.at(rows=2**31 - 1, start=2**32 - 1000))
    reservoir = filled(x, 10, noise=field, first=first)
    assert_equal(reservoir, head(x + noise, first, 10))
    with pytest.raises(ValueError, match=f"items {2**63} to {2**63} of the stream go beyond"):
        reservoir.update([0.0])
    last = filled(x, 10, noise=field.at(rows=2**64 - 1), first=2**32 - 1000)
    before = state(last)
    with pytest.raises(ValueError, match="or the last row of the field"):
        last.update([0.0])
    assert state(last) == before


def test_a_part_is_the_row_from_there():
    """A field that starts elsewhere shifts the noise; `first` shifts the positions with it."""
    x = np.random.default_rng(8).normal(size=1000)
    part = filled(x[400:], 10, rng=8, first=400)
    indices, values, threshold = gumbel_top_k(x[400:], 10, noise=NoiseField(8).at(start=400), return_threshold=True)
    assert_equal(part, (indices + 400, values, threshold))
    assert_equal(filled(x[400:], 10, noise=NoiseField(8).at(start=400)), (indices, values, threshold))


def test_fewer_items_than_places():
    reservoir = Reservoir(5, rng=9)
    assert_equal(reservoir, ((), (), -np.inf))
    assert reservoir.count == 0
    reservoir.update(np.full(70, -np.inf))
    assert_equal(reservoir, ((), (), -np.inf))
    reservoir.update([1.0, -np.inf, 2.0])
    reservoir.update([3, 4], where=[True, False])
    assert sorted(reservoir.indices) == [70, 72, 73]
    assert (np.diff(reservoir.values) < 0).all()
    assert reservoir.threshold == -np.inf
    assert reservoir.count == 75
    reservoir.update([0, 0])
    assert len(reservoir) == 5
    assert reservoir.threshold == -np.inf
    reservoir.update([0])
    assert reservoir.threshold > -np.inf


def test_ties_go_to_the_first_position():
    """Log-potentials so large that noise is rounded to multiples of 2**-7, and the later part taken in first."""
    x = np.full(500, 7e13)
    perturbed = x + fastgumbel.gumbel(500, rng=10)
    wanted = np.argsort(-perturbed, kind="stable")[:30].tolist()
    assert len(np.unique(perturbed[wanted])) < 30
    reservoir = filled(x[250:], 30, [7], rng=10, first=250)
    reservoir.merge(filled(x[:250], 30, [9], rng=10))
    assert reservoir.indices.tolist() == wanted
    assert reservoir.threshold == np.sort(perturbed)[-31]
    assert filled(x, 30, range(0, 500, 11), rng=10).indices.tolist() == wanted


@pytest.mark.parametrize("n", [1, 10, 64, 3000, 200_000])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("k", [2, 300])
def test_an_invalid_item_changes_nothing(n, bad, k):
    x = np.random.default_rng(11).normal(size=5000 + n)
    reservoir = filled(x[:5000], k, [2000], rng=11)
    before = state(reservoir)
    chunk = x[5000:].copy()
    chunk[n // 2 :] = bad
    chunk[: n // 2] += 100
    with pytest.raises(ValueError, match=rf"item {5000 + n // 2} of the stream, at {n // 2} in this chunk, is {bad};"):
        reservoir.update(chunk)
    assert state(reservoir) == before
    reservoir.update(x[5000:])
    assert_equal(reservoir, gumbel_top_k(x, k, rng=11, return_threshold=True))


def test_an_invalid_item_in_the_next_row():
    x = np.zeros(200)
    x[150] = np.nan
    reservoir = Reservoir(3, rng=1, first=2**32 - 100)
    with pytest.raises(ValueError, match=f"item {2**32 + 50} of the stream, at 150 in this chunk, is nan"):
        reservoir.update(x)
    assert reservoir.count == len(reservoir) == 0
    reservoir.update(x, where=x == 0)
    assert reservoir.count == 200


def test_what_an_update_takes():
    x = np.random.default_rng(12).normal(size=(400, 3))
    wanted = state(filled(x[:, 1].copy(), 9, rng=12))
    assert state(filled(x[:, 1], 9, rng=12)) == wanted
    assert state(filled(x[:, 1].astype(">f8"), 9, rng=12)) == wanted
    reservoir = Reservoir(9, rng=12)
    reservoir.update(list(x[:, 1]))
    assert state(reservoir) == wanted


@pytest.mark.parametrize(
    ("chunk", "error", "message"),
    [
        (np.zeros((2, 3)), ValueError, "log_potentials must have one axis, not 2"),
        (0.0, ValueError, "log_potentials must have at least one axis"),
        ([1j], TypeError, "log_potentials must be real numbers"),
    ],
)
def test_bad_chunks(chunk, error, message):
    reservoir = Reservoir(2, rng=1)
    with pytest.raises(error, match=message):
        reservoir.update(chunk)
    with pytest.raises(ValueError, match="where must be boolean"):
        reservoir.update([0.0], where=[2])
    assert reservoir.count == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": 0}, ValueError, "k must be at least 1, not 0"),
        ({"k": 2.0}, TypeError, "k must be an integer, not float"),
        ({"first": -1}, ValueError, "first must be at least 0, not -1"),
        ({"first": 2**63}, ValueError, r"first must be from 0 to 2\*\*63 - 1"),
        ({"first": 1.0}, TypeError, "first must be an integer, not float"),
        ({"rng": 1, "noise": NoiseField(1)}, ValueError, "give rng or noise, not both"),
        ({"noise": np.zeros(3)}, TypeError, "noise must be a NoiseField, not ndarray"),
        ({"noise": NoiseField(1).at(rows=[1, 2])}, ValueError, "noise: rows of shape"),
        ({"rng": "a"}, TypeError, "rng must be None"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        Reservoir(**{"k": 3, **options})


def test_merges_that_do_not_fit():
    x = np.zeros(10)
    reservoir = filled(x, 3, rng=1)
    before = state(reservoir)
    with pytest.raises(ValueError, match="must have the same k, not 3 and 4"):
        reservoir.merge(filled(x, 4, rng=1, first=10))
    for noise in (NoiseField(2), NoiseField(1).at(draw=1), NoiseField(1).at(rows=1), NoiseField(1).at(start=10)):
        with pytest.raises(ValueError, match="must have the same noise"):
            reservoir.merge(filled(x, 3, noise=noise, first=10))
    with pytest.raises(ValueError, match="items 5 to 9 of the stream would count twice"):
        reservoir.merge(filled(x, 3, rng=1, first=5))
    with pytest.raises(ValueError, match="items 0 to 9 of the stream would count twice"):
        reservoir.merge(reservoir)
    with pytest.raises(TypeError, match="other must be a Reservoir, not tuple"):
        reservoir.merge((1, 2))
    assert state(reservoir) == before
    reservoir.merge(Reservoir(3, rng=1, first=5))
    assert state(reservoir) == before


def test_what_names_the_field():
    key = NoiseField(13).key
    assert Reservoir(1, rng=13).noise.key == key
    assert Reservoir(1, rng=np.random.SeedSequence(13)).noise.key == key
    assert Reservoir(1).noise != Reservoir(1).noise
    one, two = np.random.default_rng(13), np.random.default_rng(13)
    reservoir = Reservoir(1, rng=one)
    assert reservoir.noise == NoiseField(two)
    reservoir.update([0.0])
    assert one.integers(2**63) == two.integers(2**63), "updates draw nothing more"


def test_its_name():
    reservoir = filled(np.zeros(8), 5, noise=NoiseField.from_key(3))
    assert repr(reservoir) == "<Reservoir of 5 from 8 items, k=5, noise=NoiseField.from_key(0x3)>"
