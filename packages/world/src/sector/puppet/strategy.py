"""The strategy of puppets.

It computes the plans of all puppets of a tick together, over the arcs that leave their systems.

Each puppet makes a plan every few ticks, at different ticks. A puppet with many systems does so less often. Nothing is
random: equal views give equal plans.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sector.models.deprecated_names import deprecated_names
from sector.puppet.fighting import advances, spare, strikes
from sector.puppet.forecast import forecast
from sector.puppet.spending import plan_claims, plan_musters
from sector.puppet.temperament import TEMPERAMENTS
from sector.puppet.view import PuppetOrders, PuppetView, reach

_PERIOD_TICKS, _LONG_PERIOD_TICKS = 4, 12
_MANY_SYSTEMS = 40
"""A puppet with more systems makes plans at the long period, which is about as long as a lane."""


def plan_orders(view: PuppetView) -> PuppetOrders | None:
    """Return the orders of the puppets of `view` for this tick, or None if no puppet makes a plan."""
    system = _planners_systems(view)
    if not len(system):
        return None
    arcs = reach(view, system)
    margin, guard, saved = _characters(view.temperament)
    relevant = np.zeros(len(view.owner), np.bool_)
    relevant[system] = True
    relevant[arcs.target] = True
    outlook = forecast(view, relevant)
    can = spare(view, outlook, arcs, guard)
    claim_plan = plan_claims(view, arcs)
    move_arc, move_ships = strikes(view, outlook, arcs, can, margin, claim_plan.system)
    front = arcs.system[np.logical_or.reduceat(arcs.open, arcs.first)] if len(arcs.system) else arcs.system
    idle = can.copy()
    idle[view.arc_source[move_arc]] = 0
    idle_arc, idle_ships = advances(view, arcs, idle, front)
    return PuppetOrders(
        claim_plan.system,
        claim_plan.faction,
        *plan_musters(view, claim_plan, saved, front, can),
        np.concatenate((move_arc, idle_arc)),
        np.concatenate((move_ships, idle_ships)),
    )


def _planners_systems(view: PuppetView) -> NDArray[np.int64]:
    """Return the systems of the puppets that make a plan in this tick: int64[s], ascending."""
    count = len(view.temperament)
    owned = np.bincount(view.owner + np.int16(1), minlength=count + 1)[1:]
    period = np.where(owned > _MANY_SYSTEMS, _LONG_PERIOD_TICKS, _PERIOD_TICKS)
    plans = (_characters(view.temperament)[0] > 0) & ((view.tick + np.arange(count)) % period == 0)
    return np.append(plans, False)[view.owner].nonzero()[0]


@lru_cache(maxsize=64)
def _characters(temperament: tuple[str, ...]) -> NDArray[np.int64]:
    """Return margin, guard and savings in percent: int64[3, f]. They are 0 for factions that are not puppets."""
    temperaments = [TEMPERAMENTS.get(name) for name in temperament]
    percents = [
        (0, 0, 0) if each is None else (each.margin_percent, each.guard_percent, each.saved_percent)
        for each in temperaments
    ]
    return np.array(percents, np.int64).reshape(-1, 3).T


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"plan": "plan_orders"})
