"""Orders: the commands of clients, as a union with the discriminator `type`."""

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sector.models.field_types import FactionId, NewFactionId, RefersTo, Ships, SystemId


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Join(_Order):
    """Join the sim. The faction gets a free home system and its starting supply, if a home is free."""

    type: Literal["join"] = "join"
    faction: NewFactionId


class SetOwner(_Order):
    """Claim a neutral system next to one of your own, for supply.

    With admin scope: give any system to a faction, or make it neutral.
    """

    type: Literal["set_owner"] = "set_owner"
    faction: FactionId | None
    system: SystemId


class AddFleet(_Order):
    """Add ships to the garrison of one of your systems, for supply.

    With admin scope: add ships to any owned system, for free.
    """

    type: Literal["add_fleet"] = "add_fleet"
    faction: FactionId
    system: SystemId
    ships: Ships


class MoveFleet(_Order):
    """Send ships from a garrison along a lane.

    They arrive after as many ticks as the lane is long. They cannot be recalled.
    """

    type: Literal["move_fleet"] = "move_fleet"
    faction: FactionId
    system: SystemId
    target: SystemId
    ships: Ships


class Note(_Order):
    """Publish a text, at a system or without a place. Its only effect is an event."""

    type: Literal["note"] = "note"
    faction: FactionId
    text: Annotated[str, Field(min_length=1, max_length=280)]
    system: SystemId | None = None


Order = Annotated[Join | SetOwner | AddFleet | MoveFleet | Note, Field(discriminator="type")]
ORDER: TypeAdapter[Order] = TypeAdapter(Order)


def _reference_fields() -> dict[type[_Order], tuple[tuple[str, str], ...]]:
    fields_by_type: dict[type[_Order], tuple[tuple[str, str], ...]] = {}
    for order_type in get_args(get_args(Order)[0]):
        fields: list[tuple[str, str]] = []
        for name, field in order_type.model_fields.items():
            # `X | None` has the metadata of X inside the union, and `X` alone has it on the field.
            marks = [*field.metadata, *(mark for part in get_args(field.annotation) for mark in get_args(part)[1:])]
            fields += [(name, mark.table) for mark in marks if isinstance(mark, RefersTo)]
        fields_by_type[order_type] = tuple(fields)
    return fields_by_type


_REFERENCES = _reference_fields()


def references(order: Order) -> Iterator[tuple[str, str, str]]:
    """Yield (field, table, id) for each field of `order` that refers to a row of a table and is not null."""
    for field, table in _REFERENCES[type(order)]:
        if (row_id := getattr(order, field)) is not None:
            yield field, table, row_id
