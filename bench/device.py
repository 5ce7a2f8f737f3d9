"""Compare fastgumbel with CuPy and PyTorch on a GPU: every contender in turn, timed by events on the device.

Prints the table, each row as it comes; with --write, also puts it on its page. It fails where there is no GPU, and goes
on where a row fails, but then leaves the page as it is.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from cases import Work
from device_cases import works
from device_machine import require_device
from sections import machine, replace_section

FAILED = "| failed | - | - | - | - |"


def milliseconds(cuda: Any, call: Callable[[], Any]) -> float:
    """Time on the device, from an event before the call to one behind it, both on the default stream."""
    begin, end = cuda.event(), cuda.event()
    begin.record()
    call()
    end.record()
    end.synchronize()
    return float(cuda.event_elapsed_time(begin, end))


def medians(cuda: Any, work: Work, rounds: int) -> dict[str, float]:
    """Median seconds of each contender; all take part in every round, after two that are not counted."""
    times: dict[str, list[float]] = {name: [] for name in work.contenders}
    for name, call in [*work.contenders.items()] * (rounds + 2):
        times[name].append(milliseconds(cuda, call))
    return {name: statistics.median(values[2:]) / 1e3 for name, values in times.items()}


def row(cuda: Any, work: Work, rounds: int) -> str:
    seconds = medians(cuda, work, rounds)
    ours = seconds.pop("fastgumbel")
    against = ", ".join(f"{name} {other / ours:.2f}" for name, other in seconds.items())
    rate = f"{work.elements / ours / 1e9:.3g}"
    return f"| {work.name} | {ours * 1e3:.3g} | {rate} | {work.bytes / ours / 1e9:.0f} | {against} |"


def lines(cuda: Any, rounds: int) -> Iterator[str]:
    device = cuda.get_current_device()
    yield f"Measured on {device.name}, compute capability {'.'.join(map(str, device.compute_capability))};"
    yield machine("numpy", "numba-cuda", "torch", "cupy-cuda13x")
    yield f"Medians of {rounds} rounds by events on the device, all contenders in turn. A ratio is the contender's time"
    yield "over fastgumbel's: above 1, fastgumbel is faster."
    yield ""
    yield "| work | ms | G elements/s | GB/s | ratio of times: contender / fastgumbel |"
    yield "| --- | --- | --- | --- | --- |"
    for make in works():
        try:
            yield row(cuda, make(), rounds)
        except Exception:
            traceback.print_exc()
            yield FAILED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    require_device()
    from numba import cuda

    table = []
    for line in lines(cuda, options.rounds):
        print(line, flush=True)
        table.append(line)
    if FAILED in table:
        raise SystemExit(f"{table.count(FAILED)} rows failed.")
    if options.write:
        replace_section("bench/pages/gpu.md", "bench/device.py", "\n".join(table))


if __name__ == "__main__":
    main()
