"""WorldState: the world at one tick, as columns. It is never changed in place; a tick makes a new one."""

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sector.models import SimConfig
from sector.models.deprecated_names import deprecated_names
from sector.puppet.view import NEUTRAL as NEUTRAL
from sector.world.galaxy import Galaxy

MAX_FLEETS = 4_000_000
"""Most fleets under way at once: with MAX_SHIPS in each, all of them together still fit an int64."""

PALETTE = ("#e4572e", "#3a86ff", "#2a9d5c", "#f2b705", "#9b5de5", "#00b4c8", "#d6336c", "#8d6e4f")
"""Colours of factions, in the order in which they join; distinguishable with the common kinds of colour blindness."""


class Factions(NamedTuple):
    """f factions in the order in which they entered. Rows of `home` are systems."""

    ids: tuple[str, ...]
    supply: NDArray[np.int64]
    puppet: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    home: NDArray[np.int32]

    @property
    def colours(self) -> tuple[str, ...]:
        return tuple(PALETTE[row % len(PALETTE)] for row in range(len(self.ids)))


class Fleets(NamedTuple):
    """k fleets under way, by ascending id. `owner` rows are factions, `origin` and `target` systems, times ticks."""

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
    """Return the fleets at `rows`, and `more` after them; each column is written once."""
    if not len(more.id):
        return fleets.take(rows)
    columns = []
    for name, dtype in FLEET_DTYPES.items():
        column = np.empty(len(rows) + len(more.id), dtype)
        # mode="clip" writes straight into `out`; no row is out of range.
        getattr(fleets, name).take(rows, out=column[: len(rows)], mode="clip")
        column[len(rows) :] = getattr(more, name)
        columns.append(column)
    return Fleets(*columns)


class WorldState(NamedTuple):
    """The state after `tick`. `owner`: int16[n], row of a faction or NEUTRAL. `ships`: int64[n]. `winner`: a row, or -1."""

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
