"""Trees of nests: from what users pass to arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._request.checks import real_array
from fastgumbel._request.device import is_device
from fastgumbel._request.scalars import array_of, integer

# Levels of nests in each other: more are a list that contains itself.
_LEVELS = 64
# The least product of scales along a path: float64 noise of size 1 then still tells 2^12 places of a unit of the noise that it scales.
_LEAST = 2.0**-40
_PAIR = "a pair (scale, members)"


class Nests(NamedTuple):
    """A tree of nests, depth first in the order given; a plane is 0 for the root, and t + 1 for nest t.

    Nests have the planes of their parents, scales, and the products of the scales around them; categories have the
    planes of their nests and the products of the scales around them.
    """

    parents: NDArray[np.int64]
    scales: NDArray[np.float64]
    outer: NDArray[np.float64]
    planes: NDArray[np.int64]
    inner: NDArray[np.float64]

    def part(self, c0: int, c1: int) -> Nests:
        """The same nests, and categories from c0 to before c1."""
        return self._replace(planes=self.planes[c0:c1], inner=self.inner[c0:c1])


class _Nest(NamedTuple):
    """A nest that was found: what should be a pair, its place in each container, and its parent."""

    pair: Any
    path: tuple[int, ...]
    parent: int
    outer: float


def nests_of(nests: Any, n: int) -> Nests:
    """The tree of n categories that `nests` describes."""
    if not isinstance(nests, list | tuple):
        raise TypeError(f"nests must be a list of pairs (scale, members), not {type(nests).__name__}")
    for i, pair in enumerate(nests):
        if not _is_container(pair):
            wrapped = ": a single nest stands in a list, too" if len(nests) == 2 else ""
            what = "categories in no nest are not named" if _is_integer(pair) else f"not {type(pair).__name__}{wrapped}"
            raise TypeError(f"nests[{i}] must be {_PAIR}: {what}")
    planes = np.zeros(n, np.int64)
    found: list[_Nest] = []
    scales: list[float] = []
    inner = [1.0]
    waiting = [_Nest(pair, (i,), 0, 1.0) for i, pair in enumerate(nests)][::-1]
    while waiting:
        nest = waiting.pop()
        found.append(nest)
        name = _name(nest.path)
        scale, members = _parts(nest.pair, name)
        scales.append(_scale(scale, name, nest.outer))
        inner.append(nest.outer * scales[-1])
        plane = len(found)
        inside = []
        for i, member in _each(members, name, planes, plane):
            if _is_container(member):
                inside.append(_Nest(member, (*nest.path, i), plane, inner[plane]))
            else:
                _enter(member, f"{name}[1][{i}]", name, planes, plane, found)
        if inside and len(nest.path) == _LEVELS:
            raise ValueError(f"nests must be at most {_LEVELS} levels deep, but {_name(inside[0].path)} is a further one")
        waiting.extend(reversed(inside))
    return Nests(
        np.array([nest.parent for nest in found], np.int64),
        np.array(scales),
        np.array([nest.outer for nest in found]),
        planes,
        np.array(inner)[planes],
    )


def _name(path: tuple[int, ...]) -> str:
    """A nest as a user would index it."""
    return "nests" + "[1]".join(f"[{i}]" for i in path)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_container(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _parts(pair: Any, name: str) -> tuple[Any, Any]:
    if len(pair) != 2:
        raise ValueError(f"{name} must be {_PAIR}, not {len(pair)} items")
    return pair[0], pair[1]


def _scale(value: Any, name: str, outer: float) -> float:
    """The scale of a nest in others."""
    if isinstance(value, list | tuple):
        raise TypeError(f"{name} must be {_PAIR}, and its scale a number, not {type(value).__name__}")
    number = real_array(value, f"{name}[0], the scale,")
    if number.ndim:
        raise TypeError(f"{name}[0], the scale, must be one number, not an array of shape {number.shape}")
    scale = float(number)
    if not 0 < scale <= 1:
        raise ValueError(f"{name}[0], the scale, must be above 0 and at most 1, relative to the nest around, not {scale}")
    if outer * scale < _LEAST:
        raise ValueError(
            f"{name}[0]: the product of the scale {scale} and those around it must be at least 2**-40, as beside a "
            "smaller one float64 rounds noise away: take these alternatives for one"
        )
    return scale


def _each(members: Any, name: str, planes: NDArray[np.int64], plane: int) -> Iterator[tuple[int, Any]]:
    """The members of a nest, but those that are entered here, as they are an array without a fault."""
    if not isinstance(members, list | tuple | range):
        if is_device(members) or isinstance(members, str | bytes | int | float | dict | set | None):
            raise TypeError(f"{name}[1], the members, must be a list of categories and nests, not {type(members).__name__}")
        array = array_of(members, f"{name}[1], the members,")
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise TypeError(
                f"{name}[1], the members, must be a list of categories and nests, or integers along one axis, not "
                f"{array.dtype} of shape {array.shape}"
            )
        members = array
    if len(members) == 0:
        raise ValueError(f"{name} must have a member, but is empty: leave it out")
    if isinstance(members, np.ndarray) and 0 <= members.min() <= members.max() < planes.size:
        own = members.astype(np.int64)
        if not planes[own].any() and np.unique(own).size == own.size:
            planes[own] = plane
            return
    yield from enumerate(members)


def _enter(
    member: Any, place: str, name: str, planes: NDArray[np.int64], plane: int, found: list[_Nest]
) -> None:
    """Put a category into its nest."""
    category = integer(member, f"{place}, a category,")
    if not 0 <= category < planes.size:
        raise ValueError(f"{place} must be a category of the {planes.size}, from 0 to {planes.size - 1}, not {category}")
    other = planes[category]
    if other:
        where = "twice" if other == plane else f"and also in {_name(found[other - 1].path)}"
        raise ValueError(f"{place}: category {category} is in {name} {where}; name it once, in its innermost nest")
    planes[category] = plane
