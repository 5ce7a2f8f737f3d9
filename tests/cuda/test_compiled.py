"""What the compiler makes of the kernels, for every capability: registers, local memory, instructions."""

import re
from collections import Counter

import pytest
from numba import types

from fastgumbel._kernels import (
    cuda_categorical,
    cuda_categorical_short,
    cuda_condition,
    cuda_ids,
    cuda_max_long,
    cuda_max_short,
    cuda_move,
    cuda_noise,
    cuda_relax_long,
    cuda_relax_short,
    cuda_top_every,
    cuda_top_long,
)
from tests.cuda.offline import CAPABILITIES, compiled, library
from tests.ptx import Program

IDS = types.Array(types.uint64, 1, "C")
FIELD = types.UniTuple(types.uint64, 4)
VECTORS = types.UniTuple(types.int64, 2)
LONG = types.int64

# Kernel, argument types, and how many registers leave room for the warps that its launch shape assumes.
KERNELS = {
    f"{kernel.py_func.__name__} {kind}": (kernel, (kind[::1], IDS, FIELD, LONG, LONG, VECTORS, *more), budget[kind])
    for kernel, more, budget in (
        (cuda_noise.fill_short, (), {types.float32: 64, types.float64: 96}),
        (cuda_noise.fill_long, (LONG, types.int32), {types.float32: 64, types.float64: 96}),
    )
    for kind in (types.float32, types.float64)
}
MASK = types.boolean[:, :]
RESULTS = (types.int64[:, ::1], types.float64[:, ::1], types.int64[::1])
PLAN = types.UniTuple(types.int64, 4)
# The longest way through memory, and the most common one.
for name, x, mask in (
    ("float32", types.float32[:, ::1], types.boolean),
    ("float64", types.float64[:, ::1], types.boolean),
    ("strided float64, masked", types.float64[:, :], MASK),
):
    KERNELS |= {
        f"max_long {name}": (cuda_max_long.max_long, (x, mask, x.dtype[::1], IDS, FIELD, PLAN, *RESULTS), 168),
        f"max_short {name}": (cuda_max_short.max_short, (x, mask, IDS, FIELD, LONG, *RESULTS), 128),
        f"max_given {name}": (cuda_max_short.max_given, (x, mask, x, types.UniTuple(LONG, 3), *RESULTS), 64),
    }
KERNELS["max_of_segments"] = (cuda_max_long.max_of_segments, (*RESULTS[:2], PLAN, *RESULTS), 64)
# Shared memory limits the number of blocks of threads, in float64 to three or four.
FLAG = types.int64[::1]
for name, x, mask in (
    ("float32", types.float32[:, ::1], types.boolean),
    ("float64", types.float64[:, ::1], types.boolean),
    ("strided float64, masked", types.float64[:, :], MASK),
):
    flat = x.dtype[::1]
    inputs = (x, mask, IDS, FIELD, flat, x.dtype[:, :, ::1], flat, flat, flat, flat, FLAG)
    inputs += (types.UniTuple(LONG, 8), types.UniTuple(types.boolean, 2))
    single = x.dtype == types.float32
    KERNELS |= {
        f"relax_short {name}": (cuda_relax_short.relax_short, inputs, 104 if single else 136),
        f"relax_long {name}": (cuda_relax_long.relax_long, (*inputs, LONG), 112 if single else 168),
        f"condition {name}": (
            cuda_condition.condition,
            (x, mask, IDS, FIELD, FLAG, flat, FLAG, types.UniTuple(LONG, 4), types.boolean),
            128,
        ),
    }
F32, F64 = types.float32, types.float64
KERNELS |= {
    f"write_at {kind}": (
        cuda_ids.write_at,
        (kind[::1], types.int64[:, :], IDS, FIELD, types.UniTuple(LONG, 3), types.boolean, kind),
        64,
    )
    for kind in (F32, F64)
}
KERNELS |= {
    "copy": (cuda_move.copy, (F32[:, ::1], F64[:, :], LONG, LONG), 40),
    "both": (cuda_move.both, (types.boolean[:, ::1], MASK, MASK, LONG), 40),
    "one_hot": (cuda_move.one_hot, (F32[::1], FLAG, types.boolean[::1], LONG, F32, F32), 40),
    "add_up": (cuda_move.add_up, (F64[::1], F32[::1], LONG, LONG, types.boolean), 48),
    "average": (cuda_move.average, (F32[::1], F64[::1], *[LONG] * 4), 40),
}
LISTS = (F64[::1], types.int64[::1])
RANKED = types.Tuple((types.int64[::1], F64[::1], F64[::1], FLAG))
PLACE, THREE = types.UniTuple(LONG, 7), types.UniTuple(LONG, 3)
TABLES, DRAWS = (F64[::1], types.int64[::1], IDS, IDS), types.UniTuple(types.uint64, 3)
for name, x, mask in (
    ("float32", F32[:, ::1], types.boolean),
    ("strided float64, masked", F64[:, :], MASK),
):
    numbers = x.dtype[::1]
    KERNELS |= {
        f"top_long {name}": (
            cuda_top_long.top_long,
            (x, mask, numbers, IDS, FIELD, types.UniTuple(LONG, 9), *LISTS),
            168,
        ),
    }
