"""How puppets play: claim the cheapest neighbour, strike where they win, and send what idles inland towards the border.

All puppets are played at once, over the arcs that leave their systems. Nothing is random: the same view gives the same plan.
"""

import numpy as np
from numpy.typing import NDArray

from sector.puppet.view import NEUTRAL, Plan, View

_MARGIN_PERCENT = 115
"""A strike takes this share of what it takes to win: growth and reinforcements are guessed, not known."""

_IDLE_SHIPS = 10
"""What an inland garrison keeps when it moves up, which it does when it has as many times this as _IDLE_TIMES says."""

_IDLE_TIMES = 4

_GUARD_PERCENT = 60
"""A garrison keeps this share of the strongest hostile one beside it: who strikes with all is struck in turn."""

_FAR = 10**6


def plan(view: View) -> Plan:
    """Return what all puppets of `view` want to do this tick."""
    mine = (view.owner != NEUTRAL) & _flag(view.puppet, view.owner)
    claim_system, claim_faction = _claims(view, mine)
    strike_arc, strike_ships = _strikes(view, mine)
    idle_arc, idle_ships = _advances(view, mine)
    striking = np.zeros(len(view.owner), bool)
    striking[view.arc_source[strike_arc]] = True
    idle = ~striking[view.arc_source[idle_arc]]
    return Plan(
        claim_system,
        claim_faction,
        np.concatenate((strike_arc, idle_arc[idle])),
        np.concatenate((strike_ships, idle_ships[idle])),
    )


def _flag(flags: NDArray[np.bool_], owner: NDArray[np.int16]) -> NDArray[np.bool_]:
    return np.append(flags, False)[owner]


def _best_of_each(key: NDArray[np.int64], *worse: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of the least entry of each key, compared by `worse`, first to last."""
    order = np.lexsort((*reversed(worse), key))
    return order[np.r_[True, key[order][1:] != key[order][:-1]]] if len(order) else order


def _claims(view: View, mine: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    free = (view.owner == NEUTRAL) & ~view.reserved
    open_arc = np.flatnonzero(mine[view.arc_source] & free[view.arc_target])
    faction, system = view.owner[view.arc_source[open_arc]].astype(np.int64), view.arc_target[open_arc].astype(np.int64)
    affordable = view.claim_cost[system] <= view.supply[faction]
    faction, system = faction[affordable], system[affordable]
    best = _best_of_each(faction, view.claim_cost[system], system)
    return system[best], faction[best]


def _spare(view: View) -> NDArray[np.int64]:
    """Return what each garrison can send away: all but what is on its way to take it, and its guard, int64[n]."""
    hostile = view.fleet_owner != view.owner[view.fleet_target]
    balance = np.zeros(len(view.owner), np.int64)
    np.add.at(balance, view.fleet_target, np.where(hostile, -view.fleet_ships, view.fleet_ships))
    source, target = view.arc_source, view.arc_target
    wary = (view.owner[source] != view.owner[target]) & (view.owner[target] != NEUTRAL)
    strongest = np.zeros(len(view.owner), np.int64)
    np.maximum.at(strongest, source[wary], view.ships[target[wary]])
    return view.ships + np.minimum(balance, 0) - strongest * _GUARD_PERCENT // 100


def _strikes(view: View, mine: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    source, target = view.arc_source, view.arc_target
    arc = np.flatnonzero(mine[source] & (view.owner[source] != view.owner[target]) & ~view.reserved[target])
    source, target, length = source[arc], target[arc], view.arc_length[arc].astype(np.int64)
    # Ships of the striker that are on their way there already, by (target, faction).
    factions = len(view.puppet) + 1
    on_the_way = np.zeros(len(view.owner) * factions, np.int64)
    np.add.at(on_the_way, view.fleet_target.astype(np.int64) * factions + view.fleet_owner, view.fleet_ships)
    sent = on_the_way[target.astype(np.int64) * factions + view.owner[source]]
    defended = on_the_way[
        target.astype(np.int64) * factions + np.where(view.owner[target] == NEUTRAL, factions - 1, view.owner[target])
    ]
    grown = np.where(view.owner[target] == NEUTRAL, 0, view.growth[target] * length)
    garrison = view.ships[target] + grown + defended
    need = garrison * _MARGIN_PERCENT // 100 + 1
    possible = (sent <= garrison) & (_spare(view)[source] >= need)
    arc, source, need, length = arc[possible], source[possible], need[possible], length[possible]
    # The ticks until a conquest has grown back what it costs, and is reached.
    worth = need // np.maximum(view.growth[view.arc_target[arc]], 1) + length
    best = _best_of_each(source.astype(np.int64), worth, arc)
    return arc[best], need[best]


def _advances(view: View, mine: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    inner = mine[view.arc_source] & (view.owner[view.arc_source] == view.owner[view.arc_target])
    border = np.zeros(len(view.owner), bool)
    border[view.arc_source[mine[view.arc_source] & ~inner]] = True
    hops = np.where(border, 0, _FAR)
    arc = np.flatnonzero(inner)
    source, target = view.arc_source[arc], view.arc_target[arc]
    while True:
        nearer = hops.copy()
        np.minimum.at(nearer, source, hops[target] + 1)
        if np.array_equal(nearer, hops):
            break
        hops = nearer
    idle = _spare(view) - _IDLE_SHIPS
    forward = (hops[target] < hops[source]) & (hops[target] < _FAR) & (idle[source] >= _IDLE_SHIPS * (_IDLE_TIMES - 1))
    arc, source, target = arc[forward], source[forward], target[forward]
    best = _best_of_each(source.astype(np.int64), hops[target], view.ships[target], arc)
    return arc[best], idle[source[best]]
