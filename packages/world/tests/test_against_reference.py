"""The engine does what the plain, slow reference does: state and events, tick by tick, whichever way orders are applied."""

from collections.abc import Sequence

import pytest
from boards import happened
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Board, Faction, Fleet, Row, System

from sector.models import ORDER, AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, SetOwner, SimConfig
from sector.models.names import MAX_SHIPS
from sector.models.rows import event_rows
from sector.world import bulk, tick
from sector.world.codec import events_frame
from sector.world.sector import founded
from sector.world.state import WorldState

SYSTEMS = 9
PLAYERS = ("Red", "Blue", "Green")

_systems = st.integers(0, SYSTEMS).map(lambda n: f"S{n}")
_factions = st.sampled_from([*PLAYERS, "Late", "Ghost"])
_ships = st.integers(1, 12) | st.integers(20, 60) | st.just(MAX_SHIPS)
_moves = st.builds(MoveFleet, faction=_factions, system=_systems, target=_systems, ships=_ships)
_orders: st.SearchStrategy[Order] = st.one_of(
    _moves,
    st.builds(MoveFleet, faction=st.just("Red"), system=_systems, target=_systems, ships=st.integers(1, 9)),
    st.builds(AddFleet, faction=_factions, system=_systems, ships=_ships),
    st.builds(SetOwner, faction=_factions | st.none(), system=_systems),
    st.builds(Join, faction=_factions),
    st.builds(Note, faction=_factions, text=st.text(min_size=1, max_size=5), system=_systems | st.none()),
)


def _spelled(order: Order, spelling: int) -> bytes:
    """Return an order as a body: as the API writes it, or as somebody else might."""
    plain = ORDER.dump_json(order)
    return {1: b" " + plain, 2: plain[:-1] + b', "odd": 1}', 3: b"nonsense"}.get(spelling, plain)


_entries = st.builds(
    lambda order, admin, spelling: (_spelled(order, spelling), admin),
    _orders,
    st.sampled_from([False, False, True]),
    st.integers(0, 12),
)
_batches = st.lists(st.lists(_entries, max_size=30), min_size=1, max_size=8)
_configs = st.builds(
    lambda travel, preset, supply, ticks, seed: SimConfig(
        systems=SYSTEMS,
        homes=4,
        puppets=(),
        players=PLAYERS,
        travel=travel,
        preset=preset,
        start_supply=supply,
        max_ticks=ticks,
        seed=seed,
    ),
    st.sampled_from(["lanes", "lanes", "direct"]),
    st.sampled_from(["sector", "sector", "sector", "classic"]),
    st.integers(0, 300),
    st.sampled_from([0, 0, 4]),
    st.integers(0, 99),
)


def board_of(state: WorldState) -> Board:
    """Return the reference board of a state at tick 0."""
    galaxy, names = state.galaxy, state.factions.ids
    columns = (galaxy.x, galaxy.y, galaxy.growth, galaxy.supply_yield, state.owner, state.ships)
    systems = {
        f"S{row}": System(x, y, growth, supply_yield, None if owner < 0 else names[owner], ships)
        for row, (x, y, growth, supply_yield, owner, ships) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    }
    for a, b in zip(galaxy.lane_a.tolist(), galaxy.lane_b.tolist(), strict=True):
        systems[f"S{a}"].lanes.add(f"S{b}")
        systems[f"S{b}"].lanes.add(f"S{a}")
    factions = {
        name: Faction(int(supply), f"S{home}")
        for name, supply, home in zip(names, state.factions.supply, state.factions.home, strict=True)
    }
    return Board(state.config, systems, [f"S{home}" for home in galaxy.home.tolist()], factions, [])


def assert_same(state: WorldState, board: Board) -> None:
    """Hold a state against the reference, column by column."""
    names = state.factions.ids
    assert state.tick == board.tick
    assert [None if row < 0 else names[row] for row in state.owner] == [s.owner for s in board.systems.values()]
    assert state.ships.tolist() == [system.ships for system in board.systems.values()]
    assert list(names) == list(board.factions)
    assert state.factions.supply.tolist() == [faction.supply for faction in board.factions.values()]
    assert state.factions.alive.tolist() == [faction.alive for faction in board.factions.values()]
    columns = zip(*(column.tolist() for column in _fleet_columns(state)), strict=True)
    assert [
        Fleet(f"F{number}", names[owner], f"S{origin}", f"S{target}", *rest)
        for number, owner, origin, target, *rest in columns
    ] == board.fleets
    assert (state.status == "finished") == board.finished
    assert (None if state.winner < 0 else names[state.winner]) == board.winner


def _fleet_columns(state: WorldState) -> Sequence[object]:
    f = state.fleets
    return (f.id, f.owner, f.origin, f.target, f.ships, f.departed, f.arrives)


@settings(max_examples=400, deadline=None)
@given(_configs, _batches, st.sampled_from([0, 4, 10**9]))
def test_engine_and_reference_come_to_the_same_state_and_events(
    config: SimConfig, batches: list[list[tuple[bytes, bool]]], few: int
) -> None:
    state = founded(config)
    board = board_of(state)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bulk.apply_logged, "__defaults__", (few,))
        for number, batch in enumerate(batches, 1):
            logged = [LoggedOrder(f"{number}-{n}", "x", admin, body) for n, (body, admin) in enumerate(batch)]
            step = tick.advance(state, logged)
            state = step.state
            expected = board.advance(logged)
            happened(step, logged)  # raises where a row is not as its type says
            assert [_without_detail(row) for row in event_rows(events_frame(step, logged))] == expected
            assert_same(state, board)
            if board.finished:
                break


def _without_detail(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "detail"}
