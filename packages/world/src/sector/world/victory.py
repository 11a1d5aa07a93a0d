"""Phase 4 of a tick: who is out, and whether the sim is over."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.models.events import Event, FactionEliminated, SimFinished
from sector.world.state import NEUTRAL, Fleets

DRAW = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """alive: bool[f]. `finished` with `winner` the row of a faction, or DRAW."""

    alive: NDArray[np.bool_]
    finished: bool
    winner: int
    events: list[Event]


def judge(
    tick: int,
    max_ticks: int,
    owner: NDArray[np.int16],
    ships: NDArray[np.int64],
    fleets: Fleets,
    alive: NDArray[np.bool_],
    ids: tuple[str, ...],
) -> Verdict:
    """Eliminate who has neither system nor fleet. The last one in wins; at `max_ticks` (0: never) the most ships do."""
    present = np.zeros(len(ids), bool)
    present[owner[owner != NEUTRAL]] = True
    present[fleets.owner] = True
    events: list[Event] = [FactionEliminated(tick=tick, faction=ids[row]) for row in np.flatnonzero(alive & ~present)]
    still = alive & present
    if len(ids) > 1 and still.sum() <= 1:
        winner = int(np.argmax(still)) if still.any() else DRAW
    elif max_ticks and tick >= max_ticks:
        winner = _most_ships(owner, ships, fleets, len(ids))
    else:
        return Verdict(still, False, DRAW, events)
    events.append(SimFinished(tick=tick, winner=ids[winner] if winner != DRAW else None))
    return Verdict(still, True, winner, events)


def _most_ships(owner: NDArray[np.int16], ships: NDArray[np.int64], fleets: Fleets, count: int) -> int:
    total = np.zeros(count, np.int64)
    owned = owner != NEUTRAL
    np.add.at(total, owner[owned], ships[owned])
    np.add.at(total, fleets.owner, fleets.ships)
    if not count:
        return DRAW
    best = np.flatnonzero(total == total.max())
    return int(best[0]) if len(best) == 1 else DRAW
