"""Numbers as PTX writes them."""

import re

import numpy as np

from tests.ptx.errors import PTXError
from tests.ptx.kinds import dtype, is_real, unsigned

_INTEGER = re.compile(r"-?(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)U?")


def integer(text: str) -> int:
    """Read an integer literal; octal ones start with a zero."""
    text = text.rstrip("U")
    digits = text.lstrip("-")
    value = int(digits, 8) if re.fullmatch(r"0[0-7]+", digits) else int(digits, 0)
    return -value if text.startswith("-") else value


def literal(text: str, kind: str) -> np.generic | None:
    """Read a literal as a value of a type; None if the text is no literal."""
    wanted = dtype(kind)
    if found := re.fullmatch(r"0([fFdD])([0-9a-fA-F]{8}|[0-9a-fA-F]{16})", text):
        width = 4 if found[1] in "fF" else 8
        if len(found[2]) != 2 * width or wanted.itemsize != width:
            raise PTXError(f"literal {text} is not of type .{kind}")
        return unsigned(width).type(int(found[2], 16)).view(wanted)
    if not _INTEGER.fullmatch(text):
        return None
    value = integer(text)
    if kind == "pred":
        return np.bool_(value != 0)
    if is_real(kind):
        raise PTXError(f"literal {text} is not of type .{kind}")
    bits = 8 * wanted.itemsize
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise PTXError(f"literal {text} does not fit into .{kind}")
    return unsigned(wanted.itemsize).type(value % (1 << bits)).view(wanted)
