"""SimConfig: all that is chosen when a sim is founded. It never changes afterwards."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sector.models.field_types import MAX_SHIPS, Items, NewFactionId
from sector.models.mapfile import MAX_SYSTEMS, MapFile

Amount = Annotated[int, Field(ge=0, le=MAX_SHIPS)]
MAX_FACTIONS = 1_000
Temperament = Literal["settler", "steady", "raider"]

CLASSIC = {
    "travel": "direct",
    "max_ticks": 200,
    "home_ships": 100,
    "start_supply": 0,
    "muster_cost": 0,
    "claim_base": 0,
    "claim_per_ship": 0,
    "puppets": (),
}
"""What the preset `classic` sets where the config does not: the Planet Wars rules of 2010."""


class Puppet(BaseModel):
    """A faction that the world plays; a bare name is one of the temperament `steady`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    faction: NewFactionId
    temperament: Temperament = "steady"


def _named(value: object) -> object:
    return Puppet(faction=value) if isinstance(value, str) else value


PuppetOrName = Annotated[Puppet, BeforeValidator(_named, json_schema_input_type=Puppet | NewFactionId)]


class SimConfig(BaseModel):
    """The founding config of a sim: map, rules, who is in, and how much history is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    preset: Literal["sector", "classic"] = Field(
        default="sector", description="The rules: Sector's, or those of Planet Wars (no supply, no orders but moves)."
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="The map follows from it, the same everywhere.")
    systems: int = Field(default=60, ge=2, le=MAX_SYSTEMS, description="How many systems the map has.")
    homes: int = Field(default=6, ge=1, le=MAX_FACTIONS, description="How many factions can be in, puppets included.")
    map: MapFile | None = Field(default=None, description="A map to use instead of a generated one.")
    players: Annotated[Items[NewFactionId], Field(max_length=MAX_FACTIONS)] = Field(
        default=(), description="Factions that are in from the beginning."
    )
    puppets: Annotated[Items[PuppetOrName], Field(max_length=MAX_FACTIONS)] = Field(
        default=(Puppet(faction="Crimson", temperament="raider"), Puppet(faction="Azure")),
        description="Factions that the world plays, from the beginning: names, or names with a temperament.",
    )
    travel: Literal["lanes", "direct"] = Field(default="lanes", description="Fleets go along lanes, or anywhere.")
    home_ships: Amount = Field(default=60, description="The garrison of a home, until it is joined as well as after.")
    start_supply: Amount = Field(default=50, description="Supply of a faction that joins.")
    muster_cost: Amount = Field(default=2, description="Supply that a ship costs in `add_fleet`.")
    claim_base: Amount = Field(default=20, description="Supply that a claim costs ...")
    claim_per_ship: Amount = Field(default=1, description="... and what each ship of its garrison adds.")
    max_ticks: int = Field(default=0, ge=0, lt=2**31, description="The sim ends after this tick; 0: never.")
    keyframe_interval: int = Field(default=128, ge=1, le=100_000, description="Ticks from one keyframe to the next.")
    keyframes_kept: int = Field(default=64, ge=1, le=10_000, description="History reaches back this many keyframes.")

    @model_validator(mode="after")
    def _fill_in(self) -> Self:
        """Fill in what was left out and follows from the preset, or from the map."""
        follows: dict[str, object] = dict(CLASSIC) if self.preset == "classic" else {}
        if self.map is not None:
            follows |= {"systems": len(self.map.systems), "homes": len(self.map.homes)}
        for name, value in follows.items():
            if name not in self.model_fields_set:
                object.__setattr__(self, name, value)  # frozen from here on
        return self

    @model_validator(mode="after")
    def _there_is_room(self) -> Self:
        entering = [*self.players, *(puppet.faction for puppet in self.puppets)]
        if self.map is not None and (self.systems, self.homes) != (len(self.map.systems), len(self.map.homes)):
            raise ValueError("systems and homes are those of the map: leave them out, or make them agree")
        if self.homes > self.systems:
            raise ValueError(f"homes ({self.homes}) must not exceed systems ({self.systems})")
        if len(entering) > self.homes:
            raise ValueError(f"players and puppets ({len(entering)}) must not exceed homes ({self.homes})")
        if len(set(entering)) != len(entering):
            raise ValueError("players and puppets must differ from one another")
        return self
