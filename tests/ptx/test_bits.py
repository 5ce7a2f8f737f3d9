"""Logic, shifts and bit fields against Python's integers, bit by bit as the manual defines them."""

import itertools

import numpy as np
import pytest

from tests.ptx.snippets import evaluate
from tests.ptx.test_integer import expect, own, pairs

AMOUNTS = np.array([0, 1, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 255, 2**31, 2**32 - 1], np.uint32)


def crossed(dtype, amounts=AMOUNTS):
    """Return words and amounts, each with each."""
    a, _ = pairs(dtype)
    x, y = np.meshgrid(a[::3], amounts)
    return x.ravel(), y.ravel()


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_logic(bits):
    a, b = pairs(np.dtype(f"u{bits // 8}"))
    for name, function in (("and", np.bitwise_and), ("or", np.bitwise_or), ("xor", np.bitwise_xor)):
        np.testing.assert_array_equal(evaluate(f"{name}.b{bits} d, a, b;", a.dtype, a, b), function(a, b))
    np.testing.assert_array_equal(evaluate(f"not.b{bits} d, a;", a.dtype, a), ~a)
    np.testing.assert_array_equal(evaluate(f"cnot.b{bits} d, a;", a.dtype, a), a == 0)


def test_logic_of_predicates():
    a, b = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    for name, function in (("and", np.logical_and), ("or", np.logical_or), ("xor", np.logical_xor)):
        np.testing.assert_array_equal(evaluate(f"{name}.pred d, a, b;", bool, a, b), function(a, b))
    np.testing.assert_array_equal(evaluate("not.pred d, a;", bool, a), ~a)


@pytest.mark.parametrize("kind", ["b16", "b32", "b64"])
def test_shift_left_by_the_width_and_more_leaves_nothing(kind):
    a, b = crossed(np.dtype(f"u{int(kind[1:]) // 8}"))
    want = expect(lambda x, n: x << min(n, 64), a.dtype, a, b)
    np.testing.assert_array_equal(evaluate(f"shl.{kind} d, a, b;", a.dtype, a, b), want)


@pytest.mark.parametrize("kind", ["u16", "s16", "b32", "u32", "s32", "u64", "s64"])
def test_shift_right_by_the_width_and_more_leaves_the_sign(kind):
    a, b = crossed(own(kind))
    want = expect(lambda x, n: x >> min(n, 64), a.dtype, a, b)
    np.testing.assert_array_equal(evaluate(f"shr.{kind} d, a, b;", a.dtype, a, b), want)


@pytest.mark.parametrize("amount", [0, 31, 32, 40])
def test_shift_by_a_constant(amount):
    a, _ = pairs(np.dtype("i4"))
    got = evaluate(f"shr.s32 d, a, {amount};", np.int32, a)
    np.testing.assert_array_equal(got, expect(lambda x: x >> amount, a.dtype, a))
    got = evaluate(f"shl.b32 d, a, {amount};", np.int32, a)
    np.testing.assert_array_equal(got, expect(lambda x: x << amount, a.dtype, a))


@pytest.mark.parametrize("mode", ["wrap", "clamp"])
@pytest.mark.parametrize("side", ["l", "r"])
def test_funnel_shift(side, mode):
    a, n = crossed(np.dtype("u4"))
    b = a[::-1].copy()

    def reference(low, high, n):
        n = n & 31 if mode == "wrap" else min(n, 32)
        both = high << 32 | low
        return both << n >> 32 if side == "l" else both >> n

    want = expect(reference, a.dtype, a, b, n)
    np.testing.assert_array_equal(evaluate(f"shf.{side}.{mode}.b32 d, a, b, c;", a.dtype, a, b, n), want)


@pytest.mark.parametrize("table", [0x00, 0x80, 0xFE, 0x96, 0xE8, 0xCA, 0x1B, 0xFF])
def test_lop3(table):
    rows = np.array(list(itertools.product([0, 1], repeat=3)), np.uint32)
    # Each of the eight rows in a bit of its own.
    a, b, c = (np.uint32(sum(int(bit) << k for k, bit in enumerate(column))) for column in rows.T)
    got = evaluate(f"lop3.b32 d, a, b, c, {table:#x};", np.uint32, a, b, c)
    assert got[0] & 0xFF == table


