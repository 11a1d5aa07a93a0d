"""A simple and slow implementation of the rules, from docs/reference/rules.md alone. Tests compare the engine with it."""

import math
from collections import defaultdict
from dataclasses import dataclass, field

from pydantic import ValidationError

from sector.models import ORDER, AddFleet, Join, LoggedOrder, MoveFleet, Note, Order, SetOwner, SimConfig

MOST = 10**12
Row = dict[str, object]


class Broken(Exception):
    """The rule that an order breaks."""


@dataclass
class System:
    x: int
    y: int
    growth: int
    supply_yield: int
    owner: str | None
    ships: int
    lanes: set[str] = field(default_factory=set)


@dataclass
class Faction:
    supply: int
    home: str = ""
    alive: bool = True


@dataclass
class Fleet:
    id: str
    owner: str
    origin: str
    target: str
    ships: int
    departed: int
    arrives: int


@dataclass
class Board:
    """A world between two ticks. Dictionaries are sorted by id, lists by entry."""

    config: SimConfig
    systems: dict[str, System]
    homes: list[str]
    factions: dict[str, Faction]
    fleets: list[Fleet]
    tick: int = 0
    next_fleet: int = 0
    winner: str | None = None
    finished: bool = False

    def advance(self, logged: list[LoggedOrder]) -> list[Row]:
        """Play one tick and return its events."""
        decision_tick, self.tick = self.tick, self.tick + 1
        events = [self._order(entry, decision_tick) for entry in logged]
        for system in self.systems.values():
            if system.owner is not None:
                system.ships = min(system.ships + system.growth, MOST)
                self.factions[system.owner].supply = min(self.factions[system.owner].supply + system.supply_yield, MOST)
        events += self._arrivals()
        events += self._verdict()
        return [{"tick": self.tick} | event for event in events]

    def _order(self, entry: LoggedOrder, decision_tick: int) -> Row:
        try:
            order = ORDER.validate_json(entry.body)
        except ValidationError:
            return {"type": "order_rejected", "order": entry.id, "faction": None, "reason": "malformed"}
        try:
            return {"order": entry.id} | self._applied(order, entry.admin, decision_tick)
        except Broken as broken:
            faction = order.faction if order.faction in self.factions else None
            return {"type": "order_rejected", "order": entry.id, "faction": faction, "reason": str(broken)}

    def _applied(self, order: Order, admin: bool, decision_tick: int) -> Row:
        if self.config.preset == "classic" and order.type != "move_fleet":
            raise Broken("not_in_classic")
        if isinstance(order, Join):
            return self._join(order)
        if order.faction is not None:
            self._check_faction(order.faction)
        elif not admin:
            raise Broken("admin_only")
        for name in (order.system, getattr(order, "target", None)):
            if name is not None and name not in self.systems:
                raise Broken("unknown_system")
        match order:
            case Note():
                return {"type": "note", "faction": order.faction, "text": order.text, "system": order.system}
            case SetOwner():
                return self._set_owner(order, admin)
            case AddFleet():
                return self._add_fleet(order, admin)
            case MoveFleet():
                return self._move_fleet(order, admin, decision_tick)

    def _check_faction(self, name: str) -> None:
        if name not in self.factions:
            raise Broken("unknown_faction")
        if not self.factions[name].alive:
            raise Broken("eliminated")

    def _join(self, order: Join) -> Row:
        if order.faction in self.factions:
            raise Broken("already_joined" if self.factions[order.faction].alive else "eliminated")
        captured = {faction.home for faction in self.factions.values()}
        for home in self.homes:
            if self.systems[home].owner is None and home not in captured:
                self.systems[home].owner = order.faction
                self.factions[order.faction] = Faction(self.config.start_supply, home)
                return {"type": "faction_joined", "faction": order.faction, "system": home}
        raise Broken("no_home_left")

    def _set_owner(self, order: SetOwner, admin: bool) -> Row:
        system = self.systems[order.system]
        if not admin:
            assert order.faction is not None
            if system.owner is not None:
                raise Broken("not_neutral")
            if not any(self.systems[other].owner == order.faction for other in system.lanes):
                raise Broken("not_adjacent")
            self._pay(order.faction, self.config.claim_base + self.config.claim_per_ship * system.ships)
        system.owner = order.faction
        return {"type": "system_claimed", "faction": order.faction, "system": order.system, "ships": system.ships}

    def _add_fleet(self, order: AddFleet, admin: bool) -> Row:
        system = self.systems[order.system]
        if system.owner is None or not (admin or system.owner == order.faction):
            raise Broken("not_owner")
        if not admin:
            self._pay(order.faction, order.ships * self.config.muster_cost)
        system.ships = min(system.ships + order.ships, MOST)
        return {"type": "ships_mustered", "faction": order.faction, "system": order.system, "ships": order.ships}

    def _move_fleet(self, order: MoveFleet, admin: bool, decision_tick: int) -> Row:
        source, target = self.systems[order.system], self.systems[order.target]
        if source.owner is None or not (admin or source.owner == order.faction):
            raise Broken("not_owner")
        if order.system == order.target or (self.config.travel == "lanes" and order.target not in source.lanes):
            raise Broken("no_lane")
        if order.ships > source.ships:
            raise Broken("not_enough_ships")
        source.ships -= order.ships
        squared = (source.x - target.x) ** 2 + (source.y - target.y) ** 2
        root = math.isqrt(squared)
        arrives = decision_tick + max(root + (root * root < squared), 1)
        fleet = Fleet(
            f"F{self.next_fleet}", source.owner, order.system, order.target, order.ships, decision_tick, arrives
        )
        self.fleets.append(fleet)
        self.next_fleet += 1
        shown = {"faction": source.owner, "fleet": fleet.id, "system": order.system, "target": order.target}
        return {"type": "fleet_departed", **shown, "ships": order.ships, "arrives": arrives}

    def _pay(self, faction: str, cost: int) -> None:
        if self.factions[faction].supply < cost:
            raise Broken("not_enough_supply")
        self.factions[faction].supply -= cost

    def _arrivals(self) -> list[Row]:
        landed = [fleet for fleet in self.fleets if fleet.arrives == self.tick]
        self.fleets = [fleet for fleet in self.fleets if fleet.arrives != self.tick]
        events: list[Row] = [
            {"type": "fleet_arrived", "faction": f.owner, "fleet": f.id, "system": f.target, "ships": f.ships}
            for f in landed
        ]
        battles: list[Row] = []
        captures: list[Row] = []
        for name, system in self.systems.items():
            here = [fleet for fleet in landed if fleet.target == name]
            if here:
                self._meet(name, system, here, battles, captures)
        return events + battles + captures

    def _meet(self, name: str, system: System, here: list[Fleet], battles: list[Row], captures: list[Row]) -> None:
        forces: dict[str | None, int] = defaultdict(int)
        forces[system.owner] += system.ships
        for fleet in here:
            forces[fleet.owner] += fleet.ships
        strongest = sorted(forces.items(), key=lambda force: -force[1])
        before = system.owner
        if len(strongest) > 1 and strongest[0][1] == strongest[1][1]:
            system.ships = 0
        else:
            second = strongest[1][1] if len(strongest) > 1 else 0
            system.owner, system.ships = strongest[0][0], min(strongest[0][1] - second, MOST)
        sides = [None, *self.factions]
        shown = [{"faction": side, "ships": forces[side]} for side in sides if forces[side] > 0]
        if len(shown) > 1:
            winner = system.owner if system.ships else None
            battles.append({"type": "battle", "system": name, "forces": shown, "winner": winner, "ships": system.ships})
        if system.owner != before:
            captures.append(
                {
                    "type": "system_captured",
                    "system": name,
                    "loser": before,
                    "faction": system.owner,
                    "ships": system.ships,
                }
            )

    def _verdict(self) -> list[Row]:
        present = {system.owner for system in self.systems.values()} | {fleet.owner for fleet in self.fleets}
        events: list[Row] = []
        for name, faction in self.factions.items():
            if faction.alive and name not in present:
                faction.alive = False
                events.append({"type": "faction_eliminated", "faction": name})
        alive = [name for name, faction in self.factions.items() if faction.alive]
        if len(self.factions) > 1 and len(alive) <= 1:
            self.finished, self.winner = True, alive[0] if alive else None
        elif self.config.max_ticks and self.tick >= self.config.max_ticks:
            ships = {name: self._ships(name) for name in self.factions}
            best = [name for name, count in ships.items() if count == max(ships.values())]
            self.finished, self.winner = True, best[0] if len(best) == 1 else None
        if self.finished:
            events.append({"type": "sim_finished", "winner": self.winner})
        return events

    def _ships(self, name: str) -> int:
        at_home = sum(system.ships for system in self.systems.values() if system.owner == name)
        return at_home + sum(fleet.ships for fleet in self.fleets if fleet.owner == name)
