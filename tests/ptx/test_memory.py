"""Loads, stores and atomic operations, and what is wrong with an address."""

import numpy as np
import pytest

from tests.ptx import UNWRITTEN, Memory, Program, PTXError
from tests.ptx.snippets import kernel, run, store


def test_vectors():
    a, out = np.arange(8, dtype=np.uint32), np.zeros(8, np.uint32)
    body = """mul.wide.u32 %rd1, %r10, 16; add.s64 %rd2, %rd10, %rd1; add.s64 %rd3, %rd11, %rd1;
    ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd2]; st.global.v2.b32 [%rd3+8], {%r1, %r2};
    st.global.v2.u32 [%rd3], {%r4, %r3};"""
    run(body, 2, a, out)
    np.testing.assert_array_equal(out, [3, 2, 0, 1, 7, 6, 4, 5])


def test_narrow_loads_are_extended_and_narrow_stores_cut():
    a, out = np.array([0x80, 0x7F], np.uint8), np.zeros(4, np.uint32)
    body = """ld.global.nc.s8 %r1, [%rd10]; ld.global.L1::no_allocate.u8 %r2, [%rd10];
    ld.volatile.global.u8 %rs1, [%rd10+1];
    mov.u32 %r4, 0x12345678; st.global.u32 [%rd11], %r1; st.global.u32 [%rd11+4], %r2; st.global.u8 [%rd11+8], %rs1;
    st.relaxed.gpu.global.u16 [%rd11+12], %r4;"""
    run(body, 1, a, out)
    np.testing.assert_array_equal(out, [0xFFFFFF80, 0x80, 0x7F, 0x5678])


def test_data_of_the_module():
    out = np.zeros(4, np.uint32)
    outside = """.const .align 4 .b8 bytes[8] = {1, 2, 3, 4, 0xFF};
    .visible .global .align 4 .u32 words[2] = {7, -1};\n.global .u32 zero;"""
    body = """ld.const.u32 %r1, [bytes]; ld.const.u8 %r2, [bytes+4]; mov.u64 %rd1, words; cvta.global.u64 %rd2, %rd1;
    ld.u32 %r3, [%rd2+4]; ld.global.u32 %r4, [zero]; st.global.v4.u32 [%rd10], {%r1, %r2, %r3, %r4};"""
    run(body, 1, out, outside=outside)
    np.testing.assert_array_equal(out, [0x04030201, 0xFF, 2**32 - 1, 0])


def test_generic_addresses_reach_shared_and_global_memory():
    out = np.zeros(4, np.uint32)
    outside = ".shared .align 4 .b8 other[12]; .shared .align 16 .b8 ours[16];"
    body = """mov.u64 %rd1, ours; cvta.shared.u64 %rd2, %rd1; mul.wide.u32 %rd3, %r10, 4;
    add.s64 %rd5, %rd2, %rd3; st.u32 [%rd5], %r10; cvta.to.shared.u64 %rd6, %rd5; ld.shared.u32 %r1, [%rd6];
    add.s64 %rd7, %rd10, %rd3; setp.eq.u32 %p1, %r10, 1; selp.b64 %rd8, %rd5, %rd7, %p1; st.u32 [%rd8], 9;
    ld.shared.u32 %r2, [%rd6]; st.global.u32 [%rd7], %r2; isspacep.shared %p2, %rd5; @!%p2 trap;"""
    run(body, 4, out, outside=outside)
    np.testing.assert_array_equal(out, [0, 9, 2, 3])


