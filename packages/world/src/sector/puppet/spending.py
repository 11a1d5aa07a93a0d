"""How puppets spend supply.

They claim systems that are cheap for their yield, and muster ships at the weakest front system.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sector.models.deprecated_names import deprecated_names
from sector.puppet.columns import least_of_runs, segments
from sector.puppet.view import NEUTRAL, PuppetView, Reach


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """The claims of a plan: `system` and `faction`, int64[c] each.

    `left`: int64[f], the supply after them. `more`: bool[f], whether a faction has other systems to claim.
    """

    system: NDArray[np.int64]
    faction: NDArray[np.int64]
    left: NDArray[np.int64]
    more: NDArray[np.bool_]


def plan_claims(view: PuppetView, arcs: Reach) -> ClaimPlan:
    """Return the claims of the planning puppets: the best systems first, as many as the faction can pay."""
    free = (arcs.open & (arcs.theirs == NEUTRAL)).nonzero()[0]
    left, more = view.supply.copy(), np.zeros(len(view.supply), np.bool_)
    faction, system = arcs.mine[free], arcs.target[free]
    if not len(free):
        return ClaimPlan(system, faction, left, more)
    # Two factions may claim the same system. The later claim of the plan is skipped, and that faction keeps its supply.
    faction, system = np.divmod(np.unique(faction * len(view.owner) + system), len(view.owner))
    price = view.claim_cost[system] * 16 // (2 * view.growth[system] + view.supply_yield[system] + 1)
    order = np.lexsort((system, price, faction))
    faction, system = faction[order], system[order]
    first = segments(faction)
    cost = view.claim_cost[system]
    total = np.cumsum(cost)
    before = (total - cost)[first].repeat(np.diff(np.append(first, len(faction))))
    paid = total - before <= view.supply[faction]
    np.subtract.at(left, faction[paid], cost[paid])
    more[faction[~paid]] = True
    return ClaimPlan(system[paid], faction[paid], left, more)


def plan_musters(
    view: PuppetView,
    claim_plan: ClaimPlan,
    saved_percent: NDArray[np.int64],
    front: NDArray[np.int64],
    spare: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the musters as (system, faction, ships).

    Each faction musters at its system of `front` that can spare the fewest ships.
    """
    nothing = np.empty(0, np.int64)
    if not view.muster_cost or not len(front):
        return nothing, nothing, nothing
    front = front[view.owner[front].argsort(kind="stable")]
    system = front[least_of_runs(view.owner[front].astype(np.int64), spare[front])]
    faction = view.owner[system].astype(np.int64)
    saved = np.where(claim_plan.more, saved_percent, 0)[faction]
    ships = (claim_plan.left[faction] * (100 - saved) // 100) // view.muster_cost
    some = ships > 0
    return system[some], faction[some], ships[some]


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"Claims": "ClaimPlan", "claims": "plan_claims", "musters": "plan_musters"}
    )
