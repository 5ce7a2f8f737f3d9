"""Choice sets by id in any order, searched by blocks, equal the definition on the field written out at their ids."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel, gumbel_max, gumbel_top_k

ORDERS = (
    "counted",
    "ascending",
    "descending",
    "shuffled",
    "repeated",
    "padded",
    "first_empty",
    "holes",
    "clusters",
    "sparse",
    "tiled",
    "tiled_but_one",
)


def choice_sets(rng, order, rows, n):
    """Ids of rows in some order: one row for all, or each."""
    height = 1 if rng.random() < 0.5 else rows
    first = int(rng.choice([0, 1, 63, 70, 2**20, 2**32 - 4 * n]))
    ids = np.sort(rng.random((height, 2 * n)).argsort(-1)[:, :n], -1) + first
    if order == "counted":
        ids = first + np.arange(n)[np.newaxis]
    elif order == "descending":
        ids = ids[:, ::-1]
    elif order == "shuffled":
        ids = rng.permuted(ids, axis=-1)
    elif order == "repeated":
        ids = first + rng.integers(n // 2 + 1, size=(height, n))
    elif order == "padded":
        ids[:, n - n // 5 :] = -1
    elif order == "first_empty":
        ids[:: 2 if height > 1 else 1, 0] = -1
    elif order == "holes":
        ids = np.where(rng.random(ids.shape) < 0.2, -1, ids)
        ids[:, 0] = first
    elif order == "clusters":
        ids = first + np.sort(rng.integers(0, 8 * n, size=(height, 1)) // 64 * 64 + np.arange(n), -1)
    elif order in ("tiled", "tiled_but_one"):
        ids = np.tile(first + np.arange(n), (rows, 1))
        if order == "tiled_but_one":
            ids[rows // 2, n // 3 :] += 1
    elif order == "sparse":
        ids = np.sort(rng.integers(2**12, size=(height, n)), -1) << 20
    return ids


def expected(x, ids, field, draws, temperature):
    """The definition, where of the places of an id only the first of the largest is left."""
    full = np.broadcast_to(ids, x.shape)
    left = full >= 0
    for r in range(len(x)):
        # By id, then the largest first, then the first place.
        by = np.lexsort((np.arange(x.shape[1]), -x[r], full[r]))
        left[r, by[1:][np.diff(full[r, by]) == 0]] = False
    noise = np.stack([gumbel(x.shape, noise=field.at(draw=s, categories=ids)) for s in range(draws)])
    noise = np.where(left, noise, 0)
    return gumbel_max(x, size=draws, where=left, noise=noise, temperature=temperature, return_max=True, invalid="mark")


@pytest.mark.parametrize("n", [257, 300, 640, 1454])
@pytest.mark.parametrize("order", ORDERS)
def test_equals_the_definition(threads, order, n):
    rng = np.random.default_rng((ORDERS.index(order), n))
    for scale in (0.0, 1.0, 2.0**40):
        rows, draws = int(rng.choice([1, 7, 40])), int(rng.choice([1, 4]))
        # Far from 0 perturbed values are rounded so coarsely that many tie.
        x = np.round(rng.normal(size=(rows, n)) * 3) + scale
        x = np.where(rng.random(x.shape) < 0.1, -np.inf, x).astype(rng.choice([np.float32, np.float64]))
        ids = choice_sets(rng, order, rows, n)
        temperature = rng.choice([1.0, 0.0, 0.3, 50.0], size=rows)
        field = NoiseField(int(rng.integers(2**60))).at(rows=rng.integers(2**40, size=rows))
        index, value = expected(x, ids, field, draws, temperature)
        for count in (1, 2):
            threads(count)
            options = {"size": draws, "noise": field.at(categories=ids), "temperature": temperature, "invalid": "mark"}
            both = gumbel_max(x, return_max=True, **options)
            np.testing.assert_array_equal(both[0], index)
            np.testing.assert_array_equal(both[1], value)
            np.testing.assert_array_equal(gumbel_max(x, **options), index)


@pytest.mark.parametrize("order", ["ascending", "shuffled", "sparse"])
def test_a_bad_row_harms_no_other(order):
    rng = np.random.default_rng(7)
    x, ids = rng.normal(size=(9, 400)), choice_sets(rng, order, 9, 400)
    ids = np.broadcast_to(ids, x.shape)
    field = NoiseField(2).at(categories=ids)
    whole = gumbel_max(x, noise=field)
    x[4, 17] = np.nan
    marked = gumbel_max(x, noise=field, invalid="mark")
    assert marked[4] == -1
    np.testing.assert_array_equal(np.delete(marked, 4), np.delete(whole, 4))
    with pytest.raises(ValueError, match=rf"row 4 .*category id {ids[4, 17]}\)"):
        gumbel_max(x, noise=field)


def test_an_invalid_place_of_an_id_is_not_lost_behind_another():
    x, ids = np.zeros((2, 300)), np.arange(300)
    ids[[1, 2]] = 0
    x[1, 0] = np.nan
    field = NoiseField(2).at(categories=ids)
    assert gumbel_max(x, noise=field, invalid="mark")[1] == -1
    with pytest.raises(ValueError, match=r"row 1 has nan at place 0 \(category id 0\)"):
        gumbel_max(x, noise=field)


@pytest.mark.parametrize("n", [3, 300])
def test_rows_that_begin_with_an_empty_place_beside_others(n):
    """An empty place is beyond all ids as uint64, and the step from it to the next wraps around."""
    x, ids = np.zeros((2, n)), np.tile(np.arange(n), (2, 1))
    x[0, -1] = 100
    ids[1, 0] = -1
    field = NoiseField(3).at(categories=ids)
    noise = np.where(ids < 0, -np.inf, gumbel(x.shape, noise=field))
    np.testing.assert_array_equal(gumbel_max(x, noise=field), gumbel_max(x, noise=noise))
    for result, other in zip(gumbel_top_k(x, 2, noise=field), gumbel_top_k(x, 2, noise=noise), strict=True):
        np.testing.assert_array_equal(result, other)


@pytest.mark.parametrize("order", ORDERS)
def test_top_k_equals_the_definition(order):
    rng = np.random.default_rng(ORDERS.index(order))
    for n, k in ((40, 3), (700, 5), (700, 40)):
        x = np.round(rng.normal(size=(9, n)) * 3).astype(np.float32)
        ids = np.broadcast_to(choice_sets(rng, order, 9, n), x.shape)
        if order in ("repeated", "sparse"):
            # Once each: what a repeated id means is tested elsewhere.
            ids = np.sort(ids, -1)
            ids = np.where(np.diff(ids, prepend=-1) == 0, -1, ids)
        field = NoiseField(n + k).at(categories=ids)
        noise = np.stack([gumbel(x.shape, noise=field.at(draw=s)) for s in range(2)])
        noise = np.where(ids < 0, -np.inf, noise)
        options = {"size": 2, "temperature": 0.7, "invalid": "mark"}
        found, wanted = gumbel_top_k(x, k, noise=field, **options), gumbel_top_k(x, k, noise=noise, **options)
        for result, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(result, other)
