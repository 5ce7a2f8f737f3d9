"""Registers that may be read before they are written are found without running, and those that are not pass."""

import pytest

from tests.ptx import Program, PTXError
from tests.ptx.snippets import kernel

LANE, ASK = "mov.u32 %r1, %laneid;", "setp.eq.u32 %p1, %r1, 3;"
END = "add.u32 %r3, %r2, 1; ret;"


@pytest.mark.parametrize(
    ("lines", "register"),
    [
        ("add.u32 %r1, %r2, 1;", "%r2"),
        ("add.u32 %r1, %r1, 1;", "%r1"),
        ("@%p1 ret;", "%p1"),
        ("ld.global.u32 %r1, [%rd1];", "%rd1"),
        ("mov.b64 %rd1, {%r1, %r1};", "%r1"),
        # On one of two ways, round a loop, and where a guard may leave it as it was.
        (f"{LANE}{ASK} @%p1 bra E; mov.u32 %r2, 5; E: {END}", "%r2"),
        (f"{LANE}{ASK} L: @%p1 bra E; mov.u32 %r2, 5; bra L; E: {END}", "%r2"),
        (f"{LANE}{ASK} @%p1 mov.u32 %r2, 5; {END}", "%r2"),
        (f"{LANE}{ASK} L: @!%p1 add.u32 %r3, %r2, 1; mov.u32 %r2, 5; bra L;", "%r2"),
        (f"{LANE} t: .branchtargets A, B; brx.idx %r1, t; A: mov.u32 %r2, 5; B: {END}", "%r2"),
    ],
)
def test_registers_that_nobody_has_written(lines, register):
    with pytest.raises(PTXError, match=f"register {register} may be read before it is written"):
        Program(kernel(lines))


@pytest.mark.parametrize(
    "lines",
    [
        f"{LANE}{ASK} @%p1 bra O; mov.u32 %r2, 5; bra E; O: mov.u32 %r2, 6; E: {END}",
        f"{LANE}{ASK} mov.u32 %r2, 0; L: add.u32 %r2, %r2, 1; @%p1 bra L; {END}",
        f"{LANE}{ASK} @%p1 ret; mov.u32 %r2, 5; {END}",
        f"bra E; add.u32 %r1, %r7, 1; E: mov.u32 %r2, 5; {END}",
        f"mov.b64 {{%r2, _}}, 5; {END}",
    ],
)
def test_registers_that_are_written_on_every_path(lines):
    Program(kernel(lines))
