"""Draft: the columns that the orders of a tick change, while they change, and the fleets that they launch."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sector.world.state import FLEET_DTYPES, Factions, Fleets, WorldState


@dataclass(slots=True)
class Draft:
    """A state under way from `before` to the tick after it."""

    before: WorldState
    tick: int
    owner: NDArray[np.int16]
    ships: NDArray[np.int64]
    faction_ids: list[str]
    supply: list[int]
    puppet: list[bool]
    alive: list[bool]
    home: list[int]
    next_fleet: int
    launched: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)

    def launch(self, faction: int, origin: int, target: int, ships: int, length: int) -> int:
        """Take ships out of a garrison and put them under way for `length` ticks. Returns the number in the fleet's id."""
        number = self.next_fleet
        self.next_fleet += 1
        self.ships[origin] -= ships
        self.launched.append((number, faction, origin, target, ships, self.tick, self.tick + length))
        return number

    def fleets(self) -> Fleets:
        """Return the fleets of the state before and those launched since."""
        columns = zip(*self.launched, strict=True) if self.launched else ((),) * len(FLEET_DTYPES)
        return Fleets(
            *(
                np.concatenate((getattr(self.before.fleets, name), np.array(new, dtype)))
                for (name, dtype), new in zip(FLEET_DTYPES.items(), columns, strict=True)
            )
        )

    def factions(self) -> Factions:
        """Return the factions of the state before and those that joined since."""
        return Factions(
            tuple(self.faction_ids),
            np.array(self.supply, np.int64),
            np.array(self.puppet, np.bool_),
            np.array(self.alive, np.bool_),
            np.array(self.home, np.int32),
        )


def draft_of(state: WorldState) -> Draft:
    """Return a draft of the tick after `state`."""
    factions = state.factions
    return Draft(
        before=state,
        tick=state.tick + 1,
        owner=state.owner.copy(),
        ships=state.ships.copy(),
        faction_ids=list(factions.ids),
        supply=factions.supply.tolist(),
        puppet=factions.puppet.tolist(),
        alive=factions.alive.tolist(),
        home=factions.home.tolist(),
        next_fleet=state.next_fleet,
    )
