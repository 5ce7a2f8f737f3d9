"""Any arguments at all: the documented result, or a ValueError or TypeError that names an argument.

Half of every argument drawn is sensible, so that calls get far. Results are checked for shape, type and range, and
where it is cheap for equality with the definition.
"""

import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastgumbel as fg
from tests.oracle import naive

SECONDS = settings(max_examples=60, suppress_health_check=list(HealthCheck))
MINUTES = settings(max_examples=5000, suppress_health_check=list(HealthCheck))

FLOATS = st.sampled_from([0.0, -0.0, 1.5, -700.0, 7e13, -1e30, 5e-324, 60.0, -math.inf])
BAD_FLOATS = st.sampled_from([math.nan, math.inf, 1e30, 1e308, -1e308])
LENGTHS = st.sampled_from([1, 2, 3, 5, 64, 70, 97, 130, 257, 300])
SHAPES = st.lists(st.sampled_from([1, 2, 3]), max_size=2).flatmap(lambda b: LENGTHS.map(lambda n: (*b, n)))
ODD_SHAPES = st.lists(st.sampled_from([0, 1, 2, 5]), max_size=4).map(tuple)
KINDS = st.sampled_from(["f8", "f4", "f2", "i8", "i1", "u4", "u8", ">f4", ">i2"])
ODD_KINDS = st.sampled_from(["?", "c16", "O", "U2", "M8[s]", "g", "V4"])
JUNK = st.sampled_from([None, "x", 0.5, -1, 2**70, True, [], (), {}, [[1], [2, 3]], b"a", 1j, object, np.nan, -(2**70)])


@st.composite
def arrays(draw, shapes=SHAPES, kinds=KINDS):
    """Arrays of a few values, of all layouts."""
    shape, kind = draw(shapes), np.dtype(draw(kinds))
    values = draw(st.lists(st.one_of(FLOATS, FLOATS, FLOATS, BAD_FLOATS), min_size=1, max_size=4))
    if not draw(st.sampled_from([True, False, False])):
        values = [v for v in values if math.isfinite(v)] or [0.0]
    with np.errstate(all="ignore"):
        if kind.kind in "iu":
            values = np.clip(np.nan_to_num(values), -100 * (kind.kind == "i"), 100)
        x = np.resize(np.asarray(values, np.float64), shape)
        x = x.astype(kind) if kind.kind in "iuf?cgO" else np.zeros(shape, kind)
    form = draw(st.sampled_from(["as it is", "Fortran", "backwards", "list", "masked", "read-only"]))
    if form == "Fortran":
        return np.asfortranarray(x)
    if form == "backwards":
        return x[::-1] if x.ndim else x
    if form == "list":
        return x.tolist()
    if form == "masked" and draw(st.booleans()):
        return np.ma.masked_array(x)
    x.flags.writeable = form != "read-only"
    return x


def mostly(sensible, odd=JUNK):
    """Draw what is sensible, and one in nine times what is odd."""
    return st.integers(0, 8).flatmap(lambda i: odd if i == 8 else sensible)


LOG_POTENTIALS = mostly(arrays(), st.one_of(JUNK, arrays(ODD_SHAPES), arrays(SHAPES, ODD_KINDS)))
COUNTS = st.sampled_from([0, 1, 2, 3, np.int64(2), (2,), (2, 1), [1, 2], (), None, (0, 2)])
AXES = mostly(st.sampled_from([-1, -1, -1, 0, 1, -2]), st.one_of(JUNK, st.sampled_from([3, -9, np.int8(-1), 1.0])))
SIZES = mostly(COUNTS, st.one_of(JUNK, st.sampled_from([-1, (-1, 2), (1.0,), (True,), 2**33, (2**32, 2**32), ("1",)])))
IDS = st.sampled_from([0, 7, 2**64 - 1, [1, 2], np.arange(3), np.arange(3, dtype=">u8"), [[5]], None, np.uint8(3)])
ODD_IDS = st.one_of(JUNK, st.sampled_from([-1, [0.5], 2**64, [-1, 2], [True], [2**64, 1], ["a"], [[1], [2, 3]]]))


