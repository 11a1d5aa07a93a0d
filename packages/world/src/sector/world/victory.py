"""Phase 4 of a tick: factions are eliminated, and the sim may end with a winner or a draw."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sector.models.deprecated_names import deprecated_names
from sector.world.record import Record
from sector.world.state import Factions, Fleets

DRAW = -1

LAST_TICK = 2**31 - 2**22
"""The last tick of any sim. 2**22 ticks remain, longer than any lane, so that no arrival exceeds an int32."""


class VictoryCheck(NamedTuple):
    """The result of phase 4. `alive`: bool[f]. `winner`: the row of a faction, or DRAW."""

    alive: NDArray[np.bool_]
    finished: bool
    winner: int


def judge(
    tick: int,
    max_ticks: int,
    owner: NDArray[np.int16],
    ships: NDArray[np.int64],
    fleets: Fleets,
    factions: Factions,
    record: Record,
) -> VictoryCheck:
    """Eliminate the factions without systems and fleets, and check for the end of the sim.

    The last remaining faction wins. At `max_ticks` (0: unlimited) the faction with the most ships wins.
    """
    owned = np.bincount(owner + np.int16(1), minlength=len(factions.ids) + 1)[1:]
    still = factions.alive & (owned > 0)
    left = np.count_nonzero(still)
    if left < np.count_nonzero(factions.alive):
        homeless = (factions.alive & (owned == 0)).nonzero()[0]
        for row in homeless.tolist():
            still[row] = (fleets.owner == row).any()
        out, left = homeless[~still[homeless]], np.count_nonzero(still)
        record.defer(lambda events: events.extend("faction_eliminated", len(out), faction=out))
    if len(factions.ids) > 1 and left <= 1:
        winner = int(np.argmax(still)) if still.any() else DRAW
    elif tick >= min(max_ticks or LAST_TICK, LAST_TICK):
        winner = _largest_fleet(owner, ships, fleets, len(factions.ids))
    else:
        return VictoryCheck(still, False, DRAW)
    record.defer(lambda events: events.extend("sim_finished", 1, winner=[winner]))
    return VictoryCheck(still, True, winner)


def _largest_fleet(owner: NDArray[np.int16], ships: NDArray[np.int64], fleets: Fleets, count: int) -> int:
    if not count:
        return DRAW
    total = np.zeros(count + 1, np.int64)
    np.add.at(total, owner + np.int64(1), ships)
    np.add.at(total, fleets.owner + np.int64(1), fleets.ships)
    best = np.flatnonzero(total[1:] == total[1:].max())
    return int(best[0]) if len(best) == 1 else DRAW


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Verdict": "VictoryCheck"})
