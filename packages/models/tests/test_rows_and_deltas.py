"""Conversion of frames to rows, and application of deltas."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sector.models.delta import DeltaError, apply_delta
from sector.models.frame import Column, Frame, FrameError, Table, decode, encode
from sector.models.rows import event_rows, has_row, table_rows


def _column(code: str, *values: int, refers_to: str | None = None) -> Column:
    return Column(memoryview(array(code, values)), refers_to)


MAP = Frame("map", {}, {"systems": Table(2, {"x": _column("i", 5, 6)}, {"name": ("Alpha", "Beta")}, "S")})
BEFORE = Frame(
    "snapshot",
    {"tick": 1},
    {
        "systems": Table(
            2, {"owner": _column("h", -1, 0, refers_to="factions"), "ships": _column("q", 7, 8)}, prefix="S"
        ),
        "factions": Table(1, {"supply": _column("q", 3)}, {"id": ("Me",)}),
        "fleets": Table(1, {"id": _column("q", 4), "target": _column("i", 1, refers_to="systems")}, prefix="F"),
    },
)
DELTA = Frame(
    "delta",
    {"tick": 2},
    {
        "systems.changed": Table(
            1, {"row": _column("i", 0), "owner": _column("h", 1, refers_to="factions"), "ships": _column("q", 9)}
        ),
        "factions.added": Table(1, {"supply": _column("q", 50)}, {"id": ("You",)}),
        "fleets.removed": Table(1, {"id": _column("q", 4)}),
        "fleets.added": Table(1, {"id": _column("q", 5), "target": _column("i", 0, refers_to="systems")}, prefix="F"),
    },
)


def test_tables_of_one_name_are_merged() -> None:
    rows = table_rows([MAP, BEFORE])
    assert rows["systems"] == [
        {"id": "S0", "name": "Alpha", "x": 5, "owner": None, "ships": 7},
        {"id": "S1", "name": "Beta", "x": 6, "owner": "Me", "ships": 8},
    ]
    assert rows["fleets"] == [{"id": "F4", "target": "S1"}]


def test_a_row_has_one_canonical_id() -> None:
    systems, factions, fleets = (BEFORE.tables[name] for name in ("systems", "factions", "fleets"))
    assert has_row(systems, "S1")
    assert not any(has_row(systems, row_id) for row_id in ("S2", "S01", "S", "1", "S-1", "S¹"))
    assert has_row(factions, "Me")
    assert not has_row(factions, "me")
    assert has_row(fleets, "F4")
    assert not has_row(fleets, "F0")


def test_a_delta_changes_removes_and_adds() -> None:
    after = apply_delta(BEFORE, DELTA)
    assert table_rows([after]) == {
        "systems": [{"id": "S0", "owner": "You", "ships": 9}, {"id": "S1", "owner": "Me", "ships": 8}],
        "factions": [{"id": "Me", "supply": 3}, {"id": "You", "supply": 50}],
        "fleets": [{"id": "F5", "target": "S0"}],
    }
    assert encode(after) != encode(BEFORE)


def test_values_of_a_delta_are_not_wider_than_in_the_snapshot() -> None:
    narrow = Table(1, {"row": _column("b", 1), "ships": _column("b", 9)})
    after = apply_delta(BEFORE, Frame("delta", {"tick": 2}, {"systems.changed": narrow}))
    assert after.tables["systems"].columns["ships"].typecode == "q"
    assert after.tables["systems"].columns["ships"].values.tolist() == [7, 9]
    wide = Table(1, {"row": _column("b", 1), "owner": _column("i", 0)})
    with pytest.raises(DeltaError, match=r"systems.changed: owner has the type int32, and the table int16"):
        apply_delta(BEFORE, Frame("delta", {"tick": 2}, {"systems.changed": wide}))


def test_a_change_without_row_numbers_concerns_all_rows() -> None:
    every = Table(2, {"ships": _column("b", 1, 2)})
    delta = Frame("delta", {"tick": 2}, {"systems.changed": every})
    after = apply_delta(BEFORE, delta)
    assert after.tables["systems"].columns["ships"].values.tolist() == [1, 2]
    assert after.tables["systems"].columns["owner"] == BEFORE.tables["systems"].columns["owner"]
    with pytest.raises(DeltaError, match="it has 1 rows, and the table 2"):
        apply_delta(BEFORE, Frame("delta", {"tick": 2}, {"systems.changed": Table(1, {"ships": _column("b", 1)})}))


def test_consecutive_event_numbers_need_no_column() -> None:
    tables = {
        "note": Table(1, {"n": _column("i", 0)}, {"text": ("hello",)}),
        "battle": Table(2, {"ships": _column("b", 5, 6)}),
        "battle.forces": Table(2, {"of": _column("i", 1, 1), "ships": _column("b", 7, 1)}),
        "factions": Table(1, {}, {"id": ("Me",)}),
    }
    frame = decode(encode(Frame("events", {"tick": 3, "first": {"battle": 1}}, tables)))
    note, first, second = event_rows(frame)
    assert note == {"type": "note", "tick": 3, "text": "hello"}
    assert first == {"type": "battle", "tick": 3, "ships": 5, "forces": []}
    assert second == {"type": "battle", "tick": 3, "ships": 6, "forces": [{"ships": 7}, {"ships": 1}]}
    assert event_rows(frame, 2) == [second]
    assert event_rows(frame, 1, 1) == [first]


def test_an_event_may_have_no_fields() -> None:
    frame = Frame("events", {"tick": 3}, {"dawn": Table(2, {"n": _column("i", 0, 1)})})
    assert event_rows(frame) == [{"type": "dawn", "tick": 3}] * 2
    assert event_rows(frame, 1) == [{"type": "dawn", "tick": 3}]


def test_a_reference_to_a_missing_row_is_rejected() -> None:
    fleets = Table(1, {"target": _column("i", 2, refers_to="systems")}, prefix="F")
    with pytest.raises(FrameError, match="a row of systems is outside its 2 rows"):
        table_rows([MAP, Frame("snapshot", {"tick": 1}, {"fleets": fleets})])


def test_removed_rows_lose_their_labels() -> None:
    before = Frame("snapshot", {"tick": 1}, {"towns": Table(2, {"id": _column("q", 3, 5)}, {"name": ("A", "B")}, "T")})
    gone = Frame("delta", {"tick": 2}, {"towns.removed": Table(1, {"id": _column("q", 3)})})
    assert table_rows([apply_delta(before, gone)]) == {"towns": [{"id": "T5", "name": "B"}]}


def test_a_delta_that_does_not_follow_is_rejected() -> None:
    with pytest.raises(DeltaError, match="to tick 2 does not follow tick 2"):
        apply_delta(apply_delta(BEFORE, DELTA), DELTA)


@pytest.mark.parametrize(
    "part",
    [
        {"systems.changed": Table(1, {"row": _column("i", 2), "ships": _column("q", 1)})},
        {"fleets.removed": Table(1, {"id": _column("q", 99)})},
        {"systems.changed": Table(1, {"row": _column("i", -1), "ships": _column("q", 1)})},
        {"systems.changed": Table(1, {"row": _column("i", 0), "melted": _column("q", 1)})},
        {"factions.added": Table(1, {"supply": _column("q", 1)})},
        {"planets.added": Table(0)},
        {"systems.melted": Table(0)},
    ],
)
def test_a_delta_with_another_shape_is_rejected(part: dict[str, Table]) -> None:
    with pytest.raises(DeltaError):
        apply_delta(BEFORE, Frame("delta", {"tick": 2}, part))


_small = st.integers(-128, 127)
_rows = st.dictionaries(st.integers(0, 99), st.tuples(_small, st.booleans()), max_size=8)


@settings(deadline=None)
@given(_rows, st.data())
def test_a_delta_gives_the_same_table_as_plain_lists(before: dict[int, tuple[int, bool]], data: st.DataObject) -> None:
    """Change some or all rows, remove some, and add others.

    The bytes are those of a table that is encoded from the result.
    """
    ids = list(before)
    parts: dict[str, Table] = {}
    rows = sorted(data.draw(st.sets(st.sampled_from(range(len(ids)))))) if ids else []
    after = dict(before)
    for row in rows:
        after[ids[row]] = (data.draw(_small), before[ids[row]][1])
    changed = {"value": _column("b", *(after[ids[row]][0] for row in rows))}
    if len(rows) < len(ids) or data.draw(st.booleans()):
        changed["row"] = _column("b", *rows)
    parts["things.changed"] = Table(len(rows), changed)
    gone = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
    parts["things.removed"] = Table(len(gone), {"id": _column("b", *gone)})
    come = {each + 100: of for each, of in data.draw(_rows).items()}
    parts["things.added"] = _things(come)
    after = {each: of for each, of in after.items() if each not in gone} | come
    applied = apply_delta(
        Frame("snapshot", {"tick": 1}, {"things": _things(before)}), Frame("delta", {"tick": 2}, parts)
    )
    assert encode(applied) == encode(Frame("snapshot", {"tick": 2}, {"things": _things(after)}))


def _things(of: dict[int, tuple[int, bool]]) -> Table:
    flags = Column(memoryview(bytes(flag for _, flag in of.values())).cast("?"))
    columns = {"id": _column("q", *of), "value": _column("i", *(value for value, _ in of.values())), "flag": flags}
    return Table(len(of), columns, {"name": tuple(f"T{each}" for each in of)}, "T")