@st.composite
def fields(draw):
    """Fields at coordinates that exist."""
    field = fg.NoiseField(draw(st.integers(0, 3)))
    if draw(st.booleans()):
        field = field.at(rows=draw(IDS), draw=draw(st.sampled_from([0, 3, 2**32 - 1, [5], [1, 0], [[2], [9]]])))
    if draw(st.integers(0, 3)) == 0:
        return field.at(categories=draw(st.sampled_from([5, [7], np.arange(300)[::-1], [3, 3, -1], np.arange(97) % 9])))
    return field.at(start=draw(st.sampled_from([None, None, None, 61, 2**31 - 99, 2**32 - 70])))


RNGS = mostly(
    st.one_of(
        st.integers(0, 2**80),
        st.integers(0, 3).map(np.random.default_rng),
        st.sampled_from([np.random.SeedSequence(1), (1, 2), [2**70, 0], np.array([1, 2])]),
    ),
    st.sampled_from(["x", 0.5, -1, True, [], (1, -2), [True], np.random.RandomState(0), np.array([1.0]), object()]),
)
NAMES = {"rng": RNGS, "noise": mostly(fields(), st.one_of(JUNK, arrays()))}
SOURCES = st.sampled_from(["rng", "noise", "noise", "noise"]).flatmap(lambda n: NAMES[n].map(lambda v: {n: v}))
SOURCES = mostly(SOURCES, st.fixed_dictionaries(NAMES))
INVALID = mostly(st.sampled_from(["raise", "mark"]), st.one_of(JUNK, st.just(np.array(["raise", "mark"]))))
WHERE = mostly(st.none(), st.one_of(JUNK, arrays(SHAPES, st.just("?")), arrays(ODD_SHAPES, ODD_KINDS)))
OUTS = mostly(
    st.none(),
    st.one_of(
        JUNK, arrays(SHAPES, st.sampled_from(["i8", "f8", "f4"])), st.tuples(arrays(), arrays()), st.just((1, 2))
    ),
)
TAUS = mostly(st.sampled_from([1.0, 0.5, 0, 1e-300, 1e300, [0.5], np.float32(2)]), st.one_of(JUNK, arrays(ODD_SHAPES)))
FLAGS = st.booleans()
TEMPERATURES = mostly(
    st.sampled_from([1.0, 0.5, 0, 1e-300, 5e-324, 1e9, [0.5], [1, 0], np.float32(2)]),
    st.one_of(JUNK, arrays(ODD_SHAPES)),
)
THRESHOLDS = mostly(
    st.sampled_from([0.0, -1, 3.0, [0.5], [[1.0], [2.0]], -math.inf, math.inf, 60, 1e300]),
    st.one_of(JUNK, arrays(ODD_SHAPES)),
)
OPTIONS = {"axis": AXES, "where": WHERE, "invalid": INVALID, "out": OUTS}


def calls(**own):
    """Keyword arguments of a call: some, and what names the noise."""
    some = st.fixed_dictionaries({}, optional={**OPTIONS, **own})
    return st.tuples(some, SOURCES).map(lambda both: {**both[0], **both[1]})


def attempt(function, names, *args, **kwargs):
    """Return what a call gives; None where it refuses, which must name an argument."""
    try:
        with np.errstate(all="raise"):
            return function(*args, **kwargs)
    except (ValueError, TypeError) as error:
        complaint = error
    named = [*names, *kwargs, "log_potentials"]
    assert any(re.search(rf"\b{name}\b", str(complaint)) for name in named), repr(complaint)
    return None


def shape_of(size):
    return () if size is None else tuple(size) if isinstance(size, tuple | list) else (int(size),)


