"""Labels of pandas and xarray: places are what counts, so those of an argument must not tell of other places."""

from typing import Any


def dimensions_of(x: Any) -> tuple[Any, ...] | None:
    """Names of the dimensions of an array of xarray; None of all else."""
    names = getattr(x, "dims", None)
    return names if isinstance(names, tuple) and hasattr(x, "isel") else None


def is_labelled(x: Any) -> bool:
    """Whether x is a frame or series of pandas, an array of xarray, or what is like one."""
    return hasattr(getattr(x, "index", None), "equals") or dimensions_of(x) is not None


def check_labels(frame: Any, other: Any, name: str, by_row: bool, axis: int) -> None:
    """Refuse labels of an argument that are those of the log-potentials in another order.

    Other labels may be any. `by_row` tells whether a series has an item a row or a category; categories are along this
    axis of the frame.
    """
    own, others = dimensions_of(frame), dimensions_of(other)
    if own is not None and others is not None:
        _check_dimensions(frame, other, name, own[:axis] + own[len(own) + axis + 1 :] if by_row else own, others)
    elif own is None and is_labelled(other):
        _check_indices(frame, other, name, by_row, axis)


def _in_another_order(own: Any, others: Any) -> bool:
    return len(own) == len(others) and not own.equals(others) and len(own.symmetric_difference(others)) == 0


def _check_indices(frame: Any, other: Any, name: str, by_row: bool, axis: int) -> None:
    if hasattr(other, "columns"):
        pairs = [(label, label) for label in ("columns", "index") if hasattr(frame, label)]
    elif hasattr(frame, "columns"):
        pairs = [("columns" if by_row == (axis != -1) else "index", "index")]
    else:
        pairs = [] if by_row else [("index", "index")]
    for label, others_label in pairs:
        if _in_another_order(getattr(frame, label), getattr(other, others_label)):
            raise ValueError(
                f"{name} must have the {label} of log_potentials in the same order, as places are what counts: "
                f"see reindex(), or pass {name}.to_numpy()"
            )


def _check_dimensions(frame: Any, other: Any, name: str, wanted: tuple[Any, ...], own: tuple[Any, ...]) -> None:
    """Refuse dimensions of an argument that do not stand where they are wanted, counted from the last."""
    known = set(frame.dims)
    for place in range(-1, -len(own) - 1, -1):
        here = own[place]
        if here in known and (-place > len(wanted) or here != wanted[place]):
            raise ValueError(
                f"{name} has dimensions {own}, but {wanted} are wanted, in this order, as places are what counts: "
                f"see transpose() and expand_dims(), or pass {name}.to_numpy()"
            )
        ours, theirs = (getattr(x, "indexes", {}).get(here) for x in (frame, other))
        if ours is not None and theirs is not None and _in_another_order(ours, theirs):
            raise ValueError(
                f"{name} must have the coordinates of {here!r} of log_potentials in the same order, as places are what "
                f"counts: see reindex_like(), or pass {name}.to_numpy()"
            )
