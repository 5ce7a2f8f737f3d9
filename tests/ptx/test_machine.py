"""Divergence, barriers and the order of warps; faults planted in a small kernel are caught."""

import numpy as np
import pytest

from tests.ptx import Memory, Program, PTXError
from tests.ptx.snippets import kernel, run, store

SEEDS = range(10)
FOUR_WARPS = ".shared .align 4 .b8 cells[512];"


def test_a_loop_of_a_different_length_in_every_lane():
    out = np.zeros(100, np.uint32)
    body = f"""mov.u32 %r1, 0; mov.u32 %r2, 0; LOOP: setp.gt.u32 %p1, %r1, %r10; @%p1 bra DONE;
    add.u32 %r2, %r2, %r1; add.u32 %r1, %r1, 1; bra.uni LOOP; DONE: {store("%r2")}"""
    t = np.arange(100)
    for seed in (None, 3):
        out[:] = 0
        run(body, 100, out, seed=seed)
        np.testing.assert_array_equal(out, t * (t + 1) // 2)


def test_both_sides_of_a_branch_and_lanes_that_end_early():
    out = np.zeros(64, np.uint32)
    body = f"""and.b32 %r1, %r10, 3; setp.eq.u32 %p1, %r1, 1; @%p1 ret; setp.eq.u32 %p2, %r1, 2; @!%p2 bra ELSE;
    mov.u32 %r2, 7; bra JOIN; ELSE: mov.u32 %r2, 8; JOIN: activemask.b32 %r3; mul.lo.u32 %r2, %r2, %r3;
    {store("%r2")}"""
    run(body, 64, out)
    # Both sides come together again before the last instructions.
    want = np.array([8, 0, 7, 8], np.uint64) * 0xDDDDDDDD % 2**32
    np.testing.assert_array_equal(out, np.tile(want, 16))


def test_guarded_instructions_leave_other_lanes_alone():
    out = np.full(8, 5, np.uint32)
    body = f"""setp.lt.u32 %p1, %r10, 4; mov.u32 %r1, 1; @%p1 mov.u32 %r1, 2; @!%p1 add.u32 %r1, %r1, 9;
    @%p1 fma.rn.f32 %f1, 0f3F800000, 0f3F800000, 0f3F800000; {store("%r1")}"""
    run(body, 8, out)
    np.testing.assert_array_equal(out, [2] * 4 + [10] * 4)


def test_a_table_of_branches():
    out = np.zeros(6, np.uint32)
    body = f"""TABLE: .branchtargets A, B, C; rem.u32 %r1, %r10, 3; brx.idx %r1, TABLE; A: mov.u32 %r2, 10; bra E;
    B: mov.u32 %r2, 11; bra E; C: mov.u32 %r2, 12; E: {store("%r2")}"""
    run(body, 6, out)
    np.testing.assert_array_equal(out, [10, 11, 12] * 2)
    with pytest.raises(PTXError, match="no entry 3"):
        run(body.replace("rem.u32 %r1, %r10, 3", "mov.u32 %r1, %r10"), 6, out)


def neighbours(barrier="bar.sync 0;", last="", index="%r1"):
    """Return a body in which each thread reads what the thread 32 further on wrote to shared memory."""
    return f"""mov.u64 %rd1, cells; mul.wide.u32 %rd2, %r10, 4; add.s64 %rd3, %rd1, %rd2; st.shared.u32 [%rd3], %r10;
    {barrier} add.u32 %r1, %r10, 32; and.b32 %r1, %r1, 127; mul.wide.u32 %rd4, {index}, 4; add.s64 %rd5, %rd1, %rd4;
    ld.shared.u32 %r2, [%rd5]; {store("%r2")} {last}"""


@pytest.mark.parametrize(
    "barrier", ["bar.sync 0;", "barrier.sync.aligned 3;", "bar.sync 1, 128;", "barrier.cta.sync 0;"]
)
def test_a_barrier(barrier):
    out = np.zeros(128, np.uint32)
    for seed in (None, *SEEDS):
        run(neighbours(barrier), 128, out, outside=FOUR_WARPS, seed=seed)
        np.testing.assert_array_equal(out, (np.arange(128) + 32) % 128)


@pytest.mark.parametrize("seed", [None, *SEEDS])
def test_a_missing_barrier_is_a_race_in_any_order(seed):
    with pytest.raises(PTXError, match=r"race|nobody has written"):
        run(neighbours(""), 128, np.zeros(128, np.uint32), outside=FOUR_WARPS, seed=seed)


def test_a_missing_barrier_gives_other_values_in_some_order():
    """Through global memory, where races are not recorded."""
    body = f"""{store("%r10")} xor.b32 %r1, %r10, 32; mul.wide.u32 %rd1, %r1, 4; add.s64 %rd2, %rd10, %rd1;
    ld.global.u32 %r2, [%rd2]; {store("%r2", 1)}"""
    right = np.arange(64) ^ 32

    def result(seed):
        out = np.zeros(64, np.uint32)
        run(body, 64, np.full(64, 99, np.uint32), out, seed=seed)
        return out

    np.testing.assert_array_equal(result(None), right)
    assert any((result(seed) != right).any() for seed in SEEDS)


def test_a_second_round_without_a_second_barrier_is_a_race():
    again = "add.u32 %r3, %r10, 1; st.shared.u32 [%rd3], %r3;"
    out = np.zeros(128, np.uint32)
    run(neighbours(last=f"bar.sync 0; {again}"), 128, out, outside=FOUR_WARPS)
    for seed in (None, *SEEDS):
        with pytest.raises(PTXError, match="race in shared memory: write over what another warp read"):
            run(neighbours(last=again), 128, out, outside=FOUR_WARPS, seed=seed)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("@%p1 st.shared.u32 [cells], 1; @%p2 st.shared.u32 [cells], 2;", "write over what another warp wrote"),
        ("@%p1 st.shared.u32 [cells], 1; @%p2 st.shared.u8 [cells+3], 2;", "write over what another warp wrote"),
        ("@%p1 st.shared.u32 [cells], 1; @%p2 atom.shared.add.u32 %r1, [cells], 2;", "atomic on what a warp wrote"),
        # All warps read in one step: the record keeps them all.
        ("@%p1 st.shared.u32 [cells], 1; bar.sync 0; ld.shared.u32 %r1, [cells]; @%p2 st.shared.u32 [cells], 2;",
         "write over what another warp read"),
        ("@%p1 st.shared.u32 [cells], 1; bar.sync 0; red.shared.add.u32 [cells], 2; ld.shared.u32 %r1, [cells];",
         "read of what another warp wrote"),
        ("@%p1 st.shared.u32 [cells], 1; bar.sync 0; ld.shared.u32 %r1, [cells]; @%p1 red.shared.add.u32 [cells], 2;",
         "atomic on what another warp read"),
    ],
)  # fmt: skip
def test_races(lines, message):
    with pytest.raises(PTXError, match=message):
        run(f"setp.eq.u32 %p1, %r10, 0; setp.eq.u32 %p2, %r10, 32; {lines}", 64, outside=FOUR_WARPS)


