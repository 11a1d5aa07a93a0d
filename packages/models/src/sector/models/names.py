"""What ids look like, what they point at, and types that several models share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

MAX_SHIPS = 10**12
"""Most ships that a garrison or a fleet holds, and most supply a faction holds: sums of a million of them fit an int64."""


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

# (not a `type` statement: JSON schemas would name it)
_Item = TypeVar("_Item")
Items = Annotated[Sequence[_Item], AfterValidator(tuple)]
"""A field that takes a list or any other sequence, in Python too, and is a tuple afterwards: models are immutable."""
