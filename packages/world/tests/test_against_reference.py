"""The engine and the simple reference compute the same states and events, whether orders are applied in bulk or one by
one.
"""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass

import numpy as np
import pytest
from boards import tick_events
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import Board, Faction, Fleet, Row, System

from fixtures.long import max_examples
from sector.models import ORDER, AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, SetOwner, SimConfig
from sector.models.field_types import MAX_SHIPS
from sector.models.rows import event_rows
from sector.world import bulk, tick
from sector.world.codec import events_frame
from sector.world.sector import initial_state
from sector.world.state import FLEET_DTYPES, Fleets, WorldState

SYSTEMS = 6
PLAYERS = ("Red", "Blue", "Green")


@dataclass(frozen=True)
class OrderDraft:
    """A plan for an order.

    Its content depends on the owner of the system when it is issued, so that most orders are valid.
    """

    kind: str
    system: int
    faction: str | None
    beside: int | None
    ships: int
    admin: bool
    spelling: int

    def entry(self, place: str, state: WorldState) -> LoggedOrder:
        """Return the order as an entry of the log."""
        row = -1 if self.system >= len(state.owner) else int(state.owner[self.system])
        faction = self.faction or (state.factions.ids[row] if row >= 0 else PLAYERS[0])
        return LoggedOrder(place, "x", self.admin, _spelled(self._order(faction, state), self.spelling))

    def _order(self, faction: str, state: WorldState) -> Order:
        system = f"S{self.system}"
        match self.kind:
            case "move":
                beside = [] if self.system >= len(state.owner) else state.galaxy.neighbours(self.system).tolist()
                target = self.ships % 7 if self.beside is None or not beside else beside[self.beside % len(beside)]
                return MoveFleet(faction=faction, system=system, target=f"S{target}", ships=self.ships)
            case "muster":
                return AddFleet(faction=faction, system=system, ships=self.ships)
            case "own":
                return SetOwner(faction=None if self.beside is None else faction, system=system)
            case "join":
                return Join(faction=faction)
            case _:
                return Note(faction=faction, text="hello", system=system)


_wishes = st.builds(
    OrderDraft,
    kind=st.sampled_from(["move"] * 8 + ["muster"] * 5 + ["own"] * 2 + ["join", "note"]),
    system=st.sampled_from([*range(SYSTEMS)] * 4 + [SYSTEMS]),
    faction=st.sampled_from([None] * 9 + [*PLAYERS, "Late", "Ghost"]),
    beside=st.sampled_from([0, 0, 1, 1, 2, 3, None]),
    ships=st.integers(1, 12) | st.integers(10, 30) | st.sampled_from([MAX_SHIPS, MAX_SHIPS - 20, 8]),
    admin=st.sampled_from([False, False, False, True]),
    spelling=st.integers(0, 20),
)


def _spelled(order: Order, spelling: int) -> bytes:
    """Return the body of an order in the spelling of the API or in another one."""
    plain = ORDER.dump_json(order)
    return {1: b" " + plain, 2: plain[:-1] + b', "odd": 1}', 3: b"nonsense", 4: plain + b"\n" + plain, 5: b""}.get(
        spelling, plain
    )


_batches = st.lists(st.lists(_wishes, min_size=6, max_size=30), min_size=1, max_size=5)
_owned = st.lists(
    st.tuples(st.sampled_from([-1, 0, 0, 1, 1, 2]), st.integers(0, 40) | st.just(MAX_SHIPS - 15)),
    min_size=SYSTEMS,
    max_size=SYSTEMS,
)
_flying = st.lists(
    st.tuples(  # owner, origin, target, ships, ticks under way, ticks left
        st.integers(0, len(PLAYERS) - 1),
        st.integers(0, SYSTEMS - 1),
        st.integers(0, SYSTEMS - 1),
        st.integers(1, 40) | st.just(MAX_SHIPS),
        st.integers(0, 5),
        st.integers(1, 4),
    ),
    max_size=14,
)
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
    st.integers(0, 60),
    st.sampled_from([0, 0, 4]),
    st.integers(0, 99),
)


