"""Floating-point arithmetic, comparisons and what is refused as inexact."""

from fractions import Fraction

import numpy as np
import pytest

from tests.ptx import Program, PTXError
from tests.ptx.snippets import evaluate, kernel

EDGES = [0.0, -0.0, 1.0, -1.0, 1.5, 3.0, 1e-40, -1e-40, 1e38, -1e38, np.inf, -np.inf, np.nan]
REALS = {"f32": np.float32, "f64": np.float64}


def grid(dtype):
    """Return edge cases with each other."""
    a, b = np.meshgrid(np.array(EDGES, dtype), np.array(EDGES, dtype))
    return a.ravel(), b.ravel()


def same(got, want):
    """Compare bits, but let any NaN equal any other."""
    assert got.dtype == want.dtype
    nan = np.isnan(want)
    np.testing.assert_array_equal(np.isnan(got), nan)
    word = f"u{got.itemsize}"
    np.testing.assert_array_equal(got.view(word)[~nan], want.view(word)[~nan])


@pytest.mark.parametrize("kind", REALS)
def test_rounded_operations(kind):
    a, b = grid(REALS[kind])
    with np.errstate(all="ignore"):
        for name, want in (("add", a + b), ("sub", a - b), ("mul", a * b), ("div", a / b)):
            same(evaluate(f"{name}.rn.{kind} d, a, b;", a.dtype, a, b), want)
        same(evaluate(f"sqrt.rn.{kind} d, a;", a.dtype, a), np.sqrt(a))
        same(evaluate(f"rcp.rn.{kind} d, a;", a.dtype, a), 1 / a)


@pytest.mark.parametrize("kind", REALS)
def test_signs_are_bits(kind):
    a, b = grid(REALS[kind])
    word = np.dtype(f"u{a.itemsize}")
    sign = word.type(1 << (8 * a.itemsize - 1))
    np.testing.assert_array_equal(evaluate(f"neg.{kind} d, a;", word, a), a.view(word) ^ sign)
    np.testing.assert_array_equal(evaluate(f"abs.{kind} d, a;", word, a), a.view(word) & ~sign)
    want = a.view(word) & sign | b.view(word) & ~sign
    np.testing.assert_array_equal(evaluate(f"copysign.{kind} d, a, b;", word, a, b), want)


