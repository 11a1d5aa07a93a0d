"""JSON of orders."""

import pytest
from pydantic import ValidationError

from sector.models import ORDER, AddFleet, Join, MoveFleet, Note, SetOwner
from sector.models.field_types import MAX_SHIPS
from sector.models.orders import references


@pytest.mark.parametrize(
    "order",
    [
        Join(faction="Me"),
        SetOwner(faction="Me", system="S1"),
        SetOwner(faction=None, system="S1"),
        AddFleet(faction="Me", system="S1", ships=MAX_SHIPS),
        MoveFleet(faction="Me", system="S1", target="S20", ships=1),
        Note(faction="Me", text="Hallo Welt ✓", system=None),
    ],
)
def test_an_order_survives_a_json_round_trip(order: object) -> None:
    assert ORDER.validate_json(ORDER.dump_json(order)) == order  # type: ignore[arg-type]  # any of the union


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"type": "explode"}', ""),
        ('{"faction": "Me"}', ""),
        ('{"type": "join", "faction": "Me", "colour": "red"}', "colour"),
        ('{"type": "join"}', "faction"),
        ('{"type": "join", "faction": "9lives"}', "faction"),
        ('{"type": "join", "faction": null}', "faction"),
        ('{"type": "add_fleet", "faction": "Me", "system": "S1", "ships": "5"}', "ships"),
        ('{"type": "add_fleet", "faction": "Me", "system": "S1", "ships": 5.0}', "ships"),
        ('{"type": "add_fleet", "faction": "Me", "system": "S1", "ships": true}', "ships"),
        ('{"type": "add_fleet", "faction": "Me", "system": "S1", "ships": 0}', "ships"),
        ('{"type": "add_fleet", "faction": "Me", "system": "S1", "ships": 1208925819614629174706176}', "ships"),
        ('{"type": "add_fleet", "faction": "Me", "system": "s1", "ships": 1}', "system"),
        ('{"type": "add_fleet", "faction": "Me", "system": "S01", "ships": 1}', "system"),
        ('{"type": "note", "faction": "Me", "text": ""}', "text"),
    ],
)
def test_an_invalid_order_is_rejected_with_the_name_of_the_field(body: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ORDER.validate_json(body)
    assert field == "" or refused.value.errors()[0]["loc"][-1] == field


def test_references_of_an_order_name_field_table_and_id() -> None:
    move = MoveFleet(faction="Me", system="S1", target="S2", ships=1)
    assert list(references(move)) == [
        ("faction", "factions", "Me"),
        ("system", "systems", "S1"),
        ("target", "systems", "S2"),
    ]


def test_join_and_null_refer_to_no_row() -> None:
    assert list(references(Join(faction="New"))) == []
    assert list(references(SetOwner(faction=None, system="S1"))) == [("system", "systems", "S1")]
