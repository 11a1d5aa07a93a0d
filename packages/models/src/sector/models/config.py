"""SimConfig: all that is chosen when a sim is founded. It never changes afterwards."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sector.models.names import MAX_SHIPS, NewFactionId

Amount = Annotated[int, Field(ge=0, le=MAX_SHIPS)]


class SimConfig(BaseModel):
    """The founding config of a sim: map, rules, puppets, and how much history is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    seed: int = Field(default=1, ge=0, lt=2**63, description="The map follows from it, the same everywhere.")
    systems: int = Field(default=48, ge=2, le=100_000, description="How many systems the map has.")
    homes: int = Field(default=8, ge=1, le=1_000, description="How many factions can be in, puppets included.")
    puppets: tuple[NewFactionId, ...] = Field(
        default=("Crimson", "Azure"), description="Factions that the world plays."
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
    def _homes_fit(self) -> Self:
        if self.homes > self.systems:
            raise ValueError(f"homes ({self.homes}) must not exceed systems ({self.systems})")
        if len(self.puppets) > self.homes:
            raise ValueError(f"puppets ({len(self.puppets)}) must not exceed homes ({self.homes})")
        if len(set(self.puppets)) != len(self.puppets):
            raise ValueError("puppets must differ from one another")
        return self