def test_prmt():
    a, b = np.uint32(0x83_72_61_50), np.uint32(0xC7_36_A5_14)
    octets = [int(x) >> 8 * k & 0xFF for x in (a, b) for k in range(4)]
    selectors = np.random.default_rng(3).integers(0, 2**16, 200, np.uint32)

    def reference(selector):
        value = 0
        for k in range(4):
            pick = selector >> 4 * k & 15
            octet = octets[pick & 7]
            value |= ((0xFF if octet & 0x80 else 0) if pick & 8 else octet) << 8 * k
        return value

    got = evaluate("prmt.b32 d, a, b, c;", np.uint32, a, b, selectors)
    np.testing.assert_array_equal(got, expect(reference, np.dtype("u4"), selectors))


FIELDS = np.array(list(itertools.product([0, 1, 5, 31, 32, 40, 63, 64, 255, 256], [0, 1, 8, 31, 32, 33, 64, 255, 257])))


@pytest.mark.parametrize("kind", ["u32", "s32", "u64", "s64"])
@pytest.mark.parametrize("word", [0x80F0_1234_9234_5678, 0x7FFF_0001_0000_FFFF, 2**64 - 1])
def test_extract_a_bit_field(kind, word):
    bits, signed = int(kind[1:]), kind[0] == "s"
    a = np.array([word % 2**bits], f"u{bits // 8}").view(own(kind))[0]
    position, length = FIELDS.T.astype(np.uint32)

    def reference(pos, count):
        pos, count, top = pos & 255, count & 255, bits - 1
        sign = 0 if not signed or count == 0 else word >> min(pos + count - 1, top) & 1
        return sum((word >> pos + k & 1 if k < count and pos + k <= top else sign) << k for k in range(bits))

    got = evaluate(f"bfe.{kind} d, a, b, c;", own(kind), a, position, length)
    np.testing.assert_array_equal(got, expect(reference, own(kind), position, length))


@pytest.mark.parametrize("bits", [32, 64])
def test_insert_a_bit_field(bits):
    dtype = np.dtype(f"u{bits // 8}")
    a, b = dtype.type(0xDEADBEEF), dtype.type(0x0F0F1234)
    position, length = FIELDS.T.astype(np.uint32)

    def reference(pos, count):
        pos, count, value = pos & 255, count & 255, int(b)
        for k in range(count):
            if pos + k < bits:
                value = value & ~(1 << pos + k) | (int(a) >> k & 1) << pos + k
        return value

    got = evaluate(f"bfi.b{bits} d, a, b, c, e;", dtype, a, b, position, length)
    np.testing.assert_array_equal(got, expect(reference, dtype, position, length))


@pytest.mark.parametrize("bits", [32, 64])
def test_counts_of_bits(bits):
    a, _ = pairs(np.dtype(f"u{bits // 8}"))
    word = np.dtype("u4")
    got = evaluate(f"popc.b{bits} d, a;", np.uint32, a)
    np.testing.assert_array_equal(got, expect(int.bit_count, word, a))
    got = evaluate(f"clz.b{bits} d, a;", np.uint32, a)
    np.testing.assert_array_equal(got, expect(lambda x: bits - x.bit_length(), word, a))
    got = evaluate(f"brev.b{bits} d, a;", a.dtype, a)
    np.testing.assert_array_equal(got, expect(lambda x: int(f"{x:0{bits}b}"[::-1], 2), a.dtype, a))


@pytest.mark.parametrize("kind", ["u32", "s32", "u64", "s64"])
def test_find_the_highest_bit(kind):
    a, _ = pairs(own(kind))
    bits = int(kind[1:])

    def place(x):
        return (~x if x < 0 else x).bit_length() - 1

    def distance(x):
        return -1 if place(x) < 0 else bits - 1 - place(x)

    np.testing.assert_array_equal(evaluate(f"bfind.{kind} d, a;", np.uint32, a), expect(place, np.dtype("u4"), a))
    got = evaluate(f"bfind.shiftamt.{kind} d, a;", np.uint32, a)
    np.testing.assert_array_equal(got, expect(distance, np.dtype("u4"), a))
