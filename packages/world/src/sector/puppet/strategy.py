"""How puppets play. All puppets that make a plan in a tick are played at once, over the arcs that leave their systems.

Each plans every few ticks, not all in the same one. Nothing is random: the same view gives the same plan.
"""

import numpy as np
from numpy.typing import NDArray

from sector.puppet.fighting import advances, spare, strikes
from sector.puppet.forecast import forecast
from sector.puppet.spending import claims, musters
from sector.puppet.temperament import TEMPERAMENTS
from sector.puppet.view import NEUTRAL, Plan, View


def plan(view: View) -> Plan | None:
    """Return what the puppets of `view` want to do this tick, or None if none of them makes a plan."""
    mine = _of_planners(view)
    arc = np.flatnonzero(mine[view.arc_source])
    if not len(arc):
        return None
    guard, margin, saved = _characters(view)
    asked = mine.copy()
    asked[view.arc_target[arc]] = True
    seen = forecast(view, asked)
    can = spare(view, seen, arc, guard)
    claimed = claims(view, arc)
    move_arc, move_ships = strikes(view, seen, arc, can, margin, claimed.system)
    front = _front(view, arc)
    idle = can.copy()
    idle[view.arc_source[move_arc]] = 0
    idle_arc, idle_ships = advances(view, arc, idle, front)
    return Plan(
        claimed.system,
        claimed.faction,
        *musters(view, claimed, saved, front, can),
        np.concatenate((move_arc, idle_arc)),
        np.concatenate((move_ships, idle_ships)),
    )


def _of_planners(view: View) -> NDArray[np.bool_]:
    """Say which systems are those of puppets that make a plan in this tick, bool[n]."""
    plans = [
        bool(name) and (view.tick + row) % TEMPERAMENTS[name].period_ticks == 0
        for row, name in enumerate(view.temperament)
    ]
    return np.array([*plans, False], np.bool_)[view.owner]


def _characters(view: View) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return guard, margin and saving in percent, int64[f] each; anything for factions that are no puppets."""
    found = [TEMPERAMENTS[name or "steady"] for name in view.temperament]
    columns = ([each.guard_percent for each in found], [each.margin_percent for each in found])
    return (*(np.array(column, np.int64) for column in columns), np.array([each.saved_percent for each in found], np.int64))


def _front(view: View, arc: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the planners' systems beside one that they may take, int64[k], ascending."""
    source, target = view.arc_source[arc], view.arc_target[arc]
    open_ = (view.owner[target] != view.owner[source]) & ~view.reserved[target]
    beside = np.zeros(len(view.owner), np.bool_)
    beside[source[open_]] = True
    return np.flatnonzero(beside & (view.owner != NEUTRAL))
