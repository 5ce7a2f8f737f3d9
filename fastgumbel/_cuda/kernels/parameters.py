"""What kernels take beside arrays, in tuples whose fields have names."""

from typing import Any, NamedTuple


class Field(NamedTuple):
    """Where a piece of rows lies in the noise field.

    Row r has the id `ids[r]`, or `row + r` where `ids` is empty; its first draw is `draw`, and draws[r] more unless
    `draws` is empty. The first category is `start`. The noise is scaled by `temperatures`, which are `Temperatures`,
    in perturbed values, but not in relaxed samples.
    """

    ids: Any
    key: Any
    row: Any
    draw: Any
    start: Any
    draws: Any
    temperatures: Any


class Temperatures(NamedTuple):
    """Temperatures: `many[r]` of row r of a piece, or `one` where `many` is empty."""

    one: Any
    many: Any


class Coordinates(NamedTuple):
    """Where one row and draw lies in the noise field, scaled by a temperature; its first category is `start`."""

    key: Any
    row: Any
    draw: Any
    start: Any
    temperature: Any


class Line(NamedTuple):
    """A row of log-potentials as `rows.potential` reads it."""

    x: Any
    mask: Any
    row: Any


class Team(NamedTuple):
    """Threads of a block: the number of this one, how many there are, its place in its warp, its warp, of how many."""

    thread: Any
    threads: Any
    lane: Any
    warp: Any
    warps: Any


class Window(NamedTuple):
    """Where a piece lies in the whole result: its first row of `rows`, and `draws` of `all_draws` from one on."""

    row: Any
    rows: Any
    first_draw: Any
    draws: Any
    all_draws: Any


class Rates(NamedTuple):
    """1 / tau: `many[r]` of row r of the whole, or `one` where `many` is empty."""

    one: Any
    many: Any


class Tangents(NamedTuple):
    """Tangents of so many `directions`: dx[d * dx_step + r * n :] of row r of the whole, unless `dx` is empty.

    That of tau is slopes[d], or where it differs by row, slopes[d * slope_rows + r]; slope_rows is the number of rows
    then, and 0 otherwise. `moved` tells whether any is not 0. Results go to the flat dy[d, s, r, :].
    """

    dx: Any
    dx_step: Any
    slopes: Any
    slope_rows: Any
    moved: Any
    dy: Any
    directions: Any


class Samples(NamedTuple):
    """Where relaxed samples, or their logarithms, go: to the flat y[s, r, :], unless it is empty.

    `faults` is the number of the whole's first row among faults, which are noted in `flag`.
    """

    y: Any
    log: Any
    flag: Any
    faults: Any


class Cotangents(NamedTuple):
    """Relaxed samples y[s, r, :], or with `log` their logarithms, and their cotangents w[first + s // repeats, r, :].

    Both are flat. There are so many `draws` of `rows` rows of `n` categories.
    """

    y: Any
    log: Any
    w: Any
    first: Any
    repeats: Any
    draws: Any
    rows: Any
    n: Any
