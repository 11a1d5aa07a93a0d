"""Forecasts garrisons without further orders: their growth, and the arrival of the fleets under way."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.puppet.columns import segments
from sector.puppet.view import NEUTRAL, PuppetView

NEVER = 2**31
"""Ticks until something that does not happen; longer than any fleet is under way."""

_HORIZON_TICKS = 2**16 - 1
"""What arrives later is taken to arrive then: nobody plans so far ahead."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """`low`: int64[n], the least that each garrison comes to. `lost_in`: int64[n], ticks until it falls below 0, or NEVER.

    A garrison below 0 is one that falls, by as much as the others exceed it.
    """

    view: PuppetView
    low: NDArray[np.int64]
    lost_in: NDArray[np.int64]
    _key: NDArray[np.int64]
    _running: NDArray[np.int64]

    def garrison(self, system: NDArray[np.int64], ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the garrison of system[i] after ticks[i], int64[k]. It is exact for the systems that the forecast is for."""
        key = system * NEVER
        fleets = self._running[self._key.searchsorted(key + ticks, side="right")]
        fleets -= self._running[self._key.searchsorted(key)]
        return self.view.ships[system] + _growth(self.view, system) * ticks + fleets


def _growth(view: PuppetView, system: NDArray[np.int64]) -> NDArray[np.int64]:
    growth: NDArray[np.int64] = view.growth[system] * (view.owner[system] != NEUTRAL)
    return growth


def forecast(view: PuppetView, relevant: NDArray[np.bool_]) -> Forecast:
    """Return the forecast for the systems where `relevant`, bool[n], is true. Fleets to other systems are ignored."""
    coming = relevant[view.fleet_target].nonzero()[0]
    target = view.fleet_target[coming].astype(np.int64)
    ticks = np.minimum(view.fleet_arrives[coming] - view.tick, _HORIZON_TICKS)
    # Digits of 16 bits, which NumPy sorts by radix.
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
