"""Phase 2 of a tick: each owned system adds its growth to its garrison and its yield to the supply of its owner."""

import numpy as np
from numpy.typing import NDArray

from sector.models.field_types import MAX_SHIPS
from sector.world.galaxy import Galaxy
from sector.world.state import NEUTRAL

# NumPy must determine the dtype of a Python number in each call, but not that of an array without dimensions.
_NEUTRAL, _MAX_SHIPS = np.array(NEUTRAL, np.int16), np.array(MAX_SHIPS)


def grow(
    galaxy: Galaxy, owner: NDArray[np.int16], ships: NDArray[np.int64], supply: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ships, int64[n], and the supply, int64[f], after the growth. Neither exceeds MAX_SHIPS."""
    grown = ships + galaxy.growth * (owner > _NEUTRAL)
    # bincount sums in float64, which is exact below 2**53. No map yields more (sector.models.mapfile.MAX_RATE).
    gained = np.bincount(owner - _NEUTRAL, galaxy.float_yield, len(supply) + 1)[1:].astype(np.int64)
    return np.minimum(grown, _MAX_SHIPS, out=grown), np.minimum(supply + gained, _MAX_SHIPS)