def test_equal_values_from_several_warps_are_no_race():
    run(
        "st.shared.u32 [cells], 1; st.shared.u32 [cells], 1; bar.sync 0; ld.shared.u32 %r1, [cells];",
        64,
        outside=FOUR_WARPS,
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("setp.lt.u32 %p1, %r10, 7; @%p1 ret; bar.sync 0;", "while some threads have exited.*'bar.sync 0;'"),
        ("setp.lt.u32 %p1, %r10, 32; @%p1 bra A; bar.sync 1; A: bar.sync 0;", "some threads never come"),
        ("bar.sync 0, 96;", "some threads never come"),
        ("setp.lt.u32 %p1, %r10, 7; @%p1 bra A; bar.sync 0; ret; A: bar.sync 0;", "different barrier instructions"),
        ("trap;", r"trap.*thread \(0, 0, 0\)"),
        ("A: bra A;", "does not come to an end"),
    ],
)
def test_threads_that_do_not_come_through(lines, message, monkeypatch):
    monkeypatch.setattr(Program, "branches", 1000)
    for seed in (None, 1):
        with pytest.raises(PTXError, match=message):
            run(lines, 64, seed=seed)


def test_half_of_the_block_waits_at_a_barrier_of_its_own():
    out = np.zeros(128, np.uint32)
    body = f"""setp.ge.u32 %p1, %r10, 64; @%p1 bra E; mov.u64 %rd1, cells; mul.wide.u32 %rd2, %r10, 4;
    add.s64 %rd3, %rd1, %rd2; st.shared.u32 [%rd3], %r10; bar.sync 2, 64; xor.b32 %r1, %r10, 32;
    mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd1, %rd4; ld.shared.u32 %r2, [%rd5]; {store("%r2")} E: bar.sync 0;"""
    for seed in (None, *SEEDS):
        run(body, 128, out, outside=FOUR_WARPS, seed=seed)
        np.testing.assert_array_equal(out, [*(np.arange(64) ^ 32), *[0] * 64])