@pytest.mark.parametrize(
    "lines",
    [
        "ld.global.u32 %r1, [%rd10+12];",
        "ld.global.v2.u64 {%rd1, %rd2}, [%rd10];",
        "st.global.u64 [%rd10], 1; ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd10];",
        "st.global.u64 [%rd10], 1; atom.global.add.u32 %r1, [%rd10+8], 1;",
        "ld.u32 %r1, [%rd10];",
    ],
)
def test_global_memory_that_nobody_has_written_is_not_read(lines):
    array = np.full(16, UNWRITTEN, np.uint8)
    with pytest.raises(PTXError, match=r"read of global memory that nobody has written: .* in thread"):
        run(lines, 1, array)
    run(f"st.global.v2.u64 [%rd10], {{0, 0}}; {lines}", 1, array)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ld.global.u32 %r1, [%rd10+16];", "out of bounds: 4 bytes at 16 of an allocation of 16"),
        ("ld.global.u32 %r1, [%rd10+-4];", "out of bounds"),
        ("ld.global.u64 %rd1, [%rd10+4];", "is not a multiple of 8"),
        ("ld.global.v2.u32 {%r1, %r2}, [%rd10+4];", "is not a multiple of 8"),
        ("st.global.u32 [%rd10+16], %r10;", "out of bounds"),
        ("mov.u64 %rd1, 0; ld.global.u32 %r1, [%rd1];", "out of bounds"),
        ("st.global.u32 [%rd10], %r10;", "different values at one address"),
        ("red.global.add.u32 [%rd10+16], 1;", "out of bounds"),
        ("ld.shared.u32 %r1, [buffer];", "nobody has written"),
        ("atom.shared.add.u32 %r1, [buffer], 1;", "nobody has written"),
        ("st.shared.u16 [buffer], 1; ld.shared.u32 %r1, [buffer];", "nobody has written"),
        ("st.shared.u32 [buffer+64], 1;", "out of bounds: 64 bytes"),
        ("st.shared.u32 [%rd10], 1;", "out of bounds: 64 bytes"),
        ("st.shared.u32 [buffer+-4], 1;", "out of bounds"),
        ("st.shared.u32 [buffer+2], 1;", "is not a multiple of 4"),
        ("st.shared.u32 [buffer], %r10;", "different values at one address"),
        ("mov.u64 %rd1, buffer; ld.u32 %r1, [%rd1];", "out of bounds"),
        ("ld.local.u32 %r1, [%rd10];", "local memory"),
        (".local .align 4 .b8 depot[8];", "local memory"),
        ("mov.u64 %rd1, fixed; st.global.u32 [%rd1], 1;", "out of bounds"),
        ("st.const.u32 [fixed], 1;", "cannot be written"),
        ("ld.const.u32 %r1, [%rd10];", "out of bounds"),
        ("ld.param.u64 %rd1, [p1];", "parameter p1[+]0 does not exist"),
        ("ld.global.v2.u32 %r1, [%rd10];", "has not 2 elements"),
        ("ld.global.u64 %r1, [%rd10];", r"is \.b32, written as \.u64"),
        ("atom.global.max.f32 %f1, [%rd10], %f2;", r"no atomic \.max of \.f32"),
    ],
)
def test_faults_of_access(line, message):
    outside = ".shared .align 8 .b8 buffer[64];\n.const .align 4 .u32 fixed = 1;"
    with pytest.raises(PTXError, match=message):
        run(line, 2, np.zeros(4, np.uint32), outside=outside)


def test_a_fault_names_the_instruction_and_the_thread():
    a = np.zeros(40, np.uint32)
    with pytest.raises(PTXError, match=r"'st.global.b32 \[%rd18\], %r10;' in thread \(40, 0, 0\) of block \(0, 0, 0\)"):
        run(store("%r10"), 41, a)


def test_arrays_that_cannot_be_registered_or_written():
    with pytest.raises(ValueError, match="C-contiguous"):
        Memory().add(np.zeros((4, 4))[:, 1])
    fixed = np.zeros(1, np.uint32)
    fixed.flags.writeable = False
    with pytest.raises(PTXError, match="only read"):
        run("st.global.u32 [%rd10], 1;", 1, fixed)
    with pytest.raises(PTXError, match="only read"):
        run("red.global.add.u32 [%rd10], 1;", 1, fixed)


def test_dynamic_shared_memory_begins_after_the_static():
    outside = ".shared .align 4 .b8 fixed[4]; .extern .shared .align 16 .b8 rest[];"
    body = "mov.u64 %rd1, rest; st.shared.u32 [fixed], 5; st.shared.u32 [rest+12], 7; ld.shared.u32 %r1, [fixed];"
    out = np.zeros(1, np.uint32)
    run(body + store("%r1"), 1, out, outside=outside, shared_bytes=16)
    assert out[0] == 5
    with pytest.raises(PTXError, match="out of bounds"):
        run(body, 1, out, outside=outside, shared_bytes=12)


ATOMICS = {
    "add.u32": (np.uint32, lambda old, x: old + x), "min.s32": (np.int32, min), "max.s32": (np.int32, max),
    "max.u64": (np.uint64, max), "and.b32": (np.uint32, lambda old, x: old & x),
    "or.b32": (np.uint32, lambda old, x: old | x),
    "xor.b64": (np.uint64, lambda old, x: old ^ x), "exch.b32": (np.uint32, lambda old, x: x),
    "inc.u32": (np.uint32, lambda old, x: 0 if old >= x else old + 1),
    "dec.u32": (np.uint32, lambda old, x: x if old == 0 or old > x else old - 1),
}  # fmt: skip


