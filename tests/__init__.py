"""The tests, in folders that mirror the package.

- ``oracle``: the slow twins: what results must equal, by definition; they share no code with the package.
- ``contract``: the bits that never change: words, logarithms, the field, frozen values.
- ``api``: the public functions, an operation a file: equality with the twins, arguments, threads, memory.
- ``cpu``: kernels of the CPU around their limits, and ``host``: threads, and the types that kernels are compiled for.
- ``law``: the statistics of what is drawn, and planted defects that they catch.
- ``jit``, ``dask``, ``cli``: the other ways in.
- ``cuda``: kernels for the GPU, proven without one by the interpreter in ``ptx``; ``device`` needs a GPU.
- ``faults``: damaged machine code, forks, interrupts, little memory, odd arrays.
- ``house``: the layers, the README, types, and what the scripts of ``bench`` need.
"""
