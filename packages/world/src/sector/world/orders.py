"""Phase 1 of a tick: orders, in log order, each against the state that the one before it left."""

from collections.abc import Sequence
from typing import assert_never

from pydantic import ValidationError

from sector.models import ORDER, AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, RejectReason, SetOwner
from sector.models.events import (
    Event,
    FactionJoined,
    FleetDeparted,
    NotePosted,
    OrderRejected,
    ShipsMustered,
    SystemClaimed,
)
from sector.models.names import MAX_SHIPS
from sector.world.draft import Draft
from sector.world.state import NEUTRAL


class _Rejected(Exception):
    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def apply_logged(draft: Draft, logged: Sequence[LoggedOrder]) -> list[Event]:
    """Apply orders from the log. Each yields one event; one that breaks a rule changes nothing and yields `order_rejected`."""
    events: list[Event] = []
    for entry in logged:
        try:
            order = ORDER.validate_json(entry.body)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]["msg"]
            events.append(_rejection(draft, entry.id, None, RejectReason.MALFORMED, detail))
        else:
            events.append(apply(draft, order, entry.id, admin=entry.admin))
    return events


def apply(draft: Draft, order: Order, order_id: str, *, admin: bool = False) -> Event:
    """Apply one order; a rejection is its event, never an exception."""
    try:
        match order:
            case Join():
                return _join(draft, order, order_id)
            case SetOwner():
                return _set_owner(draft, order, order_id, admin)
            case AddFleet():
                return _add_fleet(draft, order, order_id, admin)
            case MoveFleet():
                return _move_fleet(draft, order, order_id, admin)
            case Note():
                return _note(draft, order, order_id)
            case _ as never:
                assert_never(never)
    except _Rejected as rejected:
        return _rejection(draft, order_id, order.faction, rejected.reason, rejected.detail)


def _rejection(draft: Draft, order_id: str, faction: str | None, reason: RejectReason, detail: str) -> OrderRejected:
    return OrderRejected(tick=draft.tick, order=order_id, faction=faction, reason=reason, detail=detail)


def _require(holds: bool, reason: RejectReason, detail: str) -> None:
    if not holds:
        raise _Rejected(reason, detail)


def _faction(draft: Draft, faction: str) -> int:
    _require(faction in draft.faction_ids, RejectReason.UNKNOWN_FACTION, f"{faction} has not joined")
    row = draft.faction_ids.index(faction)
    _require(draft.alive[row], RejectReason.ELIMINATED, f"{faction} is out")
    return row


def _system(draft: Draft, system: str) -> int:
    row = int(system[1:])
    _require(row < len(draft.owner), RejectReason.UNKNOWN_SYSTEM, f"there is no {system}")
    return row


def _owned(draft: Draft, system: str, faction: int) -> int:
    row = _system(draft, system)
    _require(draft.owner[row] == faction, RejectReason.NOT_OWNER, f"{system} is not {draft.faction_ids[faction]}'s")
    return row


def _pay(draft: Draft, faction: int, cost: int) -> None:
    supply = draft.supply[faction]
    _require(supply >= cost, RejectReason.NOT_ENOUGH_SUPPLY, f"it costs {cost} supply, and there are {supply}")
    draft.supply[faction] = supply - cost


def enter(draft: Draft, faction: str, *, puppet: bool) -> int | None:
    """Give a new faction its home and starting supply; returns the home system's row, or None if no free home is left."""
    for home in draft.before.galaxy.home.tolist():
        if draft.owner[home] == NEUTRAL and home not in draft.home:
            draft.owner[home] = len(draft.faction_ids)
            draft.faction_ids.append(faction)
            draft.supply.append(draft.before.config.start_supply)
            draft.puppet.append(puppet)
            draft.alive.append(True)
            draft.home.append(home)
            return int(home)
    return None


