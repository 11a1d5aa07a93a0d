"""A player whose orders are random but valid. Each puppet must beat it."""

import numpy as np

from sector.models import ORDER, AddFleet, LoggedOrder, MoveFleet, SetOwner
from sector.world.state import NEUTRAL, WorldState


class RandomPlayer:
    """Plays one faction. In each tick some of its systems send ships, and it spends its supply at random."""

    def __init__(self, faction: str, seed: int) -> None:
        self._faction = faction
        self._random = np.random.default_rng(seed)

    def orders(self, state: WorldState) -> list[LoggedOrder]:
        """Return its orders for a state."""
        row = state.factions.ids.index(self._faction)
        own = np.flatnonzero((state.owner == row) & (state.ships > 0))
        orders: list[MoveFleet | SetOwner | AddFleet] = []
        for system in own[self._random.random(len(own)) < 0.2].tolist():
            target = int(self._random.choice(state.galaxy.neighbours(system)))
            ships = int(self._random.integers(1, state.ships[system] + 1))
            orders.append(MoveFleet(faction=self._faction, system=f"S{system}", target=f"S{target}", ships=ships))
        supply = int(state.factions.supply[row])
        if len(own) and supply >= 30 and self._random.random() < 0.5:
            system = int(self._random.choice(own))
            free = [int(s) for s in state.galaxy.neighbours(system) if state.owner[s] == NEUTRAL]
            if free:
                orders.append(SetOwner(faction=self._faction, system=f"S{self._random.choice(free)}"))
            else:
                orders.append(AddFleet(faction=self._faction, system=f"S{system}", ships=supply // 2))
        return [
            LoggedOrder(f"{state.tick}-{n}", "random", False, ORDER.dump_json(order)) for n, order in enumerate(orders)
        ]
