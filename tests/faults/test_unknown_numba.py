"""A Numba that is newer than all that were tested: what is its own affair is left alone, and the bits are the same."""

import math

import numba
import pytest

from fastgumbel._law.real import log64
from fastgumbel._numba import linked
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
from fastgumbel._numba import borrowing, linked
from fastgumbel._numba import compile as seam
home.global_compiler_lock = lock  # Numba itself needs it
from tests.faults.mixed import digest

print(borrowing.BORROWED, linked.PIPELINE, seam._lock)
print(digest({TASKS}))
"""


def test_an_unknown_numba_gives_the_same_bits():
    assert python(PROGRAM).split("\n") == ["{} None None", digest(TASKS)]


MOVED = """
from numba.core import codegen
kept = codegen.JITCodeLibrary
del codegen.JITCodeLibrary
from fastgumbel._numba import linked
codegen.JITCodeLibrary = kept  # Numba itself needs it
print(linked.PIPELINE)
"""


def test_parts_are_plain_functions_where_numba_has_moved_its_libraries():
    assert python(MOVED) == "None"


@pytest.mark.skipif(linked.PIPELINE is None, reason="a Numba that parts were not tested with")
def test_a_part_is_only_linked():
    @numba.njit
    def logarithm(x):
        return log64(x)

    assert logarithm(3.0) == pytest.approx(math.log(3.0))
    with pytest.raises(TypeError, match="only compiled code"):
        log64(3.0)


def test_functions_of_users_are_compiled_as_ever():
    @numba.njit
    def plain(x):
        return x

    @numba.njit
    def logarithm(x):
        return log64(plain(x))

    assert logarithm(3.0) == pytest.approx(plain(math.log(3.0)))
    (one,), (other,) = plain.overloads.values(), logarithm.overloads.values()
    assert type(one.library) is type(other.library) is numba.core.codegen.JITCodeLibrary
