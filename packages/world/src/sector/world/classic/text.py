"""The text formats of the contest: maps, the state and the orders of a turn, and the playback."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sector.models.field_types import MAX_SHIPS
from sector.models.mapfile import MAX_RATE, MAX_SYSTEMS

_MAX_COORDINATE = 1e6
_MAX_TURNS = 10**6
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class MapTextError(ValueError):
    """An invalid map.

    `line`: the number of the invalid line, from 1, or 0 for the whole map. `reason`: what is wrong with it.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Planet:
    """A planet. `owner`: a player from 1, or 0 for neutral. `growth`: ships per turn."""

    x: float
    y: float
    owner: int
    ships: int
    growth: int


@dataclass(frozen=True, slots=True)
class ClassicFleet:
    """A fleet in flight. `source` and `target`: numbers of planets. `total` and `remaining`: turns."""

    owner: int
    ships: int
    source: int
    target: int
    total: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Move:
    """An order to send ships from one planet to another."""

    source: int
    target: int
    ships: int


def distance(a: Planet, b: Planet) -> int:
    """Return the turns from a to b: the Euclidean distance of the coordinates as doubles, rounded up."""
    dx, dy = a.x - b.x, a.y - b.y
    return math.ceil(math.sqrt(dx * dx + dy * dy))


def parse_map(text: str) -> tuple[list[Planet], list[ClassicFleet]]:
    """Return the planets and fleets of a map. Raises MapTextError."""
    planets: list[Planet] = []
    fleets: list[tuple[int, ClassicFleet]] = []
    for number, line in enumerate(text.splitlines(), 1):
        match line.partition("#")[0].split():
            case []:
                continue
            case ["P", x, y, owner, ships, growth]:
                planets.append(
                    Planet(
                        _coordinate(number, x),
                        _coordinate(number, y),
                        _integer(number, "owner", owner, 1_000),
                        _integer(number, "ships", ships, MAX_SHIPS),
                        _integer(number, "growth", growth, MAX_RATE),
                    )
                )
            case ["F", owner, ships, source, target, total, remaining]:
                fleet = ClassicFleet(
                    _integer(number, "owner", owner, 1_000),
                    _integer(number, "ships", ships, MAX_SHIPS),
                    _integer(number, "source", source, MAX_SYSTEMS),
                    _integer(number, "target", target, MAX_SYSTEMS),
                    _integer(number, "total turns", total, _MAX_TURNS),
                    _integer(number, "remaining turns", remaining, _MAX_TURNS),
                )
                fleets.append((number, fleet))
            case [kind, *fields]:
                raise MapTextError(
                    number, f"{kind} with {len(fields)} fields; a planet is P with 5 of them, a fleet F with 6"
                )
    if not planets:
        raise MapTextError(0, "a map without a planet")
    for number, fleet in fleets:
        if max(fleet.source, fleet.target) >= len(planets):
            raise MapTextError(number, f"a fleet between planets {fleet.source} and {fleet.target} of {len(planets)}")
    return planets, [fleet for _, fleet in fleets]


def _coordinate(line: int, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise MapTextError(line, f"coordinate {text!r} is not a number") from error
    if not abs(value) <= _MAX_COORDINATE:
        raise MapTextError(line, f"coordinate {text} is beyond {_MAX_COORDINATE:g}")
    return value


def _integer(line: int, what: str, text: str, maximum: int) -> int:
    if not _INTEGER.fullmatch(text):
        raise MapTextError(line, f"{what} {text!r} is not an integer")
    if not 0 <= (value := int(text)) <= maximum:
        raise MapTextError(line, f"{what} {text} is not between 0 and {maximum}")
    return value


def state_text(planets: Iterable[Planet], fleets: Iterable[ClassicFleet], player: int) -> str:
    """Return the state in the view of `player`, followed by `go`. In its own view, each player is player 1."""

    def seen_from(owner: int) -> int:
        return {player: 1, 1: player}.get(owner, owner)

    lines = [f"P {p.x:f} {p.y:f} {seen_from(p.owner)} {p.ships} {p.growth}\n" for p in planets]
    lines += [f"F {seen_from(f.owner)} {f.ships} {f.source} {f.target} {f.total} {f.remaining}\n" for f in fleets]
    return "".join([*lines, "go\n"])


def parse_order(line: str) -> Move | None:
    """Return the order in a line, or None for a line that does not have three words.

    Raises ValueError for invalid numbers.
    """
    words = line.split(" ")
    if len(words) != 3:
        return None
    if not all(_INTEGER.fullmatch(word) for word in words):
        raise ValueError(f"{line!r} is not three integers")
    return Move(*map(int, words))


def playback_start(planets: Sequence[Planet]) -> str:
    """Return the beginning of a playback: the planets at the start."""
    return ":".join(f"{p.x!r},{p.y!r},{p.owner},{p.ships},{p.growth}" for p in planets) + "|"


def playback_turn(planets: Iterable[Planet], fleets: Iterable[ClassicFleet]) -> str:
    """Return one turn of a playback: planets and fleets after it."""
    parts = [f"{p.owner}.{p.ships}" for p in planets]
    parts += [f"{f.owner}.{f.ships}.{f.source}.{f.target}.{f.total}.{f.remaining}" for f in fleets]
    return ",".join(parts) + ":"
