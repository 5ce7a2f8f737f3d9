"""Kernels are compiled once for arrays that can be written to and for those that cannot: it takes seconds each time."""

from tests.subprocesses import python

PROGRAM = """
import re
import sys

import numpy as np

import fastgumbel as fg


def calls(noise, convert, ids):
    for n in (4, 300, 9000):
        x, choice = convert(np.zeros((3, n))), convert(np.zeros(3, np.intp))
        fg.gumbel(x.shape, noise=noise)
        fg.gumbel_max(x, noise=noise)
        fg.gumbel_top_k(x, 2, noise=noise)
        fg.gumbel_softmax(x, 0.5, noise=noise)
        fg.gumbel_softmax_jvp((x, 0.5), (x, None), noise=noise)
        fg.gumbel_softmax_jvp((x, 0.5), (x, None), noise=x)
        fg.gumbel_softmax_vjp((x, 0.5), x, noise=noise)
        fg.gumbel_given_choice(x, choice, noise=noise)
        if not ids:
            fg.categorical(x, noise=noise)


def fixed(array):
    array.flags.writeable = False
    return array


field, rows = fg.NoiseField(0), np.arange(3, dtype=np.uint64)
calls(field, lambda array: array, False)
calls(field.at(rows=rows), fixed, False)
calls(field.at(rows=rows[::-1]), lambda array: np.repeat(array, 2, 0)[::2], False)
for noise in (field, field.at(rows=rows)):
    x = np.zeros((3, 300))
    for wide in (0, 2**40):
        fg.gumbel_softmax(x, 0.5, noise=noise.at(categories=wide + 2 * np.arange(300)[::-1]))

modules = [module for name, module in sys.modules.items() if name.startswith("fastgumbel._cpu.")]
found = [value for module in modules for value in vars(module).values() if hasattr(value, "targetoptions")]
# What only kernels call may be compiled for both.
kernels = {value.__name__: value for value in found if "no_cpython_wrapper" not in value.targetoptions}
for kernel in kernels.values():
    kinds = [re.sub("True|False|'[AC]'", "", repr(types)) for types in kernel.signatures]
    if len({*kinds}) < len(kinds):
        print(kernel.__name__)
print(len([kernel for kernel in kernels.values() if kernel.signatures]) > 12)
"""


def test_kernels_are_compiled_once_whoever_may_write():
    assert python(PROGRAM) == "True"
