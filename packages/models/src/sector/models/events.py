"""Events: what happened in a tick, as one union with the discriminator `type`.

The world fills in all but `id` and `at_ms`, which come when its tick is committed: it knows ticks only.
`order` is the id of the order in the log that caused the
event; a puppet's orders are not in the log, so theirs is null. The events of a tick are kept as a frame, a table a type;
`sector.models.rows.event_rows` makes rows of it that these types describe.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter


class RejectReason(StrEnum):
    """Why an order was rejected. The list is closed: clients may rely on it."""

    MALFORMED = "malformed"
    UNKNOWN_FACTION = "unknown_faction"
    UNKNOWN_SYSTEM = "unknown_system"
    ALREADY_JOINED = "already_joined"
    ELIMINATED = "eliminated"
    NO_HOME_LEFT = "no_home_left"
    NOT_OWNER = "not_owner"
    NOT_ENOUGH_SHIPS = "not_enough_ships"
    NOT_ENOUGH_SUPPLY = "not_enough_supply"
    NO_LANE = "no_lane"
    NOT_NEUTRAL = "not_neutral"
    NOT_ADJACENT = "not_adjacent"
    ADMIN_ONLY = "admin_only"
    TOO_MANY_FLEETS = "too_many_fleets"
    NOT_IN_CLASSIC = "not_in_classic"
    SIM_FINISHED = "sim_finished"
    """Of no event: the sim was over before the order's turn came."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    tick: int
    id: str | None = Field(default=None, description="Where it stands: tick and number, such as 12-0.")
    at_ms: int | None = Field(default=None, description="When its tick was committed, in milliseconds since 1970.")


class FactionJoined(_Event):
    """A faction entered at its home system."""

    type: Literal["faction_joined"] = "faction_joined"
    order: str | None
    faction: str
    system: str


class SystemClaimed(_Event):
    """A `set_owner` order took effect; `faction` null: the system was made neutral."""

    type: Literal["system_claimed"] = "system_claimed"
    order: str | None
    faction: str | None
    system: str
    ships: int


class ShipsMustered(_Event):
    """An `add_fleet` order took effect."""

    type: Literal["ships_mustered"] = "ships_mustered"
    order: str | None
    faction: str
    system: str
    ships: int


class FleetDeparted(_Event):
    """A fleet is under way, until tick `arrives`."""

    type: Literal["fleet_departed"] = "fleet_departed"
    order: str | None
    faction: str
    fleet: str
    system: str
    target: str
    ships: int
    arrives: int


class FleetArrived(_Event):
    """A fleet reached its target. If others are there, a battle follows."""

    type: Literal["fleet_arrived"] = "fleet_arrived"
    faction: str
    fleet: str
    system: str
    ships: int


class Force(BaseModel):
    """The ships of one side in a battle; `faction` null: neutral."""

    model_config = ConfigDict(frozen=True)

    faction: str | None
    ships: int


class Battle(_Event):
    """Forces met at a system; neutral ones stand first. `winner` null: a tie, or neutral; `ships`: what is left."""

    type: Literal["battle"] = "battle"
    system: str
    forces: tuple[Force, ...]
    winner: str | None
    ships: int


class SystemCaptured(_Event):
    """A system changed hands by force."""

    type: Literal["system_captured"] = "system_captured"
    system: str
    loser: str | None
    faction: str
    ships: int


class NotePosted(_Event):
    """A `note` order."""

    type: Literal["note"] = "note"
    order: str | None
    faction: str
    text: str
    system: str | None


class OrderRejected(_Event):
    """An order broke a rule and changed nothing. `faction` null: none, or one that is not in."""

    type: Literal["order_rejected"] = "order_rejected"
    order: str
    faction: str | None
    reason: RejectReason
    detail: str


class FactionEliminated(_Event):
    """A faction has neither system nor fleet left."""

    type: Literal["faction_eliminated"] = "faction_eliminated"
    faction: str


class SimFinished(_Event):
    """The sim is over and ticks no more; `winner` null: a draw."""

    type: Literal["sim_finished"] = "sim_finished"
    winner: str | None


Event = Annotated[
    FactionJoined
    | SystemClaimed
    | ShipsMustered
    | FleetDeparted
    | FleetArrived
    | Battle
    | SystemCaptured
    | NotePosted
    | OrderRejected
    | FactionEliminated
    | SimFinished,
    Field(discriminator="type"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)

_FACTIONS = ("faction", "winner", "loser")


def concerns(event: Mapping[str, JsonValue], faction: str) -> bool:
    """Say whether an event, as a row, has to do with a faction: it acted, won, lost, or was in the battle."""
    forces = event.get("forces")
    sides = [side.get("faction") for side in forces if isinstance(side, dict)] if isinstance(forces, list) else []
    return faction in sides or any(event.get(name) == faction for name in _FACTIONS)
