"""How fair the homes of a map are, in figures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.world.galaxy import Galaxy

_FAR = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class Fairness:
    """For each home, int64[h]: ticks by lanes to the nearest other home; and what grows within `ticks` of it by lanes."""

    ticks: int
    nearest_rival: NDArray[np.int64]
    growth: NDArray[np.int64]
    supply_yield: NDArray[np.int64]

    @property
    def distance_spread(self) -> float:
        """The farthest nearest rival over the nearest: 1 is fair."""
        return _spread(self.nearest_rival)

    @property
    def wealth_spread(self) -> float:
        """The most that growth and yield around one home are over those around another: 1 is fair."""
        return max(_spread(self.growth), _spread(self.supply_yield))


def _spread(values: NDArray[np.int64]) -> float:
    return int(values.max()) / max(int(values.min()), 1)


def fairness(galaxy: Galaxy, ticks: int) -> Fairness:
    """Return the figures of a map whose lanes join all systems. A system counts for the home that is nearest to it."""
    away, nearest = _to_homes(galaxy)
    homes = len(galaxy.home)
    rival = np.full(homes, _FAR)
    # A shortest way from a home to another leaves its own surroundings by one lane, and is shortest on both sides of it.
    a, b, length = galaxy.lane_a, galaxy.lane_b, galaxy.lane_length
    border = nearest[a] != nearest[b]
    way = (away[a] + length + away[b])[border]
    for side in (nearest[a][border], nearest[b][border]):
        np.minimum.at(rival, side, way)
    near = away <= ticks
    growth, supply_yield = np.zeros(homes, np.int64), np.zeros(homes, np.int64)
    np.add.at(growth, nearest[near], galaxy.growth[near])
    np.add.at(supply_yield, nearest[near], galaxy.supply_yield[near])
    return Fairness(ticks, rival, growth, supply_yield)


def _to_homes(galaxy: Galaxy) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each system the ticks by lanes to the nearest home, and which home, int64[n] each (Bellman-Ford)."""
    source, target, length = galaxy.arcs
    homes = len(galaxy.home)
    # Distance and home in one number: the least of them is the nearest home, the first of several.
    best = np.full(len(galaxy.names), _FAR // homes * homes)
    best[galaxy.home] = np.arange(homes)
    while True:
        reached = best.copy()
        np.minimum.at(reached, target, best[source] + length.astype(np.int64) * homes)
        if np.array_equal(reached, best):
            return np.divmod(best, homes)
        best = reached
