"""A simple implementation of Planet Wars, from the specification of the contest and the known behaviour of its engine."""

import math
from dataclasses import dataclass


@dataclass
class Planet:
    x: float
    y: float
    owner: int
    ships: int
    growth: int


@dataclass
class Fleet:
    owner: int
    ships: int
    source: int
    target: int
    total: int
    remaining: int


@dataclass
class Game:
    planets: list[Planet]
    fleets: list[Fleet]
    max_turns: int
    turns: int = 0

    def order(self, player: int, source: int, target: int, ships: int) -> bool:
        """Apply an order, or drop its player. Return whether it was applied."""
        inside = 0 <= source < len(self.planets) and 0 <= target < len(self.planets)
        if not inside or source == target or self.planets[source].owner != player:
            self.drop(player)
            return False
        if not 0 <= ships <= self.planets[source].ships:
            self.drop(player)
            return False
        a, b = self.planets[source], self.planets[target]
        turns = math.ceil(math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2))
        a.ships -= ships
        self.fleets.append(Fleet(player, ships, source, target, turns, turns))
        return True

    def drop(self, player: int) -> None:
        for planet in self.planets:
            if planet.owner == player:
                planet.owner = 0
        self.fleets = [fleet for fleet in self.fleets if fleet.owner != player]

    def step(self) -> None:
        for planet in self.planets:
            if planet.owner > 0:
                planet.ships += planet.growth
        for fleet in self.fleets:
            fleet.remaining = max(fleet.remaining - 1, 0)
        for number, planet in enumerate(self.planets):
            self._fight(number, planet)
        self.fleets = [fleet for fleet in self.fleets if fleet.remaining > 0]
        self.turns += 1

    def _fight(self, number: int, planet: Planet) -> None:
        sides = {planet.owner: planet.ships}
        for fleet in self.fleets:
            if fleet.remaining == 0 and fleet.target == number:
                sides[fleet.owner] = sides.get(fleet.owner, 0) + fleet.ships
        ranked = sorted(sides.items(), key=lambda side: -side[1])
        second = ranked[1][1] if len(ranked) > 1 else 0
        if ranked[0][1] > second:
            planet.owner, planet.ships = ranked[0][0], ranked[0][1] - second
        else:
            planet.ships = 0

    def winner(self) -> int:
        """Return the winner, 0 for a draw, or -1 before the end of the game."""
        pieces: list[Planet | Fleet] = [*self.planets, *self.fleets]
        owners = {each.owner for each in pieces} - {0}
        if self.turns > self.max_turns:
            ships = {owner: sum(each.ships for each in pieces if each.owner == owner) for owner in owners}
            leaders = [owner for owner in owners if ships[owner] == max(ships.values())]
            return leaders[0] if len(leaders) == 1 else 0
        if len(owners) > 1:
            return -1
        return owners.pop() if owners else 0

    def playback(self) -> str:
        parts = [f"{p.owner}.{p.ships}" for p in self.planets]
        parts += [f"{f.owner}.{f.ships}.{f.source}.{f.target}.{f.total}.{f.remaining}" for f in self.fleets]
        return ",".join(parts) + ":"