@pytest.mark.parametrize("lanes", [64, 256, 16384])
@pytest.mark.parametrize("seed", [None, 4])
def test_many_blocks_with_memory_of_their_own(lanes, seed, monkeypatch):
    monkeypatch.setattr(Program, "lanes", lanes)
    out = np.zeros(10 * 50, np.uint32)
    body = f"""mov.u32 %r1, %ctaid.x; mul.wide.u32 %rd1, %r10, 4; mov.u64 %rd2, cells; add.s64 %rd2, %rd2, %rd1;
    st.shared.u32 [%rd2], %r1; bar.sync 0; sub.u32 %r3, 49, %r10; mul.wide.u32 %rd1, %r3, 4; mov.u64 %rd2, cells;
    add.s64 %rd2, %rd2, %rd1; ld.shared.u32 %r2, [%rd2]; mad.lo.u32 %r10, %r1, 50, %r10; {store("%r2")}"""
    run(body, 50, out, outside=FOUR_WARPS, blocks=10, seed=seed)
    np.testing.assert_array_equal(out, np.repeat(np.arange(10), 50))


def test_the_last_block_to_arrive_sees_what_all_have_written():
    """A reduction over the grid in one launch: partial results, a ticket, and the last one adds them up."""
    body = """mov.u32 %r1, %ctaid.x; mov.u32 %r2, %nctaid.x; add.u32 %r3, %r1, 1; mul.wide.u32 %rd1, %r1, 4;
    add.s64 %rd1, %rd10, %rd1; st.global.u32 [%rd1], %r3; membar.gl; sub.u32 %r4, %r2, 1;
    atom.global.inc.u32 %r5, [%rd11], %r4; setp.ne.u32 %p1, %r5, %r4; @%p1 ret; mov.u32 %r6, 0; mov.u32 %r7, 0;
    LOOP: mul.wide.u32 %rd1, %r6, 4; add.s64 %rd1, %rd10, %rd1; ld.global.u32 %r8, [%rd1]; add.u32 %r7, %r7, %r8;
    add.u32 %r6, %r6, 1; setp.lt.u32 %p1, %r6, %r2; @%p1 bra LOOP; st.global.u32 [%rd12], %r7;"""
    for seed in (None, 1, 2):
        partial, ticket, total = np.zeros(40, np.uint32), np.zeros(1, np.uint32), np.zeros(1, np.uint32)
        run(body, 1, partial, ticket, total, blocks=40, seed=seed)
        assert (total[0], ticket[0]) == (820, 0)


def test_counts_of_executions():
    body = "mov.u32 %r1, 1; setp.lt.u32 %p1, %r10, 4; @%p1 bra E; add.rn.f32 %f1, 0f00000000, 0f00000000; E: ret;"
    program = run(body, 40, blocks=3)
    assert program.counts["add.rn.f32"] == 108
    assert program.counts["bra"] == 120
    assert program.counts["mov.u32"] == 2 * 120


def test_executions_by_warps():
    """Two warps of 32 and 8 threads in each of three blocks; only the first of them goes through the addition."""
    body = "setp.gt.u32 %p1, %r10, 5; @%p1 bra E; add.rn.f32 %f1, 0f00000000, 0f00000000; E: ret;"
    ran = {i.opcode: (threads, warps) for i, threads, warps in run(body, 40, blocks=3).executions}
    assert ran["setp.gt.u32"] == (120, 6)
    assert ran["add.rn.f32"] == (18, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block": 2000}, "2000 threads"),
        ({"block": 65}, r"\.maxntid"),
        ({"grid": (1, 2, 3, 4)}, "no size"),
        ({"grid": 0}, "no size"),
    ],
)
def test_launches_that_cannot_be(change, message):
    text = kernel("ret;").replace("k()", "k()\n.maxntid 64, 1, 1\n")
    launch = {"grid": 1, "block": 64} | change
    with pytest.raises((PTXError, ValueError), match=message):
        Program(text).run(launch["grid"], launch["block"], [], Memory())
