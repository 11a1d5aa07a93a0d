"""Phase 3 of a tick: fleets arrive, and where more than one owner's ships meet, the largest force wins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.models.events import Battle, Event, FleetArrived, SystemCaptured
from sector.models.names import MAX_SHIPS
from sector.world.state import NEUTRAL, Fleets


@dataclass(frozen=True, slots=True)
class Arrival:
    """The systems after the arrivals (owner int16[n], ships int64[n]), the fleets still under way, and what happened."""

    owner: NDArray[np.int16]
    ships: NDArray[np.int64]
    fleets: Fleets
    events: list[Event]


def arrive(
    tick: int, owner: NDArray[np.int16], ships: NDArray[np.int64], fleets: Fleets, ids: tuple[str, ...]
) -> Arrival:
    """Land the fleets due at `tick`. `ids` are the factions', for the events."""
    due = fleets.arrives == tick
    if not due.any():
        return Arrival(owner, ships, fleets, [])
    landed = fleets.where(due)
    system, force_owner, force = _forces(landed, owner, ships)
    # The forces at a system stand together, strongest first: the first is its best, the next its second best.
    first = np.flatnonzero(np.r_[True, system[1:] != system[:-1]])
    second = np.where(np.r_[first[1:], len(system)] > first + 1, force[np.minimum(first + 1, len(force) - 1)], 0)
    tied = force[first] == second
    new_owner, new_ships, place = owner.copy(), ships.copy(), system[first]
    new_owner[place] = np.where(tied, owner[place], force_owner[first])
    new_ships[place] = np.minimum(np.where(tied, 0, force[first] - second), MAX_SHIPS)
    events = _landings(tick, landed, ids)
    for at, start, stop in zip(place.tolist(), first.tolist(), np.r_[first[1:], len(system)].tolist(), strict=True):
        forces = {_id(ids, o): int(n) for o, n in zip(force_owner[start:stop], force[start:stop], strict=True) if n > 0}
        after, left = _id(ids, new_owner[at]), int(new_ships[at])
        if len(forces) > 1:
            winner = None if left == 0 else after or None
            events.append(Battle(tick=tick, system=f"S{at}", forces=forces, winner=winner, ships=left))
        if new_owner[at] != owner[at]:
            loser = _id(ids, owner[at]) or None
            events.append(SystemCaptured(tick=tick, system=f"S{at}", loser=loser, faction=after, ships=left))
    return Arrival(new_owner, new_ships, fleets.where(~due), events)


def _forces(
    landed: Fleets, owner: NDArray[np.int16], ships: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sum garrison and landed ships by system and owner; returns (system, owner, ships), by system, then strongest first."""
    place = np.unique(landed.target)
    system = np.concatenate((place, landed.target)).astype(np.int64)
    whose = np.concatenate((owner[place], landed.owner)).astype(np.int64)
    force = np.concatenate((ships[place], landed.ships))
    base = int(whose.max()) + 2
    key, inverse = np.unique(system * base + (whose - NEUTRAL), return_inverse=True)
    total = np.zeros(len(key), np.int64)
    np.add.at(total, inverse, force)
    system, whose = key // base, key % base + NEUTRAL
    order = np.lexsort((whose, -total, system))
    return system[order], whose[order], total[order]


def _landings(tick: int, landed: Fleets, ids: tuple[str, ...]) -> list[Event]:
    rows = zip(landed.id.tolist(), landed.owner.tolist(), landed.target.tolist(), landed.ships.tolist(), strict=True)
    return [
        FleetArrived(tick=tick, faction=ids[owner], fleet=f"F{number}", system=f"S{target}", ships=ships)
        for number, owner, target, ships in rows
    ]


def _id(ids: tuple[str, ...], row: np.int16 | np.int64) -> str:
    return "" if row == NEUTRAL else ids[int(row)]
