"""The JSON Schema files of the package describe the types."""

from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from sector.models import ORDER, schemas


@pytest.mark.parametrize("name", schemas.FILES)
def test_the_files_are_up_to_date(name: str) -> None:
    stored = resources.files("sector.models").joinpath(name).read_text()
    assert stored == schemas.text(name), "python -m sector.models.schemas writes it anew"


@pytest.mark.parametrize(
    ("order", "valid"),
    [
        ({"type": "join", "faction": "Me"}, True),
        ({"type": "join", "faction": "a b"}, False),
        ({"type": "fly"}, False),
        ({"type": "note", "faction": "Me", "text": "x", "more": 1}, False),
        ({"type": "move_fleet", "faction": "Me", "system": "S0", "target": "S1", "ships": 0}, False),
        ({"type": "move_fleet", "faction": "Me", "system": "S0", "target": "S1", "ships": 10**12}, True),
    ],
)
def test_the_schema_of_orders_accepts_the_same_values_as_the_type(order: dict[str, object], valid: bool) -> None:
    validator = Draft202012Validator(schemas.FILES["orders.schema.json"].json_schema())
    assert validator.is_valid(order) is valid
    try:
        ORDER.validate_python(order)
    except ValueError:
        assert not valid
