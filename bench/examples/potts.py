"""Simulate the two-dimensional Potts model at its critical point, with q = 2 (Ising) and q = 3 spins.

Needs the extra `plot`. Heat-bath sweeps by `gumbel_max` on half-lattices and by `fastgumbel.jit` site by site; their
mean energy beside the exact one; perfect samples by coupling from the past (Propp and Wilson 1996), for which the noise
of the past must be read again; and how fast lattices that share their noise become the same. Prints tables and saves a
picture; with --write, the tables also go to the page of examples. Takes minutes; --quick takes seconds and shows
nothing but that it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from potts_lattice import (
    Checkerboard,
    Spins,
    by_categorical,
    by_gumbel_max,
    critical,
    energy,
    exact_energy,
    lattices,
)
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import PICTURES, machine, replace_section

import fastgumbel as fg

PICTURE = PICTURES / "potts.png"
Q = (2, 3)
EVERY = 10  # sweeps between two energies
COLOURS = ("#4477aa", "#ddcc77", "#cc6677")


def means(samples: NDArray[np.float64], q: int) -> str:
    """Mean of independent lattices, its standard error, and how many of those it is from the exact energy."""
    mean, error = samples.mean(), samples.std(ddof=1) / np.sqrt(len(samples))
    return f"{mean:.4f} ± {error:.4f} | {exact_energy(q):.4f} | {(mean - exact_energy(q)) / error:+.1f}"


def energies(q: int, field: fg.NoiseField, options: argparse.Namespace, progress: tqdm) -> Iterator[str]:
    """Rows of the table of energies; the first third of all sweeps is not counted."""
    count, size, sweeps = options.lattices, options.size, options.sweeps
    counted = [draw for draw in range(0, sweeps, EVERY) if draw >= sweeps // 3]
    where = f"{count} of {size}², {sweeps:,} sweeps"
    start = lattices(count, size, q, 0)
    board = Checkerboard(start.copy(), q, critical(q), field, np.arange(count))
    sums = np.zeros(count)
    for draw in range(sweeps):
        board.sweep(draw)
        progress.update()
        if draw == EVERY - 1:
            inside = start.copy()
            by_gumbel_max(inside, q, critical(q), field.key, 0, EVERY)
            if not (inside == board.lattices()).all():
                raise RuntimeError("the two ways to sample differ")
        if draw % EVERY == 0 and draw >= counted[0]:
            sums += energy(board.lattices())
    yield f"| {q} | `gumbel_max`, half-lattices | {where} | {means(sums / len(counted), q)} |"

    sums[:] = 0
    for draw in range(0, sweeps, EVERY):
        by_categorical(start, q, critical(q), field.key, draw, draw + EVERY)
        progress.update(EVERY)
        if draw >= counted[0]:
            sums += energy(start)
    yield f"| {q} | `jit.categorical`, site by site | {where} | {means(sums / len(counted), q)} |"


def perfect(field: fg.NoiseField, count: int, size: int, progress: tqdm) -> tuple[Spins, int]:
    """Independent perfect samples of the Ising model, and from how far in the past the last one comes.

    Draw t is the noise of time -t. Where the lattices that start at time -T with all spins 0 and all spins 1 have
    become one at time 0, every start would have led to it, as an update keeps their order; else T is doubled.
    """
    found = lattices(count, size, 2, 0)
    missing, past = np.arange(count), 64
    while True:
        starts = [lattices(len(missing), size, 2, spin) for spin in (0, 1)]
        boards = [Checkerboard(start, 2, critical(2), field, missing) for start in starts]
        for draw in reversed(range(past)):
            for board in boards:
                board.sweep(draw)
            progress.update()
        low, high = (board.lattices() for board in boards)
        same = (low == high).all((1, 2))
        found[missing[same]] = low[same]
        missing = missing[~same]
        if len(missing) == 0:
            return found, past
        past *= 2


def apart(q: int, field: fg.NoiseField, count: int, size: int, most: int, progress: tqdm) -> NDArray[np.float64]:
    """Share of sites that differ, by sweep and lattice, between a start with all spins 0 and a random one."""
    random = np.random.default_rng(q).integers(q, size=(count, size, size))
    boards = [
        Checkerboard(lattices(count, size, q, spins), q, critical(q), field, np.arange(count)) for spins in (0, random)
    ]
    shares = []
    for draw in range(most):
        for board in boards:
            board.sweep(draw)
        progress.update()
        one, other = (board.lattices() for board in boards)
        shares.append((one != other)[:, 1:-1, 1:-1].mean((1, 2)))
        if shares[-1].max() == 0:
            break
    return np.array(shares)


def picture(spins: dict[int, Spins], shares: dict[int, NDArray[np.float64]], path: Path) -> None:
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.4))
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 1.15])
    for axis, (q, lattice) in zip(axes, spins.items(), strict=False):
        axis.imshow(lattice, cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=2.5, interpolation="nearest")
        axis.set(title=f"q = {q} at its critical point", xticks=(), yticks=())
    for (q, share), colour in zip(shares.items(), (COLOURS[0], COLOURS[2]), strict=True):
        sweeps = np.arange(1, len(share) + 1)
        axes[2].plot(sweeps, share, color=colour, linewidth=0.4, alpha=0.25)
        axes[2].plot(sweeps, share.mean(1), color=colour, linewidth=2, label=f"q = {q}, mean")
    axes[2].set(
        title="One noise, two starts: all 0, and random",
        xlabel="sweeps",
        ylabel="share of sites that differ",
        xscale="log",
        ylim=(0, None),
    )
    axes[2].spines[["top", "right"]].set_visible(False)
    axes[2].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def coalescence(q: int, shares: NDArray[np.float64], size: int) -> str:
    together = shares == 0
    share, times = together[-1].mean(), together.argmax(0)[together[-1]] + 1
    median = f"{int(np.median(times)):,}" if share > 0.5 else f"more than {len(shares):,}"
    return f"| {q} | {shares.shape[1]} of {size}² | {median} | {share:.0%} |"


def tables(options: argparse.Namespace) -> str:
    field = fg.NoiseField(options.seed)
    count, size, sweeps = options.lattices, options.size, options.sweeps
    lines = [
        f"Run on {machine('numpy', 'numba', 'matplotlib')}",
        "Energy a site of a self-dual lattice: -(1 + 1/√q) at every size, for q = 2 that of Onsager's infinite one.",
        f"Mean ± standard error of independent lattices, seed {options.seed}, without the first third of the sweeps.",
        f"On the same noise `jit.gumbel_max` site by site gave the same spins as `gumbel_max`, after {EVERY} sweeps.",
        "",
        "| q | sampler | lattices | energy | exact | standard errors off |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    shares = {}
    with tqdm(unit=" sweeps") as progress:
        for q in Q:
            progress.set_description(f"energies, q = {q}")
            lines += energies(q, field, options, progress)
        progress.set_description("coupling from the past")
        found, past = perfect(fg.NoiseField(options.seed + 1), options.perfect, options.small, progress)
        lines.append(
            f"| 2 | `gumbel_max`, coupling from the past | {options.perfect} of {options.small}², from {past:,} sweeps "
            f"ago at most | {means(energy(found), 2)} |"
        )
        for q in Q:
            progress.set_description(f"one noise, two starts, q = {q}")
            shares[q] = apart(q, fg.NoiseField(options.seed + 2), count, size, sweeps, progress)
        shown = {}
        for q in Q:
            progress.set_description(f"picture, q = {q}")
            wide = lattices(1, 6 * size, q, np.random.default_rng(0).integers(q, size=(6 * size,) * 2))
            by_categorical(wide, q, critical(q), field.key, 0, sweeps // 2)
            shown[q] = wide[0, 1:-1, 1:-1]
    picture(shown, shares, options.out)
    lines += [
        "",
        "Two starts of each lattice, all spins 0 and random, that share their noise:",
        "",
        f"| q | lattices | median sweeps until they are the same | the same after {sweeps:,} |",
        "| --- | --- | --- | --- |",
        *(coalescence(q, shares[q], size) for q in Q),
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lattices", type=int, default=32, help="independent lattices (default: %(default)s)")
    parser.add_argument("--size", type=int, default=32, help="sites of a side, even (default: %(default)s)")
    parser.add_argument("--sweeps", type=int, default=4000, help="a multiple of 10 (default: %(default)s)")
    parser.add_argument("--perfect", type=int, default=1000, help="perfect samples (default: %(default)s)")
    parser.add_argument("--small", type=int, default=16, help="sites of their side, even (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument(
        "--out", type=Path, help=f"where to save the picture (default: {PICTURE}; potts.png with --quick)"
    )
    parser.add_argument("--quick", action="store_true", help="4 lattices of 8², 60 sweeps, 20 perfect samples of 4²")
    parser.add_argument("--write", action="store_true", help="replace the tables on the page")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("the page is written from a full run")
    options.out = options.out or (Path("potts.png") if options.quick else PICTURE)
    if options.quick:
        options.lattices, options.size, options.sweeps, options.perfect, options.small = 4, 8, 60, 20, 4
    if options.size % 2 or options.small % 2 or options.sweeps % EVERY or min(options.lattices, options.perfect) < 2:
        parser.error(f"needs even sizes, --sweeps in multiples of {EVERY}, and at least 2 lattices of each kind")
    text = tables(options)
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/potts.py", text)


if __name__ == "__main__":
    main()
