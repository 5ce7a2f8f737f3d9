"""The curve "time by categories" of `gumbel_max` beside its peers; what it costs over `np.max`; where its kernels meet.

Every process of a measurement has one processor, or two, or all of them, and everybody in it has as many: see
`curve_points.py`. Prints the tables; with --write, also puts them on their page and draws the curve (extra `plot`).
With --old, only compares with another checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from cases import RELAXED, has
from charts import Line, draw
from curve_points import DTYPES, RACE, SPREADS, Seconds
from sections import PICTURES, ROOT, machine, replace_section
from tqdm import tqdm

Shape = tuple[int, int]
Point = tuple[Any, ...]
Kinds = dict[str, dict[str, str]]
PAGE, SCRIPT = "bench/pages/curve.md", "bench/curve.py"
CATEGORIES = 10, 30, 100, 192, 256, 512, 1024, 4096, 8192, 16_384, 32_768, 131_072
# About so many log-potentials are in an array.
ITEMS = 10_000_000
SHAPES = (100_000, 100), (40_000, 256), (20_000, 512), (10_000, 1024), (2000, 4096), (500, 20_000), (64, 131_072)
KERNELS = 64, 128, 192, 256, 512, 1024, 4096, 8192, 12_288, 16_384, 32_768
# Where a second thread gains less in a pure loop, as on a busy machine, the picture has one thread alone.
ENOUGH = 1.7
LINES = {
    "fastgumbel, 1 thread": Line("#cc3311", width=2.4),
    "fastgumbel, 2 threads": Line("#cc3311", "--", 2.4),
    "NumPy's best": Line("#4477aa"),
    "JAX, 1 thread": Line("#228833"),
    "JAX, 2 threads": Line("#228833", "--"),
    "PyTorch, 1 thread": Line("#aa7722"),
    "PyTorch, 2 threads": Line("#aa7722", "--"),
    "np.max": Line("#000000", ":"),
}


class Child:
    """A process that measures, with so many processors (0: all) and perhaps another environment."""

    def __init__(self, processors: int = 0, **environment: str) -> None:
        own = {"OMP_NUM_THREADS": str(processors)} if processors else {}
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "bench" / "curve_points.py"), str(processors)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **own, **environment},
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def measure(self, function: str, *arguments: Any) -> Seconds:
        """Call a function of `curve_points.py`."""
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that measures {function}{arguments} has ended")
        return json.loads(answer)


def scaled(shapes: Sequence[Shape], items: int) -> list[Shape]:
    """Shapes of the same rows, fewer or more of them."""
    return [(max(1, rows * items // ITEMS), n) for rows, n in shapes]


def vector_kinds() -> Kinds:
    """The environment that gives each kind of vectors: the processor's own, and AVX2 where it has more."""
    with Child() as child:
        bits = child.measure("vectors")["bits"]
    found = np.show_config("dicts")["SIMD Extensions"]["found"]
    wide = " ".join(name for name in found if name.startswith("AVX512") or name == "X86_V4")
    kinds: Kinds = {f"Vectors of {bits or 'unknown'} bits": {}}
    if wide:
        kinds["AVX2"] = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "", "NPY_DISABLE_CPU_FEATURES": wide}
    return kinds


def head(columns: list[str]) -> list[str]:
    return ["", f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]


def line(*cells: str) -> str:
    text = f"| {' | '.join(cells)} |"
    print(text, file=sys.stderr, flush=True)
    return text


def in_passes(
    points: Sequence[Point], rounds: int, measure: Callable[..., Seconds], best: dict[Point, Seconds]
) -> dict[Point, Seconds]:
    """Least seconds at each point of several passes over all of them, so that each has its quiet moments; in `best`."""
    for point in tqdm(list(points) * rounds, unit="point", leave=False):
        own = best.setdefault(point, {})
        for name, seconds in measure(*point).items():
            own[name] = min(seconds, own.get(name, seconds))
    return best


def fastest(seconds: Seconds, library: str) -> tuple[float, str]:
    """The least time of the ways of a library, and which way it is, unless there is but one."""
    ways = ((least, name.removeprefix(library).strip()) for name, least in seconds.items() if name.startswith(library))
    return min(ways)


def gain(seconds: Seconds) -> float:
    """How much faster two pure loops run on two threads than one after the other."""
    return 2 * seconds["loop"] / seconds["two loops"]


