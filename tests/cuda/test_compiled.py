"""What the compiler makes of the kernels, for every capability: registers, local memory, instructions."""

import re
from collections import Counter

import pytest

from tests.cuda.kernels import KERNELS
from tests.cuda.offline import CAPABILITIES, compiled, kernel_of
from tests.ptx import Program


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda cc: f"{cc[0]}.{cc[1]}")
@pytest.mark.parametrize("case", KERNELS)
def test_kernels_fit_and_keep_their_roundings(case, capability):
    kernel, arguments, budget = KERNELS[case]
    code = compiled(kernel_of(kernel, arguments), capability)
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
    # Those of a quotient of float32 also take a root of NaN, to make one.
    quotient = {"FADD.FTZ", "MUFU."} if "div.rn.f32" in code.ptx else set()
    assert flushed <= quotient | ({"FADD.FTZ"} if "rcp.rn.f32" in code.ptx else set())
    assert all("MUFU.RSQ " in line for line in code.sass if re.search(r"MUFU\.(?!RCP |RCP64H )", line))
    # No product was fused with an addition behind the PTX: there are as many of each, or, where what is computed twice
    # was merged, no more fused ones; a product with 0, as divisions of float64 have, is none.
    for width, letter in ((32, "F"), (64, "D")):
        extra = {
            machine: code.opcodes.count(letter + machine)
            - len(re.findall(rf"^\s*(?:{name})\.(?:rn\.)?f{width}\b", code.ptx, re.M))
            for name, machine in (("mul", "MUL"), ("add|sub", "ADD"), ("fma", "FMA"))
        }
        extra["FMA"] -= len(re.findall(rf"\b{letter}FMA\S* R\d+, RZ,", "\n".join(code.sass)))
        assert min(extra["MUL"], extra["ADD"]) >= 0 or extra["FMA"] <= 0, extra


def test_the_frontend_knows_nothing_of_capabilities():
    """It writes the same lines for all, but for the numbers in the names of functions; one case a kernel will do."""
    for kernel, arguments, _ in {case[0]: case for case in KERNELS.values()}.values():
        first, last = (
            Counter(re.sub(r'@"?[\w.$%]+"?|\$\d+', "", kernel_of(kernel, arguments, cc).inspect_llvm()).splitlines())
            for cc in (CAPABILITIES[0], CAPABILITIES[-1])
        )
        assert first == last


def test_a_philox_product_is_one_instruction():
    """Ten rounds of two products a call: two calls for a quad in float64, one for blocks."""
    kernel, arguments, _ = KERNELS["fill_short float64"]
    code = compiled(kernel_of(kernel, arguments), (8, 0))
    assert code.ptx.count("mul.wide.u32") >= 60
    assert not re.findall(r"mul\.lo\.[su]64.*, (?:3528531795|3449720151|-766435501|-845247145);", code.ptx)
