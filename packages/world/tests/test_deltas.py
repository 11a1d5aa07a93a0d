"""Deltas: each leads from one snapshot to the bytes of the next one, and contains only changes."""

from copy import replace
from typing import Any

import numpy as np
import pytest
from boards import BLUE, NO_OWNER, RED, log_orders, make_board, without_growth
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.long import max_examples
from sector.models import AddFleet, Join, MoveFleet, Order, SetOwner
from sector.models.delta import apply_delta
from sector.models.frame import Frame, decode, digest, encode
from sector.world import Position, SectorWorld
from sector.world.codec import snapshot_frame
from sector.world.delta import delta_frame
from sector.world.state import NO_FLEETS, WorldState

WORLD = SectorWorld()


def position(state: WorldState) -> Position:
    frame = snapshot_frame(state, parent="")
    return Position(state, frame, digest(encode(frame)))


def check(before: Frame, delta: bytes, snapshot: bytes) -> Frame:
    """Return the decoded delta, after the checks that each delta must pass."""
    frame = decode(delta)
    assert frame.kind == "delta"
    assert encode(apply_delta(before, frame)) == snapshot
    after = decode(snapshot)
    for name, part in frame.tables.items():
        assert part.rows, f"{name} is empty"
        columns = after.tables[name.rpartition(".")[0]].columns
        for column_name in part.columns.keys() & columns.keys():
            assert part.columns[column_name].refers_to == columns[column_name].refers_to
    return frame


def tick(before: Position, *orders: Order, admin: bool = False) -> tuple[Position, dict[str, list[str | int]]]:
    """Return the position after a tick, and the parts of its delta, each with its ids or rows."""
    step = WORLD.advance(before, log_orders(*orders, admin=admin))
    delta = check(before.frame, step.delta, step.snapshot)
    parts: dict[str, list[str | int]] = {}
    for name, part in delta.tables.items():
        if "id" in part.labels:
            parts[name] = list(part.labels["id"])
        else:
            parts[name] = list(part.columns["row" if "row" in part.columns else "id"].values)
    return step.state, parts


def lengths(state: WorldState, *ticks: int) -> WorldState:
    """Return the board with other lengths of its lanes."""
    return replace(state, galaxy=replace(state.galaxy, lane_length=np.array(ticks, np.int32)))


def move(faction: str, system: int, target: int, ships: int) -> MoveFleet:
    return MoveFleet(faction=faction, system=f"S{system}", target=f"S{target}", ships=ships)


def test_a_delta_adds_a_faction_that_joins() -> None:
    before = position(without_growth(make_board((RED, 5), (BLUE, 5), (NO_OWNER, 5), (NO_OWNER, 5))))
    after, parts = tick(before, Join(faction="Green"), Join(faction="Grey"))
    assert parts == {"systems.changed": [2, 3], "factions.changed": [0, 1], "factions.added": ["Green", "Grey"]}
    _, parts = tick(after)
    assert parts == {"factions.changed": [0, 1, 2, 3]}


def test_a_delta_changes_a_faction_that_is_eliminated() -> None:
    before = position(make_board((RED, 5), (BLUE, 5), (NO_OWNER, 5)))
    step = WORLD.advance(before, log_orders(Join(faction="Green"), SetOwner(faction=None, system="S1"), admin=True))
    changed = check(before.frame, step.delta, step.snapshot).tables["factions.changed"].columns
    assert (changed["row"].values.tolist(), changed["alive"].values.tolist()) == ([0, 1], [True, False])


def test_a_delta_adds_fleets_that_depart_and_removes_fleets_that_arrive() -> None:
    state, parts = tick(position(without_growth(make_board((RED, 9), (BLUE, 9)))), move("Red", 0, 1, 1))
    assert (parts["fleets.added"], parts["systems.changed"]) == ([0], [0])
    state, parts = tick(state, move("Blue", 1, 0, 2), move("Red", 0, 1, 2))
    assert (parts["fleets.added"], parts["systems.changed"]) == ([1, 2], [0, 1])
    # One fleet arrives, and another departs in the same tick.
    state, parts = tick(state, move("Red", 0, 1, 1))
    assert (parts["fleets.removed"], parts["fleets.added"], parts["systems.changed"]) == ([0], [3], [0, 1])
    state, parts = tick(state)
    assert (parts["fleets.removed"], "fleets.added" in parts) == ([1, 2], False)
    state, parts = tick(state)
    assert (parts["fleets.removed"], "fleets.added" in parts) == ([3], False)
    _, parts = tick(state)
    assert parts == {"factions.changed": [0, 1]}


