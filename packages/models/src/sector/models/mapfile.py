"""MapFile: a map from a file, to create a sim with instead of a generated map."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sector.models.field_types import MAX_SHIPS, Items, SystemId
from sector.models.regular_file import read_file

MAX_SYSTEMS = 100_000
MAX_LANES = 1_000_000
MAX_COORDINATE = 10**6
"""The maximum of a coordinate.

Squared distances stay below 2**53, so every machine rounds their square roots up to the same integer.
"""

MAX_RATE = 10**6
"""The maximum of growth and supply yield, each per tick. Sums over all systems stay below 2**53."""

MAX_FILE_BYTES = 64 * 2**20
"""The largest possible map has about 60 MB when it is indented."""

Coordinate = Annotated[int, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Rate = Annotated[int, Field(ge=0, le=MAX_RATE)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MapSystem(_Part):
    """A system of a map. `ships`: its garrison at tick 0; `growth`: ships per tick; `supply_yield`: supply per tick."""

    id: SystemId
    name: Annotated[str, Field(min_length=1, max_length=40)]
    x: Coordinate
    y: Coordinate
    growth: Rate
    supply_yield: Rate
    ships: Annotated[int, Field(ge=0, le=MAX_SHIPS)]


class MapLane(_Part):
    """A lane between two systems. Its length is their distance, rounded up, and at least 1 tick."""

    a: SystemId
    b: SystemId


class MapFile(_Part):
    """A whole map.

    Systems have the ids S0, S1, … in any order, and lanes connect all of them. Factions get the homes in this order.
    """

    systems: Annotated[Items[MapSystem], Field(min_length=2, max_length=MAX_SYSTEMS)]
    lanes: Annotated[Items[MapLane], Field(max_length=MAX_LANES)] = ()
    homes: Annotated[Items[SystemId], Field(min_length=1, max_length=1_000)]

    @model_validator(mode="after")
    def _is_one_map(self) -> Self:
        ids = [system.id for system in self.systems]
        _check_unique("system", ids)
        system_ids = set(ids)
        if missing := next((f"S{n}" for n in range(len(ids)) if f"S{n}" not in system_ids), None):
            raise ValueError(f"the ids of {len(ids)} systems must be S0 to S{len(ids) - 1}: {missing} is missing")
        _check_unique("system name", [system.name for system in self.systems])
        for lane in self.lanes:
            _check_system_ids(f"lane {lane.a}-{lane.b}", (lane.a, lane.b), system_ids)
            if lane.a == lane.b:
                raise ValueError(f"lane {lane.a}-{lane.b} must join two different systems")
        _check_unique("lane", ["-".join(sorted((lane.a, lane.b))) for lane in self.lanes])
        _check_system_ids("homes", self.homes, system_ids)
        _check_unique("home", self.homes)
        return self


def read_map(path: Path) -> MapFile:
    """Return the map in a JSON file.

    Raises sector.models.regular_file.FileError for a file that cannot be read, and pydantic.ValidationError for an
    invalid map.
    """
    return MapFile.model_validate_json(read_file(path, MAX_FILE_BYTES))


def _check_unique(what: str, ids: Sequence[str]) -> None:
    twice = next((each for each, count in Counter(ids).items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"{what} {twice} appears more than once")


def _check_system_ids(where: str, ids: Iterable[str], system_ids: set[str]) -> None:
    for each in ids:
        if each not in system_ids:
            raise ValueError(f"{where}: system {each} does not exist")
