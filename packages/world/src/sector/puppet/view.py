"""What a puppet sees, and what it wants: plain columns, no rules. The world makes the one and carries out the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEUTRAL = -1


@dataclass(frozen=True, slots=True)
class View:
    """n systems, 2m arcs (each lane both ways, by source), k fleets, f factions. Owners are rows of factions, or NEUTRAL.

    `tick`: the tick whose state this is; fleets arrive after it. `temperament`: by faction, "" where it is no puppet.
    `reserved`: bool[n], neutral systems that puppets leave to those who join. `claim_cost`: int64[n], supply.
    `first_arc`: int64[n + 1], where the arcs of each system begin. `muster_cost`: supply a ship.
    """

    tick: int
    owner: NDArray[np.int16]
    ships: NDArray[np.int64]
    growth: NDArray[np.int32]
    supply_yield: NDArray[np.int32]
    reserved: NDArray[np.bool_]
    claim_cost: NDArray[np.int64]
    muster_cost: int
    arc_source: NDArray[np.int32]
    arc_target: NDArray[np.int32]
    arc_length: NDArray[np.int32]
    first_arc: NDArray[np.int64]
    fleet_owner: NDArray[np.int16]
    fleet_target: NDArray[np.int32]
    fleet_ships: NDArray[np.int64]
    fleet_arrives: NDArray[np.int32]
    supply: NDArray[np.int64]
    temperament: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Claims (system, faction), musters (system, faction, ships) and moves (arc, ships): columns of equal length each, int64.

    There is at most one move an arc, and the moves from a system do not exceed its garrison.
    """

    claim_system: NDArray[np.int64]
    claim_faction: NDArray[np.int64]
    muster_system: NDArray[np.int64]
    muster_faction: NDArray[np.int64]
    muster_ships: NDArray[np.int64]
    move_arc: NDArray[np.int64]
    move_ships: NDArray[np.int64]
