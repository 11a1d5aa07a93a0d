"""Field types that several models share: ids, references to rows of tables, and sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar, get_args

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

MAX_SHIPS = 10**12
"""The maximum of ships in a garrison or a fleet, and of supply of a faction. A sum of a million of them fits an int64."""


@dataclass(frozen=True, slots=True)
class RefersTo:
    """Marks a field whose value must be the id of a row of `table` in the snapshot or the map."""

    table: str


SIM_ID = "[a-z0-9][a-z0-9_-]{0,62}"
SimId = Annotated[str, Field(pattern=f"^{SIM_ID}$", description="Id of a sim.", examples=["default"])]
SystemId = Annotated[
    str, RefersTo("systems"), Field(pattern=r"^S(0|[1-9][0-9]{0,8})$", description="Id of a system.", examples=["S0"])
]
FACTION_ID = "[A-Za-z][A-Za-z0-9_-]{0,31}"
NewFactionId = Annotated[str, Field(pattern=f"^{FACTION_ID}$", description="Id of a faction.", examples=["Aurora"])]
FactionId = Annotated[NewFactionId, RefersTo("factions")]
Ships = Annotated[int, Field(ge=1, le=MAX_SHIPS, description="A number of ships.")]

# (a `type` statement would add its name to JSON schemas)
_Item = TypeVar("_Item")


class _AsTuple:
    """Validates a sequence as a tuple. Validation stops at the first invalid item."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        (item,) = get_args(source)
        items = [handler.generate_schema(item)]
        schema = core_schema.tuple_schema(items, variadic_item_index=0, strict=True, fail_fast=True)
        return core_schema.no_info_before_validator_function(_to_tuple, schema)


def _to_tuple(value: object) -> object:
    # A set has no order, and a string is a sequence of strings.
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else value


Items = Annotated[Sequence[_Item], _AsTuple()]
"""A field that accepts a list or another sequence and stores a tuple, because models are immutable.

Validation stops at the first invalid item: a request of 1 MB can contain 300,000 of them, with several errors each. A
limit of its length is a separate annotation: `Annotated[Items[X], Field(max_length=...)]`.
"""
