"""The end of phase 1: what the puppets want, carried out by the rules that hold for everybody.

Their orders are not in the log; replay makes them again, since a plan follows from the state alone.
"""

from contextlib import suppress
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sector.models import Puppet
from sector.models.field_types import MAX_SHIPS
from sector.puppet import Plan, View, plan
from sector.world.mutable_state import MutableState
from sector.world.orders import Rejected, claim
from sector.world.state import MAX_FLEETS, NEUTRAL, WorldState

_NO_ORDER = -1


def play(state: WorldState, mutable: MutableState) -> None:
    """Carry out in `mutable` what the puppets of `state` want; what this tick's orders made impossible is left out."""
    if not np.count_nonzero(state.factions.puppet & state.factions.alive):
        return
    wanted = plan(_view(state))
    if wanted is None:
        return
    if state.config.preset == "sector":
        _claim(mutable, wanted)
        _muster(mutable, wanted)
    _move(state, mutable, wanted)


def _claim(mutable: MutableState, wanted: Plan) -> None:
    made: list[tuple[int, int, int]] = []
    for system, faction in zip(wanted.claim_system.tolist(), wanted.claim_faction.tolist(), strict=True):
        with suppress(Rejected):  # an order of this tick, or another puppet, came first
            claim(mutable, faction, system)
            made.append((faction, system, int(mutable.ships[system])))
    if made:
        faction_, system_, ships = np.array(made).T
        mutable.record.extend(
            "system_claimed", len(made), order=_nobodys(made), faction=faction_, system=system_, ships=ships
        )


def _muster(mutable: MutableState, wanted: Plan) -> None:
    system, faction, ships = wanted.muster_system, wanted.muster_faction, wanted.muster_ships
    room = MAX_SHIPS - mutable.ships[system]
    ships = np.minimum(np.minimum(ships, room), mutable.supply[faction] // max(mutable.config.muster_cost, 1))
    can = (mutable.owner[system] == faction) & (ships > 0)
    system, faction, ships = system[can], faction[can], ships[can]
    np.subtract.at(mutable.supply, faction, ships * mutable.config.muster_cost)
    np.add.at(mutable.ships, system, ships)
    mutable.record.extend(
        "ships_mustered", len(system), order=_nobodys(system), faction=faction, system=system, ships=ships
    )


def _move(state: WorldState, mutable: MutableState, wanted: Plan) -> None:
    source, target, length = (column[wanted.move_arc].astype(np.int64) for column in state.galaxy.arcs)
    faction = state.owner[source].astype(np.int64)
    leaving = np.zeros(len(mutable.ships), np.int64)
    np.add.at(leaving, source, wanted.move_ships)
    can = (mutable.owner[source] == faction) & (leaving[source] <= mutable.ships[source]) & (wanted.move_ships > 0)
    chosen = np.flatnonzero(can)[: max(MAX_FLEETS - mutable.under_way, 0)]
    if not len(chosen):
        return
    n = np.arange(mutable.record.count, mutable.record.count + len(chosen))
    mutable.record.count += len(chosen)
    moves = (faction, source, target, wanted.move_ships, length)
    mutable.launch_all((n, _nobodys(n), *(column[chosen] for column in moves)))


def _nobodys(events: NDArray[np.int64] | list[tuple[int, int, int]]) -> NDArray[np.int64]:
    """Return the orders of events that no order in the log caused."""
    return np.full(len(events), _NO_ORDER)


@lru_cache(maxsize=64)
def _temperaments(puppets: tuple[Puppet, ...], factions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the temperament of each faction, "" for those that are no puppets."""
    found = {puppet.faction: puppet.temperament for puppet in puppets}
    return tuple(found.get(faction, "") for faction in factions)


def _view(state: WorldState) -> View:
    source, target, length = state.galaxy.arcs
    reserved = np.zeros(len(state.owner), np.bool_)
    reserved[state.galaxy.home] = True
    reserved[state.factions.home] = False
    return View(
        tick=state.tick,
        owner=state.owner,
        ships=state.ships,
        growth=state.galaxy.growth,
        supply_yield=state.galaxy.supply_yield,
        reserved=reserved & (state.owner == NEUTRAL),
        claim_cost=state.config.claim_base + state.config.claim_per_ship * state.ships,
        muster_cost=state.config.muster_cost,
        arc_source=source,
        arc_target=target,
        arc_length=length,
        first_arc=state.galaxy.first_arc,
        fleet_owner=state.fleets.owner,
        fleet_target=state.fleets.target,
        fleet_ships=state.fleets.ships,
        fleet_arrives=state.fleets.arrives,
        supply=state.factions.supply,
        temperament=_temperaments(state.config.puppets, state.factions.ids),
    )
