"""Operands -> numbered slots, once per program: what an instruction reads and writes while it runs are array lookups.

A slot is a view of a register under one type, a constant, or a special register.
"""

import re

import numpy as np

from tests.ptx.errors import PTXError
from tests.ptx.kinds import dtype, is_real
from tests.ptx.literals import integer, literal
from tests.ptx.memory import UNWRITTEN

_ADDRESS = re.compile(r"\[\s*([$\w%.]+)\s*(?:\+\s*(-?\w+)|(-\s*\w+))?\s*\]")
_WORD = 2**64 - 1


class Operands:
    """The slots of one program."""

    def __init__(
        self, registers: dict[str, str], symbols: dict[str, int], labels: dict[str, int], tables: dict
    ) -> None:
        self._registers = dict(registers)
        self._symbols = symbols
        self.labels = labels
        self.tables = tables
        self._slots: dict[tuple, int] = {}
        self._read: set[str] = set()
        self._written: set[str] = set()

    def _slot(self, *key) -> int:
        return self._slots.setdefault(key, len(self._slots))

    def read(self, text: str, kind: str, *, narrow: bool = False) -> int:
        """Return the slot of a source; `narrow` allows the low part of a wider register."""
        if text.startswith("!") and kind == "pred":
            raise PTXError(f"operand {text} may not be negated here")
        if text in self._registers:
            own = dtype(self._registers[text])
            wanted = dtype(kind)
            if (own.kind == "b") != (wanted.kind == "b"):
                raise PTXError(f"register {text} read as .{kind}")
            if own.itemsize != wanted.itemsize and not (narrow and own.itemsize > wanted.itemsize):
                raise PTXError(f"register {text} is .{self._registers[text]}, read as .{kind}")
            self._read.add(text)
            return self._slot("register", text, wanted, own.itemsize // wanted.itemsize)
        if text.startswith("%"):
            return self._slot("special", text, dtype(kind))
        if text == "WARP_SZ":
            return self._slot("constant", dtype(kind), 32)
        symbol, _, offset = text.partition("+")
        if symbol in self._symbols:
            return self._slot("constant", dtype(kind), self._symbols[symbol] + integer(offset or "0"))
        value = literal(text, kind)
        if value is None:
            raise PTXError(f"operand {text} is unknown")
        return self._slot("constant", value.dtype, value.tobytes())

    def write(self, text: str, kind: str, *, widen: bool = False) -> int:
        """Return the slot of a destination; `widen` allows a wider register, extended by the sign or by zero."""
        wanted = dtype(kind)
        if text == "_":
            return self._slot("register", self._scratch(kind), wanted, 1)
        if text not in self._registers:
            raise PTXError(f"{text} is no register")
        own = dtype(self._registers[text])
        if (own.kind == "b") != (wanted.kind == "b") or own.itemsize < wanted.itemsize:
            raise PTXError(f"register {text} is .{self._registers[text]}, written as .{kind}")
        if own.itemsize > wanted.itemsize:
            if not widen or is_real(kind):
                raise PTXError(f"register {text} is .{self._registers[text]}, written as .{kind}")
            wanted = np.dtype(f"{'i' if kind[0] == 's' else 'u'}{own.itemsize}")
        self._written.add(text)
        return self._slot("register", text, wanted, 1)

    def taken(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the registers that were asked for since the last call: those to read, and those to write."""
        taken = frozenset(self._read), frozenset(self._written)
        self._read.clear()
        self._written.clear()
        return taken

    def _scratch(self, kind: str) -> str:
        name = f"_{kind}"
        self._registers[name] = kind
        return name

    def scratch(self, name: str, kind: str) -> int:
        """Return the slot of a register that the machine keeps for itself, such as the carry."""
        self._registers[name] = kind
        return self._slot("register", name, dtype(kind), 1)

    def address(self, text: str) -> tuple[int, np.uint64]:
        """Return the slot of the base of an address operand, and what is added to it."""
        found = _ADDRESS.fullmatch(text)
        if found is None:
            raise PTXError(f"{text} is no address")
        base, plus, minus = found.groups()
        offset = np.uint64(integer((plus or minus or "0").replace(" ", "")) & _WORD)
        return self.read(base, "u32" if self.width(base) == 4 else "u64"), offset

    def parameter(self, name: str, offset: int, wanted: np.dtype) -> int:
        """Return the slot of a part of a kernel parameter."""
        return self._slot("parameter", name, offset, wanted)

    def width(self, text: str) -> int | None:
        """Return the bytes of a register, or None for anything else."""
        return dtype(self._registers[text]).itemsize if text in self._registers else None

    def allocate(self, lanes: int, special: dict[str, np.ndarray], parameters: dict[str, bytes], before=None) -> list:
        """Return what stands behind every slot, for a number of lanes; registers are those of before, if there are."""
        registers = {}
        for key in self._slots if before is None else ():
            if key[0] == "register" and key[1] not in registers:
                own = dtype(self._registers[key[1]])
                poison = np.full(lanes * own.itemsize, UNWRITTEN, np.uint8)
                registers[key[1]] = np.zeros(lanes, bool) if own.kind == "b" else poison.view(own)
        return [
            before[slot] if before and key[0] == "register" else self._array(key, registers, special, parameters)
            for key, slot in self._slots.items()
        ]

    def _array(self, key: tuple, registers: dict, special: dict, parameters: dict):
        tag, *rest = key
        if tag == "register":
            name, wanted, step = rest
            return registers[name].view(wanted)[::step]
        if tag == "special":
            name, wanted = rest
            if name not in special:
                raise PTXError(f"special register {name} is not supported")
            return special[name].astype(wanted)
        if tag == "parameter":
            name, offset, wanted = rest
            if name not in parameters or offset + wanted.itemsize > len(parameters[name]):
                raise PTXError(f"parameter {name}+{offset} does not exist")
            return np.frombuffer(parameters[name], wanted, 1, offset)[0]
        wanted, value = rest
        return np.frombuffer(value, wanted)[0] if isinstance(value, bytes) else wanted.type(value)
