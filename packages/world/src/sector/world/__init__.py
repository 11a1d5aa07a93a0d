"""The rules of Sector: a pure, deterministic engine over NumPy columns. No I/O, no clock."""

from sector.world.sector import Position, SectorWorld
from sector.world.tick import advance

__all__ = ["Position", "SectorWorld", "advance"]
