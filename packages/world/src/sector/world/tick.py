"""One tick: the phases of the rules in their order."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sector.models import LoggedOrder
from sector.world.arrival import arrive
from sector.world.bulk import apply_logged
from sector.world.growth import grow
from sector.world.mutable_state import MutableState
from sector.world.puppets import play
from sector.world.record import Record
from sector.world.state import Factions, WorldState
from sector.world.victory import judge


class TickResult(NamedTuple):
    """The result of a tick: the state after it, its events, and the ids of the fleets that landed, int64[k], ascending."""

    state: WorldState
    record: Record
    landed: NDArray[np.int64]


def advance(state: WorldState, orders: Sequence[LoggedOrder]) -> TickResult:
    """Return the result of the next tick. It does not change `state`. Raises ValueError if the sim has finished."""
    if state.status == "finished":
        raise ValueError(f"the sim finished at tick {state.tick}")
    mutable = MutableState.from_state(state, len(orders))
    apply_logged(mutable, orders)
    play(state, mutable)
    launched, factions, record = mutable.launched(state.next_fleet), mutable.factions(), mutable.record
    ships, supply = grow(state.galaxy, mutable.owner, mutable.ships, factions.supply)
    arrival = arrive(mutable.tick, mutable.owner, ships, state.fleets, launched, record)
    outcome = judge(
        mutable.tick, state.config.max_ticks, arrival.owner, arrival.ships, arrival.fleets, factions, record
    )
    after = WorldState(
        config=state.config,
        galaxy=state.galaxy,
        tick=mutable.tick,
        status="finished" if outcome.finished else "running",
        winner=outcome.winner,
        next_fleet=state.next_fleet + len(launched.id),
        owner=arrival.owner,
        ships=arrival.ships,
        factions=Factions(factions.ids, supply, factions.puppet, outcome.alive, factions.home),
        fleets=arrival.fleets,
    )
    return TickResult(after, record, arrival.landed)
