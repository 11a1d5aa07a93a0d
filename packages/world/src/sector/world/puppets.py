"""The end of phase 1: the orders of puppets, under the same rules as the orders of players.

Their orders are not in the log. They depend only on the state, so a replay computes them again.
"""

from contextlib import suppress
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sector.models import Puppet
from sector.models.field_types import MAX_SHIPS
from sector.puppet import PuppetOrders, PuppetView, plan_orders
from sector.world.mutable_state import MutableState
from sector.world.orders import OrderRejection, claim
from sector.world.state import MAX_FLEETS, NEUTRAL, WorldState

_NO_ORDER = -1


def play(state: WorldState, mutable: MutableState) -> None:
    """Apply the orders of the puppets of `state` to `mutable`.

    Orders that the orders of this tick made impossible are skipped.
    """
    if not np.count_nonzero(state.factions.puppet & state.factions.alive):
        return
    orders = plan_orders(_view(state))
    if orders is None:
        return
    if state.config.preset == "sector":
        _claim(mutable, orders)
        _muster(mutable, orders)
    _move(state, mutable, orders)


def _claim(mutable: MutableState, orders: PuppetOrders) -> None:
    claims: list[tuple[int, int, int]] = []
    for system, faction in zip(orders.claim_system.tolist(), orders.claim_faction.tolist(), strict=True):
        with suppress(OrderRejection):  # an order of this tick or another puppet was first
            claim(mutable, faction, system)
            claims.append((faction, system, int(mutable.ships[system])))
    if claims:
        faction_, system_, ships = np.array(claims).T
        mutable.record.extend(
            "system_claimed", len(claims), order=_no_orders(claims), faction=faction_, system=system_, ships=ships
        )


def _muster(mutable: MutableState, orders: PuppetOrders) -> None:
    system, faction, ships = orders.muster_system, orders.muster_faction, orders.muster_ships
    room = MAX_SHIPS - mutable.ships[system]
    ships = np.minimum(np.minimum(ships, room), mutable.supply[faction] // max(mutable.config.muster_cost, 1))
    can = (mutable.owner[system] == faction) & (ships > 0)
    system, faction, ships = system[can], faction[can], ships[can]
    np.subtract.at(mutable.supply, faction, ships * mutable.config.muster_cost)
    np.add.at(mutable.ships, system, ships)
    mutable.record.extend(
        "ships_mustered", len(system), order=_no_orders(system), faction=faction, system=system, ships=ships
    )


def _move(state: WorldState, mutable: MutableState, orders: PuppetOrders) -> None:
    source, target, length = (column[orders.move_arc].astype(np.int64) for column in state.galaxy.arcs)
    faction = state.owner[source].astype(np.int64)
    leaving = np.zeros(len(mutable.ships), np.int64)
    np.add.at(leaving, source, orders.move_ships)
    can = (mutable.owner[source] == faction) & (leaving[source] <= mutable.ships[source]) & (orders.move_ships > 0)
    rows = np.flatnonzero(can)[: max(MAX_FLEETS - mutable.under_way, 0)]
    if not len(rows):
        return
    n = np.arange(mutable.record.count, mutable.record.count + len(rows))
    mutable.record.count += len(rows)
    moves = (faction, source, target, orders.move_ships, length)
    mutable.launch_all((n, _no_orders(n), *(column[rows] for column in moves)))


def _no_orders(events: NDArray[np.int64] | list[tuple[int, int, int]]) -> NDArray[np.int64]:
    """Return the order numbers of events without an order: -1 for each."""
    return np.full(len(events), _NO_ORDER)


@lru_cache(maxsize=64)
def _temperaments(puppets: tuple[Puppet, ...], factions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the temperament of each faction. It is "" for a faction that is not a puppet."""
    temperaments = {puppet.faction: puppet.temperament for puppet in puppets}
    return tuple(temperaments.get(faction, "") for faction in factions)


def _view(state: WorldState) -> PuppetView:
    source, target, length = state.galaxy.arcs
    reserved = np.zeros(len(state.owner), np.bool_)
    reserved[state.galaxy.home] = True
    reserved[state.factions.home] = False
    return PuppetView(
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
