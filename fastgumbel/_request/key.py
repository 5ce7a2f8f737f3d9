"""The key of a field, from whatever names it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Rng: TypeAlias = (
    int | np.integer[Any] | Sequence[int] | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator | None
)

# What selects a field, and so is no noise; a RandomState is here for the remedy that `rng` has.
SEEDS = (
    int,
    np.integer,
    np.random.SeedSequence,
    np.random.BitGenerator,
    np.random.Generator,
    np.random.RandomState,
)


def key_of(seed: Any, name: str) -> np.uint64:
    """The key that an argument of this name stands for."""
    if isinstance(seed, np.ndarray) and seed.ndim == 0:
        seed = seed[()]
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool | np.bool_):
        if seed < 0:
            raise ValueError(f"{name}: an int must be at least 0, not {seed}")
        return _key_of_int(int(seed))
    if isinstance(seed, list | tuple | range) or (isinstance(seed, np.ndarray) and seed.ndim == 1):
        if len(seed) == 0:
            raise ValueError(f"{name}: a sequence must have at least one int")
        return _key_of_sequence(np.random.SeedSequence([_entropy(word, name) for word in seed]))
    if isinstance(seed, np.random.Generator | np.random.BitGenerator):
        generator = seed if isinstance(seed, np.random.Generator) else np.random.Generator(seed)
        return generator.integers(0, 2**64 - 1, dtype=np.uint64, endpoint=True)
    if seed is None:
        seed = np.random.SeedSequence()
    if not isinstance(seed, np.random.SeedSequence):
        kind = type(seed).__name__
        remedies = {
            "NoiseField": ": pass noise=",
            "RandomState": ": np.random.default_rng makes a Generator",
            "Generator": " of another library: pass an int",
            "PRNGKeyArray": ": pass an int",
            "ArrayImpl": ": pass it as a list of ints",
            "Tensor": ": pass it as a list of ints",
        }
        raise TypeError(
            f"{name} must be None, an int, a sequence of ints, or NumPy's SeedSequence, BitGenerator or Generator, not "
            f"{kind}{remedies.get(kind, '')}"
        )
    return _key_of_sequence(seed)


def _entropy(word: Any, name: str) -> int:
    if not isinstance(word, int | np.integer) or isinstance(word, bool | np.bool_) or word < 0:
        raise ValueError(f"{name}: a sequence must be of ints of at least 0, and not have {word!r}")
    return int(word)


def _key_of_sequence(seed: np.random.SeedSequence) -> np.uint64:
    return np.uint64(seed.generate_state(1, np.uint64)[0])


@functools.lru_cache(maxsize=64)
def _key_of_int(seed: int) -> np.uint64:
    """The key of a seed; to hash it takes as long as a whole call for a small row."""
    return _key_of_sequence(np.random.SeedSequence(seed))
