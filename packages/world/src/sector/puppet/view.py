"""The input and the output of the puppet strategy: plain columns, no rules. The world creates the view and applies the orders."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sector.models.deprecated_names import deprecated_names
from sector.puppet.columns import ranges

NEUTRAL = -1
"""The owner of a system that no faction owns."""


@dataclass(frozen=True, slots=True)
class PuppetView:
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
class PuppetOrders:
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


@dataclass(frozen=True, slots=True)
class Reach:
    """The arcs that leave the systems of the planning factions, ascending: int64[r] each, and bool[r].

    `mine` and `theirs` own source and target. `system`: those systems, int64[s], `first`: where the arcs of each begin here.
    """

    arc: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    ticks: NDArray[np.int64]
    mine: NDArray[np.int64]
    theirs: NDArray[np.int64]
    open: NDArray[np.bool_]
    system: NDArray[np.int64]
    first: NDArray[np.int64]


def reach(view: PuppetView, system: NDArray[np.int64]) -> Reach:
    """Return the arcs that leave `system`, ascending. `open`: to a system that is another's, or nobody's and not reserved."""
    arc = ranges(view.first_arc[system], view.first_arc[system + 1])
    count = view.first_arc[system + 1] - view.first_arc[system]
    some = count > 0
    source, target = np.repeat(system, count), view.arc_target[arc].astype(np.int64)
    mine, theirs = view.owner[source].astype(np.int64), view.owner[target].astype(np.int64)
    return Reach(
        arc,
        source,
        target,
        view.arc_length[arc].astype(np.int64),
        mine,
        theirs,
        (mine != theirs) & ~view.reserved[target],
        system[some],
        (np.cumsum(count) - count)[some],
    )


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"View": "PuppetView", "Plan": "PuppetOrders"})