def from_end(axis, ndim):
    """Count an axis from the end."""
    return axis - ndim if axis >= 0 else axis


def plain(x, options):
    """Return log-potentials with the categories last, and the mask laid over them, -inf where excluded."""
    x = np.asarray(x).astype(np.float64)
    if options.get("where") is not None:
        x = np.where(np.broadcast_to(options["where"], x.shape), x, -np.inf)
    noise = options.get("noise")
    if isinstance(noise, fg.NoiseField) and noise.categories is not None:
        ids = np.broadcast_to(noise.categories, x.shape)
        moved, ids = (np.moveaxis(a, options.get("axis", -1), -1) for a in (np.where(ids >= 0, x, -np.inf), ids))
        valid = (moved < naive.LIMIT).all(-1, keepdims=True)
        return np.where(
            naive.once_each(moved, np.where(ids >= 0, ids, -1 - np.arange(ids.shape[-1]))) | ~valid, moved, -np.inf
        )
    return np.moveaxis(x, options.get("axis", -1), -1)


def indices_fit(index, x, options):
    """Check indices of samples of rows, -1 exactly where there is none to be had."""
    assert index.dtype == np.intp
    valid = np.broadcast_to((x < naive.LIMIT).all(-1) & (x > -naive.LIMIT).any(-1), index.shape)
    assert ((index >= 0) == valid).all()
    assert valid.all() or options.get("invalid") == "mark"
    if x.shape[-1]:
        drawn = np.take_along_axis(np.broadcast_to(x, (*index.shape, x.shape[-1])), np.maximum(index, 0)[..., None], -1)
        assert (drawn[..., 0] > -naive.LIMIT)[valid].all()


def check_gumbel(size, options):
    names = ("size", "rows", "start", "categories")
    noise = attempt(fg.gumbel, names, size, **options)
    if noise is not None:
        assert noise.shape == shape_of(size)
        assert noise.dtype == np.dtype(options.get("dtype", np.float64))
        ids = getattr(options.get("noise"), "categories", None)
        empty = np.broadcast_to(np.asarray(-1 if ids is None else ids) == -1, noise.shape or (1,)) & (ids is not None)
        assert np.where(empty, noise == -np.inf, (noise > -3.7) & (noise < 41)).all()


def check_gumbel_nested(size, nests, options):
    names = ("size", "nests", "rows", "start", "categories")
    noise = attempt(fg.gumbel_nested, names, size, nests, **options)
    if noise is not None:
        assert noise.shape == shape_of(size)
        assert noise.dtype == np.dtype(options.get("dtype", np.float64))
        assert (abs(noise[noise > -np.inf]) < 100).all()


def check_gumbel_max(x, options):
    result = attempt(fg.gumbel_max, ("rows", "draws", "categories"), x, **options)
    if result is None:
        return
    pair = result if options.get("return_max") else (result, None)
    p, size = plain(x, options), shape_of(options.get("size"))
    assert pair[0].shape == size + p.shape[:-1]
    indices_fit(np.asarray(pair[0]), p, options)
    noise = options.get("noise")
    if isinstance(noise, fg.NoiseField):
        if noise.categories is not None:
            ids = np.broadcast_to(noise.categories, np.shape(x))
            noise = noise.at(categories=np.moveaxis(ids, options.get("axis", -1), -1))
        drawn = naive.materialised_noise(noise, p.shape, size=size, draw=noise.draw)
    elif noise is not None:
        drawn = np.moveaxis(np.asarray(noise, np.float64), from_end(options.get("axis", -1), np.ndim(x)), -1)
    else:
        return
    index, value = naive.gumbel_max(p, drawn, temperature=options.get("temperature", 1.0))
    np.testing.assert_array_equal(pair[0], index)
    if pair[1] is not None:
        np.testing.assert_array_equal(pair[1], value)


