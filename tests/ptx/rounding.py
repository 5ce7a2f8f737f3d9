"""Additions and multiplications that name no rounding mode, which the assembler may contract into one fma."""

from collections.abc import Iterable

from tests.ptx.errors import PTXError
from tests.ptx.literals import literal
from tests.ptx.syntax import Instruction

_ADDITIONS, _REALS = ("add", "sub"), ("f32", "f64")
# What hands a product on, at most with another sign.
_PASSES = ("mov", "neg")


def _bare(i: Instruction) -> bool:
    return i.name in ("mul", *_ADDITIONS) and i.modifiers[-1] in _REALS and "rn" not in i.modifiers


def _exact(text: str, kind: str) -> bool:
    """Tell whether a factor is a literal power of two: contracted or not, the product is the same."""
    value = literal(text, kind) if text.startswith("0") else None
    if value is None:
        return False
    bits = int(value.view(f"u{value.itemsize}"))
    return bits & (0x7FFFFF if kind == "f32" else 0xFFFFFFFFFFFFF) == 0


def _products(instructions: list[Instruction]) -> set[str]:
    """Return the registers that may hold a product without a rounding mode, whatever way the lanes take."""
    registers: set[str] = set()
    while True:
        before = len(registers)
        for i in instructions:
            multiplies = i.name == "mul" and _bare(i) and not any(_exact(x, i.modifiers[-1]) for x in i.operands[1:])
            if multiplies or (i.name in _PASSES and registers & set(i.operands[1:])):
                registers.add(i.operands[0])
        if len(registers) == before:
            return registers


def check(instructions: Iterable[Instruction], *, bare: bool) -> None:
    """Raise for additions, subtractions and products without a rounding mode.

    With `bare` these are allowed as long as no product that is not exact can reach an addition: a lone one is rounded
    to nearest.
    """
    instructions = list(instructions)
    if not bare:
        found = next(filter(_bare, instructions), None)
        if found is not None:
            raise PTXError(f"no rounding mode .rn: the assembler may contract it: {found.text!r}")
        return
    products = _products(instructions)
    for i in instructions:
        if i.name in _ADDITIONS and _bare(i) and products & set(i.operands[1:]):
            raise PTXError(f"a product that the assembler may contract with its sum: {i.text!r}")
