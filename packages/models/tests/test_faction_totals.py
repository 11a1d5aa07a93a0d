"""The totals of factions are the same from a frame and from rows."""

from array import array

import pytest

from sector.models import Snapshot
from sector.models.faction_totals import FactionTotals
from sector.models.frame import Column, Frame, FrameError, Table, decode, encode
from sector.models.rows import table_rows


def _column(code: str, *values: int, refers_to: str | None = None) -> Column:
    return Column(memoryview(array(code, values)), refers_to)


FRAME = Frame(
    "snapshot",
    {"tick": 7},
    {
        "systems": Table(
            3,
            {
                **{name: _column("i", 1, 2, 3) for name in ("x", "y", "growth", "supply_yield")},
                "owner": _column("h", 1, -1, 1, refers_to="factions"),
                "ships": _column("q", 10, 500, 2**52),
            },
            {"name": ("Alpha", "Beta", "Gamma")},
            "S",
        ),
        "factions": Table(
            3,
            {"supply": _column("q", 3, 4, 0), "puppet": _column("b", 0, 1, 0), "alive": _column("b", 1, 1, 0)},
            {"id": ("Me", "You", "Out"), "colour": ("#000000", "#111111", "#222222")},
        ),
        "fleets": Table(
            2,
            {
                "id": _column("q", 4, 5),
                "owner": _column("h", 0, 1, refers_to="factions"),
                "ships": _column("q", 6, 1),
                "origin": _column("i", 0, 0, refers_to="systems"),
                "target": _column("i", 1, 1, refers_to="systems"),
                "departed": _column("i", 5, 5),
                "arrives": _column("i", 9, 9),
            },
            prefix="F",
        ),
    },
)
TOTALS = FactionTotals(7, ("Me", "You", "Out"), (0, 2, 0), (6, 2**52 + 11, 0), (3, 4, 0))


def test_totals_of_a_frame_count_garrisons_and_fleets() -> None:
    assert FactionTotals.from_frame(decode(encode(FRAME)), 7) == TOTALS


def test_totals_of_rows_are_those_of_the_frame() -> None:
    head = {"sim": "default", "tick": 7, "at_ms": 1, "status": "running", "winner": None, "state_hash": "0" * 32}
    snapshot = Snapshot.model_validate({**head, **table_rows([FRAME]), "lanes": [], "homes": []})
    assert FactionTotals.from_snapshot(snapshot) == TOTALS


def test_totals_are_columns_of_json() -> None:
    json = {"tick": 7, "systems": [0, 2, 0], "ships": [6, 2**52 + 11, 0], "supply": [3, 4, 0]}
    assert TOTALS.to_json() == json


@pytest.mark.parametrize("name", ["systems", "fleets", "factions"])
def test_a_frame_of_another_kind_of_world_is_an_error(name: str) -> None:
    tables = {other: table for other, table in FRAME.tables.items() if other != name}
    with pytest.raises(FrameError, match="the snapshot of tick 7 lacks factions, systems or fleets"):
        FactionTotals.from_frame(Frame("snapshot", {}, tables), 7)
