"""Metrics for the fairness of the homes of a map."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.world.galaxy import Galaxy

_FAR = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class Fairness:
    """The metrics of h homes.

    `nearest_rival`: int64[h], ticks along lanes to the nearest other home. `growth` and `supply_yield`: int64[h], the
    sums over the systems within `ticks` along lanes.
    """

    ticks: int
    nearest_rival: NDArray[np.int64]
    growth: NDArray[np.int64]
    supply_yield: NDArray[np.int64]

    @property
    def distance_spread(self) -> float:
        """The largest distance to the nearest other home, divided by the smallest. 1 is fair."""
        return _spread(self.nearest_rival)

    @property
    def wealth_spread(self) -> float:
        """The largest growth or yield near a home, divided by the smallest. 1 is fair."""
        return max(_spread(self.growth), _spread(self.supply_yield))


def _spread(values: NDArray[np.int64]) -> float:
    return int(values.max()) / max(int(values.min()), 1)


def fairness(galaxy: Galaxy, ticks: int) -> Fairness:
    """Return the metrics of a map whose lanes connect all systems. Each system counts for the nearest home.

    `ticks`: the distance up to which systems count.
    """
    away, nearest = _to_homes(galaxy)
    homes = len(galaxy.home)
    rival = np.full(homes, _FAR)
    # A shortest path between two homes crosses from the systems of one to those of the other on one lane. Both parts
    # are shortest.
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
    """Return for each system the ticks along lanes to the nearest home, and that home: int64[n] each (Bellman-Ford)."""
    source, target, length = galaxy.arcs
    homes = len(galaxy.home)
    # One number holds distance and home, so the minimum is the nearest home, and the first one of several.
    best = np.full(len(galaxy.names), _FAR // homes * homes)
    best[galaxy.home] = np.arange(homes)
    while True:
        reached = best.copy()
        np.minimum.at(reached, target, best[source] + length.astype(np.int64) * homes)
        if np.array_equal(reached, best):
            return np.divmod(best, homes)
        best = reached