def _join(draft: Draft, order: Join, order_id: str) -> Event:
    known = order.faction in draft.faction_ids
    out = known and not draft.alive[draft.faction_ids.index(order.faction)]
    _require(not out, RejectReason.ELIMINATED, f"{order.faction} is out")
    _require(not known, RejectReason.ALREADY_JOINED, f"{order.faction} is in already")
    home = enter(draft, order.faction, puppet=False)
    if home is None:
        raise _Rejected(RejectReason.NO_HOME_LEFT, "every home system is taken")
    return FactionJoined(tick=draft.tick, order=order_id, faction=order.faction, system=f"S{home}")


def _set_owner(draft: Draft, order: SetOwner, order_id: str, admin: bool) -> Event:
    _require(order.faction is not None or admin, RejectReason.ADMIN_ONLY, "only an admin makes a system neutral")
    faction = NEUTRAL if order.faction is None else _faction(draft, order.faction)
    system = _system(draft, order.system)
    ships = int(draft.ships[system])
    if not admin:
        _require(draft.owner[system] == NEUTRAL, RejectReason.NOT_NEUTRAL, f"{order.system} has an owner")
        beside = (draft.owner[draft.before.galaxy.neighbours(system)] == faction).any()
        _require(
            bool(beside), RejectReason.NOT_ADJACENT, f"no lane joins {order.system} to a system of {order.faction}"
        )
        _pay(draft, faction, draft.before.config.claim_base + draft.before.config.claim_per_ship * ships)
    draft.owner[system] = faction
    return SystemClaimed(tick=draft.tick, order=order_id, faction=order.faction, system=order.system, ships=ships)


def _add_fleet(draft: Draft, order: AddFleet, order_id: str, admin: bool) -> Event:
    faction = _faction(draft, order.faction)
    if admin:
        system = _system(draft, order.system)
        _require(draft.owner[system] != NEUTRAL, RejectReason.NOT_OWNER, f"nobody owns {order.system}")
    else:
        system = _owned(draft, order.system, faction)
        _pay(draft, faction, order.ships * draft.before.config.muster_cost)
    draft.ships[system] = min(int(draft.ships[system]) + order.ships, MAX_SHIPS)
    return ShipsMustered(tick=draft.tick, order=order_id, faction=order.faction, system=order.system, ships=order.ships)


def _move_fleet(draft: Draft, order: MoveFleet, order_id: str | None, admin: bool) -> Event:
    faction = _faction(draft, order.faction)
    system, target = _system(draft, order.system), _system(draft, order.target)
    owner = int(draft.owner[system])
    _require(
        owner != NEUTRAL and (admin or owner == faction),
        RejectReason.NOT_OWNER,
        f"{order.system} is not {order.faction}'s",
    )
    galaxy = draft.before.galaxy
    length = galaxy.lane(system, target) if draft.before.config.travel == "lanes" else galaxy.distance(system, target)
    if length is None or system == target:
        raise _Rejected(RejectReason.NO_LANE, f"no lane leads from {order.system} to {order.target}")
    garrison = int(draft.ships[system])
    _require(order.ships <= garrison, RejectReason.NOT_ENOUGH_SHIPS, f"{order.system} has {garrison} ships")
    return depart(draft, owner, system, target, order.ships, length, order_id)


def depart(
    draft: Draft, faction: int, system: int, target: int, ships: int, length: int, order_id: str | None
) -> FleetDeparted:
    """Launch a fleet that the rules allow; `length` is the ticks it needs."""
    number = draft.launch(faction, system, target, ships, length)
    return FleetDeparted(
        tick=draft.tick,
        order=order_id,
        faction=draft.faction_ids[faction],
        fleet=f"F{number}",
        system=f"S{system}",
        target=f"S{target}",
        ships=ships,
        arrives=draft.tick + length,
    )


def _note(draft: Draft, order: Note, order_id: str) -> Event:
    _faction(draft, order.faction)
    if order.system is not None:
        _system(draft, order.system)
    return NotePosted(tick=draft.tick, order=order_id, faction=order.faction, text=order.text, system=order.system)
