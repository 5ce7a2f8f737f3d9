"""Call every public function on a GPU: the time of the first call and of the next, and whether the bits are the CPU's.

Each result is printed as it comes, and what fails does not stop the rest.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from device_machine import require_device

from tests.calls import CALLS, assert_same_bits, logits, parts

# Other kernels serve short rows than long ones.
CASES = [(name, shape) for name in CALLS for shape in ((5, 10), (3, 3000))]


def timed(cuda: Any, call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = call()
    cuda.synchronize()
    return time.perf_counter() - begin, result


def check(cuda: Any, name: str, shape: tuple[int, ...]) -> str:
    """Times of two calls; raises where the bits differ."""
    x = logits(shape, np.float32)
    here = parts(CALLS[name](np.asarray, x))
    times = []
    for _ in range(2):
        seconds, there = timed(cuda, lambda: CALLS[name](cuda.to_device, x))
        times.append(seconds)
        for actual, expected in zip(parts(there), here, strict=True):
            assert_same_bits(cuda.as_cuda_array(actual).copy_to_host(), np.asarray(expected))
    return f"{times[0]:.2f} s, then {times[1] * 1e3:.2f} ms"


def is_usable(cuda: Any) -> bool:
    """Whether the device still does anything: after some faults it refuses all that a process asks."""
    try:
        cuda.synchronize()
        cuda.to_device(np.zeros(1)).copy_to_host()
    except Exception:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--failed", type=int, default=0, help="cases that have failed before it")
    options = parser.parse_args()
    require_device()
    from numba import cuda

    failed = options.failed
    for number in range(options.first, len(CASES)):
        name, shape = CASES[number]
        try:
            print(f"ok     {name} {shape}: {check(cuda, name, shape)}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {name} {shape}", flush=True)
            traceback.print_exc()
            if not is_usable(cuda):
                print("The device is of no more use to this process: the rest runs in a new one.", flush=True)
                again = ["--first", str(number + 1), "--failed", str(failed)]
                os.execv(sys.executable, [sys.executable, __file__, *again])
    print(f"{len(CASES) - failed} of {len(CASES)} calls give the bits of the CPU.")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
