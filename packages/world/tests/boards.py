"""Small boards for tests: systems in a row, set up by hand."""

from collections.abc import Sequence
from copy import replace

import numpy as np

from sector.models import ORDER, LoggedOrder, Order, SimConfig
from sector.models.events import EVENT, Event
from sector.models.rows import event_rows
from sector.world.codec import events_frame
from sector.world.galaxy import Galaxy
from sector.world.state import NEUTRAL, Factions, Fleets, WorldState
from sector.world.tick import TickResult, advance

NO_OWNER, RED, BLUE = NEUTRAL, 0, 1


def make_board(*systems: tuple[int, int], supply: int = 100, **config: object) -> WorldState:
    """Return a board of systems (owner, ships) in a row.

    Lanes take 3 ticks, growth is 1 and yield 2. Red is row 0, Blue row 1.
    """
    count = len(systems)
    near, every = np.arange(count - 1, dtype=np.int32), np.arange(count, dtype=np.int32)
    galaxy = Galaxy(
        names=tuple(f"N{i}" for i in range(count)),
        x=every * 3,
        y=every * 0,
        growth=np.ones(count, np.int32),
        supply_yield=np.full(count, 2, np.int32),
        lane_a=near,
        lane_b=near + 1,
        lane_length=np.full(count - 1, 3, np.int32),
        home=every[::-1].copy(),
    )
    factions = Factions(
        ("Red", "Blue"),
        np.array([supply, supply]),
        np.zeros(2, np.bool_),
        np.ones(2, np.bool_),
        np.zeros(2, np.int32),
    )
    long, short, plain = np.empty(0, np.int64), np.empty(0, np.int16), np.empty(0, np.int32)
    fleets = Fleets(long, short, plain, plain, long, plain, plain)
    owner, ships = np.array([o for o, _ in systems], np.int16), np.array([n for _, n in systems], np.int64)
    settings = SimConfig.model_validate({"systems": count, "homes": 1, "puppets": (), **config})
    return WorldState(settings, galaxy, 0, "running", -1, 0, owner, ships, factions, fleets)


def log_orders(*orders: Order, admin: bool = False) -> list[LoggedOrder]:
    """Return the orders as entries of the log, with the ids 1-0, 2-0, …"""
    return [LoggedOrder(f"{n}-0", "test", admin, ORDER.dump_json(order)) for n, order in enumerate(orders, 1)]


def tick_events(tick: TickResult, orders: Sequence[LoggedOrder]) -> list[Event]:
    """Return the events of a tick. `orders`: the entries of the log for that tick."""
    return [EVENT.validate_python(row) for row in event_rows(events_frame(tick, orders))]


def advance_ticks(
    state: WorldState, *orders: Order, ticks: int = 1, admin: bool = False
) -> tuple[WorldState, list[Event]]:
    """Return the state after `ticks`, and all events. The orders are those of the first tick."""
    events: list[Event] = []
    for number in range(ticks):
        given = log_orders(*orders, admin=admin) if number == 0 else []
        tick = advance(state, given)
        events += tick_events(tick, given)
        state = tick.state
    return state, events


def without_growth(state: WorldState) -> WorldState:
    """Return the board with growth 0, so that only orders and battles change garrisons."""
    galaxy = state.galaxy
    return replace(state, galaxy=replace(galaxy, growth=galaxy.growth * 0))
