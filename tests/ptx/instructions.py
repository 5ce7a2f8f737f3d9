"""Instruction -> line of the machine. The meanings are in one file for each kind of instruction."""

from tests.ptx import access, bits, compare, control, convert, integer, move, real, warp
from tests.ptx.errors import PTXError
from tests.ptx.machine import Line
from tests.ptx.operands import Operands
from tests.ptx.steps import BUILDERS
from tests.ptx.syntax import Instruction

# Imported for the builders that they register.
FAMILIES = (access, bits, compare, control, convert, integer, move, real, warp)

# What is approximated differs between devices.
_INEXACT = ("approx", "ftz", "full")


def build(i: Instruction, o: Operands) -> Line:
    """Make one instruction ready to run."""
    try:
        if i.name not in BUILDERS:
            raise PTXError("a call" if i.name == "call" else "unknown opcode")
        for modifier in _INEXACT:
            if modifier in i.modifiers:
                raise PTXError(f".{modifier} is not exact")
        guard = None if i.guard is None else o.read(i.guard, "pred")
        step = BUILDERS[i.name](i, o)
        return Line(i.text, guard, i.negated, step, *o.taken())
    except PTXError as error:
        raise PTXError(f"{error}: {i.text!r}") from None
    except (ValueError, IndexError, TypeError) as error:
        raise PTXError(f"wrong number or form of operands: {i.text!r}") from error
