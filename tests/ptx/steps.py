"""What instructions compile to, and the table of those who compile them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from tests.ptx.errors import PTXError
from tests.ptx.kinds import DTYPES
from tests.ptx.operands import Operands
from tests.ptx.syntax import Instruction


class Kind(Enum):
    """How the machine treats a step."""

    # Registers only: `run(slots, where)`. May compute lanes that have exited, with whatever they hold.
    PURE = auto()
    # Memory, or anything that may fail: `run(frame, mask)`.
    EFFECT = auto()
    # Waits for the lanes of the mask in slot `members`, then `run(frame, mask)`.
    COLLECTIVE = auto()
    # `run(slots)` gives where each lane goes on, or one place for all.
    BRANCH = auto()
    EXIT = auto()
    # `run(slots)` gives barrier and number of threads (0: all).
    BARRIER = auto()


@dataclass(frozen=True)
class Step:
    """One instruction made ready to run."""

    kind: Kind
    run: Callable[..., Any]
    members: int | None = None


def pure(run: Callable) -> Step:
    """Make a step that touches registers only."""
    return Step(Kind.PURE, run)


def effect(run: Callable) -> Step:
    """Make a step that touches memory or may fail."""
    return Step(Kind.EFFECT, run)


Builder = Callable[[Instruction, Operands], Step]
BUILDERS: dict[str, Builder] = {}


def opcode(*names: str) -> Callable[[Builder], Builder]:
    """Register a builder for the instructions of these names."""

    def register(builder: Builder) -> Builder:
        BUILDERS.update(dict.fromkeys(names, builder))
        return builder

    return register


class Modifiers:
    """The modifiers of an opcode, taken one after another: what nobody takes is an error."""

    def __init__(self, instruction: Instruction) -> None:
        self._left = list(instruction.modifiers)

    def kind(self, *allowed: str) -> str:
        """Take the last modifier, which names a type."""
        kind = self._left.pop() if self._left else ""
        if kind not in (allowed or DTYPES):
            raise PTXError(f"type {kind!r} is not supported here")
        return kind

    def take(self, *options: str) -> str | None:
        """Take the one of the options that is there, wherever it stands."""
        for option in options:
            if option in self._left:
                self._left.remove(option)
                return option
        return None

    def need(self, *options: str) -> str:
        """Take one of the options; there must be one."""
        found = self.take(*options)
        if found is None:
            raise PTXError(f"needs one of {', '.join('.' + o for o in options)}")
        return found

    def drop(self, ignored: frozenset[str]) -> None:
        """Take all that have no meaning here, such as hints to the cache."""
        self._left = [m for m in self._left if m not in ignored and "::" not in m]

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._left:
            raise PTXError(f"modifier .{self._left[0]} is not supported here")
