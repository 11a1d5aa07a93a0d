"""Bulk application of orders: independent orders are applied together, and the other orders one by one.

Two orders commute unless one reads what the other writes. Moves and musters read and write one garrison and the supply of one
faction, and they read one owner. They commute with all other orders of the batch under these conditions:

- The owner stays the same: no `set_owner` names the system. (A faction that joins gets a neutral home, from which no ships move.)
- The garrison suffices. All moves from the system together do not exceed the garrison at the start. All musters together do not
  raise it above MAX_SHIPS.
- The supply suffices: all musters of the faction together cost at most its supply at the start, and it claims nothing.

Each condition is evaluated for entire systems and factions, so the two groups of orders share no state.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sector.models import AddFleet, LoggedOrder, MoveFleet, RejectReason, SetOwner
from sector.models.field_types import MAX_SHIPS
from sector.world.galaxy import NOWHERE
from sector.world.mutable_state import MutableState
from sector.world.order_batch import OrderBatch, ParsedOrder, decode_orders, parse_order
from sector.world.orders import apply, reject
from sector.world.state import MAX_FLEETS, NEUTRAL

FEW = 12
"""Up to this number of orders, applying them one by one is faster."""


def apply_logged(mutable: MutableState, logged: Sequence[LoggedOrder], few: int = FEW) -> None:
    """Apply the orders of the log to `mutable`, in place.

    Each order yields one event. An order that breaks a rule changes nothing and yields `order_rejected`. `few`: up to
    this number of orders, all are applied one by one.
    """
    if len(logged) <= few:
        _one_by_one(mutable, [(place, entry, parse_order(entry)) for place, entry in enumerate(logged)])
        return
    plain, others = decode_orders(logged, mutable.rows)
    length = _lengths(mutable, plain)
    independent = _is_valid(mutable, plain, length) & _is_independent(mutable, plain, others)
    rest = [(place, logged[place], parse_order(logged[place])) for place in plain.place[~independent].tolist()]
    _apply_batch(mutable, plain, length, independent)
    _one_by_one(mutable, sorted(others + rest, key=lambda each: each[0]))


def _one_by_one(mutable: MutableState, orders: Sequence[ParsedOrder]) -> None:
    for place, entry, order in orders:
        if isinstance(order, str):
            reject(mutable, place, None, RejectReason.MALFORMED, order)
        else:
            apply(mutable, place, order, admin=entry.admin)


def _lengths(mutable: MutableState, plain: OrderBatch) -> NDArray[np.int64]:
    """Return the ticks that each move takes, int64[k]. It is NOWHERE for a muster and for a move without a lane."""
    on_map = (plain.system < len(mutable.owner)) & (plain.target < len(mutable.owner)) & ~plain.muster
    measure = mutable.galaxy.lanes if mutable.config.travel == "lanes" else mutable.galaxy.straight
    length = np.zeros(len(on_map), np.int64)
    length[on_map] = measure(plain.system[on_map], plain.target[on_map])
    return length


def _is_valid(mutable: MutableState, plain: OrderBatch, length: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which orders break no rule, as far as that does not depend on other orders: bool[k]."""
    is_alive = np.append(np.array(mutable.alive, np.bool_), False)[plain.faction]
    owner = mutable.owner.take(plain.system, mode="clip")
    is_owner = (owner != NEUTRAL) & (plain.admin | (owner == plain.faction))
    has_route = (plain.system < len(mutable.owner)) & (plain.muster | (length != NOWHERE))
    is_allowed = ~plain.muster if mutable.config.preset == "classic" else True
    valid: NDArray[np.bool_] = is_alive & is_owner & has_route & is_allowed
    return valid


def _is_independent(mutable: MutableState, plain: OrderBatch, others: Sequence[ParsedOrder]) -> NDArray[np.bool_]:
    """Say which orders commute with all other orders of the batch: bool[k].

    The result for orders outside the map is arbitrary.
    """
    count, factions = len(mutable.owner), len(mutable.ids)
    if mutable.under_way + len(plain.place) + len(others) > MAX_FLEETS:
        return np.zeros(len(plain.place), np.bool_)
    contested, spending = np.zeros(count, np.bool_), np.zeros(factions + 1, np.bool_)
    for _, _, order in others:
        if isinstance(order, SetOwner | AddFleet | MoveFleet):
            if (row := int(order.system[1:])) < count:
                contested[row] = True
            spending[mutable.rows.get(order.faction or "", factions)] = True
    system = np.minimum(plain.system, count - 1)
    leaving, coming = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(leaving, system, np.where(plain.muster, 0, plain.ships))
    np.add.at(coming, system, np.where(plain.muster, plain.ships, 0))
    quiet = ~contested & (leaving <= mutable.ships) & (mutable.ships + coming <= MAX_SHIPS)
    return quiet[system] & (_is_affordable(mutable, plain, spending) | plain.admin | ~plain.muster)


def _is_affordable(mutable: MutableState, plain: OrderBatch, spending: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which orders belong to a faction that can pay for all its musters together: bool[k]."""
    supply = np.append(mutable.supply, 0)
    cost = np.zeros(len(supply), np.int64)
    paying = plain.muster & ~plain.admin
    # The cost of a muster that exceeds the supply of the faction may exceed an int64.
    unaffordable = paying & (plain.ships > supply[plain.faction] // max(mutable.config.muster_cost, 1))
    unaffordable &= mutable.config.muster_cost > 0
    np.add.at(
        cost, plain.faction[paying & ~unaffordable], plain.ships[paying & ~unaffordable] * mutable.config.muster_cost
    )
    solvent = (cost <= supply) & ~spending
    solvent[plain.faction[unaffordable]] = False
    return solvent[plain.faction]


def _apply_batch(
    mutable: MutableState, plain: OrderBatch, length: NDArray[np.int64], selected: NDArray[np.bool_]
) -> None:
    move, muster = np.flatnonzero(selected & ~plain.muster), np.flatnonzero(selected & plain.muster)
    if len(move):
        place, system = plain.place[move], plain.system[move]
        owner = mutable.owner[system].astype(np.int64)
        mutable.launch_all((place, place, owner, system, plain.target[move], plain.ships[move], length[move]))
    if len(muster):
        place, system, ships, faction = (
            column[muster] for column in (plain.place, plain.system, plain.ships, plain.faction)
        )
        np.add.at(mutable.ships, system, ships)
        paying = ~plain.admin[muster]
        np.subtract.at(mutable.supply, faction[paying], ships[paying] * mutable.config.muster_cost)
        mutable.record.add("ships_mustered", place, order=place, faction=faction, system=system, ships=ships)
