"""Shuffles, votes and matches, at whole and partial masks."""

import numpy as np
import pytest

from tests.ptx import PTXError
from tests.ptx.snippets import run, store

FULL = "0xffffffff"
AROUND = "setp.lt.u32 %p1, %r10, 16; @%p1 bra E;"


def shuffle(mode, amount, control, threads=64, members=FULL, guard=""):
    """Return what every lane reads from a shuffle of 100 + thread, and whether from within its segment."""
    values, inside = np.zeros(threads, np.uint32), np.zeros(threads, np.uint32)
    body = f"""add.u32 %r1, %r10, 100; mov.u32 %r2, 0; setp.ne.u32 %p1, %r10, %r10; {guard}
    shfl.sync.{mode}.b32 %r2|%p1, %r1, {amount}, {control}, {members};
    AFTER: selp.u32 %r3, 1, 0, %p1;"""
    run(body + store("%r2") + store("%r3", 1), threads, values, inside)
    return values, inside


def reference(mode, amount, control, lane):
    """Return source lane and predicate as the manual's pseudocode gives them."""
    bval, cval, segment = amount & 31, control & 31, control >> 8 & 31
    most, least = lane & segment | cval & ~segment, lane & segment
    if mode == "up":
        j, p = lane - bval, lane - bval >= most
    elif mode == "down":
        j, p = lane + bval, lane + bval <= most
    elif mode == "bfly":
        j, p = lane ^ bval, lane ^ bval <= most
    else:
        j = least | bval & ~segment
        p = j <= most
    return (j if p else lane), p


@pytest.mark.parametrize("width", [32, 8])
@pytest.mark.parametrize("amount", [0, 1, 5, 16, 31, 33])
@pytest.mark.parametrize("mode", ["up", "down", "bfly", "idx"])
def test_shuffles(mode, amount, width):
    control = 32 - width << 8 | (0 if mode == "up" else 31)
    values, inside = shuffle(mode, amount, control)
    for thread in range(64):
        source, p = reference(mode, amount, control, thread % 32)
        assert (values[thread], inside[thread]) == (100 + thread // 32 * 32 + source, p)


def test_half_a_warp_shuffles_with_its_own_mask():
    guard = "setp.ge.u32 %p2, %r10, 16; @%p2 bra AFTER;"
    values, _ = shuffle("bfly", 8, 31, 32, "0x0000ffff", guard)
    np.testing.assert_array_equal(values, [*(100 + (np.arange(16) ^ 8)), *[0] * 16])


def test_halves_of_a_warp_may_shuffle_apart_in_one_instruction():
    out = np.zeros(32, np.uint32)
    body = """setp.lt.u32 %p1, %r10, 16; selp.b32 %r1, 0xffff, 0xffff0000, %p1;
    shfl.sync.bfly.b32 %r2, %r10, 1, 31, %r1;"""
    run(body + store("%r2"), 32, out)
    np.testing.assert_array_equal(out, np.arange(32) ^ 1)


def test_a_shuffle_waits_for_lanes_that_come_later_in_the_text():
    """Lanes in a block placed behind the shuffle join those that wait there."""
    out = np.zeros(64, np.uint32)
    body = f"""mov.u32 %r1, %r10; setp.gt.u32 %p1, %r10, 40; @%p1 bra LATE;
    JOIN: shfl.sync.bfly.b32 %r2, %r1, 1, 31, {FULL}; {store("%r2")} ret;
    LATE: add.u32 %r1, %r1, 1000; bra JOIN;"""
    for seed in (None, 1, 2):
        run(body, 64, out, seed=seed)
        want = np.arange(64) + 1000 * (np.arange(64) > 40)
        np.testing.assert_array_equal(out, want[np.arange(64) ^ 1])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        # Half of the lanes go round the shuffle, and end or wait at a barrier.
        (f"{AROUND} shfl.sync.down.b32 %r1, %r10, 1, 31, {FULL}; E: ret;", "never come|have ended"),
        (f"{AROUND} shfl.sync.down.b32 %r1, %r10, 1, 31, {FULL}; E: bar.sync 0;", "never come"),
        (f"setp.lt.u32 %p1, %r10, 9; @%p1 ret; shfl.sync.down.b32 %r1, %r10, 1, 31, {FULL};", "lanes that have ended"),
        ("shfl.sync.down.b32 %r1, %r10, 1, 31, 0xffff;", "leaves out the lane itself"),
        ("setp.lt.u32 %p1, %r10, 16; @%p1 shfl.sync.down.b32 %r1, %r10, 1, 31, 0xffff;", "reads from lane 16"),
        (f"setp.eq.u32 %p1, %r10, 3; selp.b32 %r2, 8, {FULL}, %p1; vote.sync.any.pred %p2, %p1, %r2;", "never come"),
        ("setp.eq.u32 %p1, %r10, 3; vote.sync.ballot.b32 %r1, %p1, 0x7fffffff;", "leaves out the lane itself"),
        ("bar.warp.sync 0x7fffffff;", "leaves out the lane itself"),
        (f"{AROUND} bar.warp.sync {FULL}; E: ret;", "never come|have ended"),
        ("shfl.down.b32 %r1, %r10, 1, 31;", "needs one of .sync"),
    ],
)  # fmt: skip
def test_masks_that_are_wrong(lines, message):
    with pytest.raises(PTXError, match=message):
        run(lines, 32)


