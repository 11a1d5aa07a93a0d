"""Phase 2 of a tick: every owned system gains growth ships, and its owner yield supply."""

import numpy as np
from numpy.typing import NDArray

from sector.models.field_types import MAX_SHIPS
from sector.world.galaxy import Galaxy
from sector.world.state import NEUTRAL

# Arrays of no dimension: of a Python number NumPy asks each time which dtype it has.
_NEUTRAL, _MAX_SHIPS = np.array(NEUTRAL, np.int16), np.array(MAX_SHIPS)


def grow(
    galaxy: Galaxy, owner: NDArray[np.int16], ships: NDArray[np.int64], supply: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (ships int64[n], supply int64[f]) after growth; neither exceeds MAX_SHIPS."""
    grown = ships + galaxy.growth * (owner > _NEUTRAL)
    # bincount sums in float64, which is exact below 2**53: no map yields more (sector.models.mapfile.MAX_RATE).
    gained = np.bincount(owner - _NEUTRAL, galaxy.float_yield, len(supply) + 1)[1:].astype(np.int64)
    return np.minimum(grown, _MAX_SHIPS, out=grown), np.minimum(supply + gained, _MAX_SHIPS)
