"""The work that is measured, and who does it: one table for the comparison and for pytest-benchmark."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import fastgumbel as fg

# One piece of the work, a sweep of the Potts model, is that of an example.
sys.path.insert(0, str(Path(__file__).parent / "examples"))

Contender = Callable[[], Any]


@dataclass
class Work:
    """One piece of work; the contender `fastgumbel` is compared with the others."""

    name: str
    elements: int
    bytes: int
    contenders: dict[str, Contender] = field(default_factory=dict)


def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def jax_categorical(x: np.ndarray) -> Contender:
    import jax

    jax.config.update("jax_enable_x64", x.dtype == np.float64)
    key = jax.random.key(0)
    logits = jax.device_put(x)
    draw = jax.jit(lambda k, logits: jax.random.categorical(k, logits, axis=-1))
    return lambda: draw(key, logits).block_until_ready()


def jax_gumbel(n: int, dtype: Any) -> Contender:
    import jax

    jax.config.update("jax_enable_x64", np.dtype(dtype) == np.float64)
    key = jax.random.key(0)
    draw = jax.jit(lambda k: jax.random.gumbel(k, (n,), dtype))
    return lambda: draw(key).block_until_ready()


def torch_race(x: np.ndarray, threads: int = 1) -> Contender:
    import torch

    logits = torch.from_numpy(x)

    def draw() -> Any:
        torch.set_num_threads(threads)
        return (logits - torch.empty_like(logits).exponential_().log_()).argmax(-1)

    return draw


def torch_multinomial(x: np.ndarray, threads: int) -> Contender:
    """One draw of each row."""
    import torch

    logits = torch.from_numpy(x)

    def draw() -> Any:
        torch.set_num_threads(threads)
        return torch.multinomial(torch.softmax(logits, -1), 1)

    return draw


def numpy_ways(x: np.ndarray) -> dict[str, Contender]:
    """Three ways to draw one category a row with NumPy."""
    rng = np.random.default_rng(0)

    def inverse_cdf() -> Any:
        cdf = np.exp(x - x.max(-1, keepdims=True)).cumsum(-1)
        u = rng.random(len(x), dtype=x.dtype) * cdf[:, -1]
        return (cdf < u[:, None]).sum(-1)

    def exponential_race() -> Any:
        e = rng.standard_exponential(x.shape, dtype=x.dtype)
        np.multiply(e, np.exp(-x), out=e)
        return e.argmin(-1)

    def noise_and_argmax() -> Any:
        return (x + rng.gumbel(size=x.shape)).argmax(-1)

    return {
        "NumPy inverse CDF": inverse_cdf,
        "NumPy exponential race": exponential_race,
        "NumPy noise + argmax": noise_and_argmax,
    }


def on_threads(n: int, call: Contender) -> Contender:
    def run() -> Any:
        fg.set_num_threads(n)
        return call()

    return run


def long_rows(dtype: Any, spread: float, peers: bool) -> Work:
    x = (np.random.default_rng(1).standard_normal((256, 131_072)) * spread).astype(dtype)
    noise = fg.NoiseField(0)
    law = f"N(0, {spread:g}²)" if spread else "0"
    work = Work(f"`gumbel_max` 256 x 131,072 {np.dtype(dtype)}, logits {law}", x.size, x.nbytes)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.gumbel_max(x, noise=noise))
    work.contenders["np.max"] = lambda: np.max(x, axis=-1)
    if peers:
        work.contenders["NumPy noise + argmax"] = numpy_ways(x)["NumPy noise + argmax"]
        if has("jax"):
            work.contenders["JAX"] = jax_categorical(x)
        if has("torch"):
            work.contenders["PyTorch, 1 thread"] = torch_race(x)
    return work


def short_rows(dtype: Any) -> Work:
    x = np.random.default_rng(1).standard_normal((1_000_000, 10)).astype(dtype)
    noise = fg.NoiseField(0)
    work = Work(f"`gumbel_max` 1,000,000 x 10 {np.dtype(dtype)}", x.size, x.nbytes)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.gumbel_max(x, noise=noise))
    work.contenders |= numpy_ways(x)
    if has("jax"):
        work.contenders["JAX"] = jax_categorical(x)
    if has("torch"):
        work.contenders["PyTorch, 1 thread"] = torch_race(x)
    return work


def choice_sets() -> Work:
    """Noise keyed by (chooser, zone); the loop is let off easily, as it draws no noise for the other 4,970 zones."""
    rng, choosers = np.random.default_rng(1), 100_000
    zones, x = rng.integers(5000, size=(choosers, 30)), rng.standard_normal((choosers, 30), np.float32)
    noise = fg.NoiseField(0)

    def loop() -> np.ndarray:
        index = np.empty(choosers, np.intp)
        for chooser in range(choosers):
            index[chooser] = (x[chooser] + np.random.default_rng(chooser).gumbel(size=30)).argmax()
        return index

    work = Work("`gumbel_max` 100,000 x 30 float32, of 5,000 category ids", x.size, x.nbytes + zones.nbytes)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.gumbel_max(x, noise=noise.at(categories=zones)))
    work.contenders["a NumPy generator a chooser"] = loop
    return work


def two_threads() -> Work:
    x = np.random.default_rng(1).standard_normal((1_000_000, 10)).astype(np.float32)
    noise = fg.NoiseField(0)
    work = Work("`gumbel_max` 1,000,000 x 10 float32 on two threads", x.size, x.nbytes)
    work.contenders["fastgumbel"] = on_threads(2, lambda: fg.gumbel_max(x, noise=noise))
    work.contenders["one thread"] = on_threads(1, lambda: fg.gumbel_max(x, noise=noise))
    return work


def noise(dtype: Any, n: int = 1_000_000) -> Work:
    size = np.dtype(dtype).itemsize
    work = Work(f"`gumbel` {n:,} {np.dtype(dtype)}", n, n * size)
    field = fg.NoiseField(0)
    rng = np.random.default_rng(0)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.gumbel(n, noise=field, dtype=dtype))
    work.contenders["rng.gumbel (float64)"] = lambda: rng.gumbel(size=n)
    if has("mkl_random"):
        import mkl_random

        mkl = mkl_random.MKLRandomState(0)
        work.contenders["mkl_random (float64)"] = lambda: mkl.gumbel(size=n)
    if has("jax"):
        work.contenders["JAX"] = jax_gumbel(n, dtype)
    return work


def top_k(shape: tuple[int, int], k: int) -> Work:
    x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    noise, rng = fg.NoiseField(0), np.random.default_rng(0)
    work = Work(f"`gumbel_top_k` {shape[0]:,} x {shape[1]:,} float32, k = {k}", x.size, x.nbytes)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.gumbel_top_k(x, k, noise=noise))
    work.contenders["np.max"] = lambda: np.max(x, axis=-1)

    def numpy() -> Any:
        v = x + rng.gumbel(size=x.shape)
        best = np.argpartition(v, -k, axis=-1)[:, -k:]
        return np.take_along_axis(v, best, -1)

    def race() -> Any:
        v = rng.standard_exponential(x.shape, np.float32) / np.exp(x)
        best = np.argpartition(v, k, axis=-1)[:, :k]
        return np.take_along_axis(v, best, -1)

    work.contenders["NumPy noise + argpartition"] = numpy
    work.contenders["NumPy exponential race + argpartition"] = race
    if has("jax"):
        import jax

        jax.config.update("jax_enable_x64", False)
        key, logits = jax.random.key(0), jax.device_put(x)
        draw = jax.jit(lambda key, v: jax.lax.top_k(v + jax.random.gumbel(key, v.shape, v.dtype), k))
        work.contenders["JAX"] = lambda: jax.block_until_ready(draw(key, logits))
    if has("torch"):
        import torch

        tensor = torch.from_numpy(x)

        def torch_top() -> Any:
            torch.set_num_threads(1)
            return (tensor - torch.empty_like(tensor).exponential_().log_()).topk(k)

        work.contenders["PyTorch, 1 thread"] = torch_top
    return work


def reservoir(k: int) -> Work:
    """A stream of 10^8 in chunks of 10^6, from memory: 25 chunks, more than caches hold, come four times."""
    x = np.random.default_rng(1).standard_normal((25, 1_000_000), np.float32)
    noise = fg.NoiseField(0)

    def ours() -> None:
        sample = fg.Reservoir(k, noise=noise)
        for _ in range(4):
            for chunk in x:
                sample.update(chunk)

    def maxima() -> None:
        for _ in range(4):
            for chunk in x:
                np.max(chunk)

    work = Work(f"`Reservoir({k})`, 100 chunks of 1,000,000 float32", 4 * x.size, 4 * x.nbytes)
    work.contenders = {"fastgumbel": on_threads(1, ours), "np.max": maxima}
    return work


def many_draws(n: int) -> Work:
    x = np.random.default_rng(1).standard_normal(n)
    p = np.exp(x - x.max())
    p /= p.sum()
    draws, noise, rng = 10**7, fg.NoiseField(0), np.random.default_rng(0)
    work = Work(f"`categorical` {draws:,} draws from {n:,} float64", draws, 8 * draws)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.categorical(x, draws, noise=noise))
    work.contenders["rng.choice(p=)"] = lambda: rng.choice(n, size=draws, p=p)
    if has("torch"):
        import torch

        weights = torch.from_numpy(p)

        def multinomial() -> Any:
            torch.set_num_threads(1)
            return torch.multinomial(weights, draws, replacement=True)

        work.contenders["torch.multinomial, 1 thread"] = multinomial
    return work


def one_draw_each(dtype: Any) -> Work:
    x = np.random.default_rng(1).standard_normal((1_000_000, 10)).astype(dtype)
    noise = fg.NoiseField(0)
    work = Work(f"`categorical` 1,000,000 x 10 {np.dtype(dtype)}", x.size, x.nbytes)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.categorical(x, noise=noise))
    work.contenders["`gumbel_max`"] = on_threads(1, lambda: fg.gumbel_max(x, noise=noise))
    work.contenders["NumPy inverse CDF"] = numpy_ways(x)["NumPy inverse CDF"]
    return work


def one_row() -> Work:
    x = np.random.default_rng(1).standard_normal(10)
    field = fg.NoiseField(0)
    rng = np.random.default_rng(0)
    calls = 2000

    def ours() -> None:
        for _ in range(calls):
            fg.gumbel_max(x, noise=field)

    def numpy() -> None:
        for _ in range(calls):
            (x + rng.gumbel(size=10)).argmax()

    work = Work("`gumbel_max` of one row of 10, 2,000 calls", 10 * calls, x.nbytes * calls)
    work.contenders = {"fastgumbel": ours, "NumPy noise + argmax": numpy}
    return work


def potts_sweep(way: str) -> Work:
    """A heat-bath sweep at the critical point on one thread, beside an inverse CDF in the same Numba loop."""
    import potts_lattice as potts

    size, q, noise = 512, 3, fg.NoiseField(0)
    draws = itertools.count()
    start = potts.lattices(1, size, q, np.random.default_rng(0).integers(q, size=(size, size)))

    def in_numba(sweep: Any) -> Contender:
        framed = start.copy()

        def run() -> None:
            draw = next(draws)
            sweep(framed, q, potts.critical(q), noise.key, draw, draw + 1)

        return run

    def by_half_lattices() -> Contender:
        board = potts.Checkerboard(start.copy(), q, potts.critical(q), noise, np.arange(1))

        return on_threads(1, lambda: board.sweep(next(draws)))

    ways = {
        "`jit.categorical` site by site": lambda: in_numba(potts.by_categorical),
        "`jit.gumbel_max` site by site": lambda: in_numba(potts.by_gumbel_max),
        "`gumbel_max` of half-lattices": by_half_lattices,
    }
    work = Work(f"a Potts sweep, q = {q}, {size} x {size}, {way}", size**2, size**2)
    work.contenders = {"fastgumbel": ways[way](), "inverse CDF in Numba": in_numba(potts.by_inverse_cdf)}
    return work


POTTS = "`jit.categorical` site by site", "`jit.gumbel_max` site by site", "`gumbel_max` of half-lattices"


def numpy_softmax(x: np.ndarray) -> Contender:
    rng = np.random.default_rng(0)

    def draw() -> Any:
        z = x + rng.gumbel(size=x.shape).astype(x.dtype)
        z -= z.max(-1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(-1, keepdims=True)
        return z

    return draw


def torch_softmax(x: np.ndarray) -> Contender:
    import torch

    logits = torch.from_numpy(x)

    def draw() -> Any:
        torch.set_num_threads(1)
        return torch.nn.functional.gumbel_softmax(logits, tau=1.0)

    return draw


def jax_softmax(x: np.ndarray) -> Contender:
    import jax

    jax.config.update("jax_enable_x64", x.dtype == np.float64)
    key, logits = jax.random.key(0), jax.device_put(x)
    draw = jax.jit(lambda k, v: jax.nn.softmax(v + jax.random.gumbel(k, v.shape, v.dtype)))
    return lambda: draw(key, logits).block_until_ready()


def jax_softmax_jvp(x: np.ndarray, dx: np.ndarray) -> Contender:
    """One direction by `jax.jvp`; several by `jax.vmap` over them, on one noise and one primal."""
    import jax

    jax.config.update("jax_enable_x64", x.dtype == np.float64)
    key, logits, directions = jax.random.key(0), jax.device_put(x), jax.device_put(dx)

    def sample(k: Any, v: Any, tau: Any) -> Any:
        return jax.nn.softmax((v + jax.random.gumbel(k, v.shape, v.dtype)) / tau)

    def draw(k: Any, v: Any, d: Any) -> Any:
        return jax.vmap(lambda one: jax.jvp(lambda w: sample(k, w, 1.0), (v,), (one,)), out_axes=(None, 0))(d)

    compiled = jax.jit(draw)
    return lambda: jax.block_until_ready(compiled(key, logits, directions))


def relaxed(shape: tuple[int, ...], dtype: Any) -> Work:
    x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    noise, out = fg.NoiseField(0), np.empty(shape, dtype)
    size = " x ".join(f"{n:,}" for n in shape)
    work = Work(f"`gumbel_softmax` {size} {np.dtype(dtype)}", x.size, 2 * x.nbytes)
    work.contenders["fastgumbel"] = on_threads(1, lambda: fg.gumbel_softmax(x, noise=noise, out=out))
    work.contenders["two threads"] = on_threads(2, lambda: fg.gumbel_softmax(x, noise=noise, out=out))
    work.contenders["without `out`"] = on_threads(1, lambda: fg.gumbel_softmax(x, noise=noise))
    work.contenders["NumPy"] = numpy_softmax(x)
    if has("jax"):
        work.contenders["JAX"] = jax_softmax(x)
    if has("torch"):
        work.contenders["PyTorch, 1 thread"] = torch_softmax(x)
    return work


def relaxed_jvp(shape: tuple[int, ...], directions: int) -> Work:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape).astype(np.float32)
    dx = rng.standard_normal((directions, *shape)).astype(np.float32)
    noise, out = fg.NoiseField(0), (np.empty_like(x), np.empty_like(dx))
    size = " x ".join(f"{n:,}" for n in shape)
    name = f"`gumbel_softmax_jvp` {size} float32, directions: {directions}"
    work = Work(name, x.size, (2 + 2 * directions) * x.nbytes)
    work.contenders["fastgumbel"] = on_threads(
        1, lambda: fg.gumbel_softmax_jvp((x, 1.0), (dx, None), noise=noise, out=out)
    )
    work.contenders["the sample alone"] = on_threads(1, lambda: fg.gumbel_softmax(x, noise=noise, out=out[0]))
    if has("jax"):
        work.contenders["JAX"] = jax_softmax_jvp(x, dx)
    return work


RELAXED = (1000, 1000), (64, 131_072), (1_000_000, 10)


def all_works() -> Iterator[Callable[[], Work]]:
    for dtype in (np.float32, np.float64):
        for spread in (0.0, 1.0, 2.0):
            yield lambda dtype=dtype, spread=spread: long_rows(dtype, spread, peers=spread == 1.0)
    for dtype in (np.float32, np.float64):
        yield lambda dtype=dtype: short_rows(dtype)
    yield choice_sets
    yield two_threads
    for dtype in (np.float32, np.float64):
        yield lambda dtype=dtype: noise(dtype)
    for shape, k in (((64, 131_072), 64), ((5000, 1454), 30), ((100_000, 30), 5)):
        yield lambda shape=shape, k=k: top_k(shape, k)
    yield lambda: reservoir(100)
    for n in (1000, 1_000_000):
        yield lambda n=n: many_draws(n)
    for dtype in (np.float32, np.float64):
        yield lambda dtype=dtype: one_draw_each(dtype)
    yield one_row
    for way in POTTS:
        yield lambda way=way: potts_sweep(way)
    for shape in RELAXED:
        yield lambda shape=shape: relaxed(shape, np.float32)
    for shape in RELAXED:
        yield lambda shape=shape: relaxed(shape, np.float64)
    for directions in (1, 8):
        for shape in ((100, 1000), *RELAXED):
            yield lambda shape=shape, directions=directions: relaxed_jvp(shape, directions)
