"""GameConfig: the map, the rules and the factions of a sim. It never changes after the sim is created."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from sector.models.field_types import MAX_SHIPS, Items, NewFactionId
from sector.models.mapfile import MAX_SYSTEMS, MapFile

Amount = Annotated[int, Field(ge=0, le=MAX_SHIPS)]
MAX_FACTIONS = 1_000
Temperament = Literal["settler", "steady", "raider"]
Travel = Literal["lanes", "direct"]


class Puppet(BaseModel):
    """A faction that the world plays; a bare name is one of the temperament `steady`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    faction: NewFactionId
    temperament: Temperament = "steady"


def _puppet_of_name(value: object) -> object:
    return Puppet(faction=value) if isinstance(value, str) else value


PuppetOrName = Annotated[Puppet, BeforeValidator(_puppet_of_name, json_schema_input_type=Puppet | NewFactionId)]
_PUPPETS = (Puppet(faction="Crimson", temperament="raider"), Puppet(faction="Azure"))


def _by_preset[T](default: T, classic: T) -> Callable[[Mapping[str, object]], T]:
    """Return a default that depends on the preset. `classic`: the value of the Planet Wars rules of 2010."""
    return lambda fields: classic if fields.get("preset") == "classic" else default


def _by_map(default: int, part: Literal["systems", "homes"]) -> Callable[[Mapping[str, object]], int]:
    """Return a default that is the size of a part of the map, if the config has a map."""

    def count(fields: Mapping[str, object]) -> int:
        map_file = fields.get("map")
        return len(getattr(map_file, part)) if isinstance(map_file, MapFile) else default

    return count


def _schema_default(default: JsonValue) -> dict[str, JsonValue]:
    """Return what the JSON Schema says of a field whose default depends on others: its default without them."""
    return {"default": default}


class GameConfig(BaseModel):
    """The map, the rules, and the factions that are in from the beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    preset: Literal["sector", "classic"] = Field(
        default="sector", description="The rules: Sector's, or those of Planet Wars (no supply, no orders but moves)."
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="The map follows from it, the same everywhere.")
    map: MapFile | None = Field(default=None, description="A map to use instead of a generated one.")
    systems: int = Field(
        default_factory=_by_map(60, "systems"),
        ge=2,
        le=MAX_SYSTEMS,
        description="How many systems the map has.",
        json_schema_extra=_schema_default(60),
    )
    homes: int = Field(
        default_factory=_by_map(6, "homes"),
        ge=1,
        le=MAX_FACTIONS,
        description="How many factions can be in, puppets included.",
        json_schema_extra=_schema_default(6),
    )
    players: Annotated[Items[NewFactionId], Field(max_length=MAX_FACTIONS)] = Field(
        default=(), description="Factions that are in from the beginning."
    )
    puppets: Annotated[Items[PuppetOrName], Field(max_length=MAX_FACTIONS)] = Field(
        default_factory=_by_preset(_PUPPETS, ()),
        description="Factions that the world plays, from the beginning: names, or names with a temperament.",
        json_schema_extra=_schema_default([puppet.model_dump() for puppet in _PUPPETS]),
    )
    travel: Travel = Field(
        default_factory=_by_preset("lanes", "direct"),
        description="Fleets go along lanes, or anywhere.",
        json_schema_extra=_schema_default("lanes"),
    )
    home_ships: Amount = Field(
        default_factory=_by_preset(60, 100),
        description="The garrison of a home, until it is joined as well as after.",
        json_schema_extra=_schema_default(60),
    )
    start_supply: Amount = Field(
        default_factory=_by_preset(50, 0),
        description="Supply of a faction that joins.",
        json_schema_extra=_schema_default(50),
    )
    muster_cost: Amount = Field(
        default_factory=_by_preset(2, 0),
        description="Supply that a ship costs in `add_fleet`.",
        json_schema_extra=_schema_default(2),
    )
    claim_base: Amount = Field(
        default_factory=_by_preset(20, 0),
        description="Supply that a claim costs ...",
        json_schema_extra=_schema_default(20),
    )
    claim_per_ship: Amount = Field(
        default_factory=_by_preset(1, 0),
        description="... and what each ship of its garrison adds.",
        json_schema_extra=_schema_default(1),
    )
    max_ticks: int = Field(
        default_factory=_by_preset(0, 200),
        ge=0,
        lt=2**31,
        description="The sim ends after this tick; 0: never.",
        json_schema_extra=_schema_default(0),
    )

    @model_validator(mode="after")
    def _check_homes(self) -> Self:
        entering = [*self.players, *(puppet.faction for puppet in self.puppets)]
        if self.map is not None and (self.systems, self.homes) != (len(self.map.systems), len(self.map.homes)):
            raise ValueError("systems and homes must match the map: remove them, or use the numbers of the map")
        if self.homes > self.systems:
            raise ValueError(f"homes ({self.homes}) must not exceed systems ({self.systems})")
        if len(entering) > self.homes:
            raise ValueError(f"players and puppets ({len(entering)}) must not exceed homes ({self.homes})")
        if len(set(entering)) != len(entering):
            raise ValueError("players and puppets must have different names")
        return self
