"""The kernels whose machine code is inspected, with the types of their arguments."""

from numba import types

from fastgumbel._cuda.kernels import (
    categorical,
    categorical_short,
    given,
    ids,
    max_long,
    max_short,
    move,
    noise,
    softmax_long,
    softmax_short,
    softmax_vjp,
    top_every,
    top_long,
)
from fastgumbel._cuda.kernels.parameters import Cotangents, Field, Rates, Samples, Tangents, Temperatures, Window

IDS = types.Array(types.uint64, 1, "C")
VECTORS = types.UniTuple(types.int64, 2)
LONG = types.int64


def named(kind, *fields):
    """Return the type of a named tuple of parameters."""
    return types.BaseTuple.from_types(fields, kind)


TEMPERATURES = named(Temperatures, types.float64, types.float64[::1])
FIELD = named(Field, IDS, *[types.uint64] * 4, IDS, TEMPERATURES)
# Kernel, argument types, and how many registers leave room for the warps that its launch shape assumes.
KERNELS = {
    f"{kernel.py_func.__name__} {kind}": (kernel, (kind[::1], FIELD, LONG, LONG, VECTORS, *more), budget[kind])
    for kernel, more, budget in (
        (noise.fill_short, (), {types.float32: 64, types.float64: 96}),
        (noise.fill_long, (LONG, types.int32), {types.float32: 64, types.float64: 96}),
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
        f"max_long {name}": (max_long.max_long, (x, mask, x.dtype[::1], FIELD, PLAN, *RESULTS), 168),
        f"max_short {name}": (max_short.max_short, (x, mask, FIELD, LONG, *RESULTS), 128),
        f"max_given {name}": (max_short.max_given, (x, mask, x, TEMPERATURES, types.UniTuple(LONG, 3), *RESULTS), 64),
    }
KERNELS["max_of_segments"] = (max_long.max_of_segments, (*RESULTS[:2], PLAN, *RESULTS), 64)
# Shared memory limits the number of blocks of threads, in float64 to three or four.
FLAG = types.int64[::1]
for name, x, mask in (
    ("float32", types.float32[:, ::1], types.boolean),
    ("float64", types.float64[:, ::1], types.boolean),
    ("strided float64, masked", types.float64[:, :], MASK),
):
    flat = x.dtype[::1]
    inputs = (
        x,
        mask,
        FIELD,
        x.dtype[:, :, ::1],
        named(Rates, x.dtype, flat),
        named(Tangents, flat, LONG, flat, LONG, types.boolean, flat, LONG),
        named(Samples, flat, types.boolean, FLAG, LONG),
    )
    window = named(Window, *[LONG] * 5)
    single = x.dtype == types.float32
    KERNELS |= {
        f"softmax_short {name}": (softmax_short.softmax_short, (*inputs, window), 104 if single else 136),
        f"softmax_long {name}": (
            softmax_long.softmax_long,
            (*inputs, types.Tuple((LONG, window))),
            120 if single else 168,
        ),
        f"condition {name}": (
            given.condition,
            (x, mask, FIELD, FLAG, flat, FLAG, types.UniTuple(LONG, 4), types.boolean),
            128,
        ),
    }
F32, F64 = types.float32, types.float64
KERNELS |= {
    f"write_at {kind}": (
        ids.write_at,
        (kind[::1], types.int64[:, :], FIELD, types.UniTuple(LONG, 3), types.boolean, kind),
        64,
    )
    for kind in (F32, F64)
}
KERNELS |= {
    "copy": (move.copy, (F32[:, ::1], F64[:, :], LONG, LONG), 40),
    "both": (move.both, (types.boolean[:, ::1], MASK, MASK, LONG), 40),
    "one_hot": (move.one_hot, (F32[::1], FLAG, types.boolean[::1], LONG, F32, F32), 40),
    "add_up": (move.add_up, (F64[::1], F32[::1], LONG, LONG, types.boolean), 48),
    "average": (move.average, (F32[::1], F64[::1], *[LONG] * 4), 40),
}
FACTORS, BOTH = named(Rates, F64, F64[::1]), types.UniTuple(types.boolean, 2)
for kind in (F32, F64):
    numbers = kind[::1]
    means, cotangents = (F64[::1], F64[::1]), named(Cotangents, numbers, types.boolean, numbers, *[LONG] * 5)
    KERNELS |= {
        f"pull_short {kind}": (softmax_vjp.pull_short, (*means, cotangents), 80),
        f"pull_long {kind}": (softmax_vjp.pull_long, (*means, cotangents), 80),
        f"add_gradients {kind}": (
            softmax_vjp.add_gradients,
            (numbers, F64[::1], F64[::1], cotangents, FACTORS, types.boolean, types.boolean),
            64,
        ),
        f"add_slopes {kind}": (
            softmax_vjp.add_slopes,
            (numbers, F64[::1], *means, VECTORS, FACTORS, FLAG, BOTH),
            48,
        ),
        f"add_along {kind}": (softmax_vjp.add_along, (numbers, F64[::1], LONG, LONG), 40),
    }
LISTS = (F64[::1], types.int64[::1])
RANKED = types.Tuple((types.int64[::1], F64[::1], F64[::1], FLAG))
PLACE, THREE = types.UniTuple(LONG, 7), types.UniTuple(LONG, 3)
TABLES = (F64[::1], types.int64[::1], IDS, IDS)
for name, x, mask in (
    ("float32", F32[:, ::1], types.boolean),
    ("strided float64, masked", F64[:, :], MASK),
):
    numbers = x.dtype[::1]
    KERNELS |= {
        f"top_long {name}": (
            top_long.top_long,
            (x, mask, numbers, FIELD, types.UniTuple(LONG, 9), *LISTS),
            168,
        ),
    }
KERNELS |= {
    "fill_field": (top_every.fill_field, (x, mask, FIELD, *LISTS, types.UniTuple(LONG, 6)), 128),
    "draw_short": (
        categorical_short.draw_short,
        (x, mask, FIELD, LONG, types.int64[:, ::1], FLAG),
        96,
    ),
    "fill_given": (top_every.fill_given, (x, mask, x, TEMPERATURES, *LISTS, PLAN, FLAG), 64),
    "rank": (top_every.rank, (*LISTS, LONG, LONG, PLACE, RANKED), 64),
    "select": (top_every.select, (*LISTS, LONG, LONG, types.int32, PLACE, RANKED), 64),
    "sort_step": (top_every.sort_step, (*LISTS, *[LONG] * 4), 40),
    "take": (top_every.take, (*LISTS, *[LONG] * 3, PLACE, RANKED), 64),
    "largest_of_segments": (categorical.largest_of_segments, (x, mask, THREE, TABLES[0]), 40),
    "masses_of_segments": (categorical.masses_of_segments, (x, mask, TEMPERATURES, THREE, *TABLES[:2]), 80),
    "cumulate_segments": (categorical.cumulate_segments, (x, mask, TEMPERATURES, THREE, *TABLES), 80),
    "end_segments": (categorical.end_segments, (IDS, LONG), 64),
    "draw_of_tables": (
        categorical.draw_of_tables,
        (IDS, IDS, FIELD, LONG, THREE, LONG, types.int64[:, ::1], FLAG),
        64,
    ),
}
