"""Frozen values of nested noise, contract version 1.

``golden_nested.csv`` holds a line for each row: key, row, draw, and the float64 values of its categories as hexadecimal
floats. ``python -m tests.contract.golden_nested`` writes it anew, which is **value-breaking** as in ``golden.py``.
"""

import csv
from pathlib import Path

import fastgumbel
from tests.contract.golden import DRAWS, KEYS, ROWS

FILE = Path(__file__).with_name("golden_nested.csv")

N = 14
# Three levels, one nest of scale 1, scales near both ends, and categories in no nest.
NESTS = [
    (0.7, [3, (0.5, [1, 2, (0.001, [4, 13])])]),
    (1.0, [5, (0.25, [6, 7])]),
    (2.0**-40, [8, 9]),
    (1 - 2.0**-53, [10, 11]),
]


def noise(key, row, draw, lead=0, count=1):
    """Return rows of noise; the one of the coordinates stands behind `lead` others."""
    first = max(row - lead, 0)
    rows = range(first, min(first + count, 2**64))
    field = fastgumbel.NoiseField.from_key(key).at(rows=list(rows), draw=draw)
    return fastgumbel.gumbel_nested((len(rows), N), NESTS, noise=field)[row - first]


def coordinates():
    """Walk keys, rows and draws at different paces."""
    for i in range(20):
        yield KEYS[i % 4], ROWS[i % 5], DRAWS[i // 5 % 4]


def read():
    """Yield the frozen lines as ``(key, row, draw), values``."""
    with FILE.open(newline="") as file:
        for key, row, draw, *values in csv.reader(file):
            yield (int(key), int(row), int(draw)), [float.fromhex(value) for value in values]


def write():
    """Overwrite the frozen lines with what the package computes now."""
    with FILE.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        for where in coordinates():
            out.writerow([*where, *(float(value).hex() for value in noise(*where))])


if __name__ == "__main__":
    write()
