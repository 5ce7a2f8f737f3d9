"""The field, written out."""

from __future__ import annotations

from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastgumbel._host import noise as _noise
from fastgumbel._request.checks import float_type, result_shape
from fastgumbel._request.coordinates import check_device, check_reach, coordinates_of, field_of
from fastgumbel._request.device import backend, is_device
from fastgumbel._request.field import NoiseField
from fastgumbel._request.key import Rng
from fastgumbel._request.outputs import check_device_out, check_out

Real = TypeVar("Real", np.float64, np.float32)
Out = TypeVar("Out")


@overload
def gumbel(
    size: int | tuple[int, ...], *, rng: Rng = None, noise: NoiseField | None = None, out: None = None
) -> NDArray[np.float64]: ...


@overload
def gumbel(
    size: int | tuple[int, ...],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: type[Real],
    out: None = None,
) -> NDArray[Real]: ...


@overload
def gumbel(
    size: int | tuple[int, ...], *, rng: Rng = None, noise: NoiseField | None = None, dtype: DTypeLike, out: None = None
) -> NDArray[Any]: ...


@overload
def gumbel(
    size: int | tuple[int, ...],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: DTypeLike = np.float64,
    out: Out,
) -> Out: ...


def gumbel(
    size: int | tuple[int, ...],
    *,
    rng: Rng = None,
    noise: NoiseField | None = None,
    dtype: DTypeLike = np.float64,
    out: Any = None,
) -> Any:
    """Independent standard Gumbel noise: a noise field, written out.

    Parameters
    ----------
    size : int or tuple of ints
        Shape of the result. The last axis counts categories, the others rows in C order.
    rng : None, int, sequence of ints, SeedSequence, BitGenerator or Generator, optional
        Seed or generator that selects the field; see `NoiseField`.
    noise : NoiseField, optional
        Noise field to read instead, with its coordinates: row ids, draws, first categories or category ids (an empty
        place gets -inf).
    dtype : float64 or float32, optional
        float32 is the same field in float32 arithmetic, from half of the bits.
    out : ndarray or device array, optional
        Output array; must have exactly this shape and dtype. Anything with `__cuda_array_interface__` is a device
        array, must be C-contiguous, and is written on the device, on the stream that it names, with the same bits.

    Returns
    -------
    ndarray
        Of shape `size`; `out` where it is given. Between -3.62 and 40.9, never infinite.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of the above, or the coordinates go beyond the field (2**32 categories).
    ImportError, RuntimeError
        If `out` is a device array, and CUDA support, or a driver, is missing.

    Notes
    -----
    The law is P(G <= g) = exp(-exp(-g)), with mean 0.5772 (Euler's constant) and variance pi**2 / 6. The float64
    grid of 2**-52 under it changes the chance of an item of probability p by a factor (a/2) / sinh(a/2), where
    a = 2**-52 (1-p)/p. A float32 number is within 4 units in the last place (of a number of at least 1) plus
    (2**-31 + 2**-32 exp(E)) / E of the float64 one, where E = exp(-G): half of the bits tell less of very low noise.

    References
    ----------
    .. [1] J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
       SC 2011, https://doi.org/10.1145/2063384.2063405
    .. [2] C. J. Maddison, D. Tarlow and T. Minka, "A* sampling", NeurIPS 2014, https://doi.org/10.48550/arXiv.1411.0030

    Examples
    --------
    >>> import fastgumbel as fg
    >>> fg.gumbel(3, rng=1).round(4)
    array([ 0.8361, -0.2829, -0.7028])
    >>> bool((fg.gumbel((5, 3), rng=1)[0] == fg.gumbel(3, rng=1)).all())
    True
    """
    shape = result_shape(size)
    kind = float_type(dtype, "dtype")
    field = field_of(rng, noise)
    check_reach(field, 1, shape[-1] if shape else 1)
    place = coordinates_of(field, shape[:-1], shape or (1,))
    if is_device(out):
        check_device_out(out, "out", shape, kind)
        check_device(place)
        backend("noise").write(out, place)
        return out
    result = np.empty(shape, kind) if out is None else check_out(out, "out", shape, kind)
    _noise.write(result if shape else result.reshape(1), place)
    return result
