"""A program: the frozen bits on this processor, then, with an argument, a digest of every function's.

The digest is the same wherever all bits are, and is compared with that of another processor.
"""

import sys

import numpy as np

import fastgumbel
from tests.contract import golden, golden_nested
from tests.faults.mixed import TASKS, digest


def check(lead, n):
    """Whether field and nested noise have the frozen bits, each read in the midst of n categories, or of n rows."""
    for (key, row, draw, category), double, single in golden.read():
        first = min(max(category - lead, 0), 2**32 - n)
        for dtype, frozen in ((np.float64, double), (np.float32, single)):
            if golden.noise(key, row, draw, first, n, dtype)[category - first] != frozen:
                return False
    return all(golden_nested.noise(*where, lead, n).tolist() == values for where, values in golden_nested.read())


if __name__ == "__main__":
    cpu = fastgumbel.show_config("dicts")["cpu"]
    print(cpu["name"], cpu["vector_bits"], flush=True)
    for lead, n in ((0, 1), (64, 200)):
        print("frozen bits" if check(lead, n) else "other bits", flush=True)
    if sys.argv[1:]:
        for task in TASKS:
            print(digest([task]), *task[:2], task[2].__name__, flush=True)
