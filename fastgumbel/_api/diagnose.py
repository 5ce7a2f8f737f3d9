"""`diagnose`: which rows have no valid result, and why."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from fastgumbel._host.diagnose import diagnose as _diagnose
from fastgumbel._host.rows import rows_of
from fastgumbel._request.arrays import HOST
from fastgumbel._request.field import NoiseField
from fastgumbel._request.request import Request

_ANY = NoiseField.from_key(0)


def diagnose(
    log_potentials: ArrayLike, *, axis: int = -1, where: ArrayLike | None = None, noise: NoiseField | None = None
) -> Any:
    """Tell which rows have no valid result, and why: what ``invalid="mark"`` marks.

    Parameters
    ----------
    log_potentials : array_like of float16, bfloat16, float32, float64 or int
        Shape `batch + (n,)` for the default axis. Device arrays are refused.
    axis : int, optional
        The axis of the categories; the default is the last.
    where : array_like of bool, optional
        Broadcasts to `log_potentials`; False excludes a category. The default excludes none.
    noise : NoiseField, optional
        A field whose category ids leave places empty, which are excluded too. The default has none.

    Returns
    -------
    ndarray of uint8
        A `Fault` for each row, of the batch's shape; a scalar for a single row. 0 is a row that is valid.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, or a shape does not fit.

    See Also
    --------
    Fault : the codes and their names.

    Examples
    --------
    A mark is -1, which NumPy takes for the last category: look at the marks before the indices are used.

    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> x = np.array([[0.0, 1.0], [np.nan, 0.0], [-np.inf, -np.inf]])
    >>> choices = fg.gumbel_max(x, rng=0, invalid="mark")
    >>> left = choices >= 0
    >>> left
    array([ True, False, False])
    >>> codes = fg.diagnose(x)
    >>> {int(row): fg.Fault(codes[row]).name for row in np.flatnonzero(codes)}
    {1: 'NAN', 2: 'EMPTY'}
    """
    request = Request(log_potentials, axis, None, where, None, _ANY if noise is None else noise, "mark", HOST, True)
    return _diagnose(rows_of(request)).reshape(request.batch)[()]