@pytest.mark.parametrize("name", ATOMICS)
@pytest.mark.parametrize("space", ["global", "shared"])
def test_atomics_serve_lanes_in_order(name, space):
    dtype, function = ATOMICS[name]
    kind, width = name.split(".")[1], dtype().itemsize
    values = np.random.default_rng(8).integers(0, 50, 50).astype(dtype)
    total, olds = np.array([20], dtype), np.zeros(50, dtype)
    word = "%rd" if width == 8 else "%r"
    body = f"""mul.wide.u32 %rd1, %r10, {width}; add.s64 %rd2, %rd10, %rd1; ld.global.{kind} {word}2, [%rd2];
    ld.global.{kind} {word}3, [%rd11]; setp.eq.u32 %p1, %r10, 0; @%p1 st.shared.{kind} [cell], {word}3; bar.sync 0;
    atom.{space}.{name} {word}1, [{"cell" if space == "shared" else "%rd11"}], {word}2; {store(word + "1", 2, width)}
    bar.sync 0;"""
    if space == "shared":
        body += f"ld.shared.{kind} {word}3, [cell]; st.global.{kind} [%rd11], {word}3;"
    run(body, 50, values, total, olds, outside=".shared .align 8 .b8 cell[8];")
    state, want = 20, []
    for value in values.tolist():
        want.append(state)
        state = function(state, value)
    np.testing.assert_array_equal(olds, want)
    assert total[0] == state


@pytest.mark.parametrize(("kind", "dtype"), [("f32", np.float32), ("f64", np.float64)])
def test_atomic_addition_of_reals_rounds_lane_after_lane(kind, dtype):
    values = np.random.default_rng(9).normal(size=1000).astype(dtype)
    total = np.zeros(1, dtype)
    width, register = dtype().itemsize, "%f1" if kind == "f32" else "%fd1"
    body = f"""mul.wide.u32 %rd1, %r10, {width}; add.s64 %rd2, %rd10, %rd1; ld.global.{kind} {register}, [%rd2];
    red.relaxed.gpu.global.add.{kind} [%rd11], {register};"""
    run(body, 1000, values, total)
    want = dtype(0)
    for value in values:
        want += value
    assert total[0] == want
    again = np.zeros(1, dtype)
    run(body, 1000, values, again, seed=1)
    assert again[0] != want
    assert abs(again[0] - want) < 1e-3


def test_compare_and_swap_over_blocks():
    taken, winners = np.zeros(1, np.uint32), np.zeros(6, np.uint32)
    body = """mov.u32 %r1, %ctaid.x; mad.lo.u32 %r10, %r1, 2, %r10; add.u32 %r2, %r10, 1;
    atom.acq_rel.gpu.global.cas.b32 %r3, [%rd10], 0, %r2;"""
    run(body + store("%r3", 1), 2, taken, winners, blocks=3)
    np.testing.assert_array_equal(winners, [0, 1, 1, 1, 1, 1])
    run(body + store("%r3", 1), 2, np.zeros(1, np.uint32), winners, blocks=3, seed=5)
    assert np.count_nonzero(winners == 0) == 1


def test_addresses_in_several_allocations_at_once():
    a, b = np.array([1], np.uint32), np.array([2], np.uint32)
    out = np.zeros(4, np.uint32)
    body = """and.b32 %r1, %r10, 1; setp.eq.u32 %p1, %r1, 0; selp.b64 %rd1, %rd11, %rd12, %p1;
    ld.global.u32 %r2, [%rd1];"""
    run(body + store("%r2"), 4, out, a, b)
    np.testing.assert_array_equal(out, [1, 2, 1, 2])


def test_module_data_keeps_its_values_between_runs():
    text = kernel("ld.param.u64 %rd1, [p0]; atom.global.add.u32 %r1, [count], 1; st.global.u32 [%rd1], %r1;", "u64")
    program = Program(text.replace(".visible", ".global .u32 count = 5;\n.visible"))
    out, memory = np.zeros(1, np.uint32), Memory()
    address = memory.add(out)
    for want in (5, 6):
        program.run(1, 1, [address], memory)
        assert out[0] == want