def check_gumbel_top_k(x, k, options):
    result = attempt(fg.gumbel_top_k, ("k", "rows", "draws", "categories"), x, k, **options)
    if result is None:
        return
    assert len(result) == 2 + bool(options.get("return_threshold"))
    axis = from_end(options.get("axis", -1), np.ndim(x))
    p, size = plain(x, options), shape_of(options.get("size"))
    indices, values = (np.moveaxis(a, axis, -1) for a in result[:2])
    assert indices.shape == values.shape == (*size, *p.shape[:-1], k)
    assert indices.dtype == np.intp
    assert values.dtype == np.float64
    found = indices >= 0
    assert (indices < p.shape[-1]).all()
    falling = (values[..., :-1] >= values[..., 1:]) | np.isnan(values[..., 1:])
    assert falling.all()
    assert found.all() or options.get("invalid") == "mark"
    plain_options = {n: v for n, v in options.items() if n not in ("return_threshold", "out", "invalid", "rng")}
    if options.get("noise") is not None:
        best = fg.gumbel_max(x, **plain_options, invalid="mark")
        np.testing.assert_array_equal(np.where(found[..., 0], indices[..., 0], best), best)


def check_gumbel_above(x, threshold, options):
    options = {n: v for n, v in options.items() if n != "out"}
    result = attempt(fg.gumbel_above, ("threshold", "rows", "draws", "categories"), x, threshold, **options)
    if result is None:
        return
    p, size = plain(x, options), shape_of(options.get("size"))
    coordinates, values = result
    shape = size + p.shape
    assert len(coordinates) == len(shape)
    assert all(own.dtype == np.intp and own.shape == values.shape for own in coordinates)
    assert values.dtype == np.float64
    if values.size:
        assert (np.diff(np.ravel_multi_index(coordinates, shape)) > 0).all()
        assert (values > np.nanmin(np.asarray(threshold, np.float64))).all()
    valid = np.broadcast_to((p < naive.LIMIT).all(-1), shape[:-1])
    assert valid.all() or options.get("invalid") == "mark"
    assert np.broadcast_to(valid[..., np.newaxis], shape)[coordinates].all()
    assert (np.broadcast_to(p, shape)[coordinates] > -naive.LIMIT).all()
    lowest = fg.gumbel_above(x, -np.inf, **options) if isinstance(options.get("noise"), fg.NoiseField) else None
    if lowest is not None:
        every = np.broadcast_to((p > -naive.LIMIT) & valid[..., np.newaxis], shape)
        assert all(map(np.array_equal, lowest[0], np.nonzero(every)))


def check_relaxed(function, x, tau, options, *args):
    names = ("tau", "tangents", "primals", "rows", "draws", "categories", "log_potentials")
    options = {n: v for n, v in options.items() if n != "out" or args == () or v is None or isinstance(v, tuple)}
    y = attempt(function, names, *((x, tau) if args == () else ((x, tau), *args)), **options)
    if y is None:
        return
    if args:
        y, dy = y
        assert dy.shape[-y.ndim :] == y.shape
        assert dy.dtype == y.dtype
    array = np.asarray(x)
    assert y.shape == shape_of(options.get("size")) + array.shape
    assert y.dtype == (np.float32 if array.dtype.kind == "f" and array.itemsize <= 4 else np.float64)
    axis = from_end(options.get("axis", -1), array.ndim)
    y = np.moveaxis(y, axis, -1)
    if options.get("log"):
        y = np.exp(y)
    valid = ~np.isnan(y).any(-1)
    assert valid.all() or options.get("invalid") == "mark"
    assert ((y >= 0) & (y <= 1))[valid].all()
    assert (abs(y.sum(-1) - 1) < 1e-4)[valid].all()
    excluded = np.broadcast_to(plain(x, options) == -np.inf, y.shape)
    assert (y[valid] == 0)[excluded[valid]].all()


