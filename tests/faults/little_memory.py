"""A program: calls that need more memory than the process may have, and smaller ones after them."""

import resource

import numpy as np

import fastgumbel as fg

MIB = 2**20
LONG = np.zeros(16 * MIB, np.int8)
ROW = np.zeros(5000)
FIELD = fg.NoiseField(1)


def used():
    """Bytes of address space of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def refused(call):
    try:
        call()
    except MemoryError:
        return True
    return False


# What each needs beyond the input: a result; weights that Python asks for; weights that a kernel asks for.
CALLS = {
    "result": lambda: fg.gumbel((4000, 100_000), noise=FIELD),
    "scratch": lambda: fg.categorical(LONG, 2**21, noise=FIELD),
    "scratch of a thread": lambda: fg.categorical(np.broadcast_to(LONG, (2, LONG.size)), noise=FIELD),
}

if __name__ == "__main__":
    fg.set_num_threads(2)

    def small():
        return fg.categorical(ROW, 20, noise=FIELD), fg.categorical(ROW, 2**19, noise=FIELD), fg.gumbel(9, noise=FIELD)

    expected = small()
    fg.categorical(LONG[:9].reshape(1, 9).repeat(200_000, 0), noise=FIELD)  # the threads are there
    resource.setrlimit(resource.RLIMIT_AS, (used() + 48 * MIB, resource.RLIM_INFINITY))
    for name, call in CALLS.items():
        ended = refused(call)
        same = all(map(np.array_equal, small(), expected))
        print(f"{name}: {'MemoryError' if ended else 'enough'}, {'same' if same else 'different'}", flush=True)
