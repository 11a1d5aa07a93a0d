"""The rules of Sector as a pure, deterministic engine over NumPy arrays, without I/O and without a clock.

Docstrings state arrays as dtype and shape: `int64[n]` is an array of dtype int64 and shape (n,). Systems, lanes and
factions are row numbers: row 7 of the systems is the system S7.
"""

from sector.models.deprecated_names import deprecate_modules
from sector.world.sector import Position, SectorWorld
from sector.world.tick import advance

__all__ = ["Position", "SectorWorld", "advance"]

# Names of version 0.6, for one minor version.
deprecate_modules(
    {
        "sector.world.charted": "sector.world.map_conversion",
        "sector.world.draft": "sector.world.mutable_state",
        "sector.world.drawing": "sector.world.map_svg",
        "sector.world.intake": "sector.world.order_batch",
        "sector.world.naming": "sector.world.system_names",
    }
)
