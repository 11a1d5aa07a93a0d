"""Phase 3 of a tick: fleets arrive, and forces of different owners at one system fight. The largest force wins."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sector.models.field_types import MAX_SHIPS
from sector.puppet.columns import starts_of_runs
from sector.world.record import Record
from sector.world.state import NEUTRAL, NO_FLEETS, Fleets, concat_fleets


class Arrival(NamedTuple):
    """The result of the arrivals of a tick.

    Attributes:
        owner: int16[n], the owners of the systems, rows of factions or NEUTRAL.
        ships: int64[n], the garrisons.
        fleets: The fleets that are still on the way.
        landed: int64[k], the ids of the fleets that landed, ascending.
    """

    owner: NDArray[np.int16]
    ships: NDArray[np.int64]
    fleets: Fleets
    landed: NDArray[np.int64]


def arrive(
    tick: int,
    owner: NDArray[np.int16],
    ships: NDArray[np.int64],
    fleets: Fleets,
    launched: Fleets,
    record: Record,
) -> Arrival:
    """Return the state after all fleets land that are due at `tick`, including those in `launched`.

    It changes `ships` in place.
    """
    due = fleets.arrives == tick
    rows = due.nonzero()[0]
    if not len(rows) and not len(launched.id):
        return Arrival(owner, ships, fleets, NO_FLEETS.id)
    landed = _take_landed(fleets, rows)
    if len(launched.id) and (early := launched.arrives == tick).any():
        landed = _concatenate(landed, _take_landed(launched, early.nonzero()[0]))
        launched = launched.take((~early).nonzero()[0])
    fleets = concat_fleets(fleets, (~due).nonzero()[0], launched)
    if not len(landed.id):
        return Arrival(owner, ships, fleets, landed.id)
    return Arrival(*_fight(owner, ships, landed, record), fleets, landed.id)


@dataclass(frozen=True, slots=True)
class _LandedFleets:
    """The columns of the landing fleets that a battle needs."""

    id: NDArray[np.int64]
    owner: NDArray[np.int16]
    target: NDArray[np.int32]
    ships: NDArray[np.int64]


def _take_landed(fleets: Fleets, rows: NDArray[np.int64]) -> _LandedFleets:
    return _LandedFleets(
        fleets.id.take(rows), fleets.owner.take(rows), fleets.target.take(rows), fleets.ships.take(rows)
    )


def _concatenate(landed: _LandedFleets, more: _LandedFleets) -> _LandedFleets:
    return _LandedFleets(
        np.concatenate((landed.id, more.id)),
        np.concatenate((landed.owner, more.owner)),
        np.concatenate((landed.target, more.target)),
        np.concatenate((landed.ships, more.ships)),
    )


def _fight(
    owner: NDArray[np.int16], ships: NDArray[np.int64], landed: _LandedFleets, record: Record
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    system, whose, force = _forces(landed, owner, ships)
    # The forces at a system are consecutive. `first` is the first force of each system, and `at` the system of each
    # force.
    new = starts_of_runs(system)
    first, at = new.nonzero()[0], new.cumsum() - 1
    place = system[first]
    best = np.maximum.reduceat(force, first)
    leads = force == best[at]
    second = np.maximum.reduceat(np.where(leads, 0, force), first)
    lead = leads.nonzero()[0]
    before = owner[place]
    if len(lead) == len(place):
        winner, left = whose[lead], best - second
    else:  # equal largest forces destroy each other, and the owner of the system stays
        sole = np.bincount(at[lead]) == 1
        winner, left = before.copy(), np.where(sole, best - second, 0)
        winner[sole] = whose[lead[sole[at[lead]]]]
        second = np.where(sole, second, best)
    left = np.minimum(left, MAX_SHIPS)
    record.defer(
        lambda events: _record_events(
            events, landed, _Battlefield(place, before, winner, left, second > 0, at, whose, force)
        )
    )
    after = owner.copy()
    after[place] = winner
    ships[place] = left
    return after, ships


def _forces(
    landed: _LandedFleets, owner: NDArray[np.int16], ships: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]:
    """Sum garrisons and landed ships by system and owner.

    Return (system, owner, ships), sorted by system and then by owner.
    """
    reached = np.zeros(len(owner), np.bool_)
    reached[landed.target] = True
    place = reached.nonzero()[0]
    system: NDArray[np.int64] = np.concatenate((place, landed.target))
    whose: NDArray[np.int16] = np.concatenate((owner[place], landed.owner))
    # The keys are in [0, 2**32). NumPy sorts two digits of 16 bits by radix in a third of the time of a comparison
    # sort.
    key = system * (int(whose.max()) - NEUTRAL + 1) + (whose - NEUTRAL)
    order = np.lexsort((key.astype(np.uint16), (key >> 16).astype(np.uint16)))
    first = starts_of_runs(key[order]).nonzero()[0]
    force = np.add.reduceat(np.concatenate((ships[place], landed.ships))[order], first)
    group = order[first]
    return system[group], whose[group], force


@dataclass(frozen=True, slots=True)
class _Battlefield:
    """The battles of a tick.

    For each system that was reached: its row, the owner before and after, the ships that remain, and whether forces
    fought. For each force: the position of its system in these columns, its owner, and its ships.
    """

    place: NDArray[np.int64]
    before: NDArray[np.int16]
    winner: NDArray[np.int16]
    left: NDArray[np.int64]
    fought: NDArray[np.bool_]
    at: NDArray[np.int64]
    whose: NDArray[np.int16]
    force: NDArray[np.int64]


def _record_events(record: Record, landed: _LandedFleets, field: _Battlefield) -> None:
    """Record the events of arrivals, battles and captures."""
    record.extend(
        "fleet_arrived",
        len(landed.id),
        faction=landed.owner,
        fleet=landed.id,
        system=landed.target,
        ships=landed.ships,
    )
    battle = field.fought.nonzero()[0]
    if len(battle):
        victor = np.where(field.left[battle] > 0, field.winner[battle], NEUTRAL)
        record.extend("battle", len(battle), system=field.place[battle], winner=victor, ships=field.left[battle])
        shown = (field.fought[field.at] & (field.force > 0)).nonzero()[0]
        row = field.fought.cumsum() - 1
        record.forces(row[field.at[shown]], field.whose[shown], field.force[shown])
    captured = (field.winner != field.before).nonzero()[0]
    record.extend(
        "system_captured",
        len(captured),
        system=field.place[captured],
        loser=field.before[captured],
        faction=field.winner[captured],
        ships=field.left[captured],
    )
