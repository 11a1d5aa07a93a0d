"""The galaxy: the map of a sim, which follows from its seed and never changes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sector.models import SimConfig
from sector.world import rng
from sector.world.lanes import join
from sector.world.naming import names
from sector.world.placement import distance, place

_STREAM_GROWTH, _STREAM_YIELD, _STREAM_GARRISON = 3, 4, 6
_HOME_GROWTH, _HOME_YIELD = 4, 4


class GalaxyError(ValueError):
    """A map on which no sim can be played."""


@dataclass(frozen=True)
class Galaxy:
    """n systems, m lanes. Rows of `home` are systems, in the order in which factions get them."""

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
        """Each lane both ways: (source, target, length), int32[2m] each, ordered by source, then target."""
        source = np.concatenate((self.lane_a, self.lane_b))
        target = np.concatenate((self.lane_b, self.lane_a))
        order = np.lexsort((target, source))
        return source[order], target[order], np.concatenate((self.lane_length, self.lane_length))[order]

    @cached_property
    def _first_arc(self) -> NDArray[np.int64]:
        return np.searchsorted(self.arcs[0], np.arange(len(self.names) + 1))

    def lane(self, a: int, b: int) -> int | None:
        """Return the length in ticks of the lane from a to b, or None if there is none."""
        _, target, length = self.arcs
        start, stop = self._first_arc[a], self._first_arc[a + 1]
        place = start + int(np.searchsorted(target[start:stop], b))
        return int(length[place]) if place < stop and target[place] == b else None

    def neighbours(self, system: int) -> NDArray[np.int32]:
        """Return the systems that a lane joins to `system`, int32[k], ascending."""
        return self.arcs[1][self._first_arc[system] : self._first_arc[system + 1]]

    def distance(self, a: int, b: int) -> int:
        """Return the ticks that a fleet needs from a to b where it may travel directly."""
        dx = np.array([int(self.x[a]) - int(self.x[b])])
        dy = np.array([int(self.y[a]) - int(self.y[b])])
        return int(distance(dx, dy)[0])


def generate(config: SimConfig) -> tuple[Galaxy, NDArray[np.int64]]:
    """Return the map of `config` and the ships that garrison each system at the start, int64[n]. Raises GalaxyError."""
    count, seed = config.systems, config.seed
    placement = place(seed, count)
    a, b = join(placement)
    if not _connected(count, a, b):
        raise GalaxyError(f"seed {seed} with {count} systems gives a map that is not connected")
    length = distance(
        placement.x[a].astype(np.int64) - placement.x[b], placement.y[a].astype(np.int64) - placement.y[b]
    )
    home = _spread(placement.x, placement.y, config.homes)
    growth = 1 + rng.integers(seed, _STREAM_GROWTH, count, 3)
    supply_yield = 1 + rng.integers(seed, _STREAM_YIELD, count, 3)
    garrison = 5 + rng.integers(seed, _STREAM_GARRISON, count, 36)
    growth[home], supply_yield[home], garrison[home] = _HOME_GROWTH, _HOME_YIELD, config.home_ships
    columns = (placement.x, placement.y, growth.astype(np.int32), supply_yield.astype(np.int32), a, b, length, home)
    return Galaxy(names(seed, count), *columns), garrison


def _connected(count: int, a: NDArray[np.int32], b: NDArray[np.int32]) -> bool:
    """Say whether lanes join all systems: labels sink to the lowest of each component, halving paths on the way."""
    label = np.arange(count)
    while True:
        lowest = label.copy()
        np.minimum.at(lowest, label[a], label[b])
        np.minimum.at(lowest, label[b], label[a])
        sunk = lowest[lowest[label]]
        if np.array_equal(sunk, label):
            return bool((label == label[0]).all())
        label = sunk


def _spread(x: NDArray[np.int32], y: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Return `count` systems, int32, each as far as can be from those before it, beginning at a corner."""
    chosen = [int(np.argmin(x.astype(np.int64) + y))]
    apart = np.full(len(x), np.iinfo(np.int64).max)
    while len(chosen) < count:
        dx, dy = x.astype(np.int64) - int(x[chosen[-1]]), y.astype(np.int64) - int(y[chosen[-1]])
        apart = np.minimum(apart, dx * dx + dy * dy)
        chosen.append(int(np.argmax(apart)))
    return np.array(chosen, np.int32)
