"""Match: the game of the contest on the tick phases of Sector.

Players are numbered from 1: player p is row p - 1 of the factions.
"""

from collections.abc import Sequence
from copy import replace

import numpy as np

from sector.models import SimConfig
from sector.world.arrival import arrive
from sector.world.classic.text import ClassicFleet, Move, Planet, distance
from sector.world.galaxy import Galaxy
from sector.world.growth import grow
from sector.world.mutable_state import MutableState
from sector.world.state import MAX_FLEETS, NEUTRAL, Factions, Fleets, WorldState


class RuleViolation(ValueError):
    """An order that breaks a rule. The engine drops its player. `reason`: which rule."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Match:
    """The state of a match. Orders, dropouts and turns change it in place."""

    def __init__(self, planets: Sequence[Planet], fleets: Sequence[ClassicFleet], players: int, max_turns: int) -> None:
        owners = [planet.owner for planet in planets] + [fleet.owner for fleet in fleets]
        self._planets = planets
        self._max_turns = max_turns
        self._state = _state(planets, fleets, max(players, *owners))
        self._mutable = MutableState.from_state(self._state, orders=0)
        self.turn = 0

    def planets(self) -> list[Planet]:
        """Return the planets in their current state."""
        return [
            replace(planet, owner=owner + 1, ships=ships)
            for planet, owner, ships in zip(
                self._planets, self._mutable.owner.tolist(), self._mutable.ships.tolist(), strict=True
            )
        ]

    def fleets(self) -> list[ClassicFleet]:
        """Return the fleets in flight after the last turn, in the order of their departure."""
        fleets, tick = self._state.fleets, self._state.tick
        columns = (fleets.owner, fleets.ships, fleets.origin, fleets.target, fleets.departed, fleets.arrives)
        return [
            ClassicFleet(owner + 1, ships, source, target, arrives - departed, arrives - tick)
            for owner, ships, source, target, departed, arrives in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]

    def order(self, player: int, move: Move) -> None:
        """Send ships. Raises RuleViolation. As in the contest, an order of 0 ships is allowed."""
        count = len(self._planets)
        if not (0 <= move.source < count and 0 <= move.target < count):
            raise RuleViolation(f"there are planets 0 to {count - 1}, and not {move.source} or not {move.target}")
        if self._mutable.owner[move.source] != player - 1:
            raise RuleViolation(f"planet {move.source} is not player {player}'s")
        if move.source == move.target:
            raise RuleViolation(f"ships from planet {move.source} to itself")
        garrison = int(self._mutable.ships[move.source])
        if not 0 <= move.ships <= garrison:
            raise RuleViolation(f"{move.ships} ships from planet {move.source}, which has {garrison}")
        if self._mutable.under_way >= MAX_FLEETS:
            raise RuleViolation(f"{MAX_FLEETS} fleets are in flight")
        turns = max(distance(self._planets[move.source], self._planets[move.target]), 1)
        number = self._mutable.under_way
        self._mutable.launch(number, -1, player - 1, move.source, move.target, move.ships, turns)

    def drop(self, player: int) -> None:
        """Drop a player. Its planets become neutral and keep their ships, and its fleets are removed."""
        self._mutable.owner[self._mutable.owner == player - 1] = NEUTRAL
        self._mutable.alive[player - 1] = False
        fleets = self._state.fleets
        self._state = replace(self._state, fleets=fleets.take((fleets.owner != player - 1).nonzero()[0]))

    def step(self) -> None:
        """Play one turn: fleets depart, planets grow, fleets arrive."""
        state, mutable = self._state, self._mutable
        launched = mutable.launched(state.next_fleet)
        alive = np.array(mutable.alive, np.bool_)
        launched = launched.take(alive[launched.owner].nonzero()[0])
        ships, _ = grow(state.galaxy, mutable.owner, mutable.ships, mutable.supply)
        arrival = arrive(mutable.tick, mutable.owner, ships, state.fleets, launched, mutable.record)
        self._state = replace(
            state,
            tick=mutable.tick,
            next_fleet=state.next_fleet + len(launched.id),
            owner=arrival.owner,
            ships=arrival.ships,
            fleets=arrival.fleets,
            factions=mutable.factions(),
        )
        self._mutable = MutableState.from_state(self._state, orders=0)
        self.turn += 1

    def remaining(self) -> set[int]:
        """Return the players that have a planet or a fleet."""
        owners = {*self._mutable.owner.tolist(), *self._state.fleets.owner.tolist()} - {NEUTRAL}
        return {owner + 1 for owner in owners}

    def winner(self) -> int | None:
        """Return the winner, 0 for a draw, or None before the end of the match.

        As in the engine of the contest, ships are counted after more than `max_turns` turns.
        """
        players = self.remaining()
        if self.turn > self._max_turns:
            ships = {player: self._ships(player) for player in players}
            best = [player for player in players if ships[player] == max(ships.values())]
            return best[0] if len(best) == 1 else 0
        if len(players) > 1:
            return None
        return players.pop() if players else 0

    def _ships(self, player: int) -> int:
        at_home = self._mutable.ships[self._mutable.owner == player - 1].sum()
        fleets = self._state.fleets
        return int(at_home) + int(fleets.ships[fleets.owner == player - 1].sum())


def _state(planets: Sequence[Planet], fleets: Sequence[ClassicFleet], players: int) -> WorldState:
    count = len(planets)
    none = np.empty(0, np.int32)
    zero = np.zeros(count, np.int32)
    growth = np.array([planet.growth for planet in planets], np.int32)
    # The coordinates of planets are doubles, which only `distance` uses. So the galaxy of a match has no coordinates
    # and no lanes.
    galaxy = Galaxy(tuple(f"P{n}" for n in range(count)), zero, zero, growth, zero, none, none, none, none)
    factions = Factions(
        tuple(f"player-{number}" for number in range(1, players + 1)),
        np.zeros(players, np.int64),
        np.zeros(players, np.bool_),
        np.ones(players, np.bool_),
        np.zeros(players, np.int32),
    )
    # A fleet that is overdue arrives in the first turn.
    left = [max(fleet.remaining, 1) for fleet in fleets]
    flying = Fleets(
        id=np.arange(len(fleets)),
        owner=np.array([fleet.owner - 1 for fleet in fleets], np.int16),
        origin=np.array([fleet.source for fleet in fleets], np.int32),
        target=np.array([fleet.target for fleet in fleets], np.int32),
        ships=np.array([fleet.ships for fleet in fleets], np.int64),
        departed=np.array([turns - fleet.total for turns, fleet in zip(left, fleets, strict=True)], np.int32),
        arrives=np.array(left, np.int32),
    )
    return WorldState(
        config=SimConfig(preset="classic", puppets=()),
        galaxy=galaxy,
        tick=0,
        status="running",
        winner=NEUTRAL,
        next_fleet=len(fleets),
        owner=np.array([planet.owner - 1 for planet in planets], np.int16),
        ships=np.array([planet.ships for planet in planets], np.int64),
        factions=factions,
        fleets=flying,
    )
