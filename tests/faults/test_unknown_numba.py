"""A Numba that is newer than all that were tested: what is its own affair is left alone, and the bits are the same."""

from tests.faults.mixed import SHAPES, digest
from tests.subprocesses import python

SHORT, LONG = SHAPES
TASKS = [
    ("gumbel_max", SHORT, "float32"),
    ("gumbel_top_k", LONG, "float64"),
    ("gumbel_softmax", SHORT, "float32"),
    ("gumbel_softmax", LONG, "float64"),
]
PROGRAM = f"""
import numba
import numba.core.compiler_lock as home

numba.__version__ = "999.0.0"
lock = home.global_compiler_lock
del home.global_compiler_lock
import fastgumbel
from fastgumbel._numba import borrowing
from fastgumbel._numba import compile as seam
home.global_compiler_lock = lock  # Numba itself needs it
from tests.faults.mixed import digest

print(borrowing.BORROWED, seam._lock)
print(digest({TASKS}))
"""


def test_an_unknown_numba_gives_the_same_bits():
    assert python(PROGRAM).split("\n") == ["{} None", digest(TASKS)]
