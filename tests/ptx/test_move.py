"""Moves, selections and special registers."""

import numpy as np
import pytest

from tests.ptx import Memory, Program, PTXError
from tests.ptx.snippets import evaluate, kernel, run, store
from tests.ptx.test_integer import pairs


def test_words_are_packed_and_unpacked_lowest_first():
    low, high = np.uint32(0x11112222), np.uint32(0xFFFFEEEE)
    assert evaluate("mov.b64 d, {a, b};", np.uint64, low, high)[0] == 0xFFFFEEEE_11112222
    word = np.uint64(0xFFFFEEEE_11112222)
    assert evaluate(".reg .b32 x; mov.b64 {d, x}, a;", np.uint32, word)[0] == low
    assert evaluate("mov.b64 {_, d}, a;", np.uint32, word)[0] == high
    assert evaluate(".reg .b16 x, y; mov.b32 {x, y}, a; mov.b32 d, {y, x};", np.uint32, low)[0] == 0x22221111


@pytest.mark.parametrize(
    ("kind", "text", "bits"),
    [("f32", "0f3F800001", 0x3F800001), ("b32", "0fFF800000", 0xFF800000),
     ("f64", "0d3FF0000000000001", 0x3FF0000000000001),
     ("s32", "-2", 2**32 - 2), ("u32", "0xFFU", 0xFF), ("u64", "017", 15), ("b32", "WARP_SZ", 32)],
)  # fmt: skip
def test_literals(kind, text, bits):
    assert evaluate(f"mov.{kind} d, {text};", f"u{int(kind[1:]) // 8}", np.uint32(0))[0] == bits


@pytest.mark.parametrize(
    "line", ["mov.u32 d, 4294967296;", "mov.f32 d, 0d3FF0000000000000;", "mov.f32 d, 1;", "mov.u32 d, x;"]
)
def test_literals_that_do_not_fit(line):
    with pytest.raises(PTXError, match=r"does not fit|is not of type|is unknown"):
        evaluate(line, np.uint32, np.uint32(0))


def test_selections():
    a, b = pairs(np.dtype("i4"))
    p = a > b
    np.testing.assert_array_equal(evaluate("selp.s32 d, a, b, c;", np.int32, a, b, p), np.where(p, a, b))
    np.testing.assert_array_equal(evaluate("slct.u32.s32 d, a, b, c;", np.int32, a, b, b), np.where(b >= 0, a, b))
    x = np.array([1, -1, -0.0, np.nan], np.float32)
    np.testing.assert_array_equal(evaluate("slct.u32.f32 d, 1, 0, a;", np.uint32, x), [1, 0, 1, 0])


@pytest.mark.parametrize(("kind", "dtype"), [("s32", "i4"), ("u32", "u4"), ("s16", "i2"), ("u64", "u8"), ("b64", "u8")])
def test_comparisons_of_integers(kind, dtype):
    a, b = pairs(np.dtype(dtype))
    functions = {"eq": np.equal, "ne": np.not_equal}
    if kind[0] != "b":
        functions |= {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
    if kind[0] == "u":
        functions |= {"lo": np.less, "ls": np.less_equal, "hi": np.greater, "hs": np.greater_equal}
    for name, function in functions.items():
        np.testing.assert_array_equal(evaluate(f"setp.{name}.{kind} d, a, b;", bool, a, b), function(a, b), name)
    wrong = "lt" if kind[0] == "b" else "num"
    with pytest.raises(PTXError, match="no comparison"):
        evaluate(f"setp.{wrong}.{kind} d, a, b;", bool, a, b)


@pytest.mark.parametrize("name", ["and", "or", "xor"])
def test_comparisons_combined_with_a_predicate(name):
    a, b, c = (
        x.ravel() for x in np.meshgrid(np.arange(3, dtype=np.int32), np.arange(3, dtype=np.int32), [False, True])
    )
    combine = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}[name]
    both = f".reg .pred p, q; setp.lt.{name}.s32 p|q, a, b, c;"
    np.testing.assert_array_equal(evaluate(f"{both} mov.pred d, p;", bool, a, b, c), combine(a < b, c))
    np.testing.assert_array_equal(evaluate(f"{both} mov.pred d, q;", bool, a, b, c), combine(a >= b, c))
    inverse = f"setp.lt.{name}.s32 d, a, b, !c;"
    np.testing.assert_array_equal(evaluate(inverse, bool, a, b, c), combine(a < b, ~c))
    got = evaluate(f"set.lt.{name}.u32.s32 d, a, b, c;", np.uint32, a, b, c)
    np.testing.assert_array_equal(got, np.where(combine(a < b, c), 2**32 - 1, 0))


