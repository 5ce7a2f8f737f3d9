"""Trees of nests: from what users pass to arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastgumbel._law.stable import LEAST_SCALE
from fastgumbel._request.checks import real_array
from fastgumbel._request.ids import CATEGORIES
from fastgumbel._request.scalars import array_of, integer

# Levels of nests in each other: more are a list that contains itself.
_LEVELS = 64
_CONTAINERS = list, tuple


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
    """A nest as it was found: a pair, its place in each container on the way, its parent's plane and product."""

    pair: Any
    path: tuple[int, ...]
    parent: int
    outer: float

    @property
    def name(self) -> str:
        """The nest as a user would index it."""
        return "nests" + "[1]".join(f"[{i}]" for i in self.path)


def nests_of(nests: Any, n: int) -> Nests:
    """The tree that `nests` describes over n categories."""
    if not isinstance(nests, _CONTAINERS):
        raise TypeError(f"nests must be a list of pairs (scale, members), not {type(nests).__name__}")
    if n > CATEGORIES:
        raise ValueError(f"size must have at most 2**32 categories, not {n}")
    planes = np.zeros(n, np.int64)
    found: list[_Nest] = []
    scales: list[float] = []
    products = [1.0]
    waiting = [_Nest(pair, (i,), 0, 1.0) for i, pair in enumerate(nests)][::-1]
    while waiting:
        nest = waiting.pop()
        found.append(nest)
        scales.append(_scale_of(nest))
        products.append(nest.outer * scales[-1])
        members = _members_of(nest)
        if isinstance(members, np.ndarray) and _enter_all(members, planes, len(found)):
            continue
        inside = []
        for i, member in enumerate(members):
            if isinstance(member, _CONTAINERS):
                inside.append(_Nest(member, (*nest.path, i), len(found), products[-1]))
            else:
                _enter(member, i, planes, found)
        if inside and len(nest.path) == _LEVELS:
            raise ValueError(f"nests must be at most {_LEVELS} levels deep, but nests[{nest.path[0]}] has more")
        waiting += inside[::-1]
    outer = [nest.outer for nest in found]
    parents = np.array([nest.parent for nest in found], np.int64)
    return Nests(parents, np.array(scales), np.array(outer), planes, np.array(products)[planes])


def _scale_of(nest: _Nest) -> float:
    """The scale of a nest within its parent."""
    pair = nest.pair
    if not isinstance(pair, _CONTAINERS):
        raise TypeError(
            f"{nest.name} must be a pair (scale, members), not {type(pair).__name__}: categories in no nest are left "
            "out, and a single nest stands in a list"
        )
    if len(pair) != 2:
        raise ValueError(f"{nest.name} must be a pair (scale, members), not {len(pair)} items")
    value = pair[0]
    if type(value) is not float:
        number = real_array(value, f"{nest.name}[0], a scale,")
        if number.ndim:
            raise TypeError(f"{nest.name}[0] must be one number, its scale, not an array of shape {number.shape}")
        value = float(number)
    if not 0 < value <= 1:
        raise ValueError(f"{nest.name}[0], a scale, must be above 0 and at most 1 (it is relative), not {value}")
    if nest.outer * value < LEAST_SCALE:
        raise ValueError(
            f"{nest.name}[0]: scale {value} times those around it must be at least 2**-40, as float64 rounds smaller "
            "noise away: take its members for one category"
        )
    return value


def _members_of(nest: _Nest) -> Any:
    """A sequence of categories and nests, or an array of categories."""
    members = nest.pair[1]
    if not isinstance(members, list | tuple | range):
        name = f"{nest.name}[1], members,"
        if members is None or isinstance(members, str | bytes | dict | set):
            raise TypeError(f"{name} must be a list of categories and nests, not {type(members).__name__}")
        members = array_of(members, name)
        if members.ndim != 1 or (members.size and members.dtype.kind not in "iu"):
            what = f"{members.dtype} of shape {members.shape}"
            raise TypeError(f"{name} must be a list of categories and nests, or a row of integers, not {what}")
    if len(members) == 0:
        raise ValueError(f"{nest.name} is empty: give it a member, or leave it out")
    return members


def _enter_all(members: NDArray[Any], planes: NDArray[np.int64], plane: int) -> bool:
    """Put an array of categories into a nest, unless something is wrong with any."""
    if not 0 <= members.min() <= members.max() < planes.size:
        return False
    if planes[members].any() or np.unique(members).size < members.size:
        return False
    planes[members] = plane
    return True


def _enter(member: Any, i: int, planes: NDArray[np.int64], found: list[_Nest]) -> None:
    """Put a category, member i, into the nest that was found last."""
    category = member if type(member) is int else integer(member, f"{found[-1].name}[1][{i}], a category,")
    if not 0 <= category < planes.size:
        allowed = f"a place from 0 to {planes.size - 1}" if planes.size else "and size leaves none"
        raise ValueError(f"{found[-1].name}[1][{i}] must be a category, {allowed}, not {category}")
    plane = planes[category]
    if plane:
        other = "twice" if plane == len(found) else f"and in {found[plane - 1].name}"
        raise ValueError(
            f"nests: category {category} is in {found[-1].name} {other}: name it once, in its innermost nest"
        )
    planes[category] = len(found)
