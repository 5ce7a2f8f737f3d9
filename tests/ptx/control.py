"""Branches, barriers and the end."""

import numpy as np

from tests.ptx.errors import LaneFault, PTXError
from tests.ptx.operands import Operands
from tests.ptx.steps import Kind, Modifiers, Step, effect, opcode
from tests.ptx.syntax import Instruction
from tests.ptx.warp import warp_barrier


def _label(name: str, o: Operands) -> int:
    if name not in o.labels:
        raise PTXError(f"label {name} is unknown")
    return o.labels[name]


@opcode("bra")
def bra(i: Instruction, o: Operands) -> Step:
    """Go on elsewhere."""
    m = Modifiers(i)
    m.take("uni")
    m.finish()
    target = _label(i.operands[0], o)
    return Step(Kind.BRANCH, lambda frame, mask: target)


@opcode("brx")
def brx(i: Instruction, o: Operands) -> Step:
    """Go on at one place of a table."""
    m = Modifiers(i)
    m.need("idx")
    m.take("uni")
    m.finish()
    index, name = o.read(i.operands[0], "u32"), i.operands[1]
    if name not in o.tables:
        raise PTXError(f"table {name} is unknown")
    table = np.array([_label(label, o) for label in o.tables[name]])

    def run(frame, mask):
        at = np.broadcast_to(frame.slots[index], frame.lanes)
        outside = mask & (at >= len(table))
        if outside.any():
            raise LaneFault(f"no entry {at[outside.argmax()]} in the table", outside.argmax())
        return table[np.minimum(at, len(table) - 1)]

    return Step(Kind.BRANCH, run)


@opcode("ret", "exit")
def end(i: Instruction, o: Operands) -> Step:
    """End the thread."""
    m = Modifiers(i)
    m.take("uni")
    m.finish()
    return Step(Kind.EXIT, lambda frame, mask: None)


@opcode("trap", "brkpt")
def trap(i: Instruction, o: Operands) -> Step:
    """Fail."""

    def run(frame, mask):
        raise LaneFault("trap", mask.argmax())

    return effect(run)


@opcode("membar", "fence", "nanosleep", "prefetch", "prefetchu")
def nothing(i: Instruction, o: Operands) -> Step:
    """Lanes run one step after another, so memory is always in order and nothing takes time."""
    return effect(lambda frame, mask: None)


@opcode("bar", "barrier")
def barrier(i: Instruction, o: Operands) -> Step:
    """Wait for the threads of the block, or for a number of them; or for lanes of the warp."""
    m = Modifiers(i)
    warp = m.take("warp") is not None
    m.take("cta")
    m.need("sync")
    m.take("aligned")
    m.finish()
    if warp:
        return warp_barrier(i, o)
    slot = o.read(i.operands[0], "u32")
    count = o.read(i.operands[1], "u32") if len(i.operands) > 1 else None
    return Step(Kind.BARRIER, lambda frame, mask: (frame.slots[slot], 0 if count is None else frame.slots[count]))
