"""A program: children that are forked while other threads work or compile, and one that is spawned."""

import multiprocessing
import threading
import time

import numpy as np
from numba.core.compiler_lock import global_compiler_lock

import fastgumbel

X = np.random.default_rng(0).normal(size=(200, 3000))


def draw():
    return fastgumbel.gumbel_max(X, rng=1)


def new():
    """What needs machine code that this process has not loaded."""
    return fastgumbel.gumbel(3, rng=1)


def in_a_fork(work):
    """Return what a forked child computes, None if it does not end in time."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=lambda: theirs.send(work()))
    child.start()
    found = ours.recv() if ours.poll(100) else None
    child.kill()
    child.join()
    return found


def say(what, *same):
    print(f"{what}: {'same' if all(same) else 'different'}", flush=True)


def beside_calls():
    expected, stop = draw(), threading.Event()

    def keep_on():
        while not stop.is_set():
            draw()

    busy = [threading.Thread(target=keep_on) for _ in range(2)]
    for thread in busy:
        thread.start()
    found = [in_a_fork(draw) for _ in range(3)]
    stop.set()
    for thread in busy:
        thread.join()
    say("forked beside a call", *(np.array_equal(f, expected) for f in found))


def beside_the_compiler():
    held = threading.Event()

    def hold():
        with global_compiler_lock:
            held.set()
            time.sleep(0.3)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    found = in_a_fork(new)
    thread.join()
    say("forked beside the compiler", np.array_equal(found, new()))


if __name__ == "__main__":
    fastgumbel.set_num_threads(3)
    beside_calls()
    beside_the_compiler()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        say("spawned", np.array_equal(pool.apply_async(draw).get(timeout=200), draw()))
