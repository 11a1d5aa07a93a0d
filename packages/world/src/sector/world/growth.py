"""Phase 2 of a tick: every owned system gains growth ships, and its owner yield supply."""

import numpy as np
from numpy.typing import NDArray

from sector.models.names import MAX_SHIPS
from sector.world.galaxy import Galaxy
from sector.world.state import NEUTRAL


def grow(
    galaxy: Galaxy, owner: NDArray[np.int16], ships: NDArray[np.int64], supply: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (ships int64[n], supply int64[f]) after growth; neither exceeds MAX_SHIPS."""
    owned = owner != NEUTRAL
    grown = np.minimum(ships + np.where(owned, galaxy.growth, 0), MAX_SHIPS)
    gained = supply.copy()
    np.add.at(gained, owner[owned], galaxy.supply_yield[owned])
    return grown, np.minimum(gained, MAX_SHIPS)
