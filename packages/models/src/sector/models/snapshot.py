"""Snapshot: the state of a sim at one tick, as rows that clients read."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Row(BaseModel):
    # A client must outlive the server's next version: fields it does not know are passed over.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Faction(_Row):
    """A faction: its colour as #rrggbb, its supply, whether the world plays it, and whether it is still in."""

    id: str
    colour: str
    supply: int
    puppet: bool
    alive: bool


class System(_Row):
    """A system. `growth` is in ships a tick, `supply_yield` in supply a tick; `owner` null: neutral."""

    id: str
    name: str
    x: int
    y: int
    growth: int
    supply_yield: int
    owner: str | None
    ships: int


class Fleet(_Row):
    """A fleet under way. Its place follows from `departed` and `arrives`, in ticks."""

    id: str
    owner: str
    origin: str
    target: str
    ships: int
    departed: int
    arrives: int


class Lane(_Row):
    """A lane between two systems. Fleets go both ways in `length` ticks."""

    a: str
    b: str
    length: int


class Home(_Row):
    """A system that a faction gets when it joins, while it is neutral."""

    system: str


class Snapshot(_Row):
    """The state of a sim at `tick`, committed at `at_ms` (milliseconds since 1970; null where that is kept no longer)."""

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
