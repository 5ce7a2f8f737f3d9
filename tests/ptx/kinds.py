"""The fundamental types of PTX and the NumPy types that hold them."""

import numpy as np

from tests.ptx.errors import PTXError

DTYPES = {
    f"{letter}{width}": np.dtype(f"{code}{width // 8}")
    for letter, code, widths in (("b", "u", (8, 16, 32, 64)), ("u", "u", (8, 16, 32, 64)), ("s", "i", (8, 16, 32, 64)))
    for width in widths
}
DTYPES |= {"f16": np.dtype("f2"), "f32": np.dtype("f4"), "f64": np.dtype("f8"), "pred": np.dtype("?")}


def dtype(kind: str) -> np.dtype:
    """Return the NumPy type of a PTX type name."""
    if kind not in DTYPES:
        raise PTXError(f"type .{kind} is not supported")
    return DTYPES[kind]


def is_real(kind: str) -> bool:
    """Tell whether a type name is a floating-point one."""
    return kind[0] == "f"


def is_signed(kind: str) -> bool:
    """Tell whether a type name is a signed integer."""
    return kind[0] == "s"


def unsigned(size: int) -> np.dtype:
    """Return the unsigned type of a number of bytes."""
    return np.dtype(f"u{size}")
