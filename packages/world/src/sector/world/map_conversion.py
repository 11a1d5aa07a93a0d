"""Conversion between map files and galaxies."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sector.models import SimConfig
from sector.models.deprecated_names import deprecated_names
from sector.models.mapfile import MapFile, MapLane, MapSystem
from sector.world.galaxy import Galaxy, GalaxyError, stranded
from sector.world.placement import distance


def galaxy_from_map(map_file: MapFile, config: SimConfig) -> tuple[Galaxy, NDArray[np.int64]]:
    """Return the galaxy of a map file, and the ships in each garrison at tick 0, int64[n]. Raises GalaxyError."""
    systems = sorted(map_file.systems, key=lambda system: _row(system.id))
    ends = sorted((min(a, b), max(a, b)) for a, b in ((_row(lane.a), _row(lane.b)) for lane in map_file.lanes))
    a, b = np.array(ends, np.int32).reshape(-1, 2).T.copy()
    if config.travel == "lanes" and (apart := stranded(len(systems), a, b)) is not None:
        raise GalaxyError(f"no lanes join S{apart} to S0")
    x, y = (np.array([getattr(system, axis) for system in systems], np.int32) for axis in "xy")
    supply_yield = [0 if config.preset == "classic" else system.supply_yield for system in systems]
    galaxy = Galaxy(
        names=tuple(system.name for system in systems),
        x=x,
        y=y,
        growth=np.array([system.growth for system in systems], np.int32),
        supply_yield=np.array(supply_yield, np.int32),
        lane_a=a,
        lane_b=b,
        lane_length=distance(x[a].astype(np.int64) - x[b], y[a].astype(np.int64) - y[b]),
        home=np.array([_row(home) for home in map_file.homes], np.int32),
    )
    return galaxy, np.array([system.ships for system in systems], np.int64)


def map_from_galaxy(galaxy: Galaxy, garrison: NDArray[np.int64]) -> MapFile:
    """Return a galaxy as a map file. `galaxy_from_map` converts it to an equal galaxy."""
    systems = zip(
        *(column.tolist() for column in (galaxy.x, galaxy.y, galaxy.growth, galaxy.supply_yield, garrison)), strict=True
    )
    return MapFile(
        systems=tuple(
            MapSystem(id=f"S{row}", name=name, x=x, y=y, growth=growth, supply_yield=supply_yield, ships=ships)
            for row, (name, (x, y, growth, supply_yield, ships)) in enumerate(zip(galaxy.names, systems, strict=True))
        ),
        lanes=tuple(
            MapLane(a=f"S{a}", b=f"S{b}") for a, b in zip(galaxy.lane_a.tolist(), galaxy.lane_b.tolist(), strict=True)
        ),
        homes=tuple(f"S{row}" for row in galaxy.home.tolist()),
    )


def _row(system: str) -> int:
    return int(system[1:])


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"chart": "galaxy_from_map", "map_file": "map_from_galaxy"})
