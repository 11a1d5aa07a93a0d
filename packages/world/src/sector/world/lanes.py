"""Lanes between systems: the Gabriel graph, which is connected and planar and looks like a road network.

Two systems get a lane if the circle with both as its diameter contains no third system. The graph contains the minimum
spanning tree. Source: Gabriel, Sokal, "A New Statistical Approach to Geographic Variation Analysis", Systematic Zoology
18(3), 1969.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from sector.world.placement import Placement

_REACH = 2
"""How many cells of the grid a lane may span. With this jitter, no edge of the spanning tree spans more."""


def join(placement: Placement) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return both ends (a, b) of each lane, int32[m] each with a < b, sorted by a and then by b."""
    count = len(placement.x)
    near = [(dr, dc) for dr, dc in product(range(-_REACH, _REACH + 1), repeat=2) if (dr, dc) != (0, 0)]
    ends: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for dr, dc in near:
        if (dr, dc) > (0, 0):
            a, b = _neighbours(np.arange(count), dr, dc, placement.columns, count)
            clear = np.ones(len(a), bool)
            for br, bc in near:
                clear &= ~_blocked(placement, a, b, br, bc)
                clear &= ~_blocked(placement, b, a, br, bc)
            ends.append((a[clear], b[clear]))
    a, b = (np.concatenate(side) for side in zip(*ends, strict=True))
    if placement.alike:
        wanted = ~(_beyond(placement, a, b) | _beyond(placement, b, a))
        a, b = a[wanted], b[wanted]
    order = np.lexsort((b, a))
    return a[order].astype(np.int32), b[order].astype(np.int32)


def _beyond(placement: Placement, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say for each lane whether it leaves the cells around a home that all homes have in common."""
    down, right = (
        np.abs(one - other)
        for one, other in zip(divmod(a, placement.columns), divmod(b, placement.columns), strict=True)
    )
    return np.isin(a, placement.home) & (np.maximum(down, right) > placement.alike)


def _shifted(
    system: NDArray[np.int64], dr: int, dc: int, columns: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    row, column = np.divmod(system, columns)
    other = (row + dr) * columns + column + dc
    inside = (row + dr >= 0) & (column + dc >= 0) & (column + dc < columns) & (other < count)
    return np.where(inside, other, 0), inside


def _neighbours(
    system: NDArray[np.int64], dr: int, dc: int, columns: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    other, inside = _shifted(system, dr, dc, columns, count)
    return system[inside], other[inside]


def _blocked(placement: Placement, a: NDArray[np.int64], b: NDArray[np.int64], dr: int, dc: int) -> NDArray[np.bool_]:
    """Say for each pair whether the system at the offset (dr, dc) from `a` is in or on the circle with a and b as its
    diameter.
    """
    other, inside = _shifted(a, dr, dc, placement.columns, len(placement.x))
    inside &= other != b
    return inside & (_squared(placement, a, other) + _squared(placement, b, other) <= _squared(placement, a, b))


def _squared(placement: Placement, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    dx = placement.x[a].astype(np.int64) - placement.x[b]
    dy = placement.y[a].astype(np.int64) - placement.y[b]
    return dx * dx + dy * dy
