"""Cold start of every public function: processor time of a fresh process, without machine code on disk and with it.

Prints the table; with --write, also puts it on its page.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile

from measuring import fresh_environment
from sections import machine, replace_section

PROLOGUE = """
import numpy as np, numba, fastgumbel as fg
short, long = np.zeros((1000, 10), np.float32), np.zeros((4, 10_000), np.float32)
"""
# The same call on short rows and on long ones, which other kernels serve.
CALLS = {
    "gumbel": "fg.gumbel({x}.shape, rng=0, dtype='f')",
    "gumbel_max": "fg.gumbel_max({x}, rng=0)",
    "gumbel_top_k": "fg.gumbel_top_k({x}, 3, rng=0)",
    "gumbel_softmax": "fg.gumbel_softmax({x}, 0.5, rng=0)",
    "gumbel_softmax_jvp": "fg.gumbel_softmax_jvp(({x}, 0.5), ({x}, None), rng=0)",
    "gumbel_given_choice": "fg.gumbel_given_choice({x}, [0] * len({x}), rng=0)",
    "categorical": "fg.categorical({x}, rng=0)",
    "Reservoir": "fg.Reservoir(3, rng=0).update({x}[0])",
}


def seconds(program: str, cache: str) -> float:
    """Processor time, as that depends least on what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=fresh_environment(cache))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(call: str, imports: float) -> tuple[float, float]:
    """Seconds of a first process, and the least of two more, beyond the imports."""
    program = PROLOGUE + call
    with tempfile.TemporaryDirectory() as cache:
        first = seconds(program, cache)
        return first - imports, min(seconds(program, cache) for _ in range(2)) - imports


def table() -> str:
    with tempfile.TemporaryDirectory() as cache:
        imports = min(seconds(PROLOGUE, cache) for _ in range(3))
    lines = [
        f"Measured on {machine('numpy', 'numba', 'llvmlite')}",
        "Seconds of processor time that the first call of a process takes, float32, without machine code on disk and",
        f"with it, beyond the {imports:.2f} s of importing NumPy and Numba.",
        "",
        "| function | short rows, compiled | from disk | long rows, compiled | from disk |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, call in CALLS.items():
        times = [f"{t:.2f}" for x in ("short", "long") for t in measured(call.format(x=x), imports)]
        row = f"| `{name}` | {' | '.join(times)} |"
        print(row, file=sys.stderr, flush=True)
        lines.append(row)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    text = table()
    print(text)
    if options.write:
        replace_section("bench/pages/performance.md", "bench/cold.py", text)


if __name__ == "__main__":
    main()
