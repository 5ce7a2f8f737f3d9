"""The field has the frozen bits on every path, and the frozen bits are the contract's."""

import math

import numpy as np
import pytest

from tests.contract import golden
from tests.oracle import reference
from tests.oracle.vectorised import float32_bound

LINES = list(golden.read())


def test_the_file_is_complete():
    assert [line[0] for line in LINES] == list(golden.coordinates())


@pytest.mark.parametrize(("where", "double", "single"), LINES)
def test_the_frozen_values_are_those_of_the_contract(where, double, single):
    exact = reference.gumbel(*where)
    assert abs(double - exact) <= 4 * math.ulp(max(abs(exact), 1))
    assert abs(single - exact) <= float32_bound(np.float64(exact))


@pytest.mark.parametrize(("lead", "n"), [(0, 1), (0, 70), (3, 4), (63, 64), (64, 200), (1000, 3000)])
def test_the_field_has_the_frozen_bits(lead, n):
    """Alone, and in the midst of short and long reads."""
    for (key, row, draw, category), double, single in LINES:
        first = min(max(category - lead, 0), 2**32 - n)
        for dtype, frozen in ((np.float64, double), (np.float32, single)):
            assert golden.noise(key, row, draw, first, n, dtype)[category - first] == frozen
