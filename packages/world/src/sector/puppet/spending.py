"""What puppets do with their supply: claim what is cheap for what it yields, and muster where it presses most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.puppet.columns import least_of_each, segments
from sector.puppet.view import NEUTRAL, View


@dataclass(frozen=True, slots=True)
class Claims:
    """What is claimed (system, faction; int64[c]), what supply is left, int64[f], and who has more to claim, bool[f]."""

    system: NDArray[np.int64]
    faction: NDArray[np.int64]
    left: NDArray[np.int64]
    more: NDArray[np.bool_]


def claims(view: View, arc: NDArray[np.int64]) -> Claims:
    """Return the claims over `arc`, the arcs that leave the planning puppets' systems: the best first, as many as they can pay."""
    source, target = view.arc_source[arc], view.arc_target[arc].astype(np.int64)
    free = (view.owner[target] == NEUTRAL) & ~view.reserved[target]
    faction, system = view.owner[source[free]].astype(np.int64), target[free]
    worth = (2 * view.growth + view.supply_yield + 1)[system]
    # Two factions may want the same system: the one that enters it last in the plan comes too late, and keeps its supply.
    once = least_of_each(faction * len(view.owner) + system)
    faction, system, price = faction[once], system[once], (view.claim_cost[system] * 16 // worth)[once]
    order = np.lexsort((system, price, faction))
    faction, system = faction[order], system[order]
    first = segments(faction)
    total = np.cumsum(view.claim_cost[system])
    before = np.repeat(
        np.concatenate((np.zeros(1, np.int64), total))[first], np.diff(np.append(first, len(faction)))
    )
    paid = total - before <= view.supply[faction]
    left, more = view.supply.copy(), np.zeros(len(view.supply), np.bool_)
    np.subtract.at(left, faction[paid], view.claim_cost[system[paid]])
    more[faction[~paid]] = True
    return Claims(system[paid], faction[paid], left, more)


def musters(
    view: View, claimed: Claims, saved_percent: NDArray[np.int64], front: NDArray[np.int64], spare: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (system, faction, ships) of the musters: all at the system of `front` that has least to spare, one a faction."""
    nothing = np.empty(0, np.int64)
    if not view.muster_cost or not len(front):
        return nothing, nothing, nothing
    system = front[least_of_each(view.owner[front].astype(np.int64), spare[front], front)]
    faction = view.owner[system].astype(np.int64)
    saved = np.where(claimed.more, saved_percent, 0)[faction]
    ships = (claimed.left[faction] * (100 - saved) // 100) // view.muster_cost
    some = ships > 0
    return system[some], faction[some], ships[some]
