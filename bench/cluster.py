"""A plan on paper for 10^9 categories on 1,000 workers of a dask cluster, from what is measured on this machine.

Tasks are counted in the graphs themselves; the size of what travels is measured, and so is the processor time of a
shard and, by the scheduler, of a task; latency and bandwidth of the network are assumed. Prints the table; with
--write, also puts it on its page.
"""

from __future__ import annotations

import argparse
import logging
import math
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import distributed
import numpy as np
from sections import machine, replace_section

sys.path.insert(0, str(Path(__file__).parent.parent))

import fastgumbel as fg
import fastgumbel.dask as fgd

CATEGORIES, WORKERS = 10**9, 1_000
SHARD = CATEGORIES // WORKERS
# A round trip in a data centre, after P. Norvig and J. Dean, "Numbers everyone should know", and a common network card.
LATENCY, BANDWIDTH = 0.5e-3, 10e9 / 8

Work = Callable[[Any], Any]
# How it is called, and how many times a state goes through all shards in turn.
WORKS: dict[str, tuple[Work, int]] = {
    "`gumbel_max`, one draw": (lambda x: fgd.gumbel_max(x, rng=1), 0),
    "`gumbel_max`, 100 draws": (lambda x: fgd.gumbel_max(x, size=100, rng=1), 0),
    "`gumbel_top_k`, k = 100": (lambda x: fgd.gumbel_top_k(x, 100, rng=1)[0], 0),
    "`categorical`, 100 draws": (lambda x: fgd.categorical(x, 100, rng=1), 1),
    "`gumbel_softmax`, one draw": (lambda x: fgd.gumbel_softmax(x, rng=1), 1),
}


def graph(result: Any) -> dict[Any, Any]:
    """Tasks that the scheduler gets."""
    return dict(dask.optimize(result)[0].__dask_graph__())


def moved(result: Any) -> int:
    """Bytes that tasks need from elsewhere, if each runs where the largest of its inputs is, as dask prefers."""
    tasks = graph(result)
    dependencies, _ = dask.core.get_deps(tasks)
    values = dict(zip(tasks, dask.get(tasks, list(tasks)), strict=True))
    sizes = {key: len(pickle.dumps(value, protocol=5)) for key, value in values.items()}
    return sum(sum(inputs) - max(inputs) for keys in dependencies.values() if (inputs := [sizes[key] for key in keys]))


def seconds(result: Any) -> float:
    times = []
    for _ in range(3):
        begin = time.process_time()
        dask.compute(result, scheduler="synchronous")
        times.append(time.process_time() - begin)
    return min(times)


def table(shards: int) -> Any:
    """Log-potentials N(0, 1) of so many shards, in memory."""
    x = np.random.default_rng(0).normal(size=shards * SHARD).astype(np.float32)
    return da.from_array(x, chunks=SHARD)


def task_seconds(tasks: int = 1_000) -> float:
    """Processor time of the process of scheduler and client, for a task that does nothing."""
    options = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        times = []
        for value in range(2):
            nothing = da.full(tasks, value, chunks=1).map_blocks(np.negative, meta=np.empty(0)).sum(split_every=16)
            count = len(graph(nothing))
            begin = time.process_time()
            client.compute(nothing).result()
            times.append((time.process_time() - begin) / count)
        return min(times)


def row(name: str, per_task: float) -> str:
    work, chains = WORKS[name]
    few, more = table(4), table(8)
    of_shard = (seconds(work(more)) - seconds(work(few))) / 4
    # Each further shard adds as many bytes as the one before.
    of_bytes = (moved(work(more)) - moved(work(few))) / 4 * WORKERS
    tasks = len(graph(work(da.zeros(CATEGORIES, np.float32, chunks=SHARD))))
    hops = math.ceil(math.log(WORKERS, 4)) + chains * WORKERS
    network = hops * LATENCY + of_bytes / WORKERS / BANDWIDTH
    figures = f"{of_shard * 1e3:.1f} | {of_bytes / 1e6:.2g} | {hops:,} | {network * 1e3:.0f} | {tasks:,}"
    return f"| {name} | {figures} | {tasks * per_task * 1e3:,.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    fg.set_num_threads(1)
    per_task = task_seconds()
    heads = "call", "ms on a worker", "MB moved", "hops in turn", "ms in the network", "tasks", "ms of the scheduler"
    lines = [
        f"Measured on {machine('numpy', 'numba', 'dask', 'distributed')}",
        f"Processor time. A shard has {SHARD:,} float32 log-potentials, N(0, 1), and is worked on by one thread.",
        f"Scheduler and client take {per_task * 1e3:.2g} ms a task. Assumed: {LATENCY * 1e3:g} ms a hop, and "
        f"{BANDWIDTH * 8 / 1e9:g} Gbit/s a worker, which is the network of",
        "a data centre. Moved is what a task needs beside the largest of its inputs, where dask prefers to run it.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{' --- |' * len(heads)}",
        *(row(name, per_task) for name in WORKS),
    ]
    text = "\n".join(lines)
    print(text)
    if options.write:
        replace_section("bench/pages/cluster.md", "bench/cluster.py", text)


if __name__ == "__main__":
    main()
