"""Snapshot: the state of a sim at one tick, as rows for clients."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Row(BaseModel):
    # Fields that this version does not know are ignored, so that a client works with later versions of the server.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Faction(_Row):
    """A faction.

    `colour`: #rrggbb. `puppet`: whether the world plays it. `alive`: whether it still takes part.
    """

    id: str
    colour: str
    supply: int
    puppet: bool
    alive: bool


class System(_Row):
    """A system. `growth`: ships per tick. `supply_yield`: supply per tick. `owner` is null for a neutral system."""

    id: str
    name: str
    x: int
    y: int
    growth: int
    supply_yield: int
    owner: str | None
    ships: int


class Fleet(_Row):
    """A fleet between two systems. `departed` and `arrives` are ticks, from which its position follows."""

    id: str
    owner: str
    origin: str
    target: str
    ships: int
    departed: int
    arrives: int


class Lane(_Row):
    """A lane between two systems, for both directions. `length`: the travel time in ticks."""

    a: str
    b: str
    length: int


class Home(_Row):
    """A system that a faction may get when it joins, while the system is neutral."""

    system: str


class Snapshot(_Row):
    """The state of a sim at `tick`.

    `at_ms`: when the tick was committed, in milliseconds since 1970. It is null if that is no longer stored.
    """

    sim: str
    tick: int
    at_ms: int | None
    status: Literal["running", "finished"]
    winner: str | None
    state_hash: str
    factions: tuple[Faction, ...]
    systems: tuple[System, ...]
    fleets: tuple[Fleet, ...]
    lanes: tuple[Lane, ...]
    homes: tuple[Home, ...]
