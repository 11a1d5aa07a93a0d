"""Events: the effects of a tick, as a union with the discriminator `type`.

A world fills in all fields except `id` and `at_ms`, which the commit of the tick adds. `order` is the id of the order
that caused the event. It is null for an event without a logged order, such as one that a puppet caused.

The events of a tick are stored as a frame, with one table for each type. `sector.models.rows.event_rows` converts it to
rows.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter


class RejectReason(StrEnum):
    """Why an order was rejected. The list is closed, so clients may rely on it."""

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
    """No event has this reason: the sim ended before the order was applied."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    tick: int
    id: str | None = Field(
        default=None, description="Id of the event: its tick and its number in the tick, such as 12-0."
    )
    at_ms: int | None = Field(default=None, description="When its tick was committed, in milliseconds since 1970.")


class FactionJoined(_Event):
    """A faction joined and owns its home system."""

    type: Literal["faction_joined"] = "faction_joined"
    order: str | None
    faction: str
    system: str


class SystemClaimed(_Event):
    """A `set_owner` order took effect. `faction` is null if the system became neutral."""

    type: Literal["system_claimed"] = "system_claimed"
    order: str | None
    faction: str | None
    system: str
    ships: int


class ShipsMustered(_Event):
    """An `add_fleet` order added ships to a garrison."""

    type: Literal["ships_mustered"] = "ships_mustered"
    order: str | None
    faction: str
    system: str
    ships: int


class FleetDeparted(_Event):
    """A fleet departed. It arrives in tick `arrives`."""

    type: Literal["fleet_departed"] = "fleet_departed"
    order: str | None
    faction: str
    fleet: str
    system: str
    target: str
    ships: int
    arrives: int


class FleetArrived(_Event):
    """A fleet reached its target. A battle follows if other forces are at the system."""

    type: Literal["fleet_arrived"] = "fleet_arrived"
    faction: str
    fleet: str
    system: str
    ships: int


class Force(BaseModel):
    """The ships of one side in a battle. `faction` is null for neutral ships."""

    model_config = ConfigDict(frozen=True)

    faction: str | None
    ships: int


class Battle(_Event):
    """Forces met at a system. The neutral force is the first one.

    `winner` is null for a tie, or if the neutral force won. `ships`: how many ships remain.
    """

    type: Literal["battle"] = "battle"
    system: str
    forces: tuple[Force, ...]
    winner: str | None
    ships: int


class SystemCaptured(_Event):
    """A system has a new owner after a battle."""

    type: Literal["system_captured"] = "system_captured"
    system: str
    loser: str | None
    faction: str
    ships: int


class NotePosted(_Event):
    """A `note` order published a text."""

    type: Literal["note"] = "note"
    order: str | None
    faction: str
    text: str
    system: str | None


class OrderRejected(_Event):
    """An order broke a rule and had no effect. `faction` is null if the order has no faction, or one that did not join."""

    type: Literal["order_rejected"] = "order_rejected"
    order: str
    faction: str | None
    reason: RejectReason
    detail: str


class FactionEliminated(_Event):
    """A faction has no system and no fleet left."""

    type: Literal["faction_eliminated"] = "faction_eliminated"
    faction: str


class SimFinished(_Event):
    """The sim ended, and no tick follows. `winner` is null for a draw."""

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
    """Say whether an event, as a row, concerns a faction: it acted, won, lost, or took part in the battle."""
    forces = event.get("forces")
    sides = [side.get("faction") for side in forces if isinstance(side, dict)] if isinstance(forces, list) else []
    return faction in sides or any(event.get(name) == faction for name in _FACTIONS)
