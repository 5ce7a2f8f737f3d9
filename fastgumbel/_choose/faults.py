"""What makes a row of log-potentials impossible to draw from."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Fault(NamedTuple):
    """The first bad row of a block, and the column to blame if there is one."""

    row: int
    column: int | None
    what: str


def first_fault(block: NDArray[Any]) -> Fault | None:
    """Find the first row with NaN, +inf or nothing left.

    Examples
    --------
    >>> import numpy as np
    >>> first_fault(np.array([[0.0, -np.inf], [1.0, np.nan]]))
    Fault(row=1, column=1, what='NaN')
    """
    best = block.max(axis=1)  # NaN and +inf come through, and -inf only from a row that is all -inf
    bad = ~np.isfinite(best)
    if not bad.any():
        return None
    row = int(bad.argmax())
    if best[row] == -np.inf:
        return Fault(row, None, "every alternative is excluded (-inf)")
    column = int((~(block[row] < np.inf)).argmax())
    return Fault(row, column, "NaN" if np.isnan(block[row, column]) else "+inf")