def measure_curve(rounds: int, items: int, patience: float) -> dict[Point, Seconds]:
    """Seconds a log-potential with one thread and with two: what the points (threads, categories) are.

    Where the machine had no second thread to give, the point is measured again while patience (seconds) lasts.
    """
    with Child(1) as one, Child(2) as two:

        def measure(threads: int, n: int) -> Seconds:
            rows = max(1, items // n)
            seconds = (one if threads == 1 else two).measure("curve", rows, n, threads, 1)
            return {name: value / (rows * n) for name, value in seconds.items()}

        best = in_passes([(threads, n) for n in CATEGORIES for threads in (1, 2)], rounds, measure, {})
        end = time.monotonic() + patience
        while (poor := [p for p in best if p[0] == 2 and gain(best[p]) < ENOUGH]) and time.monotonic() < end:
            in_passes(poor, 1, measure, best)
        return best


def curve_table(threads: int, points: dict[Point, Seconds], curves: dict[str, list[float]]) -> Iterator[str]:
    """Nanoseconds a log-potential of everybody with so many threads, which are also put to the lines of the picture."""
    unit = "1 thread" if threads == 1 else f"{threads} threads"
    libraries = {"fastgumbel": f"fastgumbel, {unit}"}
    libraries |= {"np.max": "np.max", "NumPy ": "NumPy's best"} if threads == 1 else {}
    libraries |= {name: f"{name}, {unit}" for name, module in {"JAX": "jax", "PyTorch": "torch"}.items() if has(module)}
    gains = [] if threads == 1 else ["fastgumbel's gain by the second thread", "a pure loop's"]
    yield from head(["categories", *(name.split(",")[0] for name in libraries.values()), *gains])
    for n in CATEGORIES:
        seconds = points[threads, n]
        cells = [f"{n:,}"]
        for library, name in libraries.items():
            least, way = fastest(seconds, library)
            curves.setdefault(name, []).append(least * 1e9)
            cells.append(f"{least * 1e9:.2f} {way}".strip())
        if threads == 2:
            cells.append(f"{seconds['one thread'] / seconds['fastgumbel']:.2f}")
            cells.append(f"{gain(seconds):.2f}")
        yield line(*cells)


def over_max_tables(kinds: Kinds, rounds: int, items: int) -> Iterator[str]:
    """Times over that of `np.max`, a table for each kind of vectors; NumPy may use the kind that suits it best."""
    tables: dict[str, list[str]] = {kind: [] for kind in kinds}
    with ExitStack() as stack:
        children = {kind: stack.enter_context(Child(1, **kinds[kind])) for kind in kinds}
        for rows, n in scaled(SHAPES, items):
            found = {
                law: {kind: child.measure("over_max", rows, n, law, rounds) for kind, child in children.items()}
                for law in SPREADS
            }
            for kind, table in tables.items():
                ours = {law: found[law][kind] for law in SPREADS}
                ratios = [
                    ours[law][dtype] / min(seconds[f"{dtype} np.max"] for seconds in found[law].values())
                    for dtype in DTYPES
                    for law in SPREADS
                ]
                doubles = max(seconds["float64"] / seconds["float32"] for seconds in ours.values())
                maximum = ours["N(0, 1)"]["float32 np.max"] / (rows * n) * 1e9
                races = [s["float32 race"] / s["float32"] for s in ours.values() if n <= RACE]
                figures = [f"{figure:.2f}" for figure in (*ratios, doubles, maximum)]
                table.append(line(f"{rows:,} x {n:,}", *figures, " / ".join(f"{race:.1f}" for race in races)))
    columns = [f"{dtype}, {law}" for dtype in DTYPES for law in SPREADS]
    columns += ["float64 over float32, at most", "ns of `np.max` itself", "NumPy's exponential race over it, float32"]
    for kind, table in tables.items():
        yield from ["", f"{kind}:", *head(["rows x categories", *columns]), *table]


def kernel_tables(kinds: Kinds, rounds: int, items: int) -> Iterator[str]:
    """Nanoseconds a log-potential of each kernel, a table for each kind of vectors."""
    names = "max_short", "max_middle", "max_long"
    for kind, environment in kinds.items():
        yield from ["", f"{kind}:", *head(["categories", *(f"`{name}`, {law}" for law in SPREADS for name in names)])]
        with Child(1, **environment) as child:
            for n in KERNELS:
                rows, cells = max(1, items // n), []
                for law in SPREADS:
                    seconds = child.measure("kernels", rows, n, law, rounds)
                    cells += [f"{seconds[name] / (rows * n) * 1e9:.2f}" if name in seconds else "" for name in names]
                yield line(f"{n:,}", *cells)


def relaxed_table(rounds: int, items: int) -> Iterator[str]:
    """Relaxed samples and their tangents beside JAX."""
    yield from head(["function", "rows x categories", "ms", "JAX over it", "with `out`, ms", "JAX over it"])
    with Child() as child:
        points = in_passes(scaled(RELAXED, items), rounds, lambda *shape: child.measure("relaxed", *shape, 1), {})
    for function, kind in (("gumbel_softmax", "sample"), ("gumbel_softmax_jvp", "tangent")):
        for (rows, n), seconds in points.items():
            cells = []
            for own in (seconds[kind], seconds[f"{kind} out"]):
                cells += [f"{own * 1e3:.3g}", f"{seconds[f'{kind} JAX'] / own:.2f}"]
            yield line(f"`{function}`", f"{rows:,} x {n:,}", *cells)


def old_table(path: Path, rounds: int, items: int) -> Iterator[str]:
    """Times of another checkout over those of this one, in turn."""
    kinds = [(law, dtype) for dtype in DTYPES for law in SPREADS]
    yield from head(["rows x categories", *(f"{dtype}, {law}" for law, dtype in kinds)])
    shapes = scaled(SHAPES, items)
    with Child(1, PYTHONPATH=str(path)) as old, Child(1, PYTHONPATH=str(ROOT)) as new:

        def measure(*point: Any) -> Seconds:
            children = {"old": old, "new": new}
            return {name: child.measure("samples", *point, 1)["fastgumbel"] for name, child in children.items()}

        points = in_passes([(*shape, *kind) for shape in shapes for kind in kinds], rounds, measure, {})
    for rows, n in shapes:
        own = [points[rows, n, *kind] for kind in kinds]
        yield line(f"{rows:,} x {n:,}", *(f"{seconds['old'] / seconds['new']:.2f}" for seconds in own))


def measured(kinds: Kinds, rounds: int, items: int, patience: float) -> tuple[str, dict[str, list[float]]]:
    """What stands on the page, and the lines of the picture."""
    curves: dict[str, list[float]] = {}
    points = measure_curve(rounds, items, patience)
    gains = [gain(points[2, n]) for n in CATEGORIES]
    note = f"A second thread made a pure loop {min(gains):.2f} to {max(gains):.2f} times as fast."
    lines = [
        f"Measured on {machine('numpy', 'numba', 'jax', 'torch')}",
        f"About {items:,} log-potentials in an array of the curve; best of {rounds} rounds, all contenders in turn.",
        *["", "### One thread", *curve_table(1, points, curves)],
        *["", "### Two threads", "", note, *curve_table(2, points, curves)],
        *["", "### Over `np.max`", *over_max_tables(kinds, rounds, items)],
        *["", "### Which kernel", *kernel_tables(kinds, rounds, items // 4)],
    ]
    if has("jax"):
        lines += ["", "### Relaxed samples", *relaxed_table(rounds, items)]
    if min(gains) < ENOUGH:
        curves = {name: curve for name, curve in curves.items() if not name.endswith("2 threads")}
    return "\n".join(lines), curves


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="calls of each contender")
    parser.add_argument("--items", type=int, default=ITEMS, help="log-potentials in an array of the curve")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a second thread")
    parser.add_argument("--old", type=Path, help="another checkout, whose times are divided by those of this one")
    parser.add_argument("--write", action="store_true", help="replace the tables on the page, and draw the picture")
    options = parser.parse_args()
    if options.old:
        print("\n".join(old_table(options.old, options.rounds, options.items)))
        return
    text, curves = measured(vector_kinds(), options.rounds, options.items, options.patience)
    print(text)
    if options.write:
        replace_section(PAGE, SCRIPT, text)
        if has("matplotlib"):
            title = f"One sample of each row, float32, N(0, 1); about {options.items:,} log-potentials a call"
            labels = title, "categories of a row", "nanoseconds a log-potential"
            draw(curves, LINES, CATEGORIES, labels, PICTURES / "time_by_categories.png")


if __name__ == "__main__":
    main()
