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
    """A faction that the world plays. A plain name stands for a puppet of temperament `steady`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    faction: NewFactionId
    temperament: Temperament = "steady"


def _puppet_of_name(value: object) -> object:
    return Puppet(faction=value) if isinstance(value, str) else value


PuppetOrName = Annotated[Puppet, BeforeValidator(_puppet_of_name, json_schema_input_type=Puppet | NewFactionId)]
_PUPPETS = (Puppet(faction="Crimson", temperament="raider"), Puppet(faction="Azure"))


def _by_preset[T](default: T, classic: T) -> Callable[[Mapping[str, object]], T]:
    """Return a factory of defaults that depend on the preset. `classic`: the value of the Planet Wars rules of 2010."""
    return lambda fields: classic if fields.get("preset") == "classic" else default


def _by_map(default: int, part: Literal["systems", "homes"]) -> Callable[[Mapping[str, object]], int]:
    """Return a factory of defaults that are the size of a part of the map, if the config has a map."""

    def count(fields: Mapping[str, object]) -> int:
        map_file = fields.get("map")
        return len(getattr(map_file, part)) if isinstance(map_file, MapFile) else default

    return count


def _schema_default(default: JsonValue) -> dict[str, JsonValue]:
    """Return the JSON Schema of a default that depends on other fields: the value for a config without them."""
    return {"default": default}


class GameConfig(BaseModel):
    """The map, the rules, and the factions that take part from the beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    preset: Literal["sector", "classic"] = Field(
        default="sector",
        description="The rules of the game: those of Sector, or those of Planet Wars, which have no supply and only moves.",
    )
    seed: int = Field(
        default=1,
        ge=0,
        lt=2**63,
        description="Seed of the generated map. The same seed gives the same map everywhere.",
    )
    map: MapFile | None = Field(default=None, description="A map to use instead of a generated one.")
    systems: int = Field(
        default_factory=_by_map(60, "systems"),
        ge=2,
        le=MAX_SYSTEMS,
        description="Number of systems on the map.",
        json_schema_extra=_schema_default(60),
    )
    homes: int = Field(
        default_factory=_by_map(6, "homes"),
        ge=1,
        le=MAX_FACTIONS,
        description="Maximum number of factions, including puppets.",
        json_schema_extra=_schema_default(6),
    )
    players: Annotated[Items[NewFactionId], Field(max_length=MAX_FACTIONS)] = Field(
        default=(), description="Factions that take part from the beginning."
    )
    puppets: Annotated[Items[PuppetOrName], Field(max_length=MAX_FACTIONS)] = Field(
        default_factory=_by_preset(_PUPPETS, ()),
        description="Factions that the world plays: names, or names with a temperament.",
        json_schema_extra=_schema_default([puppet.model_dump() for puppet in _PUPPETS]),
    )
    travel: Travel = Field(
        default_factory=_by_preset("lanes", "direct"),
        description="Whether fleets travel along lanes or directly between any two systems.",
        json_schema_extra=_schema_default("lanes"),
    )
    home_ships: Amount = Field(
        default_factory=_by_preset(60, 100),
        description="Ships in the garrison of a home system, before and after a faction joins.",
        json_schema_extra=_schema_default(60),
    )
    start_supply: Amount = Field(
        default_factory=_by_preset(50, 0),
        description="Supply of a faction when it joins.",
        json_schema_extra=_schema_default(50),
    )
    muster_cost: Amount = Field(
        default_factory=_by_preset(2, 0),
        description="Supply per ship in `add_fleet`.",
        json_schema_extra=_schema_default(2),
    )
    claim_base: Amount = Field(
        default_factory=_by_preset(20, 0),
        description="Supply for a claim, in addition to `claim_per_ship`.",
        json_schema_extra=_schema_default(20),
    )
    claim_per_ship: Amount = Field(
        default_factory=_by_preset(1, 0),
        description="Supply for a claim, per ship in the garrison of the system.",
        json_schema_extra=_schema_default(1),
    )
    max_ticks: int = Field(
        default_factory=_by_preset(0, 200),
        ge=0,
        lt=2**31,
        description="The last tick of the sim. 0: the sim has no last tick.",
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
