"""Compare fastgumbel with its peers: every contender in turn, round after round, in one process; medians and ratios.

Prints the table; with --write, also puts it on its page and some of its rows into the README, and draws the picture of
`by_rows.py` anew where the extra `plot` is installed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from by_rows import picture
from cases import all_works, has
from measuring import fresh_environment, medians
from sections import machine, replace_section

SCRIPT = "bench/compare.py"
# Rows of the table that the README shows.
IN_README = (
    "`gumbel_max` 256 x 131,072 float32, logits N(0, 1²)",
    "`gumbel_max` 1,000,000 x 10 float32",
    "`gumbel_top_k` 64 x 131,072 float32, k = 64",
    "`categorical` 10,000,000 draws from 1,000 float64",
    "`gumbel_softmax` 1,000,000 x 10 float32",
)


def rows(rounds: int) -> Iterator[str]:
    for make in all_works():
        work = make()
        seconds = medians(work.contenders, rounds)
        ours = seconds.pop("fastgumbel")
        against = ", ".join(f"{name} {other / ours:.2f}" for name, other in seconds.items())
        rate = f"{work.elements / ours / 1e9:.3g}"
        yield f"| {work.name} | {ours * 1e3:.3g} | {rate} | {work.bytes / ours / 1e9:.3g} | {against} |"


def start_up(rounds: int) -> Iterator[str]:
    """Seconds of a fresh process to import and to draw, with and without machine code on disk."""
    draw = "import numpy, fastgumbel; x = numpy.zeros({shape}, numpy.float32); fastgumbel.gumbel_max(x, rng=0)"
    programs = {
        "import numba": "import numba",
        "import fastgumbel": "import fastgumbel",
        "import and first call, short rows": draw.format(shape="(1000, 10)"),
        "import and first call, long rows": draw.format(shape="(4, 10000)"),
    }

    def run(program: str, cache: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, env=fresh_environment(cache))
        return time.perf_counter() - begin

    with tempfile.TemporaryDirectory() as cache:
        cold = {name: run(program, cache) for name, program in programs.items()}
        times: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(rounds):
            for name, program in programs.items():
                times[name].append(run(program, cache))
    warm = {name: statistics.median(values) for name, values in times.items()}
    base = warm["import numba"]
    for name in list(programs)[1:]:
        shown = f"{cold[name]:.2f}" if "call" in name else ""
        yield f"| {name} | {warm[name]:.2f} | {warm[name] - base:+.2f} | {shown} |"


def table(rounds: int) -> str:
    lines = [
        f"Measured on {machine('numpy', 'numba', 'jax', 'torch', 'mkl_random')}",
        f"One thread unless said (JAX: its default). Medians of {rounds} rounds, all contenders in turn. A ratio is",
        "the contender's time over fastgumbel's: above 1, fastgumbel is faster.",
        "",
        "| work | ms | G elements/s | GB/s | ratio of times: contender / fastgumbel |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows(rounds):
        print(row, file=sys.stderr, flush=True)
        lines.append(row)
    lines += ["", "| a fresh process | seconds, code on disk | beyond `import numba` | seconds, nothing on disk |"]
    lines += ["| --- | --- | --- | --- |", *start_up(rounds)]
    return "\n".join(lines)


def summary(text: str) -> str:
    """The head of the table, and the rows that the README shows."""
    head, works = text.split("\n\n")[:2]
    lines = works.splitlines()
    shown = [line for name in IN_README for line in lines if line.startswith(f"| {name} |")]
    return "\n".join([head, "", *lines[:2], *shown])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    text = table(options.rounds)
    print(text)
    if options.write:
        replace_section("bench/pages/performance.md", SCRIPT, text)
        replace_section("README.md", SCRIPT, summary(text))
        if has("matplotlib"):
            print(picture(options.rounds))


if __name__ == "__main__":
    main()