@pytest.mark.parametrize(
    ("register", "want"),
    [("%tid.x", lambda t: t % 5), ("%tid.y", lambda t: t // 5 % 3), ("%tid.z", lambda t: t // 15),
     ("%ntid.y", lambda t: 3),
     ("%laneid", lambda t: t % 32), ("%warpid", lambda t: t // 32), ("%lanemask_lt", lambda t: 2 ** (t % 32) - 1),
     ("%lanemask_ge", lambda t: 2**32 - 2 ** (t % 32)), ("%nctaid.x", lambda t: 4),
     ("%dynamic_smem_size", lambda t: 48)],
)  # fmt: skip
def test_special_registers(register, want):
    number = "mad.lo.u32 %r1, %tid.z, 3, %tid.y; mad.lo.u32 %r10, %r1, 5, %tid.x;"
    text = kernel(f"{number} ld.param.u64 %rd10, [p0]; mov.u32 %r5, {register}; {store('%r5')}", "u64")
    out, memory = np.zeros(60, np.uint32), Memory()
    Program(text).run((4, 2), (5, 3, 4), [memory.add(out)], memory, blocks=[0], shared_bytes=48)
    np.testing.assert_array_equal(out, [want(t) for t in range(60)])


def test_blocks_in_three_dimensions():
    body = """ld.param.u64 %rd10, [p0]; mad.lo.u32 %r1, %ctaid.z, 3, %ctaid.y; mad.lo.u32 %r10, %r1, 2, %ctaid.x;
    add.u32 %r2, %r10, 100;"""
    out, memory = np.zeros(24, np.uint32), Memory()
    program = Program(kernel(body + store("%r2"), "u64"))
    program.run((2, 3, 4), 1, [memory.add(out)], memory)
    np.testing.assert_array_equal(out, 100 + np.arange(24))
    out[:] = 0
    program.run((2, 3, 4), 1, [memory.add(out)], memory, blocks=[3, 7])
    np.testing.assert_array_equal(np.flatnonzero(out), [3, 7])


def test_a_clock_is_not_the_same_twice():
    with pytest.raises(PTXError, match="%clock is not supported"):
        run("mov.u32 %r1, %clock;", 1)


def test_parameters_are_converted_to_their_types():
    body = """ld.param.u64 %rd10, [p0]; ld.param.s8 %r1, [p1]; ld.param.f32 %f1, [p2]; ld.param.u32 %r2, [p3+4];
    st.global.u32 [%rd10], %r1; st.global.f32 [%rd10+4], %f1; st.global.u32 [%rd10+8], %r2;"""
    out, memory = np.zeros(3, np.uint32), Memory()
    program = Program(kernel(body, "u64", "s8", "f32", "u64"))
    assert [kind for _, kind, _ in program.params] == ["u64", "s8", "f32", "u64"]
    program.run(1, 1, [memory.add(out), -3, 0.1, np.uint64(7 << 32)], memory)
    assert out.view(np.int32)[0] == -3
    assert out.view(np.float32)[1] == np.float32(0.1)
    assert out[2] == 7
    for wrong in ([0, 0, 0], [0, 1.5, 0.0, 0], [0, 0, 0.0, 0, 0]):
        with pytest.raises(PTXError, match=r"arguments|the real"):
            program.run(1, 1, wrong, memory)
