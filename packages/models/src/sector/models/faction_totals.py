"""The totals of the factions of a world: systems, ships and supply of each.

There is one type, with a conversion from each form in which a state is available: a frame, as in the history, and a snapshot of rows, as
clients read it. The page computes the same columns in JavaScript from the frame it has (`World.totals()` in `page/world/world.js`), and
golden files compare both. The rules in `sector.world.victory` do not use this type: they count neutral systems too, in arrays of the
state that they change, and need neither names nor supply.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from sector.models.frame import Frame, FrameError, Table
from sector.models.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class FactionTotals:
    """The totals of each faction at a tick, in the order of joining. Ships in fleets count. Sums are exact below 2**53."""

    tick: int
    factions: tuple[str, ...]
    systems: tuple[int, ...]
    ships: tuple[int, ...]
    supply: tuple[int, ...]

    @classmethod
    def from_frame(cls, snapshot: Frame, tick: int) -> Self:
        """Return the totals of a snapshot. Raises FrameError for a snapshot of another kind of world."""
        try:
            systems, fleets, factions = (snapshot.tables[name] for name in ("systems", "fleets", "factions"))
            owner, garrison = _column(systems, "owner"), _column(systems, "ships")
            ships = _sum(owner, garrison, factions.rows) + _sum(
                _column(fleets, "owner"), _column(fleets, "ships"), factions.rows
            )
            return cls(
                tick,
                factions.labels["id"],
                tuple(_sum(owner, None, factions.rows).tolist()),
                tuple(ships.tolist()),
                tuple(factions.columns["supply"].values),
            )
        except (LookupError, TypeError, ValueError) as error:
            raise FrameError(f"the snapshot of tick {tick} lacks factions, systems or fleets") from error

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> Self:
        """Return the totals of a snapshot of rows."""
        ids = tuple(faction.id for faction in snapshot.factions)
        systems = Counter(system.owner for system in snapshot.systems)
        ships = Counter[str | None]()
        for system in snapshot.systems:
            ships[system.owner] += system.ships
        for fleet in snapshot.fleets:
            ships[fleet.owner] += fleet.ships
        return cls(
            snapshot.tick,
            ids,
            tuple(systems[faction] for faction in ids),
            tuple(ships[faction] for faction in ids),
            tuple(faction.supply for faction in snapshot.factions),
        )

    def to_json(self) -> dict[str, JsonValue]:
        """Return the totals as the timeline of the viz has them: columns by the row of a faction."""
        return {"tick": self.tick, "systems": [*self.systems], "ships": [*self.ships], "supply": [*self.supply]}


def _column(table: Table, name: str) -> NDArray[np.signedinteger]:
    return np.asarray(table.columns[name].values)


def _sum(owner: NDArray[np.signedinteger], ships: NDArray[np.signedinteger] | None, count: int) -> NDArray[np.int64]:
    """Return for each faction the number of rows it owns, or the sum of their ships."""
    is_owned = owner >= 0
    weights = None if ships is None else ships[is_owned]
    return np.bincount(owner[is_owned].astype(np.int64), weights, count).astype(np.int64)
