"""One tick: the phases in their order."""

from collections.abc import Sequence
from dataclasses import replace

from sector.models import LoggedOrder
from sector.models.events import Event
from sector.world.arrival import arrive
from sector.world.draft import draft_of
from sector.world.growth import grow
from sector.world.orders import apply_logged
from sector.world.puppets import play
from sector.world.state import WorldState
from sector.world.victory import judge


def advance(state: WorldState, orders: Sequence[LoggedOrder]) -> tuple[WorldState, list[Event]]:
    """Return the state one tick later, and what happened. Raises ValueError for a finished sim."""
    if state.status == "finished":
        raise ValueError(f"the sim finished at tick {state.tick}")
    draft = draft_of(state)
    events = apply_logged(draft, orders)
    events += play(state, draft)
    factions = draft.factions()
    ships, supply = grow(state.galaxy, draft.owner, draft.ships, factions.supply)
    arrival = arrive(draft.tick, draft.owner, ships, draft.fleets(), factions.ids)
    verdict = judge(
        draft.tick,
        state.config.max_ticks,
        arrival.owner,
        arrival.ships,
        arrival.fleets,
        factions.alive,
        factions.ids,
    )
    after = replace(
        state,
        tick=draft.tick,
        status="finished" if verdict.finished else "running",
        winner=verdict.winner,
        next_fleet=draft.next_fleet,
        owner=arrival.owner,
        ships=arrival.ships,
        factions=replace(factions, supply=supply, alive=verdict.alive),
        fleets=arrival.fleets,
    )
    return after, [*events, *arrival.events, *verdict.events]
