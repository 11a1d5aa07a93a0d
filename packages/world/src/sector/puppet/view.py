"""What a puppet sees, and what it wants: plain columns, no rules. The world makes the one and carries out the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEUTRAL = -1


@dataclass(frozen=True, slots=True)
class View:
    """n systems, 2m arcs (each lane both ways, by source), k fleets, f factions. `puppet`: which factions are to be played.

    `reserved`: bool[n], neutral systems that puppets leave to those who join.
    `claim_cost`: int64[n], the supply that claiming each system costs. Owners are rows of factions, or NEUTRAL.
    """

    owner: NDArray[np.int16]
    ships: NDArray[np.int64]
    growth: NDArray[np.int32]
    reserved: NDArray[np.bool_]
    claim_cost: NDArray[np.int64]
    arc_source: NDArray[np.int32]
    arc_target: NDArray[np.int32]
    arc_length: NDArray[np.int32]
    fleet_owner: NDArray[np.int16]
    fleet_target: NDArray[np.int32]
    fleet_ships: NDArray[np.int64]
    supply: NDArray[np.int64]
    puppet: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Plan:
    """Claims (system, faction) and moves (arc, ships): arrays of equal length each; at most one move a system, one claim a faction."""

    claim_system: NDArray[np.int64]
    claim_faction: NDArray[np.int64]
    move_arc: NDArray[np.int64]
    move_ships: NDArray[np.int64]
