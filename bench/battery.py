"""Attack the field's bits and print the figures; with --write, put them on their page.

The statistics are those of nist.py, neighbours.py and dieharder.py in tests/law, on the streams of bits.py there;
`python -m pytest -m heavy` runs smaller ones as tests. A p-value below 1e-6 is an alarm. It takes hours on one
processor; --keep stores what is done in a file, and goes on from there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from battery_report import CONTROL, report
from sections import replace_section
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent.parent))

import fastgumbel as fg
from tests.law import bits, dieharder, neighbours, nist, planted, test_max
from tests.oracle import vectorised

Job = Callable[[], Any]

FOR_DIEHARDER = (
    "lanes",
    "blocks",
    "rows, lanes",
    "draws, blocks",
    "keys that differ by one bit, lanes",
    "rows 2^32 apart, blocks",
)
DEFECTS = (
    vectorised.Field,
    *(planted.fewer_rounds(count) for count in range(1, 8)),
    planted.KeyBitIgnored,
    planted.HighRowsFolded,
    planted.HighDrawsFolded,
    planted.LanesShareWords,
    planted.BlocksShareWords,
    planted.HalvesShareWords,
    planted.BlockPairSwapped,
)


@dataclass(frozen=True)
class Sizes:
    """How much is run: draws in each of ten rows, sequences of 2^20 bits, pairs of neighbours."""

    draws: int = 10**9
    sequences: int = 64
    pairs: int = 2**18
    orders: int = len(FOR_DIEHARDER)
    tests: int = len(dieharder.TESTS)
    defects: int = len(DEFECTS)


QUICK = Sizes(draws=10**6, sequences=4, pairs=2**12, orders=1, tests=3, defects=3)


def count(row: int, draws: int) -> Job:
    return lambda: test_max.count(test_max.normal(10, 1), draws, fg.NoiseField(1010).at(rows=row)).tolist()


def by_nist(field: type, order: str, sequences: int, length: int = 2**20) -> Job:
    return lambda: nist.battery(bits.sequences(field, order, sequences, length))


def by_dieharder(order: str, number: int, length: int | None = None, start: int = 0, seed: int = 1) -> Job:
    def read(first: int, n: int) -> np.ndarray:
        position = (number << 34) + start + first  # each test has positions of its own
        if order == CONTROL:
            return np.random.PCG64(seed).advance(position).random_raw(n).view(np.uint32)
        return bits.words(bits.PackageField, order, position, n)

    return lambda: dieharder.p_values(read, number, length)


def by_neighbours(field: type, neighbour: str, pairs: int) -> Job:
    return lambda: neighbours.everything(field, neighbour, pairs)


def by_place(field: type, places: int) -> Job:
    return lambda: {"bits of one place": neighbours.one_place(field, places)}


def by_all(field: type) -> Job:
    """Fewer of all p-values but dieharder's: of NIST's tests, of the bits of neighbours, of their noise."""

    def p_values() -> dict[str, list[float]]:
        found: dict[str, list[float]] = {"nist": [], "bits": [*by_place(field, 2**15)().values()], "noise": []}
        for order in bits.ORDERS:
            found["nist"] += by_nist(field, order, 4, 2**19)().values()
        for neighbour in neighbours.OF_LANES:
            for name, p in by_neighbours(field, neighbour, 2**15)().items():
                found["noise" if "noise" in name else "bits"].append(p)
        return found

    return p_values


def again() -> list[float]:
    """NIST's spectral test on sequences after those in which it raised an alarm for 7 rounds, along rows 2^32 apart."""
    sequences = bits.sequences(planted.fewer_rounds(7), "rows 2^32 apart, blocks", 304, 2**19)
    return [float(nist.spectrum(sequence)[0]) for sequence in itertools.islice(sequences, 4, None)]


def title(field: type) -> str:
    return field.__doc__.splitlines()[0].rstrip(".")


def jobs(sizes: Sizes) -> Iterator[tuple[str, str, Job]]:
    """Family, name and work of all that is run."""
    for row in range(10):
        yield "counts", f"{row}", count(row, sizes.draws)
    for order in bits.ORDERS:
        yield "nist", order, by_nist(bits.PackageField, order, sizes.sequences)
    for neighbour in neighbours.OF_LANES:
        yield "neighbours", neighbour, by_neighbours(bits.PackageField, neighbour, sizes.pairs)
    yield "neighbours", "one place", by_place(bits.PackageField, sizes.pairs)
    for field in DEFECTS[: sizes.defects]:
        yield "planted", "none" if field is vectorised.Field else title(field), by_all(field)
    yield "again", "spectrum, 7 rounds", again
    if not dieharder.COMMAND:
        return
    for order in (*FOR_DIEHARDER[: sizes.orders], CONTROL):
        for number, length in dieharder.TESTS[: sizes.tests]:
            yield "dieharder", f"{order}: {number}", by_dieharder(order, number, length)
    for k, order in enumerate(FOR_DIEHARDER[: sizes.orders]):
        yield "serial", f"{order}", by_dieharder(order, 102, start=1 << 33)
        yield "serial", f"{CONTROL} {k}", by_dieharder(CONTROL, 102, seed=100 + k)


def run(sizes: Sizes, keep: Path | None) -> dict[str, dict[str, Any]]:
    """Results by family and name."""
    results: dict[str, dict[str, Any]] = json.loads(keep.read_text()) if keep and keep.exists() else {}
    for family, name, job in tqdm(list(jobs(sizes)), unit=" jobs"):
        done = results.setdefault(family, {})
        if name not in done:
            done[name] = job()
            if keep:
                new = keep.with_suffix(".new")
                new.write_text(json.dumps(results))
                new.replace(keep)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the tables on the page")
    parser.add_argument("--quick", action="store_true", help="a small run of a few minutes")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="store results here, and do not repeat those in it")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("the page is written from a full run")
    if not dieharder.COMMAND:
        print(dieharder.MISSING, file=sys.stderr)
    sizes = QUICK if options.quick else Sizes()
    text = report(run(sizes, options.keep), sizes.sequences, sizes.pairs)
    print(text)
    if options.write:
        replace_section("bench/pages/statistics.md", "bench/battery.py", text)


if __name__ == "__main__":
    main()
