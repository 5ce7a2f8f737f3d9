"""A program: Ctrl-C in the midst of a call of every function that would take minutes, on so many threads."""

import os
import signal
import sys
import threading
import time

import numpy as np

import fastgumbel as fg

PATIENCE = 5.0
MANY = 2**31
ROW = np.random.default_rng(0).normal(size=2000).astype(np.float32)
SHORT = np.random.default_rng(1).normal(size=(20_000, 90)).astype(np.float32)
LONG = np.random.default_rng(2).normal(size=(64, 40_000)).astype(np.float32)
FIELD = fg.NoiseField(1)


def rows(n):
    """So many rows that take no memory, and are read a piece at a time."""
    return np.broadcast_to(ROW, (n, ROW.size))


def lazily(shape, dtype=np.float32):
    """An array that takes no memory before it is written to."""
    return np.empty(shape, dtype)


def stream(n):
    reservoir = fg.Reservoir(3, noise=FIELD)
    reservoir.update(np.broadcast_to(ROW[0], n))
    return reservoir.values


CALLS = {
    "gumbel": lambda n: fg.gumbel((n, 2000), noise=FIELD, dtype="f", out=lazily((n, 2000))),
    "gumbel_max": lambda n: fg.gumbel_max(rows(n * 20), noise=FIELD),
    "gumbel_max, draws of a row": lambda n: fg.gumbel_max(LONG[0], size=n * 50, noise=FIELD),
    "gumbel_max, draws of short rows": lambda n: fg.gumbel_max(SHORT, size=n // 100 + 1, noise=FIELD),
    "gumbel_max, draws of long rows": lambda n: fg.gumbel_max(LONG, size=n // 10 + 1, noise=FIELD),
    "gumbel_top_k": lambda n: fg.gumbel_top_k(rows(n * 5), 3, noise=FIELD),
    "gumbel_above": lambda n: fg.gumbel_above(rows(n * 5), 8.0, noise=FIELD)[1],
    "gumbel_softmax": lambda n: fg.gumbel_softmax(rows(n), noise=FIELD),
    "gumbel_softmax_jvp": lambda n: fg.gumbel_softmax_jvp((rows(n), 1.0), (None, 1.0), noise=FIELD)[1],
    "gumbel_softmax_jvp, rao": lambda n: fg.gumbel_softmax_jvp((rows(1), 1.0), (None, 1.0), noise=FIELD, rao=n)[1],
    "gumbel_given_choice": lambda n: fg.gumbel_given_choice(rows(n), np.zeros(n, int), noise=FIELD),
    "categorical": lambda n: fg.categorical(rows(n), noise=FIELD),
    "Reservoir": lambda n: stream(n * 20_000),
}


def interrupted(call, n):
    """Whether a call ends by KeyboardInterrupt soon after the signal."""
    sent = []

    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.2, send)
    timer.start()
    try:
        call(n)
    except KeyboardInterrupt:
        return time.monotonic() - sent[0] < PATIENCE
    finally:
        timer.cancel()
    return False


if __name__ == "__main__":
    fg.set_num_threads(int(sys.argv[1]))
    for name, call in CALLS.items():
        expected = call(3)
        ended = interrupted(call, 200_000)
        same = np.array_equal(call(3), expected)
        print(f"{name}: {'interrupted' if ended else 'went on'}, {'same' if same else 'different'}", flush=True)
