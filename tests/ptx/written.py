"""No register is read that a path to there leaves unwritten: on a device it would hold whatever was there before."""

from collections.abc import Sequence

from tests.ptx.errors import PTXError
from tests.ptx.machine import Line
from tests.ptx.syntax import Function, Instruction


def _followers(function: Function, instructions: Sequence[Instruction]) -> list[list[int]]:
    """Return where each instruction may go on."""
    every = []
    for at, i in enumerate(instructions):
        jumps: list[str] = []
        if i.name == "bra":
            jumps = [i.operands[0]]
        elif i.name == "brx":
            jumps = function.tables[i.operands[1]]
        ends = i.name in ("bra", "brx", "ret", "exit") and i.guard is None
        every.append([function.labels[name] for name in jumps] + [at + 1] * (not ends))
    return every


def check(function: Function, instructions: Sequence[Instruction], lines: Sequence[Line]) -> None:
    """Complain about a register that may be read before it is written; a guarded instruction may leave it unwritten."""
    bits: dict[str, int] = {}

    def mask(registers) -> int:
        return sum(bits.setdefault(name, 1 << len(bits)) for name in registers)

    reads = [mask(line.reads) for line in lines]
    writes = [0 if line.guard is not None else mask(line.writes) for line in lines]
    followers = _followers(function, instructions)
    # What is written on every path to a line, as far as paths are known; of those that nobody comes to, None.
    before: list[int | None] = [None] * len(lines)
    before[0], todo = 0, [0]
    while todo:
        at = todo.pop()
        after = before[at] | writes[at]
        for to in followers[at] if at + 1 < len(lines) else []:
            known = before[to]
            both = after if known is None else known & after
            if both != known:
                before[to] = both
                todo.append(to)
    for line, read, written in zip(lines, reads, before, strict=True):
        if written is not None and read & ~written:
            name = next(name for name, bit in bits.items() if read & ~written & bit)
            raise PTXError(f"register {name} may be read before it is written: {line.text!r}")
