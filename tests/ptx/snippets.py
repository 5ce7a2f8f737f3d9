"""Small PTX programs around the instructions under test."""

import numpy as np

from tests.ptx import Memory, Program

_HEAD = ".version 8.5\n.target sm_90\n.address_size 64\n"
_REGISTERS = """
    .reg .pred %p<10>; .reg .b16 %rs<10>; .reg .b32 %r<20>; .reg .b64 %rd<20>; .reg .f32 %f<10>; .reg .f64 %fd<10>;
"""


def kernel(body: str, *params: str, outside: str = "") -> str:
    """Return the text of a kernel whose parameters are p0, p1, ..., of the given types."""
    listed = ", ".join(f".param .{kind} p{k}" for k, kind in enumerate(params))
    return f"{_HEAD}{outside}\n.visible .entry k({listed})\n{{{_REGISTERS}{body}\n}}"


def run(body: str, threads: int, *arrays: np.ndarray, outside: str = "", blocks: int = 1, **options) -> Program:
    """Run a body whose parameters are the addresses of arrays; they are in %rd10, %rd11, ..., the thread in %r10."""
    loads = "".join(f"ld.param.u64 %rd{10 + k}, [p{k}];\n" for k in range(len(arrays)))
    text = kernel(f"{loads}mov.u32 %r10, %tid.x;\n{body}", *["u64"] * len(arrays), outside=outside)
    program, memory = Program(text), Memory()
    program.run(blocks, threads, [memory.add(a) for a in arrays], memory, **options)
    return program


def store(register: str, array: int = 0, width: int = 4) -> str:
    """Return instructions that store a register at the thread's place of an array."""
    at = f"mul.wide.u32 %rd18, %r10, {width}; add.s64 %rd18, %rd{10 + array}, %rd18;"
    return f"{at} st.global.b{8 * width} [%rd18], {register};"


def evaluate(line: str, result: type, *sources) -> np.ndarray:
    """Return d of one instruction over lanes; a, b, c are the sources, which may be arrays of any one width each."""
    columns = np.broadcast_arrays(*(np.atleast_1d(s) for s in sources))
    count = columns[0].size
    out = np.zeros(count, result)
    body, names = "", "abcef"
    for k, (column, name) in enumerate(zip(columns, names, strict=False)):
        body += _fetch(name, k + 1, column.dtype)
    body += f"{_declare('d', out.dtype)} {line}\n"
    if out.dtype.kind == "b":
        body += ".reg .u16 flag; selp.u16 flag, 1, 0, d; mul.wide.u32 %rd18, %r10, 1; add.s64 %rd18, %rd10, %rd18; "
        body += "st.global.u8 [%rd18], flag;"
    else:
        body += store("d", 0, out.itemsize)
    # A block for each 1000 lanes would need an index; launches of one block are enough for tables.
    for start in range(0, count, 1024):
        part = slice(start, start + 1024)
        inputs = [np.ascontiguousarray(c[part]) for c in columns]
        run(body, len(inputs[0]), out[part], *inputs)
    return out


def _declare(name: str, own: np.dtype) -> str:
    return f".reg .{'pred' if own.kind == 'b' else f'b{8 * own.itemsize}'} {name};"


def _fetch(name: str, array: int, own: np.dtype) -> str:
    at = f"mul.wide.u32 %rd18, %r10, {own.itemsize}; add.s64 %rd18, %rd{10 + array}, %rd18;\n"
    if own.kind != "b":
        return f"{at}{_declare(name, own)} ld.global.b{8 * own.itemsize} {name}, [%rd18];\n"
    return f"{at}ld.global.u8 %rs9, [%rd18]; {_declare(name, own)} setp.ne.s16 {name}, %rs9, 0;\n"