@pytest.mark.parametrize("kind", REALS)
def test_fma_rounds_once(kind):
    dtype = REALS[kind]
    mantissa = np.finfo(dtype).nmant
    rng = np.random.default_rng(4)
    a, b = (1 + rng.integers(0, 2**mantissa, (2, 2000)) * 2.0**-mantissa).astype(dtype)
    # Almost cancels the product, or lies just beside its last bit: where two roundings go wrong.
    c = np.where(np.arange(2000) % 2, -(a * b), a * b * dtype(2.0**-mantissa)).astype(dtype)
    got = evaluate(f"fma.rn.{kind} d, a, b, c;", dtype, a, b, c)
    twice = 0
    for x, y, z, r in zip(a, b, c, got, strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        error = abs(Fraction(float(r)) - exact)
        for neighbour in np.nextafter(r, [dtype(-np.inf), dtype(np.inf)]):
            other = abs(Fraction(float(neighbour)) - exact)
            # The nearer of the two, and of two equally near ones the even one.
            even = int(r.view(f"u{r.itemsize}")) % 2 == 0
            assert error < other or (error == other and even)
        twice += x * y + z != r
    assert twice > 500


@pytest.mark.parametrize("kind", REALS)
def test_minimum_and_maximum(kind):
    dtype = REALS[kind]
    nan = np.dtype(f"u{dtype().itemsize}").type(2 ** (8 * dtype().itemsize - 1) - 1).view(dtype)

    def least(x, y):
        if np.isnan(x) or np.isnan(y):
            return nan if np.isnan(x) and np.isnan(y) else (y if np.isnan(x) else x)
        return x if x < y or (x == y and np.signbit(x)) else y

    a, b = grid(dtype)
    word = f"u{a.itemsize}"
    want = np.array([least(x, y) for x, y in zip(a, b, strict=True)], dtype)
    np.testing.assert_array_equal(evaluate(f"min.{kind} d, a, b;", word, a, b), want.view(word))
    greatest = np.array([-least(-x, -y) for x, y in zip(a, b, strict=True)], dtype)
    same(evaluate(f"max.{kind} d, a, b;", dtype, a, b), greatest)
    lost = np.isnan(a) | np.isnan(b)
    np.testing.assert_array_equal(np.isnan(evaluate(f"max.NaN.{kind} d, a, b;", dtype, a, b)), lost)


ORDERED = {
    "eq": lambda x, y: x == y, "ne": lambda x, y: x < y or x > y, "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y, "gt": lambda x, y: x > y, "ge": lambda x, y: x >= y,
    "num": lambda x, y: x == x and y == y,
}  # fmt: skip


@pytest.mark.parametrize("kind", REALS)
@pytest.mark.parametrize("name", ORDERED)
def test_comparisons_of_nan(name, kind):
    a, b = grid(REALS[kind])
    ordered = np.array([ORDERED[name](x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)])
    np.testing.assert_array_equal(evaluate(f"setp.{name}.{kind} d, a, b;", bool, a, b), ordered)
    other = "nan" if name == "num" else f"{name}u"
    nan = np.isnan(a) | np.isnan(b)
    want = nan if name == "num" else ordered | nan
    np.testing.assert_array_equal(evaluate(f"setp.{other}.{kind} d, a, b;", bool, a, b), want)


def test_sorts_of_numbers():
    a = np.array([0, 1, 1e-40, np.inf, np.nan], np.float32)
    want = {
        "finite": [1, 1, 1, 0, 0], "infinite": [0, 0, 0, 1, 0], "number": [1, 1, 1, 1, 0],
        "notanumber": [0, 0, 0, 0, 1], "normal": [0, 1, 0, 0, 0], "subnormal": [0, 0, 1, 0, 0],
    }  # fmt: skip
    for name, flags in want.items():
        np.testing.assert_array_equal(evaluate(f"testp.{name}.f32 d, a;", bool, a), np.array(flags, bool), name)


@pytest.mark.parametrize("name", ["add", "sub", "mul"])
@pytest.mark.parametrize("kind", REALS)
def test_without_a_rounding_mode_the_assembler_may_contract(name, kind):
    with pytest.raises(PTXError, match=rf"contract it: '{name}\.{kind} d, a, b;'"):
        evaluate(f"{name}.{kind} d, a, b;", REALS[kind], REALS[kind](1), REALS[kind](1))


@pytest.mark.parametrize(
    "line",
    ["sqrt.f32 d, a;", "div.f32 d, a, a;", "fma.f32 d, a, a, a;", "sqrt.approx.f32 d, a;", "rcp.approx.ftz.f32 d, a;",
     "div.full.f32 d, a, a;", "ex2.approx.f32 d, a;", "lg2.approx.f32 d, a;",
     "add.rn.ftz.f32 d, a, a;", "setp.eq.ftz.f32 %p1, a, a;", "add.rz.f32 d, a, a;", "fma.rn.sat.f32 d, a, a, a;"],
)  # fmt: skip
def test_inexact_operations(line):
    with pytest.raises(PTXError, match=r"not exact|contract|rounding mode|unknown opcode|not supported"):
        evaluate(line, np.float32, np.float32(1))


READ = (
    "".join(f"ld.param.f32 %f{k}, [p0];" for k in (1, 2, 3, 5, 8)) + "ld.param.f64 %fd2, [p1]; ld.param.f64 %fd3, [p1];"
)
MUL, ADD = "mul.f32 %f1, %f2, %f3;", "add.f32 %f4, %f1, %f5;"


@pytest.mark.parametrize(
    ("lines", "contracts"),
    [
        (MUL, False),
        (ADD, False),
        (MUL + ADD, True),
        (MUL + ADD.replace("add", "sub"), True),
        (MUL + ADD.replace("add", "add.rn"), False),
        (MUL.replace("mul", "mul.rn") + ADD, False),
        (MUL + "add.f32 %f4, %f2, %f3;", False),
        (MUL.replace("%f3", "0f3E800000") + ADD, False),
        (MUL.replace("%f3", "0f3E800001") + ADD, True),
        (MUL + "neg.f32 %f6, %f1; add.f32 %f7, %f5, %f6;", True),
        ("mov.f32 %f1, %f8; L: add.f32 %f4, %f1, %f5; mul.f32 %f6, %f2, %f3; mov.f32 %f1, %f6; bra L;", True),
        (MUL + "fma.rn.f32 %f4, %f1, %f2, %f1;", False),
        ("mul.f64 %fd1, %fd2, 0d4008000000000000; add.f64 %fd1, %fd3, %fd1;", True),
        ("mul.f64 %fd1, %fd2, 0d4010000000000000; add.f64 %fd1, %fd3, %fd1;", False),
    ],
)
def test_products_that_may_be_contracted_are_found_by_where_they_go(lines, contracts):
    text = kernel(READ + lines, "f32", "f64")
    with pytest.raises(PTXError, match="no rounding mode"):
        Program(text)
    if contracts:
        with pytest.raises(PTXError, match="contract with its sum"):
            Program(text, bare=True)
    else:
        Program(text, bare=True)
