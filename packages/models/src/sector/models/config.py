"""SimConfig: the configuration of a sim. It never changes after the sim is created."""

from pydantic import Field

from sector.models.game_config import MAX_FACTIONS, Amount, GameConfig, Puppet, PuppetOrName, Temperament

__all__ = ["MAX_FACTIONS", "Amount", "GameConfig", "Puppet", "PuppetOrName", "SimConfig", "Temperament"]


class SimConfig(GameConfig):
    """The configuration of a sim: its game, and how the engine stores its history."""

    keyframe_interval: int = Field(default=128, ge=1, le=100_000, description="Number of ticks between keyframes.")
    keyframes_kept: int = Field(
        default=64, ge=1, le=10_000, description="Number of keyframes to retain. History begins at the oldest one."
    )
