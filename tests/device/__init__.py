"""What only a GPU can tell; runs by itself where there is one.

Kernels have been proven without one in ``tests/cuda``. What is left is all that stands between them and a caller: the
driver, launches, streams, memory beyond what the interpreter can hold, and arrays of other libraries.
"""

from tests.requirements import missing_device, skip_if

skip_if(missing_device())
