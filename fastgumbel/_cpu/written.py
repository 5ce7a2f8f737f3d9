"""Rows whose categories have ids, written out with each log-potential at its id, as blocks serve all of their lanes.

`ids` are uint64, one row for all or each; what is not below 2^63 marks an empty place.
"""

import numpy as np

from fastgumbel._numba.compile import kernel, stage

_EMPTY = np.uint64(2**63)


@stage
def _ascending(ids):
    """How many ids a row has before the empty places at its end, if they ascend; -1 if they do not."""
    n = ids.size
    while n and ids[n - 1] >= _EMPTY:
        n -= 1
    # The sign tells whether a place is empty, or a step below 1.
    signs = np.int64(ids[n - 1]) if n else np.int64(0)
    for j in range(n - 1):
        signs |= np.int64(ids[j]) | (np.int64(ids[j + 1] - ids[j]) - 1)
    return n if signs >= 0 else -1


@kernel
def survey_ids(ids, counts):
    """The least id, and how many there are from it to the largest, 0 if there is none.

    Writes to `counts` how many ids each row has, or -1 where they do not ascend.
    """
    least, most = _EMPTY, np.uint64(0)
    for r in range(ids.shape[0]):
        own = ids[r]
        counts[r] = n = _ascending(own)
        if n > 0:
            least, most = min(least, own[0]), max(most, own[n - 1])
        elif n < 0:
            for j in range(own.size):
                least = min(least, own[j])
                most = max(most, own[j]) if own[j] < _EMPTY else most
    return least, np.int64(most - least) + 1 if least < _EMPTY else 0


@stage
def _write_ascending(line, x, ids, n, first):
    """Write log-potentials of a row to where its n ids, which ascend, are from `first` on."""
    for j in range(n):
        line[ids[j] - first] = x[j]


@stage
def _write_any(line, home, x, ids, first):
    """Write log-potentials of a row to where their ids are, from `first` on, and to `home` whose they are.

    Of the places of an id, the first of the largest stands for it.
    """
    for j in range(x.size):
        if ids[j] < _EMPTY:
            at = ids[j] - first
            # NaN is written too, and stays, as it makes the row invalid.
            if not x[j] <= line[at] and line[at] == line[at]:
                line[at], home[at] = x[j], j


@kernel
def write_out(lines, homes, x, ids, counts, first):
    """Write rows of x to `lines`, with -inf where no id is.

    Unless it is empty, `homes` becomes what place of its row a column of `lines` has. Otherwise all ids ascend.
    """
    for r in range(x.shape[0]):
        line, own = lines[r], min(r, ids.shape[0] - 1)
        for j in range(line.size):
            line[j] = -np.inf
        if homes.size:
            _write_any(line, homes[r], x[r], ids[own], first)
        else:
            _write_ascending(line, x[r], ids[own], counts[own], first)


@kernel
def to_places(index, ids, counts, first):
    """Turn indices of columns from the id `first` on, of axes (draw, row, rank), into places of ids that ascend."""
    for s in range(index.shape[0]):
        for r in range(index.shape[1]):
            own = min(r, ids.shape[0] - 1)
            for k in range(index.shape[2]):
                if index[s, r, k] >= 0:
                    id_ = first + np.uint64(index[s, r, k])
                    at, n = 0, counts[own]
                    while n > 1:
                        half = n // 2
                        at += half if ids[own, at + half] <= id_ else 0
                        n -= half
                    index[s, r, k] = at