def check_vjp(x, tau, cotangent, options):
    names = ("tau", "cotangent", "primals", "rows", "draws", "categories", "log_potentials")
    result = attempt(fg.gumbel_softmax_vjp, names, (x, tau), cotangent, **options)
    if result is None:
        return
    y, (dx, dtau) = result
    array = np.asarray(x)
    assert y.shape == shape_of(options.get("size")) + array.shape == np.shape(cotangent)
    assert dx.shape == array.shape
    assert np.shape(dtau) == np.shape(tau)
    assert y.dtype == dx.dtype == dtau.dtype
    p, d = plain(x, options), np.moveaxis(dx, from_end(options.get("axis", -1), array.ndim), -1)
    valid = ~np.isnan(d).any(-1)
    assert valid.all() or options.get("invalid") == "mark"
    assert (d[valid] == 0)[(p == -np.inf)[valid]].all()


def check_diagnose(x, options):
    options = {n: v for n, v in options.items() if n in ("axis", "where")}
    codes = attempt(fg.diagnose, ("where", "axis"), x, **options)
    if codes is not None:
        p = plain(x, options)
        assert codes.shape == p.shape[:-1]
        valid = (p < naive.LIMIT).all(-1) & (p > -naive.LIMIT).any(-1)
        assert ((codes == fg.Fault.NONE) == valid).all()


def check_given(x, choice, options):
    g = attempt(fg.gumbel_given_choice, ("choice", "rows", "draws", "categories"), x, choice, **options)
    if g is None or g.size == 0:
        return
    array = np.asarray(x)
    assert g.shape == shape_of(options.get("size")) + array.shape
    axis = from_end(options.get("axis", -1), array.ndim)
    p = plain(x, options)
    g = np.moveaxis(g, axis, -1).astype(np.float64)
    valid = ~np.isnan(g).any(-1)
    assert valid.all() or options.get("invalid") == "mark"
    moderate = np.broadcast_to((abs(np.where(p == -np.inf, 0, p)) < 1e6).all(-1), valid.shape)
    chosen = np.broadcast_to(np.asarray(choice), valid.shape)
    with np.errstate(invalid="ignore"):
        best = (p + g).argmax(-1)
    if getattr(options.get("noise"), "categories", None) is None:
        assert (best == chosen)[valid & moderate].all()


def check_categorical(x, size, options):
    index = attempt(fg.categorical, ("size", "start", "rows", "draws", "categories"), x, size, **options)
    if index is not None:
        p = plain(x, options)
        assert index.shape == shape_of(size) + p.shape[:-1]
        indices_fit(np.asarray(index), p, options)


def check_reservoir(k, first, noise, chunks):
    names = ("k", "first", "rng", "noise", "rows")
    reservoir = attempt(fg.Reservoir, names, k, first=first, noise=noise)
    if reservoir is None:
        return
    taken = []
    for chunk, where in chunks:
        count = reservoir.count
        attempt(reservoir.update, ("log_potentials", "where", "items"), chunk, where=where)
        if reservoir.count > count:
            x = np.asarray(chunk, np.float64)
            taken.append(x if where is None else np.where(np.broadcast_to(where, x.shape), x, -np.inf))
        else:
            assert reservoir.count == count
    assert reservoir.count == sum(map(len, taken))
    stream = np.concatenate([np.empty(0), *taken])
    left = int((stream > -naive.LIMIT).sum())
    assert len(reservoir) == len(reservoir.indices) == len(reservoir.values) == min(k, left)
    if stream.size and noise is not None and noise.start + first + stream.size < 2**32:
        # A stream is one row, whatever the shape of its one id.
        field = noise.at(start=noise.start + first, rows=None if noise.rows is None else noise.rows.reshape(()))
        indices, values = fg.gumbel_top_k(stream, min(k, stream.size), noise=field, invalid="mark")
        np.testing.assert_array_equal(reservoir.indices, (indices + first)[: len(reservoir)])
        np.testing.assert_array_equal(reservoir.values, values[: len(reservoir)])


