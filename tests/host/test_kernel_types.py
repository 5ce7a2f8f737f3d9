"""Kernels are compiled once for arrays that can be written to and for those that cannot: it takes seconds each time."""

import re
import sys

import numpy as np

import fastgumbel as fg


def calls(noise, choice):
    """Call what reads row ids and, of several draws, choices: on short rows, middle ones and long ones."""
    for n in (4, 300, 9000):
        x = np.zeros((3, n))
        fg.gumbel(x.shape, noise=noise)
        fg.gumbel_max(x, noise=noise)
        fg.gumbel_top_k(x, 2, noise=noise)
        fg.gumbel_softmax(x, 0.5, noise=noise)
        fg.categorical(x, noise=noise)
        fg.gumbel_given_choice(x, choice, noise=noise)


def test_kernels_are_compiled_once_whoever_may_write():
    rows, choice = np.arange(3, dtype=np.uint64), np.zeros(3, np.intp)
    fixed = choice.copy()
    fixed.flags.writeable = False
    calls(fg.NoiseField(0), choice)
    calls(fg.NoiseField(0).at(rows=rows), fixed)
    calls(fg.NoiseField(0).at(rows=rows[::-1]), choice[::-1])
    modules = [module for name, module in sys.modules.items() if name.startswith("fastgumbel._cpu.")]
    names = {name for module in modules for name in vars(module)}
    assert {"max_short", "noise_long"} <= names
    found = [value for module in modules for value in vars(module).values() if hasattr(value, "targetoptions")]
    # What only kernels call may be compiled for both.
    for kernel in [value for value in found if "no_cpython_wrapper" not in value.targetoptions]:
        kinds = [re.sub("True|False", "", repr(types)) for types in kernel.signatures]
        assert len({*kinds}) == len(kinds), kernel.__name__
