"""Threads: how many, and how a list of tasks is shared among them.

Tasks are calls of kernels without the interpreter lock. The calling thread works too, so a call never waits for a
pool that others keep busy, and it looks at signals between two tasks.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from fastgumbel._host.limits import Limit, count_of, usual_limit
from fastgumbel._request.scalars import whole

_VARIABLE = "FASTGUMBEL_NUM_THREADS"

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_chosen: int | None = None


def set_num_threads(n: int) -> None:
    """Let every later call use up to n threads.

    Results do not depend on it. It wins over all that `get_num_threads` would look at.

    Parameters
    ----------
    n : int
        At least 1; 1 means that nothing but the calling thread works.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer, or below 1.

    Examples
    --------
    >>> import fastgumbel as fg
    >>> before = fg.get_num_threads()
    >>> fg.set_num_threads(2)
    >>> fg.get_num_threads()
    2
    >>> fg.set_num_threads(before)
    """
    global _chosen
    _chosen = whole(n, "n", 1)


def get_num_threads() -> int:
    """Number of threads that a call may use.

    Returns
    -------
    int
        What `set_num_threads` said, else the environment variable ``FASTGUMBEL_NUM_THREADS``, else the least of

        - the processors of the machine, and those in the affinity mask of this process;
        - the CPU quota of its control groups (versions 1 and 2), as for a container, rounded up to whole processors;
        - the environment variables ``NUMBA_NUM_THREADS``, ``OMP_NUM_THREADS`` (its first number) and joblib's
          ``LOKY_MAX_CPU_COUNT``, each where it is a whole number of at least 1.

    Raises
    ------
    ValueError
        If ``FASTGUMBEL_NUM_THREADS`` counts and is not a whole number of at least 1.

    Notes
    -----
    The least is found by the first call that needs it, and again in a forked child; later changes of what it was found
    from do not count. `show_config` says what decided.

    Examples
    --------
    >>> import fastgumbel as fg
    >>> fg.get_num_threads() >= 1
    True
    """
    return thread_limit().threads


def thread_limit() -> Limit:
    """Number of threads that a call may use, and what decided it."""
    if _chosen is not None:
        return Limit(_chosen, "set_num_threads")
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return usual_limit()
    threads = count_of(text)
    if threads is None:
        raise ValueError(f"{_VARIABLE} must be a whole number of at least 1, not {text!r}")
    return Limit(threads, _VARIABLE)


class _Feed:
    """Tasks handed out one by one to whoever asks, until they end or someone stops them."""

    def __init__(self, tasks: Iterable[tuple[Any, ...]]) -> None:
        self._tasks: Iterator[tuple[Any, ...]] = iter(tasks)
        self._lock = threading.Lock()
        self._stopped = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> tuple[Any, ...]:
        with self._lock:
            if self._stopped:
                raise StopIteration
            return next(self._tasks)

    def stop(self) -> None:
        self._stopped = True


def _work_off(work: Callable[..., None], feed: _Feed) -> None:
    try:
        for task in feed:
            work(*task)
    except BaseException:
        feed.stop()
        raise


def even(count: int, at_most: int) -> int:
    """Length of the pieces, at most so long, of `count` items: where there are several, all threads get as many."""
    if count <= at_most:
        return max(count, 1)
    threads = get_num_threads()
    pieces = -(-count // (at_most * threads)) * threads
    return -(-count // pieces)


def run(work: Callable[..., None], tasks: Iterable[tuple[Any, ...]], at_most: int) -> None:
    """Call work(*task) for every task, on up to `at_most` threads; on an error, stop and raise it."""
    # To ask how many threads there may be takes longer than a short task does.
    n = 1 if at_most <= 1 else min(get_num_threads(), at_most)
    if n <= 1:
        for task in tasks:
            work(*task)
        return
    feed = _Feed(tasks)
    helpers = _hire(n - 1, work, feed)
    try:
        _work_off(work, feed)
    finally:
        # Nobody may still write to the caller's arrays when this returns.
        running = [helper for helper in helpers if not helper.cancel()]
        wait(running)
    for helper in running:
        helper.result()


def _hire(n: int, work: Callable[..., None], feed: _Feed) -> list[Future[None]]:
    global _pool, _pool_size
    helpers: list[Future[None]] = []
    # A RuntimeError says that the interpreter is shutting down, or that the system has no more threads: fewer work.
    with contextlib.suppress(RuntimeError), _lock:
        if _pool is None or _pool_size < n:
            if _pool is not None:
                _pool.shutdown(wait=False)
            _pool, _pool_size = ThreadPoolExecutor(n, "fastgumbel"), n
        for _ in range(n):
            helpers.append(_pool.submit(_work_off, work, feed))
    return helpers


def _forget_pool() -> None:
    global _pool, _pool_size, _lock
    _pool, _pool_size, _lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork.
    os.register_at_fork(after_in_child=_forget_pool)
