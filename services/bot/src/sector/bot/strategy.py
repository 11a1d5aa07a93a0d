"""The strategy of the bot: join, claim the cheapest neutral neighbour, reinforce threatened systems, capture weak ones.

A pure function of the snapshot, so a test can put any situation before it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sector.models import AddFleet, Join, MoveFleet, Order, SetOwner, Snapshot
from sector.models.snapshot import System

MIN_GARRISON = 15
"""The minimum of ships in a border system."""

_CLAIM_RESERVE = 20
_MUSTER_SHARE = 4
_ODDS_PERCENT = 120
_GUARD_PERCENT = 60


@dataclass(frozen=True, slots=True)
class _Situation:
    """What the faction owns, its neighbours, and the fleets under way."""

    faction: str
    supply: int
    systems: dict[str, System]
    lanes: dict[str, dict[str, int]]
    hostile: dict[str, int]
    friendly: dict[str, int]
    homes: frozenset[str]

    @property
    def own(self) -> list[System]:
        return [system for system in self.systems.values() if system.owner == self.faction]

    def beside(self, system: System) -> list[System]:
        return [self.systems[other] for other in sorted(self.lanes[system.id])]

    def is_open(self, system: System) -> bool:
        """Say whether the faction may take it. A free home is reserved for a faction that joins."""
        return system.owner != self.faction and not (system.owner is None and system.id in self.homes)

    def is_border(self, system: System) -> bool:
        return any(other.owner != self.faction for other in self.beside(system))


def choose_orders(snapshot: Snapshot, faction: str, limit: int) -> list[Order]:
    """Return up to `limit` orders for `faction`, the most urgent first; none for an eliminated faction."""
    factions = {each.id: each for each in snapshot.factions}
    if snapshot.status == "finished":
        return []
    if faction not in factions:
        return [Join(faction=faction)]
    if not factions[faction].alive:
        return []
    situation = _read(snapshot, faction, factions[faction].supply)
    orders: list[Order] = []
    for order in (*_garrisons(situation), *_claims(situation), *_strikes(situation), *_moves_up(situation)):
        if len(orders) == limit:
            break
        orders.append(order)
    return orders


def _read(snapshot: Snapshot, faction: str, supply: int) -> _Situation:
    lanes: dict[str, dict[str, int]] = defaultdict(dict)
    for lane in snapshot.lanes:
        lanes[lane.a][lane.b] = lanes[lane.b][lane.a] = lane.length
    hostile: dict[str, int] = defaultdict(int)
    friendly: dict[str, int] = defaultdict(int)
    for fleet in snapshot.fleets:
        (friendly if fleet.owner == faction else hostile)[fleet.target] += fleet.ships
    homes = frozenset(home.system for home in snapshot.homes)
    return _Situation(faction, supply, {each.id: each for each in snapshot.systems}, lanes, hostile, friendly, homes)


def _garrisons(situation: _Situation) -> Iterator[Order]:
    """Muster where inbound fleets are stronger or a border is weak. A share of the supply stays for claims."""
    weak = [(_shortfall(situation, system), system) for system in situation.own]
    for shortfall, system in sorted(weak, key=lambda each: (-each[0], each[1].id)):
        ships = min(shortfall, situation.supply // _MUSTER_SHARE)
        if shortfall > 0 and ships > 0:
            yield AddFleet(faction=situation.faction, system=system.id, ships=ships)
            return


def _shortfall(situation: _Situation, system: System) -> int:
    threat = situation.hostile[system.id] - situation.friendly[system.id]
    floor = MIN_GARRISON if situation.is_border(system) else 0
    return max(threat, floor) - system.ships


def _claims(situation: _Situation) -> Iterator[Order]:
    """Claim the cheapest systems first. A claim costs more if the system has more ships, and it brings these ships."""
    around = {other.id: other for system in situation.own for other in situation.beside(system)}
    neutral = {other.id: other for other in around.values() if other.owner is None and situation.is_open(other)}
    for system in sorted(neutral.values(), key=lambda each: (each.ships - 8 * each.growth, each.id))[:1]:
        if situation.supply >= system.ships + _CLAIM_RESERVE:
            yield SetOwner(faction=situation.faction, system=system.id)


def _strikes(situation: _Situation) -> Iterator[Order]:
    """Send enough ships to win against the garrison, its growth and inbound ships, with a reserve."""
    for system in sorted(situation.own, key=lambda each: (-each.ships, each.id)):
        spare = system.ships - max(situation.hostile[system.id], MIN_GARRISON, _guard(situation, system))
        for target in sorted(situation.beside(system), key=lambda each: (each.ships, each.id)):
            grown = target.growth * situation.lanes[system.id][target.id] if target.owner else 0
            need = (target.ships + grown + situation.hostile[target.id]) * _ODDS_PERCENT // 100 + 1
            if situation.is_open(target) and spare >= need > situation.friendly[target.id]:
                yield MoveFleet(faction=situation.faction, system=system.id, target=target.id, ships=need)
                break


def _guard(situation: _Situation, system: System) -> int:
    """Return the ships that stay: a share of the strongest hostile garrison in the neighbourhood."""
    hostile = [other.ships for other in situation.beside(system) if other.owner not in (None, situation.faction)]
    return max(hostile, default=0) * _GUARD_PERCENT // 100


def _moves_up(situation: _Situation) -> Iterator[Order]:
    """Move idle ships inland to the neighbour with the fewest ships, border systems first."""
    for system in sorted(situation.own, key=lambda each: (-each.ships, each.id)):
        if not situation.is_border(system) and system.ships > 3 * MIN_GARRISON:
            target = min(
                situation.beside(system), key=lambda each: (not situation.is_border(each), each.ships, each.id)
            )
            ships = system.ships - MIN_GARRISON
            yield MoveFleet(faction=situation.faction, system=system.id, target=target.id, ships=ships)
