"""What a new rail line changes in a miniature model of travel demand, person by person; a picture.

Needs the extra `plot`. The model is in `demand_model.py`: a synthetic city and its households, destinations chosen from
a sample of zones, and modes by a nested logit. The same noise before and after, so the script can check each person:
nobody moves to what did not improve, and a household alone does as in the whole. Prints tables of who went from where
to where; with --write, also puts them on the page of examples.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from demand_model import (
    MODES,
    Service,
    draw_households,
    draw_zones,
    logsum,
    mode_utilities,
    persons_of,
    sampling_rates,
    serve,
    simulate,
)
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from sections import PICTURES, machine, replace_section

import fastgumbel as fg

WEST_EAST, SOUTH_NORTH = 0.0, np.pi / 2  # angles of the old and of the new line
DISTRICTS = ["centre", "along the new line", "elsewhere"]
CHUNK = 5000  # households
PICTURE = PICTURES / "demand.png"
COLOURS = dict(zip(MODES, ["#777777", "#ccbb44", "#cc3311", "#4477aa", "#228833"], strict=True))


def check(people: pd.DataFrame, services: dict[str, Service]) -> None:
    """Raise an error if somebody moved to what did not improve."""
    moved = people[people.zone_after != people.zone_before]
    access = {name: logsum(mode_utilities(moved, moved.zone_after, service)) for name, service in services.items()}
    if (access["after"] <= access["before"]).any():
        raise RuntimeError("somebody moved to a destination that is no easier to reach")
    stayed = people[people.zone_after == people.zone_before]
    if ((stayed.mode_after != stayed.mode_before) & (stayed.mode_after != "rail")).any():
        raise RuntimeError("somebody on the way to the same destination moved to another mode than rail")


def run(households: int, zones: pd.DataFrame, seed: int) -> pd.DataFrame:
    """All persons, in chunks of households; checks each of them, and one household alone."""
    rates = sampling_rates(zones)
    services = {"before": serve(zones, [WEST_EAST]), "after": serve(zones, [WEST_EAST, SOUTH_NORTH])}

    def simulated(ids: Any) -> pd.DataFrame:
        return simulate(persons_of(draw_households(ids, zones, seed)), zones, rates, services, seed)

    alone = simulated([households // 2])
    parts = []
    with tqdm(total=households, unit=" households", unit_scale=True) as bar:
        for ids in np.array_split(np.arange(households), -(-households // CHUNK)):
            parts.append(simulated(ids))
            check(parts[-1], services)
            bar.update(len(ids))
    people = pd.concat(parts)
    if not alone.equals(people[people.household == households // 2]):
        raise RuntimeError("a household alone does not do as in the whole")
    return people


def districts(zones: pd.DataFrame) -> pd.Categorical:
    centre, along = np.hypot(zones.x, zones.y) < 4, zones.x.abs() < 2
    return pd.Categorical.from_codes(np.select([centre, along], [0, 1], 2), DISTRICTS)


def flows(before: Any, after: Any) -> pd.DataFrame:
    """Numbers of persons, from one category to another."""
    return pd.crosstab(pd.Series(before, name="from"), pd.Series(after, name="to"), dropna=False)


def lines(what: str, table: pd.DataFrame) -> list[str]:
    """A table of flows as the page shows it."""
    rows = [[what, *(f"to {name}" for name in table.columns)], ["---"] * (1 + len(table.columns))]
    rows += [[f"from {name}", *(f"{n:,}" for n in table.loc[name])] for name in table.index]
    return ["", *(f"| {' | '.join(row)} |" for row in rows)]


def draw_map(axes: Any, zones: pd.DataFrame, people: pd.DataFrame) -> Any:
    before, after = (np.bincount(people[name], minlength=len(zones)) for name in ("zone_before", "zone_after"))
    change = 100 * (after - before) / np.maximum(before, 1)
    limit = np.percentile(abs(change), 98)
    dots = axes.scatter(zones.x, zones.y, c=change, cmap="RdBu_r", vmin=-limit, vmax=limit, s=14)
    axes.axhline(0, color="#999999", linewidth=1, zorder=0)
    axes.axvline(0, color=COLOURS["rail"], linewidth=1, zorder=0)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title("Arrivals, change in %: a line from south to north joins the other", loc="left", fontsize=10)
    return dots


def draw_flows(axes: Any, table: pd.DataFrame) -> None:
    """Bands from a mode to another, as wide as the number of persons who moved."""
    moved = table.to_numpy() * (1 - np.eye(len(table), dtype=int))
    gap, across = 0.04 * moved.sum(), np.linspace(0, 1, 60)
    bend = across**2 * (3 - 2 * across)
    tops = [np.cumsum([0, *(-sizes[:-1] - gap)]) for sizes in (moved.sum(1), moved.sum(0))]
    for side, (x, sizes) in enumerate(((-0.02, moved.sum(1)), (1.02, moved.sum(0)))):
        for mode, top, size in zip(MODES, tops[side], sizes, strict=True):
            axes.text(x, top - size / 2, f"{mode} {size:,}", ha=("right", "left")[side], va="center", fontsize=9)
    for i, j in np.argwhere(moved):
        upper = tops[0][i] + (tops[1][j] - tops[0][i]) * bend
        axes.fill_between(across, upper - moved[i, j], upper, color=COLOURS[MODES[i]], alpha=0.75, linewidth=0)
        tops[0][i] -= moved[i, j]
        tops[1][j] -= moved[i, j]
    axes.set_xlim(-0.35, 1.35)
    axes.axis("off")
    axes.set_title("Who takes another mode, from and to", loc="left", fontsize=10)


def picture(zones: pd.DataFrame, people: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    figure.colorbar(draw_map(left, zones, people), ax=left, shrink=0.6)
    draw_flows(right, flows(people.mode_before, people.mode_after))
    figure.savefig(path, dpi=110)


def summary(people: pd.DataFrame, seconds: float, busy: float, options: argparse.Namespace) -> list[str]:
    """What was run, and what the checks found."""
    moved = people.zone_after != people.zone_before
    changed = ~moved & (people.mode_after != people.mode_before)
    return [
        f"Run on {machine('numpy', 'numba', 'pandas')}",
        f"{len(people):,} persons in {options.households:,} households, {options.zones:,} zones, seed {options.seed}:",
        f"{seconds:.0f} s with {fg.get_num_threads()} threads, {len(people) / seconds:,.0f} persons a second, in "
        f"{busy:.0f} s of processor time.",
        "",
        f"- {moved.sum():,} go to another zone, all to one that is easier to reach now.",
        f"- {changed.sum():,} go to the same zone by another mode, all by rail.",
        f"- Household {options.households // 2:,} does the same when it is run alone.",
    ]


def tables(zones: pd.DataFrame, people: pd.DataFrame) -> list[str]:
    district = districts(zones)
    return [
        *lines("persons by mode", flows(people.mode_before, people.mode_after)),
        *lines("persons by destination", flows(district[people.zone_before], district[people.zone_after])),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURE, help="where to save the picture (default: %(default)s)")
    parser.add_argument("--households", type=int, default=541_000, help="(default: %(default)s, a million persons)")
    parser.add_argument("--zones", type=int, default=1000, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="replace the tables on the page")
    options = parser.parse_args()
    if options.households < 1 or options.zones < 10:
        parser.error("needs at least one household and ten zones")
    zones = draw_zones(options.zones, options.seed)
    begin, busy = time.perf_counter(), time.process_time()
    people = run(options.households, zones, options.seed)
    seconds, busy = time.perf_counter() - begin, time.process_time() - busy
    picture(zones, people, options.out)
    text = "\n".join([*summary(people, seconds, busy, options), *tables(zones, people)])
    print(text)
    if options.write:
        replace_section("bench/pages/examples.md", "bench/examples/demand.py", text)


if __name__ == "__main__":
    main()
