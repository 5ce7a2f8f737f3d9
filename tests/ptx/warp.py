"""Instructions in which the lanes of a warp see each other."""

import numpy as np

from tests.ptx.errors import LaneFault
from tests.ptx.operands import Operands
from tests.ptx.steps import Kind, Modifiers, Step, effect, opcode
from tests.ptx.syntax import Instruction


def ballot(flags: np.ndarray) -> np.ndarray:
    """Return for every lane the word of its warp's flags."""
    return np.repeat(np.packbits(flags, bitorder="little").view(np.uint32), 32)


def alike(values: np.ndarray) -> np.ndarray:
    """Return for every lane the word of those lanes of its warp that hold the same value."""
    rows = values.reshape(-1, 32)
    equal = (rows[:, :, None] == rows[:, None, :]).reshape(-1, 32)
    return np.packbits(equal, axis=1, bitorder="little").view(np.uint32).reshape(-1)


def _full(frame, slot: int) -> np.ndarray:
    return np.broadcast_to(frame.slots[slot], frame.lanes)


def _collective(members: int, run) -> Step:
    return Step(Kind.COLLECTIVE, run, members)


_REACH = {
    "up": lambda lane, b, least: lane - b,
    "down": lambda lane, b, least: lane + b,
    "bfly": lambda lane, b, least: lane ^ b,
    "idx": lambda lane, b, least: least | b,
}


@opcode("shfl")
def shfl(i: Instruction, o: Operands) -> Step:
    """Read a register of another lane of the warp."""
    m = Modifiers(i)
    m.need("sync")
    mode = m.need(*_REACH)
    m.kind("b32")
    m.finish()
    to, _, predicate = i.operands[0].partition("|")
    d, p = o.write(to.strip(), "b32"), o.write(predicate.strip() or "_", "pred")
    a, b, c, members = (o.read(x, "b32") for x in i.operands[1:5])

    def run(frame, mask):
        lane = np.arange(frame.lanes) & 31
        step, control = _full(frame, b).astype(np.int64) & 31, _full(frame, c).astype(np.int64)
        clamp, segment = control & 31, control >> 8 & 31
        least, most = lane & segment, lane & segment | clamp & ~segment
        # Only `idx` picks within the segment.
        source = _REACH[mode](lane, step & ~segment if mode == "idx" else step, least)
        inside = source >= most if mode == "up" else source <= most
        source = np.where(inside, source, lane)
        silent = mask & (_full(frame, members) >> source.astype(np.uint32) & np.uint32(1) == 0)
        if silent.any():
            raise LaneFault(f"reads from lane {source[silent.argmax()]}, which takes no part", silent.argmax())
        values = _full(frame, a)[np.arange(frame.lanes) - lane + source]
        np.copyto(frame.slots[d], values, where=mask)
        np.copyto(frame.slots[p], inside, where=mask)

    return _collective(members, run)


_VOTES = {
    "any": lambda votes, members: votes != 0,
    "all": lambda votes, members: votes == members,
    "uni": lambda votes, members: (votes == members) | (votes == 0),
    "ballot": lambda votes, members: votes,
}


@opcode("vote")
def vote(i: Instruction, o: Operands) -> Step:
    """Combine a predicate over the lanes of a mask."""
    m = Modifiers(i)
    m.need("sync")
    mode = m.need(*_VOTES)
    kind = m.kind("b32" if mode == "ballot" else "pred")
    m.finish()
    negated = i.operands[1].startswith("!")
    d, a = o.write(i.operands[0], kind), o.read(i.operands[1].removeprefix("!"), "pred")
    members = o.read(i.operands[2], "b32")

    def run(frame, mask):
        mine = _full(frame, members)
        votes = ballot(mask & (_full(frame, a) ^ negated)) & mine
        np.copyto(frame.slots[d], _VOTES[mode](votes, mine), where=mask)

    return _collective(members, run)


@opcode("match")
def match(i: Instruction, o: Operands) -> Step:
    """Find the lanes that hold the same value, or whether all do."""
    m = Modifiers(i)
    m.need("sync")
    mode, kind = m.need("any", "all"), m.kind("b32", "b64")
    m.finish()
    to, _, predicate = i.operands[0].partition("|")
    d, p = o.write(to.strip(), "b32"), o.write(predicate.strip() or "_", "pred")
    a, members = o.read(i.operands[1], kind), o.read(i.operands[2], "b32")

    def run(frame, mask):
        mine = _full(frame, members)
        same = alike(_full(frame, a)) & mine
        every = same == mine
        np.copyto(frame.slots[d], same if mode == "any" else np.where(every, mine, np.uint32(0)), where=mask)
        np.copyto(frame.slots[p], every, where=mask)

    return _collective(members, run)


_REDUCTIONS = {
    "add": np.add, "min": np.minimum, "max": np.maximum,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip


@opcode("redux")
def redux(i: Instruction, o: Operands) -> Step:
    """Reduce an integer over the lanes of a mask."""
    m = Modifiers(i)
    m.need("sync")
    function, kind = _REDUCTIONS[m.need(*_REDUCTIONS)], m.kind("b32", "u32", "s32")
    m.finish()
    d, a, members = o.write(i.operands[0], kind), o.read(i.operands[1], kind), o.read(i.operands[2], "b32")

    def run(frame, mask):
        # A copy: the destination may be the source.
        values, mine = _full(frame, a).copy(), _full(frame, members)
        for lane in np.flatnonzero(mask):
            warp = slice(lane // 32 * 32, lane // 32 * 32 + 32)
            within = mine[lane] >> np.arange(32, dtype=np.uint32) & np.uint32(1) == 1
            frame.slots[d][lane] = function.reduce(values[warp][within], dtype=values.dtype)

    return _collective(members, run)


@opcode("activemask")
def activemask(i: Instruction, o: Operands) -> Step:
    """The lanes that execute this together."""
    m = Modifiers(i)
    m.kind("b32")
    m.finish()
    d = o.write(i.operands[0], "b32")
    return effect(lambda frame, mask: np.copyto(frame.slots[d], ballot(mask), where=mask))


def warp_barrier(i: Instruction, o: Operands) -> Step:
    """Wait for the lanes of a mask."""
    return _collective(o.read(i.operands[0], "b32"), lambda frame, mask: None)
