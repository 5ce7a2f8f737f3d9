"""Report on the CUDA kernels, made without a GPU: registers, instructions and bytes an element, and a roofline.

Public functions run on an emulated device; with --write, the tables go to their page. Published rates and their
sources are in `cuda_rates.py`, the calls in `cuda_cases.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from cuda_cases import Case, cases
from cuda_profile import Launch, profile
from cuda_rates import DEVICES, LIMITS, PIPES, Rates
from sections import machine, replace_section

from tests.cuda.offline import compiled

# Whose instructions are shown by pipe.
COUNTED = "A100 SXM 80 GB"


def registers(launches: list[Launch]) -> Iterator[str]:
    """A row for each kernel and type."""
    yield "| kernel | shared bytes | local bytes, spills | " + " | ".join(f"{a}.{b}" for a, b in LIMITS) + " |"
    yield "| --- | --- | --- |" + " --- |" * len(LIMITS)
    for launch in {launch.name: launch for launch in reversed(launches)}.values():
        codes = {c: compiled(launch.kernel, c) for c in LIMITS}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda code: code.sass, codes.values()))  # what they are asked for later is kept
        shared = max(code.shared_bytes for code in codes.values())
        local = max(code.local_bytes for code in codes.values()), max(len(code.spills) for code in codes.values())
        cells = [
            f"{code.registers}, {LIMITS[c].resident_warps(launch.block, code.registers, shared + launch.shared_bytes)}"
            for c, code in codes.items()
        ]
        asked = f" + {launch.shared_bytes:,}" if launch.shared_bytes else ""
        yield f"| {launch.name} | {shared}{asked} | {local[0]}, {local[1]} | {' | '.join(cells)} |"


def instructions(profiles: dict[Case, list[Launch]]) -> Iterator[str]:
    """A row for each case: instructions of a thread an element, by pipe."""
    yield "| call | all | " + " | ".join(PIPES) + " | bytes asked for | each once |"
    yield "| --- |" + " --- |" * (len(PIPES) + 3)
    for case, launches in profiles.items():
        counts = [32 * sum(launch.pipes.get(name, 0.0) for launch in launches) / case.elements for name in PIPES]
        asked = sum(launch.asked_bytes for launch in launches) / case.elements
        once = sum(launch.distinct_bytes for launch in launches) / case.elements
        cells = " | ".join(f"{count:.3g}" for count in (sum(counts), *counts, asked, once))
        yield f"| {case.name} | {cells} |"


def moved(launch: Launch, rates: Rates) -> int:
    """Bytes between a multiprocessor and what lies behind its cache, where what is read again is kept if it fits."""
    code = compiled(launch.kernel, rates.capability)
    shared = code.shared_bytes + launch.shared_bytes
    resident = rates.limits.resident_warps(launch.block, code.registers, shared) // -(-launch.block // 32)
    kept = (launch.distinct_bytes / launch.grid + shared) * resident <= rates.cache
    return launch.distinct_bytes if kept else launch.asked_bytes


def bound(launch: Launch, rates: Rates) -> tuple[float, str]:
    """Seconds of a launch, and what takes them: the busiest resource, as if all others hid behind it."""
    seconds = {
        name: cycles / rates.hertz / rates.multiprocessors for name, cycles in rates.cycles(launch.pipes).items()
    }
    seconds["memory"] = moved(launch, rates) / rates.bandwidth
    busiest = max(seconds, key=lambda name: seconds[name])
    return seconds[busiest], busiest


def predicted(case: Case, launches: list[Launch], rates: Rates) -> str:
    """Elements a second, the limiting resource of the longest launch, and the share of the bandwidth."""
    bounds = [bound(launch, rates) for launch in launches]
    total = sum(seconds for seconds, _ in bounds)
    share = case.bytes / rates.bandwidth / total
    return f"{case.elements / total / 1e9:.3g}, {max(bounds)[1]}, {share:.2f}"


def roofline(profiles: dict[str, dict[Case, list[Launch]]]) -> Iterator[str]:
    """A row for each case, a cell for each device."""
    yield "| call | " + " | ".join(DEVICES) + " |"
    yield "| --- |" + " --- |" * len(DEVICES)
    for case in profiles[COUNTED]:
        cells = [predicted(case, profiles[name][case], rates) for name, rates in DEVICES.items()]
        yield f"| {case.name} | {' | '.join(cells)} |"


def report() -> str:
    every = list(cases())
    profiles = {name: {case: profile(case, rates.capability) for case in every} for name, rates in DEVICES.items()}
    launches = [launch for of_case in profiles[COUNTED].values() for launch in of_case]
    lines = [
        f"Made on {machine('numpy', 'numba-cuda', 'nvidia-nvvm', 'nvidia-nvjitlink')}",
        "Registers a thread, and warps that fit on a multiprocessor with them, by compute capability:",
        "",
        *registers(launches),
        "",
        "Machine instructions of a thread, and bytes of global memory, an element, for an A100, counted on an",
        "emulated device with 2 multiprocessors. A machine instruction counts as often as the PTX instruction that it",
        "was made from ran, for all lanes of a warp however many take part; where the assembler copied a block, the",
        "copies share its runs. Log-potentials are N(0, 1).",
        "",
        *instructions(profiles[COUNTED]),
        "",
        "Predicted from published rates at boost clock, not measured: G elements/s, the limiting resource, and the",
        "share of the memory's bandwidth that reading inputs once and writing outputs once would take. All but the",
        "busiest resource is taken to be hidden behind it, so real figures are lower. What is read again counts again,",
        "as if it came from the device's memory, unless all that the resident thread blocks touch fits the L1 cache.",
        "",
        *roofline(profiles),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the tables on the page")
    options = parser.parse_args()
    text = report()
    print(text)
    if options.write:
        replace_section("bench/pages/gpu.md", "bench/cuda_report.py", text)


if __name__ == "__main__":
    main()
