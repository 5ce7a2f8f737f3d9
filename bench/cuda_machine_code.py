"""Machine code of a kernel, instruction by instruction, with the PTX instruction that each was made from.

The PTX that is left after link-time optimisation gets a line number an instruction, and the assembler keeps them; the
machine code is the one that would be loaded, which `machine_code` checks.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cuda_tools import tool

from tests.cuda.offline import compiled

_PTX = re.compile(r"\s*(?:@!?%\w+\s+)?([a-z][\w.:]*)(?:\s[^;]*)?;\s*$")
_LABEL = re.compile(r"\s*[$%\w]+:\s*$")
_SASS = re.compile(r"/\*[0-9a-f]{4,}\*/\s+([^;]+?)\s*;")
_GUARD = re.compile(r"^@!?U?P\w+\s+")

# PTX of which one machine instruction is made: where there are more, the assembler has copied its block.
_SINGLE = {"fma": ("FFMA", "DFMA"), "ld.global": ("LDG",), "st.global": ("STG",), "shfl": ("SHFL",)}


@dataclass(frozen=True)
class MachineInstruction:
    """An opcode with its modifiers, and the place in the PTX of what it was made from."""

    opcode: str
    origin: int
    # Name of the function of the compiler's own, behind the kernel, that it is part of; "" in the kernel.
    part: str
    calls: str

    @property
    def name(self) -> str:
        """The opcode without its modifiers."""
        return self.opcode.split(".")[0]


@dataclass(frozen=True)
class MachineCode:
    """Machine instructions, and for each instruction of the PTX how many copies of it they hold."""

    instructions: list[MachineInstruction]
    copies: list[int]


def _numbered(ptx: str) -> tuple[str, list[str], list[int]]:
    """PTX with a line number before each instruction; the opcodes; and the basic block of each."""
    head, body = ptx.replace("\0", "").split(".entry", 1)
    head = head.replace(".address_size 64", '.address_size 64\n.file 1 "kernel"')
    lines: list[str] = []
    opcodes: list[str] = []
    blocks: list[int] = []
    block = 0
    for line in body.splitlines():
        if found := _PTX.match(line):
            opcodes.append(found[1])
            blocks.append(block)
            lines.append(f".loc 1 {len(opcodes)} 0")
            block += found[1].split(".")[0] in ("bra", "brx", "ret", "exit")
        elif _LABEL.match(line):
            block += 1
        lines.append(line)
    return head + ".entry" + "\n".join(lines), opcodes, blocks


def _listing(ptx: str, capability: tuple[int, int]) -> str:
    target = f"sm_{capability[0]}{capability[1]}" + ("a" if capability >= (9, 0) else "")
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder) / "kernel.ptx", Path(folder) / "kernel.cubin"
        source.write_text(ptx)
        tool("ptxas", f"-arch={target}", "--generate-line-info", str(source), "-o", str(binary))
        return tool("nvdisasm", "-g", "-c", str(binary))


def _instructions(listing: str) -> Iterator[MachineInstruction]:
    """Instructions but those by which a warp that has parted comes together for a shuffle: no kernel lets it part."""
    cold = set(re.findall(r"BRA\.DIV[^`]*`\((\.L_\w+)\)", listing))
    origin, part, skipped = 0, "", False
    for line in listing.splitlines():
        if found := re.match(r"\s*//## .*line (\d+)", line):
            origin = int(found[1])
        elif found := re.match(r"([$.\w]+):$", line):
            if found[1].startswith("$__internal"):
                part, skipped = found[1], False
            skipped = skipped or found[1] in cold
        elif (found := _SASS.search(line)) and not skipped and found[1] != "NOP":
            text = _GUARD.sub("", found[1])
            called = re.match(r"CALL\S*\s.*`\((\$__internal[$\w]*)\)", text)
            yield MachineInstruction(text.split()[0], origin - 1, part, called[1] if called else "")


def _copies(instructions: list[MachineInstruction], opcodes: list[str], blocks: list[int]) -> list[int]:
    """How often the assembler wrote each PTX instruction: it unrolls loops and copies the ends of branches."""
    made: Counter[int] = Counter()
    for instruction in instructions:
        for opcode, names in _SINGLE.items():
            if instruction.name in names and opcodes[instruction.origin].startswith(opcode) and not instruction.part:
                made[instruction.origin] += 1
    of_block: dict[int, int] = {}
    for origin, count in made.items():
        of_block[blocks[origin]] = max(count, of_block.get(blocks[origin], 1))
    return [of_block.get(block, 1) for block in blocks]


@cache
def machine_code(kernel: Any, capability: tuple[int, int]) -> MachineCode:
    """Machine code of a kernel for argument types and a capability."""
    code = compiled(kernel, capability)
    numbered, opcodes, blocks = _numbered(code.ptx)
    listing = _listing(numbered, capability)
    names = Counter(_GUARD.sub("", text).split()[0].split(".")[0] for text in _SASS.findall(listing))
    names.pop("NOP", None)
    if names != Counter(code.opcodes):
        raise SystemExit(f"{code.name}: line numbers changed the machine code")
    instructions = list(_instructions(listing))
    return MachineCode(instructions, _copies(instructions, opcodes, blocks))
