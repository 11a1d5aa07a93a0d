"""Worlds to measure, on generated maps."""

from copy import replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from sector.models import LoggedOrder, Puppet, SimConfig
from sector.models.config import Temperament
from sector.world.sector import initial_state
from sector.world.state import FLEET_DTYPES, NEUTRAL, Fleets, WorldState
from sector.world.tick import advance

_PLAYERS = 8
_TICK = 1_000


def board(systems: int, fleets: int) -> WorldState:
    """Return a state in which random factions own and attack everything."""
    players = tuple(f"P{n}" for n in range(_PLAYERS))
    state = initial_state(SimConfig(systems=systems, homes=_PLAYERS, players=players, puppets=()))
    chance = np.random.default_rng(1)
    owner = chance.integers(-1, _PLAYERS, systems).astype(np.int16)
    ships = chance.integers(0, 100, systems)
    return with_fleets(
        replace(state, tick=_TICK, owner=owner, ships=ships), fleets, chance.integers(0, _PLAYERS, fleets)
    )


def played(systems: int, puppets: int, ticks: int) -> WorldState:
    """Return the state after a game of puppets of all temperaments."""
    temperaments: tuple[Temperament, ...] = get_args(Temperament)
    factions = tuple(Puppet(faction=f"P{n}", temperament=temperaments[n % len(temperaments)]) for n in range(puppets))
    state = initial_state(SimConfig(systems=systems, homes=puppets, puppets=factions))
    for _ in range(ticks):
        state = advance(state, []).state
    return state


def with_fleets(state: WorldState, fleets: int, owner: NDArray[np.int64] | None = None) -> WorldState:
    """Return a state with this number of fleets on lanes, of `owner`, or of the owners of their origins."""
    chance = np.random.default_rng(3)
    source, target, length = state.galaxy.arcs
    arcs = np.flatnonzero(state.owner[source] != NEUTRAL) if owner is None else np.arange(len(source))
    arc = chance.choice(arcs, fleets)
    left = chance.integers(1, length[arc] + 1)
    columns = {
        "id": np.arange(fleets),
        "owner": state.owner[source[arc]] if owner is None else owner,
        "origin": source[arc],
        "target": target[arc],
        "ships": chance.integers(1, 50, fleets),
        "departed": state.tick - (length[arc] - left),
        "arrives": state.tick + left,
    }
    flying = Fleets(**{name: columns[name].astype(dtype) for name, dtype in FLEET_DTYPES.items()})
    return replace(state, fleets=flying, next_fleet=fleets)


def columns(state: WorldState) -> list[NDArray[np.generic]]:
    """Return the columns that a tick recomputes."""
    return [state.owner, state.ships, *state.fleets]


def moves(state: WorldState, count: int) -> list[LoggedOrder]:
    """Return orders in the format of the API: each sends a few ships along a lane, from systems of all factions."""
    source, target, _ = state.galaxy.arcs
    chance = np.random.default_rng(2)
    arcs = np.flatnonzero((state.owner[source] >= 0) & (state.ships[source] > 20))
    orders = []
    for number, arc in enumerate(chance.choice(arcs, count, replace=len(arcs) < count).tolist()):
        faction = state.factions.ids[state.owner[source[arc]]]
        body = f'{{"type":"move_fleet","faction":"{faction}","system":"S{source[arc]}","target":"S{target[arc]}","ships":1}}'
        orders.append(LoggedOrder(f"{number}-0", "bench", False, body.encode()))
    return orders
