"""Conversions against Python's integers and fractions."""

from fractions import Fraction

import numpy as np
import pytest

from tests.ptx import PTXError
from tests.ptx.snippets import evaluate
from tests.ptx.test_integer import KINDS, expect, own, pairs
from tests.ptx.test_real import EDGES, same

HALVES = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, 2.0**31, -(2.0**31), 2.0**32, 2.0**63, -(2.0**63), 2.0**64]
NUMBERS = [*EDGES, *HALVES, 254.5, 255.5, 65535.5, -128.5, 1e19, -1e19]
FLOATS = {"f16": np.float16, "f32": np.float32, "f64": np.float64}


def rounded(x, mode):
    """Round a fraction to an integer."""
    down = x.numerator // x.denominator
    up = -(-x.numerator // x.denominator)
    return {"rni": round(x), "rzi": down if x > 0 else up, "rmi": down, "rpi": up}[mode]


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_between_integers(source, to):
    a, _ = pairs(own(source))
    limits = np.iinfo(own(to))
    got = evaluate(f"cvt.{to}.{source} d, a;", own(to), a)
    np.testing.assert_array_equal(got, expect(lambda x: x, own(to), a))
    got = evaluate(f"cvt.sat.{to}.{source} d, a;", own(to), a)
    np.testing.assert_array_equal(got, expect(lambda x: min(max(x, limits.min), limits.max), own(to), a))


@pytest.mark.parametrize(("kind", "want"), [("s8", -128), ("u8", 128), ("s16", 0x0F80), ("u16", 0x0F80)])
def test_registers_wider_than_the_types(kind, want):
    word = np.uint32(0xABCD0F80)
    assert evaluate(f"cvt.s32.{kind} d, a;", np.int32, word)[0] == want
    # The destination is wider than the type: it is extended by the sign of the type.
    assert evaluate(f"cvt.{kind}.u32 d, a;", np.int32, word)[0] == want


@pytest.mark.parametrize("mode", ["rni", "rzi", "rmi", "rpi"])
@pytest.mark.parametrize("source", FLOATS)
@pytest.mark.parametrize("to", KINDS)
def test_reals_to_integers_round_and_clamp(to, source, mode):
    with np.errstate(over="ignore"):
        a = np.array(NUMBERS, FLOATS[source])
    limits, bits = np.iinfo(own(to)), int(to[1:])
    # The manual's rule for NaN.
    of_nan = 1 << bits - 1 if source == "f64" or bits == 64 else 0

    def reference(x):
        if np.isnan(x):
            return of_nan
        if np.isinf(x):
            return limits.max if x > 0 else limits.min
        return min(max(rounded(Fraction(float(x)), mode), limits.min), limits.max)

    want = np.array([reference(x) % 2**bits for x in a], f"u{bits // 8}").view(own(to))
    np.testing.assert_array_equal(evaluate(f"cvt.{mode}.{to}.{source} d, a;", own(to), a), want)


@pytest.mark.parametrize("mode", ["rni", "rzi", "rmi", "rpi"])
@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_reals_to_integral_reals(kind, mode):
    a = np.array(NUMBERS, FLOATS[kind])
    want = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}[mode](a)
    same(evaluate(f"cvt.{mode}.{kind}.{kind} d, a;", a.dtype, a), want)


def nearest_first(value, dtype):
    """Return the neighbours of an exact value in a type: (below or equal, above or equal)."""
    guess = dtype(value.numerator / value.denominator)
    with np.errstate(over="ignore"):
        around = [np.nextafter(guess, dtype(-np.inf)), guess, np.nextafter(guess, dtype(np.inf))]
    finite = [x for x in around if np.isfinite(x)]
    return max(x for x in finite if Fraction(float(x)) <= value), min(x for x in finite if Fraction(float(x)) >= value)


@pytest.mark.parametrize("mode", ["rn", "rz", "rm", "rp"])
@pytest.mark.parametrize(
    ("source", "to"),
    [("s32", "f32"), ("u32", "f32"), ("u32", "f64"), ("s64", "f32"), ("u64", "f32"), ("s64", "f64"), ("u64", "f64"),
     ("f64", "f32")],
)  # fmt: skip
def test_what_does_not_fit_is_rounded_as_asked(source, to, mode):
    rng = np.random.default_rng(6)
    if source == "f64":
        a = rng.normal(size=200) * 10.0 ** rng.integers(-3, 3, 200)
        exact = [Fraction(x) for x in a]
    else:
        a, _ = pairs(own(source))
        exact = [Fraction(int(x)) for x in a]
    got = evaluate(f"cvt.{mode}.{to}.{source} d, a;", FLOATS[to], a)
    for x, r in zip(exact, got, strict=True):
        below, above = nearest_first(x, FLOATS[to])
        gaps = x - Fraction(float(below)), Fraction(float(above)) - x
        even = below if int(below.view(f"u{below.itemsize}")) % 2 == 0 else above
        nearest = even if gaps[0] == gaps[1] else (below if gaps[0] < gaps[1] else above)
        assert r == {"rn": nearest, "rz": below if x > 0 else above, "rm": below, "rp": above}[mode]


def test_halves():
    every = np.arange(2**16, dtype=np.uint16)[::37]
    same(evaluate("cvt.f32.f16 d, a;", np.float32, every), every.view(np.float16).astype(np.float32))
    a = np.array([1.0, 1.0 + 2.0**-11, 1.0 + 3 * 2.0**-11, 65519, 65520, 1e-8, np.nan], np.float32)
    with np.errstate(over="ignore"):
        same(evaluate("cvt.rn.f16.f32 d, a;", np.float16, a), a.astype(np.float16))


def test_saturated_reals():
    a = np.array([-1, -0.0, 0.25, 1, 7, np.nan], np.float32)
    same(evaluate("cvt.sat.f32.f32 d, a;", np.float32, a), np.array([0, 0, 0.25, 1, 1, 0], np.float32))


@pytest.mark.parametrize(
    "line", ["cvt.f32.s32 d, a;", "cvt.u32.f32 d, a;", "cvt.rn.u32.f32 d, a;", "cvt.rn.s32.u32 d, a;"]
)
def test_a_rounding_that_is_missing_or_has_no_meaning(line):
    with pytest.raises(PTXError, match=r"needs one of|not supported"):
        evaluate(line, np.uint32, np.uint32(1))