def check_at(seed, coordinates):
    field = attempt(fg.NoiseField, ("seed",), seed)
    if field is None:
        return
    moved = attempt(field.at, tuple(coordinates), **coordinates)
    if moved is not None:
        assert moved.key == field.key
        places = {"start": moved.start} if moved.categories is None else {"categories": moved.categories}
        assert moved == field.at(rows=moved.rows, draw=moved.draw, **places)
        for own in (moved.draw, moved.start):
            assert ((np.asarray(own, object) >= 0) & (np.asarray(own, object) < 2**32)).all()
        assert moved.rows is None or moved.rows.dtype == np.uint64


def check_anneal(name, arguments, step):
    schedule = attempt(getattr(fg.anneal, name), tuple(arguments), **arguments)
    if schedule is None:
        return
    tau = attempt(schedule, ("step",), step)
    if tau is not None:
        assert np.shape(tau) == np.shape(step)
        assert (np.asarray(tau) >= 0).all()
        assert np.isfinite(tau).all()


NUMBERS = mostly(st.sampled_from([0.0, 0.5, 1, 2.0, np.float32(1), 10**6]), st.one_of(JUNK, BAD_FLOATS))
STEPS = mostly(
    st.sampled_from([0, 5, 2**62, np.arange(4), [1, 2], np.uint8(3), []]), st.one_of(JUNK, arrays(ODD_SHAPES))
)
WHOLE = mostly(st.sampled_from([1, 2, 100, np.int64(3)]), st.one_of(JUNK, st.just(0)))
SCHEDULES = {
    "constant": {"tau": NUMBERS},
    "linear": {"start": NUMBERS, "end": NUMBERS, "steps": WHOLE},
    "cosine": {"start": NUMBERS, "end": NUMBERS, "steps": WHOLE},
    "exponential": {"rate": NUMBERS, "tau_min": NUMBERS, "start": NUMBERS, "every": WHOLE},
}
ANNEAL = st.sampled_from(list(SCHEDULES)).flatmap(
    lambda name: st.tuples(st.just(name), st.fixed_dictionaries(SCHEDULES[name]), STEPS)
)
TANGENTS = mostly(
    st.tuples(st.one_of(st.none(), arrays()), st.sampled_from([None, 1.0, [1.0], -2, np.ones((2, 1))])),
    st.one_of(JUNK, st.tuples(JUNK, JUNK), st.tuples(st.none(), arrays(ODD_SHAPES))),
)
COTANGENTS = mostly(arrays(), st.one_of(JUNK, arrays(ODD_SHAPES)))
RELAXED = {"size": SIZES, "hard": FLAGS, "log": FLAGS}
K = mostly(st.sampled_from([1, 2, 3, np.int64(1)]), st.one_of(JUNK, st.sampled_from([0, 1000, 2.0])))
CHOICES = mostly(st.sampled_from([0, [0], np.zeros((2,), np.int8)]), st.one_of(JUNK, arrays(ODD_SHAPES)))
CHUNKS = st.lists(st.tuples(mostly(arrays(LENGTHS.map(lambda n: (n,)))), WHERE), max_size=4)

SCALES = mostly(st.sampled_from([0.5, 1, 1.0, 1e-3, np.float32(0.9), 2**-40]), st.one_of(JUNK, BAD_FLOATS))
MEMBERS = st.lists(mostly(st.sampled_from([0, 1, 2, np.int8(1), 299])), max_size=3)
MEMBERS = mostly(st.one_of(MEMBERS, MEMBERS.map(tuple), st.sampled_from([range(2), np.arange(1, 3)])))
NESTS = st.recursive(MEMBERS, lambda inner: st.tuples(SCALES, inner).map(lambda nest: [nest]), max_leaves=4)
NESTS = mostly(st.lists(st.tuples(SCALES, NESTS), max_size=2))

