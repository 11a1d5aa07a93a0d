"""Phase 1 of a tick: orders in log order. Each order applies to the state after the previous one.

This module has the rules for one order at a time. `bulk` applies independent orders together, with the same result, and
passes the other orders to this module.
"""

from typing import assert_never

import numpy as np

from sector.models import AddFleet, Join, MoveFleet, Note, Order, RejectReason, SetOwner
from sector.models.field_types import MAX_SHIPS
from sector.world.galaxy import NOWHERE
from sector.world.mutable_state import MutableState
from sector.world.state import MAX_FLEETS, NEUTRAL


class OrderRejection(Exception):
    """An order broke a rule. `reason`: the reason from the closed list. `detail`: an explanation for people."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def apply(mutable: MutableState, place: int, order: Order, *, admin: bool = False) -> None:
    """Apply the order at the position `place` of the log. It records one event: that of the order, or `order_rejected`.

    `admin`: whether the issuer has the scope `admin`, which skips ownership and cost.
    """
    try:
        if mutable.config.preset == "classic" and not isinstance(order, MoveFleet):
            raise OrderRejection(RejectReason.NOT_IN_CLASSIC, f"the classic rules have no {order.type}")
        match order:
            case Join():
                _join(mutable, place, order)
            case SetOwner():
                _set_owner(mutable, place, order, admin)
            case AddFleet():
                _add_fleet(mutable, place, order, admin)
            case MoveFleet():
                _move_fleet(mutable, place, order, admin)
            case Note():
                _note(mutable, place, order)
            case _ as never:
                assert_never(never)
    except OrderRejection as rejected:
        reject(mutable, place, order.faction, rejected.reason, rejected.detail)


def reject(mutable: MutableState, place: int, faction: str | None, reason: RejectReason, detail: str) -> None:
    """Record that the order at the position `place` of the log was rejected."""
    row = NEUTRAL if faction is None else mutable.rows.get(faction, NEUTRAL)
    mutable.record.one("order_rejected", place, order=place, faction=row, reason=reason.value, detail=detail)


def _require(holds: bool, reason: RejectReason, detail: str) -> None:
    if not holds:
        raise OrderRejection(reason, detail)


def _faction(mutable: MutableState, faction: str) -> int:
    _require(faction in mutable.rows, RejectReason.UNKNOWN_FACTION, f"{faction} has not joined")
    row = mutable.rows[faction]
    _require(mutable.alive[row], RejectReason.ELIMINATED, f"{faction} is eliminated")
    return row


def _system(mutable: MutableState, system: str) -> int:
    row = int(system[1:])
    _require(row < len(mutable.owner), RejectReason.UNKNOWN_SYSTEM, f"{system} does not exist")
    return row


def _pay(mutable: MutableState, faction: int, cost: int) -> None:
    supply = int(mutable.supply[faction])
    _require(
        supply >= cost, RejectReason.NOT_ENOUGH_SUPPLY, f"the order costs {cost} supply, and {supply} is available"
    )
    mutable.supply[faction] = supply - cost


def _join(mutable: MutableState, place: int, order: Join) -> None:
    row = mutable.rows.get(order.faction)
    if row is not None:
        _require(mutable.alive[row], RejectReason.ELIMINATED, f"{order.faction} is eliminated")
        raise OrderRejection(RejectReason.ALREADY_JOINED, f"{order.faction} has already joined")
    home = mutable.enter(order.faction, puppet=False)
    if home is None:
        raise OrderRejection(RejectReason.NO_HOME_LEFT, "every home system has an owner")
    mutable.record.one("faction_joined", place, order=place, faction=mutable.rows[order.faction], system=home)


def _set_owner(mutable: MutableState, place: int, order: SetOwner, admin: bool) -> None:
    _require(order.faction is not None or admin, RejectReason.ADMIN_ONLY, "only an admin makes a system neutral")
    faction = NEUTRAL if order.faction is None else _faction(mutable, order.faction)
    system = _system(mutable, order.system)
    if admin:
        mutable.owner[system] = faction
    else:
        claim(mutable, faction, system)
    ships = int(mutable.ships[system])
    mutable.record.one("system_claimed", place, order=place, faction=faction, system=system, ships=ships)


def claim(mutable: MutableState, faction: int, system: int) -> None:
    """Claim a system for a faction, which pays for it. Raises OrderRejection."""
    name = mutable.ids[faction]
    _require(mutable.owner[system] == NEUTRAL, RejectReason.NOT_NEUTRAL, f"S{system} has an owner")
    beside = bool((mutable.owner[mutable.galaxy.neighbours(system)] == faction).any())
    _require(beside, RejectReason.NOT_ADJACENT, f"no lane joins S{system} to a system of {name}")
    _pay(mutable, faction, mutable.config.claim_base + mutable.config.claim_per_ship * int(mutable.ships[system]))
    mutable.owner[system] = faction


def _add_fleet(mutable: MutableState, place: int, order: AddFleet, admin: bool) -> None:
    faction, system = _faction(mutable, order.faction), _system(mutable, order.system)
    if admin:
        _require(mutable.owner[system] != NEUTRAL, RejectReason.NOT_OWNER, f"{order.system} has no owner")
    else:
        _require(mutable.owner[system] == faction, RejectReason.NOT_OWNER, f"{order.system} is not {order.faction}'s")
        _pay(mutable, faction, order.ships * mutable.config.muster_cost)
    mutable.ships[system] = min(int(mutable.ships[system]) + order.ships, MAX_SHIPS)
    mutable.record.one("ships_mustered", place, order=place, faction=faction, system=system, ships=order.ships)


def _move_fleet(mutable: MutableState, place: int, order: MoveFleet, admin: bool) -> None:
    faction = _faction(mutable, order.faction)
    system, target = _system(mutable, order.system), _system(mutable, order.target)
    owner = int(mutable.owner[system])
    mine = owner != NEUTRAL and (admin or owner == faction)
    _require(mine, RejectReason.NOT_OWNER, f"{order.system} is not {order.faction}'s")
    galaxy = mutable.galaxy
    if mutable.config.travel == "lanes":
        length = galaxy.lane(system, target)
    else:
        length = int(galaxy.straight(np.array([system]), np.array([target]))[0])
    _require(length != NOWHERE, RejectReason.NO_LANE, f"no lane leads from {order.system} to {order.target}")
    garrison = int(mutable.ships[system])
    _require(order.ships <= garrison, RejectReason.NOT_ENOUGH_SHIPS, f"{order.system} has {garrison} ships")
    _require(mutable.under_way < MAX_FLEETS, RejectReason.TOO_MANY_FLEETS, f"{MAX_FLEETS} fleets are under way")
    mutable.launch(place, place, owner, system, target, order.ships, length)


def _note(mutable: MutableState, place: int, order: Note) -> None:
    faction = _faction(mutable, order.faction)
    system = NEUTRAL if order.system is None else _system(mutable, order.system)
    mutable.record.one("note", place, order=place, faction=faction, system=system, text=order.text)
