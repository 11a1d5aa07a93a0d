"""Where puppets send their ships: to what is threatened, to what they can take, and from inland towards the front.

Combat subtracts: whether strikes on a system arrive together or one after another costs only what it grows in between. So all
systems beside a target may join a strike, whenever each of them arrives.
"""

import numpy as np
from numpy.typing import NDArray

from sector.puppet.columns import least_of_each, ranges, segments, sums_of_each
from sector.puppet.forecast import NEVER, Forecast
from sector.puppet.view import NEUTRAL, View

_IDLE_SHIPS = 8
"""A garrison inland moves up when it has this many ships to spare."""

_OFF = 2**40
"""The cost of what cannot be done."""


def spare(view: View, seen: Forecast, arc: NDArray[np.int64], guard_percent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what each garrison can do without, int64[n]: all but what holds off what comes, and its guard.

    The guard is a share of the strongest hostile garrison beside it, the less of it the stronger the faction is as a whole.
    `arc`: the arcs that leave the planning puppets' systems; the others spare nothing.
    """
    source, target = view.arc_source[arc], view.arc_target[arc]
    mine, theirs = view.owner[source], view.owner[target]
    power = sums_of_each(view.owner + np.int64(1), view.ships, len(view.supply) + 1)[1:]
    wary = (theirs != mine) & (theirs != NEUTRAL)
    share = np.minimum(100, 100 * power[theirs] // np.maximum(power[mine], 1))
    guard = np.where(wary, view.ships[target] * guard_percent[mine] // 100 * share // 100, 0)
    first = segments(source.astype(np.int64))
    can = np.zeros(len(view.owner), np.int64)
    if len(first):
        system = source[first]
        can[system] = np.maximum(seen.low[system] - np.maximum.reduceat(guard, first), 0)
    return can


def strikes(
    view: View,
    seen: Forecast,
    arc: NDArray[np.int64],
    can: NDArray[np.int64],
    margin_percent: NDArray[np.int64],
    claimed: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (arc, ships) of the ships sent to save what is threatened and to take what can be taken; one move a system."""
    left_alone = view.reserved.copy()
    left_alone[claimed] = True
    arc = arc[(can[view.arc_source[arc]] > 0) & ~left_alone[view.arc_target[arc]]]
    source, target = view.arc_source[arc].astype(np.int64), view.arc_target[arc].astype(np.int64)
    ticks, faction = view.arc_length[arc].astype(np.int64), view.owner[source].astype(np.int64)
    own, falls = view.owner[target] == faction, seen.low[target] < 0
    held = seen.garrison(target, ticks)
    need = np.where(own, -seen.low[target], np.maximum(held, 0) * margin_percent[faction] // 100 + 1)
    # What falls already needs nobody else; what is one's own needs help only while it comes in time.
    sense = np.where(own, falls & (ticks <= seen.lost_in[target]), ~falls)
    arc, source, target, faction, need, own = (
        column[sense] for column in (arc, source, target, faction, need, own)
    )
    if not len(arc):
        return arc, arc
    worth = (2 * view.growth + view.supply_yield + 1)[target].astype(np.int64)
    worth = np.where(own | (view.owner[target] != NEUTRAL), 2 * worth, worth)
    # All arcs of a faction into a target are one group, which needs what its latest arrival needs.
    key, group = np.unique(target * (len(view.supply) + 1) + faction, return_inverse=True)
    most = np.zeros(len(key), np.int64)
    np.maximum.at(most, group, need)
    joint = sums_of_each(group, can[source], len(key))
    cost = np.where(joint >= most, most * 16, _OFF)[group] // worth + ticks_of(view, arc)
    best = least_of_each(source, np.where(own, cost // 4, cost), arc)
    best = best[joint[group[best]] >= most[group[best]]]
    # Those who chose the same target go together, if they are still enough, each with its share.
    chosen = sums_of_each(group[best], can[source[best]], len(key))
    best = best[chosen[group[best]] >= most[group[best]]]
    share = -(-can[source[best]] * most[group[best]] // chosen[group[best]])
    return arc[best], np.minimum(share, can[source[best]])


def ticks_of(view: View, arc: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ticks that each arc takes, int64[k]."""
    return view.arc_length[arc].astype(np.int64)


def advances(
    view: View, arc: NDArray[np.int64], can: NDArray[np.int64], front: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (arc, ships) of garrisons inland that move one system nearer to the `front` systems; one move a system."""
    inner = arc[view.owner[view.arc_source[arc]] == view.owner[view.arc_target[arc]]]
    source, target = view.arc_source[inner], view.arc_target[inner]
    hops = _hops(view, front)
    forward = (hops[target] < hops[source]) & (can[source] >= _IDLE_SHIPS)
    inner, source, target = inner[forward], source[forward], target[forward]
    best = least_of_each(source.astype(np.int64), hops[target], can[target], inner)
    return inner[best], can[source[best]]


def _hops(view: View, front: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many lanes each system is from `front`, through systems of one owner, int64[n]: breadth first, each arc once."""
    hops = np.full(len(view.owner), NEVER)
    hops[front] = 0
    edge, away = front, 0
    while len(edge):
        away += 1
        arc = ranges(view.first_arc[edge], view.first_arc[edge + 1])
        target = view.arc_target[arc]
        new = (hops[target] == NEVER) & (view.owner[target] == view.owner[view.arc_source[arc]])
        hops[target[new]] = away
        edge = np.flatnonzero(hops == away) if len(arc) > len(hops) else np.unique(target[new]).astype(np.int64)
    return hops