CASES = {
    "gumbel": (
        check_gumbel,
        st.tuples(SIZES, calls(dtype=mostly(st.sampled_from(["f8", "f4", np.float32])))).map(
            lambda t: (t[0], {n: v for n, v in t[1].items() if n in ("rng", "noise", "dtype", "out")})
        ),
    ),
    "gumbel_nested": (
        check_gumbel_nested,
        st.tuples(SIZES, NESTS, calls(dtype=mostly(st.sampled_from(["f8", "f4", np.float32])))).map(
            lambda t: (*t[:2], {n: v for n, v in t[2].items() if n in ("rng", "noise", "dtype", "out")})
        ),
    ),
    "gumbel_max": (
        check_gumbel_max,
        st.tuples(LOG_POTENTIALS, calls(size=SIZES, return_max=FLAGS, temperature=TEMPERATURES)),
    ),
    "gumbel_top_k": (
        check_gumbel_top_k,
        st.tuples(LOG_POTENTIALS, K, calls(size=SIZES, return_threshold=FLAGS, temperature=TEMPERATURES)),
    ),
    "gumbel_above": (
        check_gumbel_above,
        st.tuples(LOG_POTENTIALS, THRESHOLDS, calls(size=SIZES, temperature=TEMPERATURES)),
    ),
    "gumbel_softmax": (
        lambda *a: check_relaxed(fg.gumbel_softmax, *a),
        st.tuples(LOG_POTENTIALS, TAUS, calls(**RELAXED)),
    ),
    "gumbel_softmax_jvp": (
        lambda *a: check_relaxed(fg.gumbel_softmax_jvp, *a),
        st.tuples(LOG_POTENTIALS, TAUS, calls(**RELAXED, rao=mostly(st.sampled_from([None, 1, 3]))), TANGENTS),
    ),
    "gumbel_softmax_vjp": (
        check_vjp,
        st.tuples(LOG_POTENTIALS, TAUS, COTANGENTS, calls(**RELAXED, rao=mostly(st.sampled_from([None, 1, 3])))),
    ),
    "diagnose": (check_diagnose, st.tuples(LOG_POTENTIALS, calls())),
    "gumbel_given_choice": (check_given, st.tuples(LOG_POTENTIALS, CHOICES, calls(size=SIZES))),
    "categorical": (check_categorical, st.tuples(LOG_POTENTIALS, SIZES, calls(temperature=TEMPERATURES))),
    "Reservoir": (
        check_reservoir,
        st.tuples(K, mostly(st.sampled_from([0, 1, 5, 2**32 - 1])), st.one_of(st.none(), fields()), CHUNKS),
    ),
    "NoiseField.at": (
        check_at,
        st.tuples(
            RNGS,
            st.fixed_dictionaries(
                {},
                optional={n: mostly(IDS, ODD_IDS) for n in ("rows", "draw", "start")}
                | {"categories": mostly(st.sampled_from([0, [-1, 2**32 - 1], np.int8([[3], [-5]])]), ODD_IDS)},
            ),
        ),
    ),
    "anneal": (check_anneal, ANNEAL),
}


# NumPy's own, of the argument `dtype`, before we refuse it.
@pytest.mark.filterwarnings("ignore:Data type alias:DeprecationWarning")
@pytest.mark.parametrize("profile", [SECONDS, pytest.param(MINUTES, marks=pytest.mark.heavy)], ids=["short", "long"])
@pytest.mark.parametrize("name", CASES)
def test_results_or_errors_as_documented(name, profile):
    check, strategy = CASES[name]

    @profile
    @given(strategy)
    def run(arguments):
        check(*arguments)

    run()


@SECONDS
@given(n=mostly(st.sampled_from([1, 2, 3, np.int64(2)]), st.one_of(JUNK, st.just(0))))
def test_the_number_of_threads_is_one_or_more_or_an_error(n):
    before = fg.get_num_threads()
    try:
        if attempt(fg.set_num_threads, ("n",), n) is None:
            assert fg.get_num_threads() in (before, n)
    finally:
        fg.set_num_threads(before)
