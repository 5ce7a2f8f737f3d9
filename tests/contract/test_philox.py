"""The package's Philox: published vectors, then the reference at random counters."""

import numpy as np
import pytest

from fastgumbel._law import philox
from tests.contract.parts import callable_part
from tests.oracle import reference

philox_words = callable_part(philox.philox)


def run(counter, key):
    words = philox_words(*(np.uint64(w) for w in (*counter, *key)))
    return tuple(int(w) for w in words)


@pytest.mark.parametrize(("counter", "key", "words"), reference.PHILOX_KNOWN_ANSWERS)
def test_known_answers(counter, key, words):
    assert run(counter, key) == words


def test_agreement_with_the_reference_at_random_counters():
    rng = np.random.default_rng(30)
    for sample in rng.integers(2**32, size=(2000, 6)).tolist():
        counter, key = tuple(sample[:4]), tuple(sample[4:])
        assert run(counter, key) == reference.philox(counter, key)
