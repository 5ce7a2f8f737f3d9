"""The work that is measured on a GPU, and who does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from cases import Contender, Work, has

import fastgumbel as fg

NOISE = fg.NoiseField(0)


def on_device(shape: tuple[int, ...], dtype: Any) -> Any:
    """Normal log-potentials, the same 2^24 over and over: all of them would take the host longer than the benchmark."""
    from numba import cuda

    x = empty(shape, dtype)
    flat = x.reshape(x.size)
    drawn = cuda.to_device(np.random.default_rng(1).standard_normal(min(x.size, 2**24), dtype))
    for place in range(0, x.size, drawn.size):
        part = flat[place : place + drawn.size]
        part.copy_to_device(drawn[: part.size])
    return x


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    from numba import cuda

    return cuda.device_array(shape, dtype)


def as_torch(x: Any) -> Any:
    import torch

    return torch.as_tensor(x, device="cuda")


def as_cupy(x: Any) -> Any:
    import cupy

    return cupy.asarray(x)


def title(function: str, shape: tuple[int, ...], dtype: Any) -> str:
    return f"`{function}` {' x '.join(f'{n:,}' for n in shape)} {np.dtype(dtype)}"


def noise(count: int, dtype: Any) -> Work:
    out = empty((count,), dtype)
    work = Work(title("gumbel", (count,), dtype), count, count * np.dtype(dtype).itemsize)
    work.contenders["fastgumbel"] = lambda: fg.gumbel(count, noise=NOISE, dtype=dtype, out=out)
    if has("torch"):
        target = as_torch(empty((count,), dtype))
        work.contenders["PyTorch, exponential and log"] = lambda: target.exponential_().log_().neg_()
    if has("cupy"):
        import cupy

        work.contenders["CuPy"] = lambda: cupy.random.gumbel(size=count, dtype=dtype)
    return work


def torch_race(x: Any) -> Contender:
    import torch

    logits = as_torch(x)
    return lambda: (logits - torch.empty_like(logits).exponential_().log_()).argmax(-1)


def cupy_race(x: Any) -> Contender:
    import cupy

    logits = as_cupy(x)
    return lambda: (logits + cupy.random.gumbel(size=logits.shape, dtype=logits.dtype)).argmax(-1)


def hard(shape: tuple[int, ...], dtype: Any) -> Work:
    x, out = on_device(shape, dtype), empty(shape[:-1], np.intp)
    work = Work(title("gumbel_max", shape, dtype), x.size, x.nbytes + out.nbytes)
    work.contenders["fastgumbel"] = lambda: fg.gumbel_max(x, noise=NOISE, invalid="mark", out=out)
    if has("torch"):
        logits = as_torch(x)
        work.contenders["PyTorch amax, no sample"] = lambda: logits.amax(-1)
        work.contenders["PyTorch, noise and argmax"] = torch_race(x)
    if has("cupy"):
        work.contenders["CuPy, noise and argmax"] = cupy_race(x)
    return work


def ranked(shape: tuple[int, ...], dtype: Any) -> Work:
    k = min(64, shape[-1] // 3)
    x, outs = on_device(shape, dtype), (empty((*shape[:-1], k), np.intp), empty((*shape[:-1], k), np.float64))
    work = Work(f"{title('gumbel_top_k', shape, dtype)}, k = {k}", x.size, x.nbytes + 2 * outs[0].nbytes)
    work.contenders["fastgumbel"] = lambda: fg.gumbel_top_k(x, k, noise=NOISE, invalid="mark", out=outs)
    if has("torch"):
        import torch

        logits = as_torch(x)
        work.contenders["PyTorch, noise and topk"] = lambda: torch.topk(
            logits - torch.empty_like(logits).exponential_().log_(), k
        )
    return work


def independent(shape: tuple[int, ...], dtype: Any) -> Work:
    """One draw of each short row, 10,000 of a long one."""
    x, draws = on_device(shape, dtype), 1 if shape[-1] < 100 else 10_000
    out = empty((draws, *shape[:-1]), np.intp)
    work = Work(f"{title('categorical', shape, dtype)}, draws: {draws:,}", x.size, x.nbytes + out.nbytes)
    work.contenders["fastgumbel"] = lambda: fg.categorical(x, draws, noise=NOISE, invalid="mark", out=out)
    if has("torch"):
        import torch

        logits = as_torch(x)
        work.contenders["PyTorch, softmax and multinomial"] = lambda: torch.multinomial(
            torch.softmax(logits, -1), draws, replacement=True
        )
    return work


def relaxed(shape: tuple[int, ...], dtype: Any) -> Work:
    x, out = on_device(shape, dtype), empty(shape, dtype)
    work = Work(title("gumbel_softmax", shape, dtype), x.size, 2 * x.nbytes)
    work.contenders["fastgumbel"] = lambda: fg.gumbel_softmax(x, noise=NOISE, invalid="mark", out=out)
    if has("torch"):
        import torch

        logits = as_torch(x)
        work.contenders["PyTorch"] = lambda: torch.nn.functional.gumbel_softmax(logits)
        work.contenders["PyTorch softmax, no sample"] = lambda: torch.softmax(logits, -1)
    return work


def tangent(shape: tuple[int, ...], dtype: Any) -> Work:
    x, dx, out = on_device(shape, dtype), on_device(shape, dtype), (empty(shape, dtype), empty(shape, dtype))
    work = Work(title("gumbel_softmax_jvp", shape, dtype), x.size, 4 * x.nbytes)
    work.contenders["fastgumbel"] = lambda: fg.gumbel_softmax_jvp(
        (x, 1.0), (dx, None), noise=NOISE, invalid="mark", out=out
    )
    if has("torch"):
        import torch

        logits, step = as_torch(x).requires_grad_(), as_torch(dx)

        def backward() -> Any:
            """The same product, as the Jacobian is symmetric."""
            return torch.autograd.grad(torch.nn.functional.gumbel_softmax(logits), logits, step)

        work.contenders["PyTorch, forward and backward"] = backward
    return work


LONG, SHORT = (2048, 131_072), (20_000_000, 10)


def works() -> Iterator[Callable[[], Work]]:
    for dtype in (np.float32, np.float64):
        yield lambda dtype=dtype: noise(2**28, dtype)
    for make in (hard, ranked, independent, relaxed, tangent):
        for dtype in (np.float32, np.float64):
            for shape in (LONG, SHORT):
                yield lambda make=make, dtype=dtype, shape=shape: make(shape, dtype)
