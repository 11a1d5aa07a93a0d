"""Forecasts of garrisons without further orders, from their growth and the fleets on the way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.puppet.columns import segments
from sector.puppet.view import NEUTRAL, PuppetView

NEVER = 2**31
"""The ticks until an event that does not happen. It is longer than any fleet travels."""

_HORIZON_TICKS = 2**16 - 1
"""Later arrivals count as arrivals at this tick. No plan looks so far ahead."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast for n systems.

    `low`: int64[n], the minimum of each garrison. `lost_in`: int64[n], the ticks until the garrison is below 0, or
    NEVER. A negative garrison means that the system falls. Its absolute value is the number of ships that the attackers
    have left.
    """

    view: PuppetView
    low: NDArray[np.int64]
    lost_in: NDArray[np.int64]
    _key: NDArray[np.int64]
    _running: NDArray[np.int64]

    def garrison(self, system: NDArray[np.int64], ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the garrison of system[i] after ticks[i], int64[k].

        It is exact for the relevant systems of the forecast.
        """
        key = system * NEVER
        fleets = self._running[self._key.searchsorted(key + ticks, side="right")]
        fleets -= self._running[self._key.searchsorted(key)]
        return self.view.ships[system] + _growth(self.view, system) * ticks + fleets


def _growth(view: PuppetView, system: NDArray[np.int64]) -> NDArray[np.int64]:
    growth: NDArray[np.int64] = view.growth[system] * (view.owner[system] != NEUTRAL)
    return growth


def forecast(view: PuppetView, relevant: NDArray[np.bool_]) -> Forecast:
    """Return the forecast for the systems for which `relevant`, bool[n], is true. Fleets to other systems are ignored."""
    coming = relevant[view.fleet_target].nonzero()[0]
    target = view.fleet_target[coming].astype(np.int64)
    ticks = np.minimum(view.fleet_arrives[coming] - view.tick, _HORIZON_TICKS)
    # NumPy sorts digits of 16 bits by radix.
    order = np.lexsort((ticks.astype(np.uint16), target.astype(np.uint16), (target >> 16).astype(np.uint16)))
    target, coming, ticks = target[order], coming[order], ticks[order].astype(np.int64)
    key = target * NEVER + ticks
    ships = view.fleet_ships[coming]
    signed = np.where(view.fleet_owner[coming] == view.owner[target], ships, -ships)
    running = np.zeros(len(key) + 1, np.int64)
    np.cumsum(signed, out=running[1:])
    low, lost_in = view.ships.copy(), np.full(len(view.ships), NEVER)
    if len(key):
        first = segments(target)
        each = first.repeat(np.diff(np.append(first, len(key))))
        garrison = view.ships[target] + _growth(view, target) * ticks + running[1:] - running[each]
        at = target[first]
        low[at] = np.minimum(low[at], np.minimum.reduceat(garrison, first))
        lost_in[at] = np.minimum.reduceat(np.where(garrison < 0, ticks, NEVER), first)
    return Forecast(view, low, lost_in, key, running)
