"""The moves of puppets: to threatened systems, to systems that they can capture, and from the interior to the front.

Combat subtracts ships, so strikes that arrive one after another lose only what the system grows in between. Thus all
systems next to a target may join a strike, however long their lanes are.
"""

import numpy as np
from numpy.typing import NDArray

from sector.puppet.columns import least_of_runs, ranges, sums_of_each
from sector.puppet.forecast import NEVER, Forecast
from sector.puppet.view import NEUTRAL, PuppetView, Reach

_IDLE_SHIPS = 8
"""A garrison in the interior moves to the front if it can spare this number of ships."""

_OFF = 2**40
"""The cost of an impossible move."""


def spare(view: PuppetView, outlook: Forecast, arcs: Reach, guard_percent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many ships each garrison can spare, int64[n]: all except those that it needs against arriving fleets,
    and its guard.

    The guard is a share of the strongest hostile garrison next to it. The share decreases with the total strength of
    the faction. Systems of factions without a plan in this tick spare no ships.
    """
    power = sums_of_each(view.owner + np.int64(1), view.ships, len(view.supply) + 1)[1:]
    guard = np.zeros(len(arcs.arc), np.int64)
    wary = ((arcs.theirs != arcs.mine) & (arcs.theirs != NEUTRAL)).nonzero()[0]
    mine, theirs = arcs.mine[wary], arcs.theirs[wary]
    share = np.minimum(100, 100 * power[theirs] // np.maximum(power[mine], 1))
    guard[wary] = view.ships[arcs.target[wary]] * guard_percent[mine] // 100 * share // 100
    can = np.zeros(len(view.owner), np.int64)
    if len(arcs.system):
        can[arcs.system] = np.maximum(outlook.low[arcs.system] - np.maximum.reduceat(guard, arcs.first), 0)
    return can


def strikes(
    view: PuppetView,
    outlook: Forecast,
    arcs: Reach,
    can: NDArray[np.int64],
    margin_percent: NDArray[np.int64],
    claimed: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the strikes, as (arc, ships): moves that save a threatened system or capture one.

    Each system has at most one.
    """
    falls = outlook.low < 0
    wanted = np.ones(len(view.owner), np.bool_)
    wanted[claimed] = False
    # A target that falls anyway needs no more ships. A system of the faction needs help only if it comes in time.
    help_ = (arcs.mine == arcs.theirs) & falls[arcs.target] & (arcs.ticks <= outlook.lost_in[arcs.target])
    take = arcs.open & (wanted & ~falls)[arcs.target]
    rows = ((help_ | take) & (can[arcs.source] > 0)).nonzero()[0]
    arc, source, target, ticks, faction = (
        column[rows] for column in (arcs.arc, arcs.source, arcs.target, arcs.ticks, arcs.mine)
    )
    if not len(arc):
        return arc, arc
    own = help_[rows]
    held = np.maximum(outlook.garrison(target, ticks), 0)
    need = np.where(own, -outlook.low[target], held * margin_percent[faction] // 100 + 1)
    worth = (2 * view.growth[target] + view.supply_yield[target] + 1).astype(np.int64)
    worth *= np.where(arcs.theirs[rows] != NEUTRAL, 2, 1)
    # All arcs of a faction to a target are one group. It needs the ships that its latest arrival needs.
    key, group = np.unique(target * (len(view.supply) + 1) + faction, return_inverse=True)
    most = np.zeros(len(key), np.int64)
    np.maximum.at(most, group, need)
    joint = sums_of_each(group, can[source], len(key))
    cost = np.where(joint >= most, most * 16, _OFF)[group] // worth + ticks
    best = least_of_runs(source, np.where(own, cost // 4, cost))
    best = best[(joint >= most)[group[best]]]
    # Garrisons with the same target strike together, each with its share, if they are still strong enough.
    source, group = source[best], group[best]
    chosen_sum = sums_of_each(group, can[source], len(key))
    enough = (chosen_sum[group] >= most[group]).nonzero()[0]
    source, group = source[enough], group[enough]
    return arc[best[enough]], np.minimum(-(-can[source] * most[group] // chosen_sum[group]), can[source])


def advances(
    view: PuppetView, arcs: Reach, can: NDArray[np.int64], front: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the moves, as (arc, ships), of interior garrisons to a system nearer to `front`.

    Each system has at most one.
    """
    inner = ((arcs.mine == arcs.theirs) & (can[arcs.source] >= _IDLE_SHIPS)).nonzero()[0]
    if not len(inner):
        return inner, inner
    hops = _hops(view, front)
    inner = inner[hops[arcs.target[inner]] < hops[arcs.source[inner]]]
    source, target = arcs.source[inner], arcs.target[inner]
    best = least_of_runs(source, hops[target])
    return arcs.arc[inner[best]], can[source[best]]


def _hops(view: PuppetView, front: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of lanes from each system to `front`, int64[n], along systems of one owner.

    It is a breadth-first search.
    """
    hops = np.full(len(view.owner), NEVER)
    hops[front] = 0
    seat = np.empty(len(view.owner), np.int64)
    edge, away = front, 0
    while len(edge):
        away += 1
        begin, end = view.first_arc[edge], view.first_arc[edge + 1]
        target = view.arc_target[ranges(begin, end)]
        new = ((hops[target] == NEVER) & (view.owner[target] == view.owner[edge].repeat(end - begin))).nonzero()[0]
        target = target[new]
        hops[target] = away
        # The last arc that reaches a system represents it, so that each system occurs once.
        seat[target] = new
        edge = target[seat[target] == new]
    return hops
