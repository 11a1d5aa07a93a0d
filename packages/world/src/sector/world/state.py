"""WorldState: the world at one tick, as columns. It is never changed in place; a tick makes a new one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sector.models import SimConfig
from sector.world.galaxy import Galaxy

NEUTRAL = -1
"""The owner of a system that nobody owns."""

PALETTE = ("#e4572e", "#3a86ff", "#2a9d5c", "#f2b705", "#9b5de5", "#00b4c8", "#d6336c", "#8d6e4f")
"""Colours of factions, in the order in which they enter; told apart with the common kinds of colour blindness."""


@dataclass(frozen=True, slots=True)
class Factions:
    """f factions in the order in which they entered. Rows of `home` are systems."""

    ids: tuple[str, ...]
    supply: NDArray[np.int64]
    puppet: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    home: NDArray[np.int32]

    @property
    def colours(self) -> tuple[str, ...]:
        return tuple(PALETTE[row % len(PALETTE)] for row in range(len(self.ids)))


@dataclass(frozen=True, slots=True)
class Fleets:
    """k fleets under way, by ascending id. `owner` rows are factions, `origin` and `target` systems, times ticks."""

    id: NDArray[np.int64]
    owner: NDArray[np.int16]
    origin: NDArray[np.int32]
    target: NDArray[np.int32]
    ships: NDArray[np.int64]
    departed: NDArray[np.int32]
    arrives: NDArray[np.int32]

    def where(self, keep: NDArray[np.bool_]) -> "Fleets":
        """Return the fleets at which `keep` is true."""
        return Fleets(*(getattr(self, name)[keep] for name in FLEET_DTYPES))


FLEET_DTYPES = {
    "id": np.int64,
    "owner": np.int16,
    "origin": np.int32,
    "target": np.int32,
    "ships": np.int64,
    "departed": np.int32,
    "arrives": np.int32,
}


@dataclass(frozen=True, slots=True)
class WorldState:
    """The state after `tick`. `owner`: int16[n], row of a faction or NEUTRAL. `ships`: int64[n]. `snapshot`: this state, encoded."""

    config: SimConfig
    galaxy: Galaxy
    tick: int
    status: Literal["running", "finished"]
    winner: int
    next_fleet: int
    owner: NDArray[np.int16]
    ships: NDArray[np.int64]
    factions: Factions
    fleets: Fleets
