"""Referee: sends the state to each program, applies its orders, and drops programs that break a rule, crash or time
out.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import TextIO

from sector.models.printable import printable
from sector.world.classic.match import Match, RuleViolation
from sector.world.classic.program import Program
from sector.world.classic.text import Planet, parse_order, playback_start, playback_turn, state_text


class Referee:
    """Plays a match. It writes the playback to `playback`, and the messages between engine and programs to `log`."""

    def __init__(self, match: Match, programs: Sequence[Program], turn_ms: int, playback: TextIO, log: TextIO) -> None:
        self._match = match
        self._programs = dict(enumerate(programs, 1))
        self._turn_ms = turn_ms
        self._playback = playback
        self._log = log

    async def play(self, planets: Sequence[Planet]) -> int:
        """Play to the end. Return the winner, or 0 for a draw."""
        self._playback.write(playback_start(planets))
        while (winner := self._match.winner()) is None:
            await self._turn()
            self._match.step()
            print(f"Turn {self._match.turn}", file=sys.stderr, flush=True)
            self._playback.write(playback_turn(self._match.planets(), self._match.fleets()))
        self._playback.write("\n")
        self._playback.flush()
        return winner

    async def _turn(self) -> None:
        planets, fleets = self._match.planets(), self._match.fleets()
        players = sorted(self._match.remaining() & self._programs.keys())
        states = {player: state_text(planets, fleets, player) for player in players}
        for player in players:
            self._write(f"engine > player{player}: {states[player]}")
        answers = await asyncio.gather(
            *(self._programs[player].turn(states[player], self._turn_ms) for player in players)
        )
        for player, answer in zip(players, answers, strict=True):
            if answer.discarded:
                self._write(f"player{player} > engine: {answer.discarded} bytes after its last go, discarded")
            violation = self._carry_out(player, answer.lines)
            if violation is not None or answer.end != "go":
                await self._drop(player, violation or answer.end)

    def _carry_out(self, player: int, lines: Sequence[str]) -> str | None:
        """Apply the orders up to one that breaks a rule. Return the reason for that one, or None."""
        for line in lines:
            self._write(f"player{player} > engine: {printable(line)}")
            try:
                move = parse_order(line)
                if move is not None:
                    self._match.order(player, move)
            except RuleViolation as violation:
                return f"broke a rule: {violation.reason}"
            except ValueError as error:
                return f"sent an invalid order: {error}"
        return None

    async def _drop(self, player: int, reason: str) -> None:
        reason = printable(reason)
        print(f"WARNING: player {player} {reason}.", file=sys.stderr, flush=True)
        self._write(f"Dropping player {player}: {reason}")
        self._match.drop(player)
        await self._programs.pop(player).stop()

    def _write(self, message: str) -> None:
        print(message, file=self._log, flush=True)