def test_a_full_mask_in_a_block_that_ends_within_a_warp():
    with pytest.raises(PTXError, match=r"have ended.*shfl.*thread \(32, 0, 0\)"):
        run(f"shfl.sync.down.b32 %r1, %r10, 1, 31, {FULL};", 48)


def test_votes():
    out = [np.zeros(64, np.uint32) for _ in range(4)]
    body = f"""and.b32 %r1, %r10, 3; setp.eq.u32 %p1, %r1, 0; vote.sync.ballot.b32 %r2, %p1, {FULL};
    setp.lt.u32 %p2, %r10, 32; vote.sync.all.pred %p3, %p2, {FULL}; vote.sync.any.pred %p4, !%p2, {FULL};
    vote.sync.uni.pred %p5, %p1, {FULL}; selp.u32 %r3, 1, 0, %p3; selp.u32 %r4, 1, 0, %p4; selp.u32 %r5, 1, 0, %p5;"""
    run(body + "".join(store(f"%r{k + 2}", k) for k in range(4)), 64, *out)
    np.testing.assert_array_equal(out[0], 0x11111111)
    np.testing.assert_array_equal(out[1], [1] * 32 + [0] * 32)
    np.testing.assert_array_equal(out[2], [0] * 32 + [1] * 32)
    np.testing.assert_array_equal(out[3], 0)


def test_matches():
    out = [np.zeros(32, np.uint32) for _ in range(4)]
    body = f"""and.b32 %r1, %r10, 1; match.any.sync.b32 %r2, %r1, {FULL}; match.all.sync.b32 %r3|%p1, %r1, {FULL};
    match.all.sync.b64 %r4, 5, {FULL}; selp.u32 %r5, 1, 0, %p1;"""
    run(body + "".join(store(f"%r{k + 2}", k) for k in range(4)), 32, *out)
    np.testing.assert_array_equal(out[0], np.where(np.arange(32) % 2, 0xAAAAAAAA, 0x55555555))
    for k, want in ((1, 0), (2, 2**32 - 1), (3, 0)):
        np.testing.assert_array_equal(out[k], want)


def test_the_active_lanes():
    out = np.zeros(32, np.uint32)
    run("setp.lt.u32 %p1, %r10, 5; mov.u32 %r1, 0; @%p1 activemask.b32 %r1;" + store("%r1"), 32, out)
    np.testing.assert_array_equal(out, [31] * 5 + [0] * 27)


@pytest.mark.parametrize(("name", "want"), [("add", 496), ("min", 0), ("max", 31), ("or", 31), ("xor", 0), ("and", 0)])
def test_reductions_over_a_warp(name, want):
    out = np.zeros(32, np.uint32)
    kind = "b32" if name in ("or", "xor", "and") else "s32"
    run(f"mov.u32 %r1, %r10; redux.sync.{name}.{kind} %r1, %r1, {FULL};" + store("%r1"), 32, out)
    np.testing.assert_array_equal(out, want)
