"""Compare fastgumbel with CuPy and PyTorch on a GPU: every contender in turn, timed by events on the device.

Prints the table; with --write, also puts it on its page. Where there is no GPU, it says so and writes nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from cases import Work
from device_cases import works
from sections import machine, replace_section

from fastgumbel import _device


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


def rows(cuda: Any, rounds: int) -> Iterator[str]:
    for make in works():
        work = make()
        seconds = medians(cuda, work, rounds)
        ours = seconds.pop("fastgumbel")
        against = ", ".join(f"{name} {other / ours:.2f}" for name, other in seconds.items())
        rate = f"{work.elements / ours / 1e9:.3g}"
        yield f"| {work.name} | {ours * 1e3:.3g} | {rate} | {work.bytes / ours / 1e9:.0f} | {against} |"


def table(cuda: Any, rounds: int) -> str:
    device = cuda.get_current_device()
    lines = [
        f"Measured on {device.name}, compute capability {'.'.join(map(str, device.compute_capability))};",
        machine("numpy", "numba-cuda", "torch", "cupy-cuda13x"),
        f"Medians of {rounds} rounds by events on the device, all contenders in turn. A ratio is the contender's time",
        "over fastgumbel's: above 1, fastgumbel is faster.",
        "",
        "| work | ms | G elements/s | GB/s | ratio of times: contender / fastgumbel |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows(cuda, rounds):
        print(row, file=sys.stderr, flush=True)
        lines.append(row)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    try:
        _device.current()
    except (ImportError, RuntimeError) as missing:
        print(f"There is no GPU to measure, so nothing is measured and nothing written: {missing}.")
        return
    from numba import cuda

    text = table(cuda, options.rounds)
    print(text)
    if options.write:
        replace_section("bench/pages/gpu.md", "bench/device.py", text)


if __name__ == "__main__":
    main()
