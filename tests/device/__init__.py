"""What only a GPU can tell; runs by itself where there is one.

Kernels have been proven without one in ``tests/cuda``. What is left is all that stands between them and a caller: the
driver, launches, streams, memory beyond what the interpreter can hold, and arrays of other libraries.
"""

import pytest

from fastgumbel import _device

try:
    _device.current()
except (ImportError, RuntimeError) as missing:
    pytest.skip(f"no GPU to run on: {missing}", allow_module_level=True)
