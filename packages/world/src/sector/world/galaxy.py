"""Galaxy: the map of a sim, as columns. It never changes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sector.models.step import WorldConfigError
from sector.world.placement import distance

NOWHERE = 0
"""The length of a lane that does not exist."""


class GalaxyError(WorldConfigError):
    """A map on which no sim can run. `reason`: what is wrong with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"this map cannot be played: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Galaxy:
    """A map of n systems, m lanes and h homes. It never changes.

    Attributes:
        names: The names of the n systems.
        x: int32[n], coordinates.
        y: int32[n], coordinates.
        growth: int32[n], ships per tick.
        supply_yield: int32[n], supply per tick.
        lane_a: int32[m], one end of each lane, a system.
        lane_b: int32[m], the other end.
        lane_length: int32[m], ticks.
        home: int32[h], systems, in the order in which factions get them.
    """

    names: tuple[str, ...]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    growth: NDArray[np.int32]
    supply_yield: NDArray[np.int32]
    lane_a: NDArray[np.int32]
    lane_b: NDArray[np.int32]
    lane_length: NDArray[np.int32]
    home: NDArray[np.int32]

    @cached_property
    def arcs(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Each lane in both directions: (source, target, length), int32[2m] each, sorted by source and then by target."""
        source = np.concatenate((self.lane_a, self.lane_b))
        target = np.concatenate((self.lane_b, self.lane_a))
        order = np.lexsort((target, source))
        return source[order], target[order], np.concatenate((self.lane_length, self.lane_length))[order]

    @cached_property
    def float_yield(self) -> NDArray[np.float64]:
        """The supply yield of each system as float64[n], for sums in each tick. All values are exact."""
        return self.supply_yield.astype(np.float64)

    @cached_property
    def first_arc(self) -> NDArray[np.int64]:
        """The first arc of each system, int64[n + 1]: the arcs of system i are first_arc[i] to first_arc[i + 1],
        exclusive.
        """
        return np.searchsorted(self.arcs[0], np.arange(len(self.names) + 1))

    @cached_property
    def _arc_key(self) -> NDArray[np.int64]:
        source, target, _ = self.arcs
        return source.astype(np.int64) * len(self.names) + target

    def lanes(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the lengths in ticks of the lanes from a[i] to b[i], int64[k]. It is NOWHERE without a lane."""
        if not len(self._arc_key):
            return np.zeros(len(a), np.int64)
        key = a * len(self.names) + b
        arc = np.minimum(np.searchsorted(self._arc_key, key), len(self._arc_key) - 1)
        return np.where(self._arc_key[arc] == key, self.arcs[2][arc], NOWHERE).astype(np.int64)

    def straight(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the ticks of direct travel from a[i] to b[i], int64[k]. It is NOWHERE if both are the same system."""
        apart = distance(self.x[a].astype(np.int64) - self.x[b], self.y[a].astype(np.int64) - self.y[b])
        return np.where(a == b, NOWHERE, apart).astype(np.int64)

    def lane(self, a: int, b: int) -> int:
        """Return the length in ticks of the lane from `a` to `b`, or NOWHERE."""
        key = a * len(self.names) + b
        arc = int(self._arc_key.searchsorted(key))
        exists = arc < len(self._arc_key) and self._arc_key[arc] == key
        return int(self.arcs[2][arc]) if exists else NOWHERE

    def neighbours(self, system: int) -> NDArray[np.int32]:
        """Return the systems that have a lane to `system`, int32[k], ascending."""
        return self.arcs[1][self.first_arc[system] : self.first_arc[system + 1]]


def stranded(count: int, a: NDArray[np.int32], b: NDArray[np.int32]) -> int | None:
    """Return a system that has no path to system 0 along the lanes (a, b), or None.

    Each system repeatedly gets the lowest label of its neighbours, so that the systems of a component get the same
    label.
    """
    label = np.arange(count)
    while True:
        lowest = label.copy()
        np.minimum.at(lowest, label[a], label[b])
        np.minimum.at(lowest, label[b], label[a])
        sunk = lowest[lowest[label]]
        if np.array_equal(sunk, label):
            apart = np.flatnonzero(label != label[0])
            return int(apart[0]) if len(apart) else None
        label = sunk
