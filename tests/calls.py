"""Public functions, each called with arrays where ``place`` puts them: one table for the host and all devices."""

import numpy as np

import fastgumbel

NOISE = fastgumbel.NoiseField.from_key(2**64 - 3).at(draw=7, start=61)


def logits(shape, dtype):
    """Return log-potentials with ties and excluded categories, but never the first of a row."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape).round(1).astype(dtype)
    x[..., 1:][rng.random(x[..., 1:].shape) < 0.1] = -np.inf
    return x


def _noise(place, x):
    return fastgumbel.gumbel(x.shape, noise=NOISE, dtype=x.dtype, out=place(np.empty_like(x)))


def _hard(place, x):
    return fastgumbel.gumbel_max(place(x), noise=NOISE, return_max=True)


def _hard_with_draws_and_mask(place, x):
    where = place(np.arange(x.shape[-1]) % 3 != 1)
    return fastgumbel.gumbel_max(place(x), size=(2, 2), where=where, noise=NOISE)


def _hard_with_row_ids(place, x):
    noise = NOISE.at(rows=np.arange(x.shape[0], dtype=np.uint64)[::-1] << np.uint64(40))
    return fastgumbel.gumbel_max(place(x), noise=noise)


def _hard_marked(place, x):
    x = x.copy()
    x[0, 0] = np.nan
    return fastgumbel.gumbel_max(place(x), noise=NOISE, invalid="mark", return_max=True)


def _relaxed(place, x):
    return fastgumbel.gumbel_softmax(place(x), 0.5, noise=NOISE)


def _relaxed_logarithm(place, x):
    return fastgumbel.gumbel_softmax(place(x), 0.5, noise=NOISE, log=True)


def _straight_through(place, x):
    return fastgumbel.gumbel_softmax(place(x), 0.5, noise=NOISE, hard=True)


def _steps(x):
    """Return tangents of log-potentials, for excluded categories as well."""
    return np.sin(np.arange(x.size)).reshape(x.shape).astype(x.dtype)


def _tangent(place, x):
    return fastgumbel.gumbel_softmax_jvp((place(x), 0.5), (place(_steps(x)), 1.0), noise=NOISE)


def _tangents(place, x):
    steps = np.stack([_steps(x), np.ones_like(x)])
    return fastgumbel.gumbel_softmax_jvp((place(x), 0.5), (place(steps), None), noise=NOISE)


def _carried_back(place, x, size=(), **options):
    cotangent = np.broadcast_to(_steps(x), (*size, *x.shape)).copy()
    options |= {"size": size, "noise": NOISE}
    y, (d_x, d_tau) = fastgumbel.gumbel_softmax_vjp((place(x), 0.5), place(cotangent), **options)
    return y, d_x, d_tau


def _carried_back_by_draws(place, x):
    return _carried_back(place, x, (2, 2), log=True)


def _carried_back_and_averaged(place, x):
    return _carried_back(place, x, rao=2)


def _given(place, x):
    choice = np.zeros(x.shape[:-1], np.intp)
    return fastgumbel.gumbel_given_choice(place(x), place(choice), noise=NOISE)


def _ids(x):
    """Return a field at category ids of its places, a third of which are empty, but never the first of a row."""
    ids = np.random.default_rng(2).integers(2**31 - 4, size=x.shape)
    return fastgumbel.NoiseField(9).at(draw=7, categories=np.where(np.arange(x.shape[-1]) % 3 == 1, -1, ids))


def _noise_at_ids(place, x):
    return fastgumbel.gumbel(x.shape, noise=_ids(x), dtype=x.dtype, out=place(np.empty_like(x)))


def _hard_at_ids(place, x):
    return fastgumbel.gumbel_max(place(x), size=3, noise=_ids(x), return_max=True)


def _ranked_at_ids(place, x):
    return fastgumbel.gumbel_top_k(place(x), min(3, x.shape[-1]), noise=_ids(x), invalid="mark")


def _relaxed_at_ids(place, x):
    ids = np.arange(x.shape[-1])[::-1] * 1000
    return fastgumbel.gumbel_softmax(place(x), 0.5, noise=fastgumbel.NoiseField(9).at(categories=ids))


def _given_at_ids(place, x):
    ids, choice = np.arange(x.shape[-1])[::-1] * 1000, np.zeros(x.shape[:-1], np.intp)
    return fastgumbel.gumbel_given_choice(place(x), place(choice), noise=fastgumbel.NoiseField(9).at(categories=ids))


def _ranked(place, x):
    k = min(3, x.shape[-1])
    return fastgumbel.gumbel_top_k(place(x), k, noise=NOISE, return_threshold=True, invalid="mark")


def _ranked_all(place, x):
    return fastgumbel.gumbel_top_k(place(x), x.shape[-1], noise=NOISE, invalid="mark")


def _independent(place, x):
    return fastgumbel.categorical(place(x), (2, 2), noise=NOISE.at(start=0))


def _independent_of_tables(place, x):
    return fastgumbel.categorical(place(x), 33, noise=NOISE.at(start=0))


def _by_row(x):
    """Return a temperature and a first draw for each row, 0 for some."""
    rows = np.arange(x.shape[0])
    return rows % 5 / 2, NOISE.at(draw=rows * 1001 % 7)


def _hard_by_row(place, x):
    temperature, noise = _by_row(x)
    return fastgumbel.gumbel_max(place(x), size=3, temperature=temperature, noise=noise, return_max=True)


def _ranked_by_row(place, x):
    temperature, noise = _by_row(x)
    k = min(3, x.shape[-1])
    return fastgumbel.gumbel_top_k(place(x), k, temperature=temperature, noise=noise, invalid="mark")


def _independent_by_row(place, x):
    temperature, noise = _by_row(x)
    return fastgumbel.categorical(place(x), 2, temperature=temperature, noise=noise.at(start=0))


def _independent_of_tables_by_row(place, x):
    temperature, noise = _by_row(x)
    return fastgumbel.categorical(place(x), 33, temperature=temperature, noise=noise.at(start=0))


def _relaxed_by_row(place, x):
    return fastgumbel.gumbel_softmax(place(x), 0.5, noise=_by_row(x)[1])


def _hard_on_empty_noise(place, x):
    noise = np.where(np.arange(x.size).reshape(x.shape) % 3 == 1, -np.inf, _steps(x))
    noise[..., 0] = 1
    return fastgumbel.gumbel_max(place(x), temperature=0.5, noise=place(noise), return_max=True)


def _tangent_on_empty_noise(place, x):
    noise = np.where(np.arange(x.size).reshape(x.shape) % 3 == 1, -np.inf, _steps(x)).astype(x.dtype)
    noise[..., 0] = 1
    return fastgumbel.gumbel_softmax_jvp((place(x), 0.5), (place(_steps(x)), 1.0), noise=place(noise))


CALLS = {
    "gumbel": _noise,
    "gumbel_max": _hard,
    "gumbel_max, draws and mask": _hard_with_draws_and_mask,
    "gumbel_max, row ids": _hard_with_row_ids,
    "gumbel_max, marked": _hard_marked,
    "gumbel_top_k": _ranked,
    "gumbel_top_k, all": _ranked_all,
    "categorical": _independent,
    "categorical, tables": _independent_of_tables,
    "gumbel_softmax": _relaxed,
    "gumbel_softmax, logarithm": _relaxed_logarithm,
    "gumbel_softmax, hard": _straight_through,
    "gumbel_softmax_jvp": _tangent,
    "gumbel_softmax_jvp, two directions": _tangents,
    "gumbel_softmax_vjp": _carried_back,
    "gumbel_softmax_vjp, draws of the logarithm": _carried_back_by_draws,
    "gumbel_softmax_vjp, Gumbel-Rao": _carried_back_and_averaged,
    "gumbel_given_choice": _given,
    "gumbel, ids": _noise_at_ids,
    "gumbel_max, ids": _hard_at_ids,
    "gumbel_top_k, ids": _ranked_at_ids,
    "gumbel_softmax, ids": _relaxed_at_ids,
    "gumbel_given_choice, ids": _given_at_ids,
    "gumbel_max, by row": _hard_by_row,
    "gumbel_top_k, by row": _ranked_by_row,
    "categorical, by row": _independent_by_row,
    "categorical, tables by row": _independent_of_tables_by_row,
    "gumbel_softmax, by row": _relaxed_by_row,
    "gumbel_max, empty noise": _hard_on_empty_noise,
    "gumbel_softmax_jvp, empty noise": _tangent_on_empty_noise,
}


def parts(result):
    """Return the arrays of a result."""
    return result if isinstance(result, tuple) else (result,)


def assert_same_bits(actual, expected):
    """Compare arrays of the host."""
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    kind = f"u{expected.itemsize}"
    np.testing.assert_array_equal(actual.view(kind), expected.view(kind))
