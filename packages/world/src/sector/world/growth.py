"""Phase 2 of a tick: every owned system gains growth ships, and its owner yield supply."""

import numpy as np
from numpy.typing import NDArray

from sector.models.names import MAX_SHIPS
from sector.world.galaxy import Galaxy


def grow(
    galaxy: Galaxy, owner: NDArray[np.int16], ships: NDArray[np.int64], supply: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (ships int64[n], supply int64[f]) after growth; neither exceeds MAX_SHIPS."""
    grown = ships + galaxy.growth * (owner >= 0)
    # bincount sums in float64, which is exact below 2**53: no map yields more (sector.models.mapfile.MAX_RATE).
    gained = np.bincount(owner + np.int16(1), galaxy.float_yield, len(supply) + 1)[1:].astype(np.int64)
    return np.minimum(grown, MAX_SHIPS, out=grown), np.minimum(supply + gained, MAX_SHIPS)
