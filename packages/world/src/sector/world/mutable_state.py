"""MutableState: a state that orders change in place during a tick, with the fleets that they launch."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from sector.models import SimConfig
from sector.models.deprecated_names import deprecated_names
from sector.world.galaxy import Galaxy
from sector.world.record import Record
from sector.world.state import NEUTRAL, NO_FLEETS, Factions, Fleets, WorldState

type Columns = tuple[NDArray[np.int64], ...]
"""Launches, as columns: event numbers, positions of the orders in the log or -1, factions, origins, targets, ships, and
lengths in ticks.
"""


@dataclass(slots=True)
class MutableState:
    """A copy of a state that the orders of one tick change. `tick`: the tick that results from them."""

    config: SimConfig
    galaxy: Galaxy
    tick: int
    owner: NDArray[np.int16]
    ships: NDArray[np.int64]
    before: Factions
    ids: list[str]
    rows: dict[str, int]
    supply: NDArray[np.int64]
    puppet: list[bool]
    alive: list[bool]
    home: list[int]
    under_way: int
    """The number of fleets on the way, including those launched in this tick."""

    record: Record
    _launches: list[tuple[int, ...]] = field(default_factory=list)
    _columns: list[Columns] = field(default_factory=list)

    def launch(self, n: int, order: int, faction: int, origin: int, target: int, ships: int, length: int) -> None:
        """Launch a fleet for `length` ticks and take its ships from the garrison.

        `n`: the number of its event. `order`: the position of the order in the log, or -1. `faction`, `origin` and
        `target` are rows.
        """
        self.ships[origin] -= ships
        self._launches.append((n, order, faction, origin, target, ships, length))
        self.under_way += 1

    def launch_all(self, columns: Columns) -> None:
        """Launch many fleets: the parameters of `launch` as columns, int64[k] each."""
        np.subtract.at(self.ships, columns[3], columns[5])
        self._columns.append(columns)
        self.under_way += len(columns[0])

    def launched(self, next_fleet: int) -> Fleets:
        """Return the launched fleets, and record their events.

        `next_fleet`: the id of the first one. Ids follow the order of events.
        """
        if self._launches:
            self._columns.append(tuple(np.array(self._launches, np.int64).T))
        if not self._columns:
            return NO_FLEETS
        columns = [np.concatenate(parts) for parts in zip(*self._columns, strict=True)]
        in_order = np.argsort(columns[0], kind="stable")
        n, order, faction, origin, target, ships, length = (column[in_order] for column in columns)
        number = np.arange(next_fleet, next_fleet + len(n))
        # An order that reacts to the state of a tick departs at that tick.
        departed = self.tick - 1
        arrives = departed + length
        self.record.add(
            "fleet_departed",
            n,
            order=order,
            faction=faction,
            fleet=number,
            system=origin,
            target=target,
            ships=ships,
            arrives=arrives,
        )
        return Fleets(
            number,
            faction.astype(np.int16),
            origin.astype(np.int32),
            target.astype(np.int32),
            ships.astype(np.int64),
            np.full(len(n), departed, np.int32),
            arrives.astype(np.int32),
        )

    def enter(self, faction: str, *, puppet: bool) -> int | None:
        """Let a faction join with its home and starting supply. Return the row of the home, or None if no home is free."""
        for home in self.galaxy.home.tolist():
            if self.owner[home] == NEUTRAL and home not in self.home:
                self.owner[home] = self.rows[faction] = len(self.ids)
                self.ids.append(faction)
                self.supply = np.append(self.supply, self.config.start_supply)
                self.puppet.append(puppet)
                self.alive.append(True)
                self.home.append(home)
                return int(home)
        return None

    def factions(self) -> Factions:
        """Return the factions of the state before the tick, followed by those that joined."""
        before = self.before
        if len(self.ids) == len(before.ids):
            return Factions(before.ids, self.supply, before.puppet, before.alive, before.home)
        return Factions(
            tuple(self.ids),
            self.supply,
            np.array(self.puppet, np.bool_),
            np.array(self.alive, np.bool_),
            np.array(self.home, np.int32),
        )

    @classmethod
    def from_state(cls, state: WorldState, orders: int) -> Self:
        """Return a mutable copy of `state` for the next tick. `orders`: how many orders the log has for it."""
        factions = state.factions
        return cls(
            config=state.config,
            galaxy=state.galaxy,
            tick=state.tick + 1,
            owner=state.owner.copy(),
            ships=state.ships.copy(),
            before=factions,
            ids=list(factions.ids),
            rows={faction: row for row, faction in enumerate(factions.ids)},
            supply=factions.supply.copy(),
            puppet=factions.puppet.tolist(),
            alive=factions.alive.tolist(),
            home=factions.home.tolist(),
            under_way=len(state.fleets.id),
            record=Record(orders),
        )


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"Draft": "MutableState", "draft_of": "sector.world.mutable_state.MutableState.from_state"}
    )
