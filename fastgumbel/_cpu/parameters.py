"""What kernels take beside arrays, in tuples whose fields have names.

Python passes plain tuples with these fields in this order: a call with named ones takes some microseconds longer.
"""

from typing import Any, NamedTuple


class Field(NamedTuple):
    """Where a piece of rows lies in the noise field.

    Row r has the id `ids[r]`, or `row + r` where `ids` is empty. Draw 0 of the result is `draw`, and in row r
    `draw + draws[r]` unless `draws` is empty; the first category of the piece is `start`. All of these are uint64. The
    noise of row r is scaled by `temperatures[r]`, float64: they have one item a row, or one for all, or none where all
    are 1.
    """

    ids: Any
    key: Any
    row: Any
    draw: Any
    start: Any
    draws: Any
    temperatures: Any


class Coordinates(NamedTuple):
    """Where one row and draw of a piece lies in the noise field; its first category is `start`. All are uint64.

    The noise is scaled by the temperature, float64.
    """

    key: Any
    row: Any
    draw: Any
    start: Any
    temperature: Any


class Window(NamedTuple):
    """Where a piece lies in the result.

    It has the draws from `first_draw` to before `last_draw`, and the rows from `row` on; indices of its categories
    count from `column`.
    """

    first_draw: Any
    last_draw: Any
    row: Any
    column: Any


class Line(NamedTuple):
    """A row that lies in an array of many, from the place `at` on."""

    values: Any
    at: Any


class Samples(NamedTuple):
    """Where relaxed samples go: to y[s, r, :], unless it is empty, or with `log` their logarithms.

    faulty[r] becomes INVALID_ROW for rows without a sample, which become NaN.
    """

    y: Any
    log: Any
    faulty: Any


class Tangents(NamedTuple):
    """Tangents of log-potentials, dx[d, r, :] unless it is empty, and of temperatures, dtau[d, r]; d is a direction.

    `moved` tells whether any of `dtau` is not 0. Results go to dy[d, s, r, :].
    """

    dx: Any
    dtau: Any
    moved: Any
    dy: Any


class Found(NamedTuple):
    """Where what is above thresholds goes: categories, which count from `column`, and values, in a buffer.

    counts[s, r] is how many of them row r has in draw s; faulty[s, r] becomes 1 where the row is invalid.
    """

    categories: Any
    values: Any
    counts: Any
    faulty: Any
    column: Any
