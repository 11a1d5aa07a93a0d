"""Phase 1 of a tick: orders, in log order, each against the state that the one before it left.

This module holds the rules, one order at a time. `bulk` finds the orders whose turn makes no difference and applies them all at
once, by the same rules; what is left goes through here.
"""

from typing import assert_never

import numpy as np

from sector.models import AddFleet, Join, MoveFleet, Note, Order, RejectReason, SetOwner
from sector.models.field_types import MAX_SHIPS
from sector.world.draft import Draft
from sector.world.galaxy import NOWHERE
from sector.world.state import MAX_FLEETS, NEUTRAL


class Rejected(Exception):
    """An order that breaks a rule. `reason` is from the closed list, `detail` for people."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def apply(draft: Draft, place: int, order: Order, *, admin: bool = False) -> None:
    """Apply the order at `place` of the log. It yields one event; a rejection is its event, never an exception."""
    try:
        if draft.config.preset == "classic" and not isinstance(order, MoveFleet):
            raise Rejected(RejectReason.NOT_IN_CLASSIC, f"there is no {order.type} in the classic rules")
        match order:
            case Join():
                _join(draft, place, order)
            case SetOwner():
                _set_owner(draft, place, order, admin)
            case AddFleet():
                _add_fleet(draft, place, order, admin)
            case MoveFleet():
                _move_fleet(draft, place, order, admin)
            case Note():
                _note(draft, place, order)
            case _ as never:
                assert_never(never)
    except Rejected as rejected:
        reject(draft, place, order.faction, rejected.reason, rejected.detail)


def reject(draft: Draft, place: int, faction: str | None, reason: RejectReason, detail: str) -> None:
    """Record that the order at `place` of the log changed nothing, and why."""
    row = NEUTRAL if faction is None else draft.rows.get(faction, NEUTRAL)
    draft.record.one("order_rejected", place, order=place, faction=row, reason=reason.value, detail=detail)


def _require(holds: bool, reason: RejectReason, detail: str) -> None:
    if not holds:
        raise Rejected(reason, detail)


def _faction(draft: Draft, faction: str) -> int:
    _require(faction in draft.rows, RejectReason.UNKNOWN_FACTION, f"{faction} has not joined")
    row = draft.rows[faction]
    _require(draft.alive[row], RejectReason.ELIMINATED, f"{faction} is out")
    return row


def _system(draft: Draft, system: str) -> int:
    row = int(system[1:])
    _require(row < len(draft.owner), RejectReason.UNKNOWN_SYSTEM, f"there is no {system}")
    return row


def _pay(draft: Draft, faction: int, cost: int) -> None:
    supply = int(draft.supply[faction])
    _require(supply >= cost, RejectReason.NOT_ENOUGH_SUPPLY, f"it costs {cost} supply, and there are {supply}")
    draft.supply[faction] = supply - cost


def _join(draft: Draft, place: int, order: Join) -> None:
    row = draft.rows.get(order.faction)
    if row is not None:
        _require(draft.alive[row], RejectReason.ELIMINATED, f"{order.faction} is out")
        raise Rejected(RejectReason.ALREADY_JOINED, f"{order.faction} is in already")
    home = draft.enter(order.faction, puppet=False)
    if home is None:
        raise Rejected(RejectReason.NO_HOME_LEFT, "every home system is taken")
    draft.record.one("faction_joined", place, order=place, faction=draft.rows[order.faction], system=home)


def _set_owner(draft: Draft, place: int, order: SetOwner, admin: bool) -> None:
    _require(order.faction is not None or admin, RejectReason.ADMIN_ONLY, "only an admin makes a system neutral")
    faction = NEUTRAL if order.faction is None else _faction(draft, order.faction)
    system = _system(draft, order.system)
    if admin:
        draft.owner[system] = faction
    else:
        claim(draft, faction, system)
    ships = int(draft.ships[system])
    draft.record.one("system_claimed", place, order=place, faction=faction, system=system, ships=ships)


def claim(draft: Draft, faction: int, system: int) -> None:
    """Claim a system for a faction, which pays for it. Raises Rejected."""
    name = draft.ids[faction]
    _require(draft.owner[system] == NEUTRAL, RejectReason.NOT_NEUTRAL, f"S{system} has an owner")
    beside = bool((draft.owner[draft.galaxy.neighbours(system)] == faction).any())
    _require(beside, RejectReason.NOT_ADJACENT, f"no lane joins S{system} to a system of {name}")
    _pay(draft, faction, draft.config.claim_base + draft.config.claim_per_ship * int(draft.ships[system]))
    draft.owner[system] = faction


def _add_fleet(draft: Draft, place: int, order: AddFleet, admin: bool) -> None:
    faction, system = _faction(draft, order.faction), _system(draft, order.system)
    if admin:
        _require(draft.owner[system] != NEUTRAL, RejectReason.NOT_OWNER, f"nobody owns {order.system}")
    else:
        _require(draft.owner[system] == faction, RejectReason.NOT_OWNER, f"{order.system} is not {order.faction}'s")
        _pay(draft, faction, order.ships * draft.config.muster_cost)
    draft.ships[system] = min(int(draft.ships[system]) + order.ships, MAX_SHIPS)
    draft.record.one("ships_mustered", place, order=place, faction=faction, system=system, ships=order.ships)


def _move_fleet(draft: Draft, place: int, order: MoveFleet, admin: bool) -> None:
    faction = _faction(draft, order.faction)
    system, target = _system(draft, order.system), _system(draft, order.target)
    owner = int(draft.owner[system])
    mine = owner != NEUTRAL and (admin or owner == faction)
    _require(mine, RejectReason.NOT_OWNER, f"{order.system} is not {order.faction}'s")
    galaxy = draft.galaxy
    if draft.config.travel == "lanes":
        length = galaxy.lane(system, target)
    else:
        length = int(galaxy.straight(np.array([system]), np.array([target]))[0])
    _require(length != NOWHERE, RejectReason.NO_LANE, f"no lane leads from {order.system} to {order.target}")
    garrison = int(draft.ships[system])
    _require(order.ships <= garrison, RejectReason.NOT_ENOUGH_SHIPS, f"{order.system} has {garrison} ships")
    _require(draft.under_way < MAX_FLEETS, RejectReason.TOO_MANY_FLEETS, f"{MAX_FLEETS} fleets are under way")
    draft.launch(place, place, owner, system, target, order.ships, length)


def _note(draft: Draft, place: int, order: Note) -> None:
    faction = _faction(draft, order.faction)
    system = NEUTRAL if order.system is None else _system(draft, order.system)
    draft.record.one("note", place, order=place, faction=faction, system=system, text=order.text)