def create_state(
    config: SimConfig, owned: list[tuple[int, int]], flying: list[tuple[int, int, int, int, int, int]]
) -> WorldState:
    """Return a state at tick 0 with the given owners and fleets."""
    owner, ships = np.array([row for row, _ in owned], np.int16), np.array([count for _, count in owned])
    rows = [(n, whose, a, b, count, -gone, left) for n, (whose, a, b, count, gone, left) in enumerate(flying)]
    columns = zip(*rows, strict=True) if rows else ((),) * len(FLEET_DTYPES)
    fleets = Fleets(*(np.array(column, dtype) for column, dtype in zip(columns, FLEET_DTYPES.values(), strict=True)))
    return replace(initial_state(config), owner=owner, ships=ships, fleets=fleets, next_fleet=len(rows))


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
    homes = [f"S{home}" for home in galaxy.home.tolist()]
    return Board(state.config, systems, homes, factions, _fleets(state), next_fleet=state.next_fleet)


def _fleets(state: WorldState) -> list[Fleet]:
    f, names = state.fleets, state.factions.ids
    columns = (f.id, f.owner, f.origin, f.target, f.ships, f.departed, f.arrives)
    return [
        Fleet(f"F{number}", names[owner], f"S{origin}", f"S{target}", *rest)
        for number, owner, origin, target, *rest in zip(*(column.tolist() for column in columns), strict=True)
    ]


def assert_same(state: WorldState, board: Board) -> None:
    """Compare a state with the reference, column by column."""
    names = state.factions.ids
    assert state.tick == board.tick
    assert [None if row < 0 else names[row] for row in state.owner] == [s.owner for s in board.systems.values()]
    assert state.ships.tolist() == [system.ships for system in board.systems.values()]
    assert list(names) == list(board.factions)
    assert state.factions.supply.tolist() == [faction.supply for faction in board.factions.values()]
    assert state.factions.alive.tolist() == [faction.alive for faction in board.factions.values()]
    assert _fleets(state) == board.fleets
    assert (state.status == "finished") == board.finished
    assert (None if state.winner < 0 else names[state.winner]) == board.winner


# A claim spends the supply that a later muster needs.
_CLAIM = OrderDraft("own", SYSTEMS - 1, "Red", beside=0, ships=1, admin=False, spelling=0)
_MUSTER = OrderDraft("muster", 0, None, beside=0, ships=25, admin=False, spelling=0)


@example(
    SimConfig(systems=SYSTEMS, homes=4, puppets=(), players=PLAYERS, start_supply=60),
    [(0, 10)] * (SYSTEMS - 1) + [(-1, 5)],
    [],
    [[_CLAIM, _MUSTER]],
    0,
)
@settings(max_examples=max_examples(400), deadline=None)
@given(_configs, _owned, _flying, _batches, st.sampled_from([0, 0, 10**9]))
def test_engine_and_reference_compute_the_same_states_and_events(
    config: SimConfig,
    owned: list[tuple[int, int]],
    flying: list[tuple[int, int, int, int, int, int]],
    batches: list[list[OrderDraft]],
    few: int,
) -> None:
    state = create_state(config, owned, flying)
    board = board_of(state)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bulk.apply_logged, "__defaults__", (few,))
        for number, batch in enumerate(batches, 1):
            logged = [wish.entry(f"{number}-{n}", state) for n, wish in enumerate(batch)]
            step = tick.advance(state, logged)
            state = step.state
            expected = board.advance(logged)
            tick_events(step, logged)  # raises if a row does not match its type
            assert [_without_detail(row) for row in event_rows(events_frame(step, logged))] == expected
            assert_same(state, board)
            if board.finished:
                break


def _without_detail(row: Mapping[str, object]) -> Row:
    return {name: value for name, value in row.items() if name != "detail"}