def test_a_delta_omits_a_fleet_that_arrives_as_it_departs() -> None:
    state = position(lengths(make_board((RED, 9), (RED, 9), (BLUE, 9)), 1, 3))
    state, parts = tick(state, move("Red", 0, 1, 1))  # the first fleet of the sim
    assert parts.keys() == {"systems.changed", "factions.changed"}
    state, parts = tick(state, move("Red", 1, 2, 1), move("Red", 0, 1, 1))
    assert parts["fleets.added"] == [1]
    # F3 lands at once, and the fleet before it is on the way: F1, then F4.
    state, parts = tick(state, move("Red", 0, 1, 1), move("Red", 1, 2, 1))
    assert (parts["fleets.added"], "fleets.removed" in parts) == ([4], False)
    state, parts = tick(state, move("Red", 0, 1, 1))  # F5, which follows F4
    assert (parts["fleets.removed"], "fleets.added" in parts) == ([1], False)


def test_a_delta_without_changes_has_no_parts() -> None:
    state = without_growth(make_board((RED, 9), (BLUE, 9)))
    _, parts = tick(position(replace(state, galaxy=replace(state.galaxy, supply_yield=state.galaxy.growth))))
    assert parts == {}


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("systems", "owner", BLUE),
        ("systems", "ships", 99),
        ("factions", "supply", 99),
        ("factions", "puppet", True),
        ("factions", "alive", False),
        ("factions", "home", 1),
    ],
)
def test_a_delta_has_the_column_and_the_row_that_changed(table: str, column: str, value: int) -> None:
    """The current rules never change `puppet` or `home`.

    The delta of a state in which they changed is complete nonetheless.
    """
    state = make_board((RED, 5), (RED, 6), (NO_OWNER, 7))
    frame = snapshot_frame(state, parent="")
    values = np.array(frame.tables[table].columns[column].values)
    values[1] = value
    changes: dict[str, Any] = {column: values}
    if table == "factions":
        changes = {"factions": replace(state.factions, **changes)}
    after = replace(state, tick=1, **changes)
    snapshot = snapshot_frame(after, parent="")
    delta = check(frame, encode(delta_frame(state, after, NO_FLEETS.id, snapshot.meta)), encode(snapshot))
    assert {name: part.columns.keys() for name, part in delta.tables.items()} == {f"{table}.changed": {column, "row"}}
    part = delta.tables[f"{table}.changed"].columns
    assert (part["row"].values.tolist(), part[column].values.tolist()) == ([1], [value])


@pytest.mark.parametrize(
    ("systems", "changed", "named"),
    [
        (1_023, 1_023, True),
        (1_024, 1_024, False),
        (2_000, 1_500, True),
        (2_000, 1_501, False),
        (10_000, 1_024, True),
    ],
)
def test_a_delta_has_row_numbers_unless_most_rows_changed(systems: int, changed: int, named: bool) -> None:
    state = make_board(*[(NO_OWNER, 5)] * systems)
    owner = state.owner.copy()
    owner[:changed] = BLUE
    after = replace(state, tick=1, owner=owner)
    snapshot = snapshot_frame(after, parent="")
    frame = delta_frame(state, after, NO_FLEETS.id, snapshot.meta)
    part = check(snapshot_frame(state, parent=""), encode(frame), encode(snapshot)).tables["systems.changed"]
    assert ("row" in part.columns, part.rows) == (named, changed if named else systems)


_systems = st.integers(1, 4)
_factions = st.sampled_from(["Red", "Blue", "Green"])
_orders: st.SearchStrategy[Order] = st.one_of(
    st.builds(Join, faction=st.sampled_from(["Green", "Grey"])),
    st.builds(SetOwner, faction=_factions | st.none(), system=_systems.map("S{}".format)),
    st.builds(AddFleet, faction=_factions, system=_systems.map("S{}".format), ships=st.integers(1, 9)),
    st.builds(
        lambda system, way, ships: move("Red", system, system + way, ships),
        _systems,
        st.sampled_from([-1, 1]),
        st.integers(1, 3),
    ),
)
_batches = st.lists(st.lists(_orders, max_size=5), min_size=2, max_size=9)


@settings(max_examples=max_examples(80), deadline=None)
@given(st.lists(st.integers(1, 4), min_size=5, max_size=5), _batches)
def test_deltas_lead_to_the_same_bytes_for_any_orders_of_an_admin(lanes: list[int], batches: list[list[Order]]) -> None:
    """An admin moves the ships of any faction, so most of these orders have an effect."""
    before = position(
        lengths(make_board((RED, 9), (RED, 9), (RED, 9), (BLUE, 9), (NO_OWNER, 3), (NO_OWNER, 3)), *lanes)
    )
    for batch in batches:
        step = WORLD.advance(before, log_orders(*batch, admin=True))
        check(before.frame, step.delta, step.snapshot)
        before = step.state
        if step.finished:
            break


def test_only_the_last_step_of_a_sim_is_finished() -> None:
    before, finished = position(make_board((RED, 9), (BLUE, 9), max_ticks=3)), []
    for _ in range(3):
        step = WORLD.advance(before, [])
        before = step.state
        finished.append(step.finished)
    assert finished == [False, False, True]
