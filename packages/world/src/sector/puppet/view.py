"""The input and the output of the puppet strategy: plain columns without rules.

The world creates the view and applies the orders. Docstrings state arrays as dtype and shape: `int64[n]` is an array of
dtype int64 and shape (n,).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sector.models.deprecated_names import deprecated_names
from sector.puppet.columns import ranges

NEUTRAL = -1
"""The owner of a system without an owner."""


@dataclass(frozen=True, slots=True)
class PuppetView:
    """The state that puppets see: n systems, 2m arcs, k fleets and f factions.

    - An arc is one direction of a lane. Arcs are sorted by source, and `arc_length` is in ticks.
    - `owner`, int16[n], and `fleet_owner`, int16[k]: rows of factions, or NEUTRAL.
    - `ships`, int64[n]: the garrisons. `growth`, int32[n]: ships per tick. `supply_yield`, int32[n]: supply per tick.
    - `reserved`, bool[n]: neutral systems that puppets leave to factions that join.
    - `claim_cost`, int64[n]: supply. `muster_cost`: supply per ship. `supply`, int64[f]: that of the factions.
    - `first_arc`, int64[n + 1]: the arcs of system i are first_arc[i] to first_arc[i + 1], exclusive.
    - `tick`: the tick of the state. `fleet_arrives`, int32[k]: later ticks.
    - `temperament`: for each faction; "" for a faction that is not a puppet.
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
    """The orders of puppets. Each arc has at most one move, and the moves from a system do not exceed its garrison.

    Attributes:
        claim_system: int64[c], the systems to claim.
        claim_faction: int64[c], the rows of the factions that claim them.
        muster_system: int64[m], the systems at which ships are mustered.
        muster_faction: int64[m], the rows of the factions that muster them.
        muster_ships: int64[m], numbers of ships.
        move_arc: int64[k], the arcs of the moves.
        move_ships: int64[k], numbers of ships.
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
    """The r arcs that leave the s systems of the planning factions.

    Attributes:
        arc: int64[r], ascending.
        source: int64[r], systems.
        target: int64[r], systems.
        ticks: int64[r], lengths.
        mine: int64[r], the owners of the sources.
        theirs: int64[r], the owners of the targets, or NEUTRAL.
        open: bool[r], whether the owner of the source may take the target.
        system: int64[s], the systems that have arcs, ascending.
        first: int64[s], the position of the first arc of each system in these columns.
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
    """Return the arcs that leave `system`, ascending.

    An arc is `open` if its target has another owner, or is neutral and not reserved.
    """
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
