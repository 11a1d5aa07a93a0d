"""WorldState: the state of a world at one tick, as columns.

Its arrays never change in place; a tick creates a new state.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sector.models import SimConfig
from sector.models.deprecated_names import deprecated_names
from sector.puppet.view import NEUTRAL as NEUTRAL
from sector.world.galaxy import Galaxy

MAX_FLEETS = 4_000_000
"""The maximum of fleets on the way at one time. With MAX_SHIPS in each, the sum of all ships still fits an int64."""

PALETTE = ("#e4572e", "#3a86ff", "#2a9d5c", "#f2b705", "#9b5de5", "#00b4c8", "#d6336c", "#8d6e4f")
"""Colours of factions, in the order in which they join.

They are distinguishable with the common kinds of colour blindness.
"""


class Factions(NamedTuple):
    """f factions in the order in which they joined.

    Attributes:
        ids: Their names.
        supply: int64[f].
        puppet: bool[f], whether the world plays the faction.
        alive: bool[f], whether it still takes part.
        home: int32[f], systems.
    """

    ids: tuple[str, ...]
    supply: NDArray[np.int64]
    puppet: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    home: NDArray[np.int32]

    @property
    def colours(self) -> tuple[str, ...]:
        """The colour of each faction as #rrggbb."""
        return tuple(PALETTE[row % len(PALETTE)] for row in range(len(self.ids)))


class Fleets(NamedTuple):
    """k fleets on the way, by ascending id.

    Attributes:
        id: int64[k], the numbers of the ids: 7 stands for F7.
        owner: int16[k], rows of factions.
        origin: int32[k], systems.
        target: int32[k], systems.
        ships: int64[k].
        departed: int32[k], ticks.
        arrives: int32[k], ticks.
    """

    id: NDArray[np.int64]
    owner: NDArray[np.int16]
    origin: NDArray[np.int32]
    target: NDArray[np.int32]
    ships: NDArray[np.int64]
    departed: NDArray[np.int32]
    arrives: NDArray[np.int32]

    def take(self, rows: NDArray[np.int64]) -> "Fleets":
        """Return the fleets at `rows`, in that order."""
        return Fleets(*(getattr(self, name).take(rows) for name in FLEET_DTYPES))


FLEET_DTYPES = {
    "id": np.int64,
    "owner": np.int16,
    "origin": np.int32,
    "target": np.int32,
    "ships": np.int64,
    "departed": np.int32,
    "arrives": np.int32,
}


NO_FACTIONS = Factions((), np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0, np.bool_), np.empty(0, np.int32))
NO_FLEETS = Fleets(*(np.empty(0, dtype) for dtype in FLEET_DTYPES.values()))


def concat_fleets(fleets: Fleets, rows: NDArray[np.int64], more: Fleets) -> Fleets:
    """Return the fleets at `rows`, followed by `more`. Each column is copied once."""
    if not len(more.id):
        return fleets.take(rows)
    columns = []
    for name, dtype in FLEET_DTYPES.items():
        column = np.empty(len(rows) + len(more.id), dtype)
        # With mode="clip" NumPy writes into `out` without a buffer. All rows are in range.
        getattr(fleets, name).take(rows, out=column[: len(rows)], mode="clip")
        column[len(rows) :] = getattr(more, name)
        columns.append(column)
    return Fleets(*columns)


class WorldState(NamedTuple):
    """The state after one tick.

    Attributes:
        config: The config of the sim.
        galaxy: The map of the sim.
        tick: The tick.
        status: Whether the sim runs or has finished.
        winner: The row of a faction, or -1 without a winner.
        next_fleet: The number of the next fleet id.
        owner: int16[n], the owners of the systems, rows of factions or NEUTRAL.
        ships: int64[n], the garrisons.
        factions: The factions that have joined.
        fleets: The fleets on the way.
    """

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


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"joined": "concat_fleets"})
