"""Host arrays of other libraries as NumPy arrays: PyTorch's and JAX's, pandas' frames, and all that speaks DLPack.

None of them is imported: an object of theirs comes only from a program that has done so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.labels import dimensions_of
from fastgumbel._request.ndarrays import BFLOAT16

# What to pass instead of a masked array.
_UNMASKED = {
    "log_potentials": "; pass where=~mask with its data",
    "categories": "; make ids of empty places negative",
}
# The argument of which no whole copy is made, as its rows are widened piece by piece.
_IN_PIECES = "log_potentials"
# Arguments of which columns may be Python's integers.
_IDS = ("rows", "draw", "start", "categories")
# The argument of which columns of booleans may stand beside those of 0 and 1.
_MASK = "where"


def as_array(x: Any, name: str) -> NDArray[Any]:
    """What x is for NumPy, whatever its type.

    bfloat16 is widened to float32, but log-potentials become BFLOAT16.

    Raises
    ------
    TypeError, ValueError
        If it cannot be read; the message has the name of the argument.
    """
    try:
        array = _read(x, name)
    except _Refused as refused:
        raise TypeError(str(refused)) from None
    except ValueError as error:
        raise ValueError(f"{name} must be an array: {error}") from None
    except Exception as error:
        raise TypeError(f"{name} cannot be read as an array: {type(error).__name__}: {error}") from error
    kind = array.dtype
    if kind.kind != "V" or (kind is not BFLOAT16 and kind.name != "bfloat16"):
        return array
    return array.view(BFLOAT16) if name == _IN_PIECES else _float32_of(array.view(np.uint16))


def masked_message(name: str) -> str:
    """What is wrong with a masked array."""
    return f"{name} must not be a masked array{_UNMASKED.get(name, '; see its filled()')}"


class _Refused(Exception):
    """What is wrong with an argument, in whole."""


def _read(x: Any, name: str) -> NDArray[Any]:
    if isinstance(x, bytes | bytearray):
        raise _Refused(f"{name} must be an array, not {type(x).__name__}")
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return _of_tensor(x, name, torch)
    if hasattr(x, "to_numpy") and dimensions_of(x) is None:
        return _of_pandas(x, name)
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        array: NDArray[Any] = np.from_dlpack(x)
        return array
    if hasattr(x, "__dask_graph__"):
        x = x.compute()  # as an array of NumPy, it would lose a mask
    array = np.asanyarray(x)
    if any(isinstance(part, np.ma.MaskedArray) for part in (array, *(x if isinstance(x, list | tuple) else ()))):
        raise _Refused(masked_message(name))
    array = np.asarray(array)
    # What NumPy cannot read is one object to it.
    if array.ndim == 0 and array.dtype == object:
        raise _Refused(f"{name} must be an array or a number, not {type(x).__name__}{_remedy(x)}")
    return array


def _remedy(x: Any) -> str:
    """What to pass instead of an object that is no array, with the colon before it."""
    if hasattr(x, "toarray"):
        return ": pass its toarray(), in which all that is not stored is 0"
    if isinstance(x, Mapping):
        return ": pass a list of its values"
    if hasattr(x, "collect"):
        return ": pass its collect()"
    return ": pass a list of its items" if isinstance(x, Iterable) else ""


def _of_tensor(x: Any, name: str, torch: Any) -> NDArray[Any]:
    if x.requires_grad:
        raise _Refused(f"{name} must not require grad: pass {name}.detach()")
    if x.device.type != "cpu":
        raise _Refused(f"{name} must lie on the CPU or on a CUDA device, not on {x.device}: pass {name}.cpu()")
    array: NDArray[Any] = x.view(torch.uint16).numpy() if x.dtype == torch.bfloat16 else x.numpy()
    return array.view(BFLOAT16) if x.dtype == torch.bfloat16 else array


def _of_pandas(x: Any, name: str) -> NDArray[Any]:
    """A frame or series; what is missing is NaN where its columns are numbers."""
    frame = hasattr(x, "dtypes") and hasattr(x, "columns")
    own: list[Any] = list(x.dtypes) if frame else [getattr(x, "dtype", None)]
    kinds = [getattr(kind, "numpy_dtype", kind) for kind in own]
    if all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in kinds) and kinds:
        booleans = [kind.kind == "b" for kind in kinds]
        if any(booleans) and not all(booleans) and name != _MASK:
            raise _one_boolean(x, name, booleans)
        missing = bool(np.any(x.isna())) if hasattr(x, "isna") else False
        if not missing:
            return np.asarray(x.to_numpy(dtype=np.result_type(*kinds)))
        if all(booleans):
            raise _Refused(f"{name} must be true or false, but has missing values: see fillna()")
        kind = np.result_type(*kinds)
        return np.asarray(x.to_numpy(dtype=kind if kind.kind == "f" else np.float64, na_value=np.nan))
    booleans = [str(kind) == "Boolean" for kind in kinds]
    if frame and any(booleans) and not all(booleans) and name != _MASK:
        raise _one_boolean(x, name, booleans)
    array = np.asarray(x)
    if frame and array.dtype == object and name not in _IDS:
        for place, (column, kind) in enumerate(zip(x.columns, kinds, strict=True)):
            if not _becomes_float(kind, array[:, place]):
                raise _Refused(
                    f"{name} must be numbers, but its column {column!r} is of type {own[place]}: leave it out, or make "
                    "it a number"
                )
    return array


def _one_boolean(x: Any, name: str, booleans: list[bool]) -> _Refused:
    """What is wrong with a frame of which some columns are boolean."""
    column = x.columns[booleans.index(True)]
    return _Refused(f"{name} must be numbers, but its column {column!r} is boolean: leave it out, or make it a number")


def _becomes_float(kind: Any, column: NDArray[Any]) -> bool:
    """Whether a column of this type, here as objects, can be made float."""
    if isinstance(kind, np.dtype) and kind.kind in "biuf":
        return True
    try:
        column.astype(float)
    except (TypeError, ValueError):
        return False
    return True


def _float32_of(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The numbers of which these are the upper halves."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