KERNELS |= {
    "fill_field": (cuda_top_every.fill_field, (x, mask, IDS, FIELD, *LISTS, types.UniTuple(LONG, 6)), 128),
    "draw_short": (
        cuda_categorical_short.draw_short,
        (x, mask, IDS, DRAWS, LONG, types.int64[:, ::1], FLAG),
        96,
    ),
    "fill_given": (cuda_top_every.fill_given, (x, mask, x, *LISTS, PLAN, FLAG), 64),
    "rank": (cuda_top_every.rank, (*LISTS, LONG, LONG, PLACE, RANKED), 64),
    "select": (cuda_top_every.select, (*LISTS, LONG, LONG, types.int32, PLACE, RANKED), 64),
    "sort_step": (cuda_top_every.sort_step, (*LISTS, *[LONG] * 4), 40),
    "take": (cuda_top_every.take, (*LISTS, *[LONG] * 3, PLACE, RANKED), 64),
    "largest_of_segments": (cuda_categorical.largest_of_segments, (x, mask, THREE, TABLES[0]), 40),
    "masses_of_segments": (cuda_categorical.masses_of_segments, (x, mask, THREE, *TABLES[:2]), 80),
    "cumulate_segments": (cuda_categorical.cumulate_segments, (x, mask, THREE, *TABLES), 80),
    "end_segments": (cuda_categorical.end_segments, (IDS, LONG), 64),
    "draw_of_tables": (
        cuda_categorical.draw_of_tables,
        (IDS, IDS, IDS, DRAWS, LONG, THREE, LONG, types.int64[:, ::1], FLAG),
        64,
    ),
}


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda cc: f"{cc[0]}.{cc[1]}")
@pytest.mark.parametrize("case", KERNELS)
def test_kernels_fit_and_keep_their_roundings(case, capability):
    kernel, arguments, budget = KERNELS[case]
    code = compiled(kernel, arguments, capability)
    assert code.local_bytes == 0
    assert code.registers <= budget
    # Refuses local memory, and products that could be contracted with the additions they feed.
    assert Program(code.ptx, bare=True)
    assert not re.findall(r"\S*\.(?:approx|ftz)\S*", code.ptx)
    if not re.search(r"^\s*(?:add|sub|mul|fma|div|rcp|sqrt)\.\S*f(?:32|64)\b", code.ptx, re.M):
        return  # Nothing is rounded, so the machine code need not be looked at, which takes its time.
    assert not code.spills
    # A division of integers takes a reciprocal, by which no value passes. One of reals begins with a rough reciprocal;
    # the assembler's steps to the rounded one look at exponents by additions that flush, in float32.
    flushed = set(re.findall(r"\b(?:FADD|FMUL|FFMA)\S*\.FTZ|MUFU\.(?!RCP |RCP64H )", "\n".join(code.sass)))
    assert flushed <= ({"FADD.FTZ"} if "rcp.rn.f32" in code.ptx else set())
    # No product was fused with an addition behind the PTX: there are as many of each, or, where what is computed twice
    # was merged, no more fused ones.
    for width, letter in ((32, "F"), (64, "D")):
        extra = {
            machine: code.opcodes.count(letter + machine)
            - len(re.findall(rf"^\s*(?:{name})\.(?:rn\.)?f{width}\b", code.ptx, re.M))
            for name, machine in (("mul", "MUL"), ("add|sub", "ADD"), ("fma", "FMA"))
        }
        assert min(extra["MUL"], extra["ADD"]) >= 0 or extra["FMA"] <= 0, extra


def test_the_frontend_knows_nothing_of_capabilities():
    """It writes the same lines for all, but for the numbers in the names of functions; one case a kernel will do."""
    for kernel, arguments, _ in {case[0]: case for case in KERNELS.values()}.values():
        first, last = (
            Counter(re.sub(r'@"?[\w.$%]+"?|\$\d+', "", library(kernel, arguments, cc).get_llvm_str()).splitlines())
            for cc in (CAPABILITIES[0], CAPABILITIES[-1])
        )
        assert first == last


def test_a_philox_product_is_one_instruction():
    """Ten rounds of two products a call: two calls for a quad in float64, one for blocks."""
    kernel, arguments, _ = KERNELS["fill_short float64"]
    code = compiled(kernel, arguments, (8, 0))
    assert code.ptx.count("mul.wide.u32") >= 60
    assert not re.findall(r"mul\.lo\.[su]64.*, (?:3528531795|3449720151|-766435501|-845247145);", code.ptx)
