"""Integer arithmetic against Python's integers."""

import numpy as np
import pytest

from tests.ptx import PTXError
from tests.ptx.snippets import evaluate

KINDS = ["u16", "s16", "u32", "s32", "u64", "s64"]


def own(kind):
    """Return the NumPy type of a type name."""
    return np.dtype(f"{'i' if kind[0] == 's' else 'u'}{int(kind[1:]) // 8}")


def wrap(value, dtype):
    """Return a Python integer modulo the width of a type, as that type."""
    bits = 8 * dtype.itemsize
    return np.dtype(f"u{dtype.itemsize}").type(value % (1 << bits)).view(dtype)


def pairs(dtype, seed=0):
    """Return edge cases with each other, and random words."""
    limits = np.iinfo(dtype)
    edges = [limits.min, limits.min + 1, 0, 1, 2, 3, limits.max // 2, limits.max - 1, limits.max]
    if limits.min < 0:
        edges += [-1, -2, -7]
    drawn = np.random.default_rng(seed).integers(limits.min, limits.max, size=(2, 100), dtype=dtype, endpoint=True)
    a, b = np.meshgrid(np.array(edges, dtype), np.array(edges, dtype))
    return np.concatenate([a.ravel(), drawn[0]]), np.concatenate([b.ravel(), drawn[1]])


def expect(function, dtype, *columns):
    """Apply a function of Python integers to columns."""
    return np.array([wrap(function(*(int(x) for x in row)), dtype) for row in zip(*columns, strict=True)], dtype)


def truncated(a, b):
    """Divide as C does."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul.lo": lambda a, b: a * b,
    "min": min,
    "max": max,
    "div": truncated,
    "rem": lambda a, b: a - truncated(a, b) * b,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, kind):
    a, b = pairs(own(kind))
    if name in ("div", "rem"):
        a, b = a[b != 0], b[b != 0]
    got = evaluate(f"{name}.{kind} d, a, b;", own(kind), a, b)
    np.testing.assert_array_equal(got, expect(BINARY[name], own(kind), a, b))


@pytest.mark.parametrize("kind", KINDS)
def test_multiply_high(kind):
    a, b = pairs(own(kind))
    bits = int(kind[1:])
    got = evaluate(f"mul.hi.{kind} d, a, b;", own(kind), a, b)
    np.testing.assert_array_equal(got, expect(lambda x, y: x * y >> bits, own(kind), a, b))


@pytest.mark.parametrize("kind", KINDS[:4])
def test_multiply_wide(kind):
    a, b = pairs(own(kind))
    wide = np.dtype(f"{own(kind).kind}{2 * own(kind).itemsize}")
    got = evaluate(f"mul.wide.{kind} d, a, b;", wide, a, b)
    np.testing.assert_array_equal(got, expect(lambda x, y: x * y, wide, a, b))
    got = evaluate(f"mad.wide.{kind} d, a, b, c;", wide, a, b, wide.type(12345))
    np.testing.assert_array_equal(got, expect(lambda x, y: x * y + 12345, wide, a, b))


@pytest.mark.parametrize("kind", KINDS)
def test_mad_and_sad(kind):
    a, b = pairs(own(kind))
    c = b[::-1]
    bits = int(kind[1:])
    for line, function in (
        ("mad.lo", lambda x, y, z: x * y + z),
        ("mad.hi", lambda x, y, z: (x * y >> bits) + z),
        ("sad", lambda x, y, z: abs(x - y) + z),
    ):
        got = evaluate(f"{line}.{kind} d, a, b, c;", own(kind), a, b, c)
        np.testing.assert_array_equal(got, expect(function, own(kind), a, b, c))


@pytest.mark.parametrize("kind", ["s16", "s32", "s64"])
def test_neg_and_abs_of_the_least_number_wrap(kind):
    a, _ = pairs(own(kind))
    np.testing.assert_array_equal(evaluate(f"neg.{kind} d, a;", own(kind), a), expect(lambda x: -x, own(kind), a))
    np.testing.assert_array_equal(evaluate(f"abs.{kind} d, a;", own(kind), a), expect(abs, own(kind), a))


@pytest.mark.parametrize("bits", [32, 64])
def test_carries_and_borrows_make_a_double_word(bits):
    dtype = np.dtype(f"u{bits // 8}")
    (a, b), (c, e) = pairs(dtype, 1), pairs(dtype, 2)
    # The high words of (c, a) + (b, e), and of their difference.
    for low, high, sign in (("add.cc", "addc", 1), ("sub.cc", "subc", -1)):
        lines = f".reg .b{bits} low; {low}.u{bits} low, a, e; {high}.u{bits} d, c, b;"
        got = evaluate(lines, dtype, a, b, c, e)
        want = expect(lambda w, x, y, z, s=sign: ((y << bits | w) + s * (x << bits | z)) >> bits, dtype, a, b, c, e)
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("line", ["div.u32 d, a, b;", "rem.s64 d, a, b;"])
def test_division_by_zero_is_an_error(line):
    dtype = np.dtype("u4" if "32" in line else "i8")
    with pytest.raises(PTXError, match=r"division by zero.*thread \(2, 0, 0\)"):
        evaluate(line, dtype, np.array([5, 6, 7], dtype), np.array([1, 1, 0], dtype))


@pytest.mark.parametrize(
    "line", ["add.u8 d, a, a;", "mul.u32 d, a, a;", "mul.wide.u64 d, a, a;", "add.sat.s32 d, a, a;"]
)
def test_forms_that_do_not_exist_or_are_not_supported(line):
    with pytest.raises(PTXError, match=r"supported|needs one of|double width"):
        evaluate(line, np.uint32, np.uint32(1))


def test_a_register_of_another_width_is_an_error():
    with pytest.raises(PTXError, match=r"is \.b32, read as \.u64"):
        evaluate("add.u64 d, a, a;", np.uint64, np.uint32(1))
