"""The bits of the field, in many orders, pass what planted defects do not.

Each p-value is compared with ``laws.ALARM``; the seeds are fixed. ``bench/battery.py`` runs more of the same.
"""

import numpy as np
import pytest

from tests.law import bits, dieharder, laws, neighbours, nist, planted
from tests.oracle.vectorised import Field

heavy = pytest.mark.heavy
KEYS = "keys that differ by one bit, blocks"


def least(p_values):
    """Return the smallest p-value by what it is multiplied with, their number."""
    return len(p_values) * min(p_values.values())


@pytest.mark.parametrize("order", bits.ORDERS)
def test_streams_of_the_package_are_those_of_the_reference(order):
    ours, reference = (bits.words(kind, order, 12_345, 500) for kind in (bits.PackageField, Field))
    np.testing.assert_array_equal(ours, reference)


def rank_of_words(field_type, order):
    return nist.battery(bits.sequences(field_type, order, 4, 2**18), [nist.rank])["rank"]


@pytest.mark.parametrize(
    ("defect", "order"),
    [
        (planted.KeyBitIgnored, KEYS),
        (planted.HighRowsFolded, "rows 2^32 apart, blocks"),
        (planted.LanesShareWords, "lanes"),
        (planted.BlocksShareWords, "blocks"),
        (planted.HalvesShareWords, "rows, lanes"),
        (planted.fewer_rounds(2), "rows, lanes"),
    ],
)
def test_ranks_catch_a_planted_defect(defect, order):
    assert rank_of_words(defect, order) < laws.ALARM
    assert rank_of_words(bits.PackageField, order) > laws.ALARM


@pytest.mark.parametrize(
    ("defect", "neighbour"),
    [
        (planted.KeyBitIgnored, "key, bit 40"),
        (planted.HighRowsFolded, "row, bit 32"),
        (planted.HighDrawsFolded, "draw, bit 31"),
        (planted.LanesShareWords, "lane, bit 1"),
        (planted.BlocksShareWords, "block, bit 0"),
        (planted.fewer_rounds(4), "row, bit 63"),
        (planted.fewer_rounds(6), "draw, bit 0"),
    ],
)
def test_neighbours_catch_a_planted_defect(defect, neighbour):
    assert least(neighbours.everything(defect, neighbour, 2**13)) < laws.ALARM
    assert least(neighbours.everything(bits.PackageField, neighbour, 2**13)) > laws.ALARM


def test_bits_of_one_place_catch_halves_that_are_the_same():
    assert neighbours.one_place(planted.HalvesShareWords, 2**12) < laws.ALARM
    assert neighbours.one_place(bits.PackageField, 2**12) > laws.ALARM


@heavy
@pytest.mark.parametrize("order", bits.ORDERS)
def test_nist(order):
    assert least(nist.battery(bits.sequences(bits.PackageField, order, 16))) > laws.ALARM


@heavy
@pytest.mark.parametrize("neighbour", neighbours.OF_LANES)
def test_neighbours(neighbour):
    assert least(neighbours.everything(bits.PackageField, neighbour, 2**17)) > laws.ALARM


@heavy
@pytest.mark.skipif(dieharder.COMMAND is None, reason=dieharder.MISSING)
@pytest.mark.parametrize("number", [0, 8, 15, 100])
@pytest.mark.parametrize("order", bits.ORDERS)
def test_dieharder(order, number):
    read = lambda first, n: bits.words(bits.PackageField, order, first, n)  # noqa: E731
    assert least(dieharder.p_values(read, number)) > laws.ALARM


@heavy
@pytest.mark.skipif(dieharder.COMMAND is None, reason=dieharder.MISSING)
def test_dieharder_catches_a_planted_defect():
    read = lambda first, n: bits.words(planted.fewer_rounds(2), "rows, lanes", first, n)  # noqa: E731
    assert least(dieharder.p_values(read, 8)) < laws.ALARM
