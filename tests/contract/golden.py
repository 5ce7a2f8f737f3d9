"""Frozen values of the field, contract version 1.

``golden.csv`` holds a line for each coordinate: key, row, draw, category, the float64 value and the float32 value, both
as hexadecimal floats. ``python -m tests.contract.golden`` writes it anew from the package. To do so is
**value-breaking**: every stored result of every user changes. It needs a new version of the contract and an entry in
the changelog.
"""

import csv
from pathlib import Path

import numpy as np

import fastgumbel

FILE = Path(__file__).with_name("golden.csv")

KEYS = (0, 1, 0x0123456789ABCDEF, 2**64 - 1)
ROWS = (0, 1, 2**32 - 1, 2**32, 2**64 - 1)
DRAWS = (0, 1, 2**31, 2**32 - 1)
CATEGORIES = (0, 1, 2, 3, 4, 63, 64, 65, 127, 128, 191, 192, 4095, 1_000_003, 2**31, 2**32 - 65, 2**32 - 64, 2**32 - 1)


def coordinates():
    """Walk every category, with keys, rows and draws that change at different paces, then the winner lanes of key 0."""
    for i, category in enumerate(CATEGORIES * 4):
        yield KEYS[i % 4], ROWS[i % 5], DRAWS[i // 5 % 4], category
    for block in (0, 1, 2, 2**26 - 1):
        yield 0, 0, 0, block * 64 + int(noise(0, 0, 0, block * 64, 64, np.float64).argmax())


def noise(key, row, draw, first, n, dtype):
    """Return n values of the field from one coordinate on."""
    field = fastgumbel.NoiseField.from_key(key).at(rows=row, draw=draw, start=first)
    return fastgumbel.gumbel(n, noise=field, dtype=dtype)


def read():
    """Yield the frozen lines as ``(key, row, draw, category), float64, float32``."""
    with FILE.open(newline="") as file:
        for *where, double, single in csv.reader(file):
            yield tuple(map(int, where)), float.fromhex(double), float.fromhex(single)


def write():
    """Overwrite the frozen lines with what the package computes now."""
    with FILE.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        for where in coordinates():
            values = (float(noise(*where, 1, dtype)[0]).hex() for dtype in (np.float64, np.float32))
            out.writerow([*where, *values])


if __name__ == "__main__":
    write()
