"""Map generation from a seed. The same seed gives the same map on every machine."""

import numpy as np
from numpy.typing import NDArray

from sector.models import SimConfig
from sector.world import rng
from sector.world.galaxy import Galaxy, GalaxyError, stranded
from sector.world.lanes import join
from sector.world.placement import distance, place
from sector.world.system_names import generate_names

_STREAM_GROWTH, _STREAM_YIELD, _STREAM_GARRISON = 3, 4, 6
_HOME_GROWTH, _HOME_YIELD = 4, 4


def generate(config: SimConfig) -> tuple[Galaxy, NDArray[np.int64]]:
    """Return the map of `config`, and the ships in each garrison at tick 0, int64[n]. Raises GalaxyError."""
    count, seed = config.systems, config.seed
    placement = place(seed, count, config.homes)
    a, b = join(placement)
    if (apart := stranded(count, a, b)) is not None:
        raise GalaxyError(f"no lanes join S{apart} to S0")
    length = distance(
        placement.x[a].astype(np.int64) - placement.x[b], placement.y[a].astype(np.int64) - placement.y[b]
    )
    growth = placement.copies(1 + rng.integers(seed, _STREAM_GROWTH, count, 3))
    supply_yield = placement.copies(1 + rng.integers(seed, _STREAM_YIELD, count, 3))
    garrison = placement.copies(5 + rng.integers(seed, _STREAM_GARRISON, count, 36))
    home = placement.home
    growth[home], supply_yield[home], garrison[home] = _HOME_GROWTH, _HOME_YIELD, config.home_ships
    if config.preset == "classic":
        supply_yield[:] = 0
    columns = (placement.x, placement.y, growth.astype(np.int32), supply_yield.astype(np.int32), a, b, length, home)
    return Galaxy(generate_names(seed, count), *columns), garrison
