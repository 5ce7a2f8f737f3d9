"""What editors and type checkers infer of public calls; this file runs, and ``.ci/run`` has mypy read it.

What is refused stands behind a comment that mypy would report if nothing were.
"""

from typing import Any, assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

import fastgumbel as fg

X = np.log([[1.0, 2.0, 7.0], [1.0, 1.0, 1.0]])
INDICES = NDArray[np.intp]
VALUES = NDArray[np.float64]


def test_noise() -> None:
    assert_type(fg.gumbel(3, rng=0), NDArray[np.float64])
    assert_type(fg.gumbel((2, 3), rng=0, dtype=np.float32), NDArray[np.float32])
    assert_type(fg.gumbel(3, rng=0, dtype="f4"), NDArray[Any])
    out: NDArray[np.float32] = np.empty(3, np.float32)
    assert_type(fg.gumbel(3, rng=0, dtype="f4", out=out), NDArray[np.float32])


def test_nested_noise() -> None:
    nests = [(0.5, [0, 2])]
    assert_type(fg.gumbel_nested(3, nests, rng=0), NDArray[np.float64])
    assert_type(fg.gumbel_nested((2, 3), nests, rng=0, dtype=np.float32), NDArray[np.float32])
    assert_type(fg.gumbel_nested(3, nests, rng=0, dtype="f4"), NDArray[Any])
    out: NDArray[np.float32] = np.empty(3, np.float32)
    assert_type(fg.gumbel_nested(3, nests, rng=0, dtype="f4", out=out), NDArray[np.float32])


def test_choices() -> None:
    assert_type(fg.gumbel_max(X, rng=0), Any)
    assert_type(fg.gumbel_max(X, rng=0, out=np.empty(2, np.intp)), INDICES)
    index, value = fg.gumbel_max(X, rng=0, return_max=True)
    assert index.shape == value.shape
    assert_type(fg.categorical(X, rng=0), Any)
    assert_type(fg.categorical(X, 5, rng=0), INDICES)
    with pytest.raises(ValueError, match="invalid"):
        fg.gumbel_max(X, rng=0, invalid="ignore")  # type: ignore[call-overload]


@pytest.mark.parametrize("flag", [False, True])
def test_a_flag_that_is_not_known_beforehand(flag: bool) -> None:
    assert_type(fg.gumbel_max(X, rng=0, return_max=flag), Any)
    assert_type(fg.gumbel_top_k(X, 2, rng=0, return_threshold=flag), tuple[NDArray[Any], ...])


def test_ranks() -> None:
    assert_type(fg.gumbel_top_k(X, 2, rng=0), tuple[INDICES, VALUES])
    assert_type(fg.gumbel_top_k(X, 2, rng=0, return_threshold=True), tuple[INDICES, VALUES, VALUES])
    reservoir = fg.Reservoir(2, rng=0)
    assert_type(reservoir.update(X[0]), None)
    assert_type(reservoir.indices, INDICES)
    assert_type(reservoir.threshold, float)


def test_above() -> None:
    assert_type(fg.gumbel_above(X, 1.0, rng=0), tuple[tuple[INDICES, ...], VALUES])
    (row, category), values = fg.gumbel_above(X, [0.0, 1.0], rng=0)
    assert row.size == category.size == values.size


def test_relaxed() -> None:
    assert_type(fg.gumbel_softmax(X, 0.5, rng=0), NDArray[Any])
    assert_type(fg.gumbel_softmax_jvp((X, 0.5), (X, None), rng=0), tuple[NDArray[Any], NDArray[Any]])
    assert_type(fg.gumbel_given_choice(X, [0, 2], rng=0), NDArray[Any])
    assert_type(fg.log_partition(X, 10, rng=0), fg.LogPartition)
    assert_type(fg.anneal.constant(0.5)(3), float)
    assert_type(fg.gumbel_softmax(X, tau=0.5, rng=0), NDArray[Any])
    with pytest.raises(TypeError):
        fg.gumbel_softmax(X, temperature=0.5)  # type: ignore[call-arg]


def test_the_rest() -> None:
    assert_type(fg.NoiseField(1).at(rows=3), fg.NoiseField)
    assert_type(fg.NoiseField(1).key, np.uint64)
    assert_type(fg.get_num_threads(), int)
    assert_type(fg.show_config("dicts"), dict[str, dict[str, Any]])
