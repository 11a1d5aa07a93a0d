"""The end of phase 1: what the puppets want, carried out by the rules that hold for everybody.

Their orders are not in the log; replay makes them again, since a plan follows from the state alone.
"""

import numpy as np

from sector.models import SetOwner
from sector.models.events import Event, OrderRejected
from sector.puppet import View, plan
from sector.world.draft import Draft
from sector.world.orders import apply, depart
from sector.world.state import NEUTRAL, WorldState


def play(state: WorldState, draft: Draft) -> list[Event]:
    """Carry out in `draft` what the puppets of `state` want; what this tick's orders made impossible is left out."""
    if not state.factions.puppet.any():
        return []
    wanted = plan(_view(state))
    events: list[Event] = []
    for system, faction in zip(wanted.claim_system.tolist(), wanted.claim_faction.tolist(), strict=True):
        claim = apply(draft, SetOwner(faction=draft.faction_ids[faction], system=f"S{system}"), "")
        if not isinstance(claim, OrderRejected):
            events.append(claim.model_copy(update={"order": None}))
    source, target, length = state.galaxy.arcs
    for arc, ships in zip(wanted.move_arc.tolist(), wanted.move_ships.tolist(), strict=True):
        origin, faction = int(source[arc]), int(state.owner[source[arc]])
        if draft.owner[origin] == faction and draft.ships[origin] >= ships:
            events.append(depart(draft, faction, origin, int(target[arc]), ships, int(length[arc]), None))
    return events


def _view(state: WorldState) -> View:
    source, target, length = state.galaxy.arcs
    reserved = np.zeros(len(state.owner), np.bool_)
    reserved[np.setdiff1d(state.galaxy.home, state.factions.home)] = True
    return View(
        owner=state.owner,
        ships=state.ships,
        growth=state.galaxy.growth,
        reserved=reserved & (state.owner == NEUTRAL),
        claim_cost=state.config.claim_base + state.config.claim_per_ship * state.ships,
        arc_source=source,
        arc_target=target,
        arc_length=length,
        fleet_owner=state.fleets.owner,
        fleet_target=state.fleets.target,
        fleet_ships=state.fleets.ships,
        supply=state.factions.supply,
        puppet=state.factions.puppet,
    )
