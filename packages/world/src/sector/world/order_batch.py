"""Intake: the orders of the log, read. Moves and musters in plain text become columns; all else is read one by one.

Plain text is what `ORDER.dump_json` writes, byte for byte: that is what the API puts into the log. Whatever else means an order
is read as well, only slower.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sector.models import ORDER, LoggedOrder, Order
from sector.models.error_texts import describe_error
from sector.models.field_types import MAX_SHIPS
from sector.models.printable import printable

_PLAIN = (
    rb'\{"type":"(?:move_fleet|(add_fleet))","faction":"([A-Za-z][A-Za-z0-9_-]{0,31})","system":"S(0|[1-9][0-9]{0,8})"'
    rb'(?:,"target":"S(0|[1-9][0-9]{0,8})")?,"ships":([1-9][0-9]{0,12})\}'
)
_one = re.compile(_PLAIN).fullmatch
_lines = re.compile(rb"(?m:^)" + _PLAIN + rb"(?m:$)").findall

_MAX_NAME = 60

NOT_IN = -1
"""The row of a faction that is not in, or not yet."""


@dataclass(frozen=True, slots=True)
class Plain:
    """k moves and musters, int64[k] each: their places in the log, rows, and ships. `target` is -1 where `muster`."""

    place: NDArray[np.int64]
    muster: NDArray[np.bool_]
    faction: NDArray[np.int64]
    system: NDArray[np.int64]
    target: NDArray[np.int64]
    ships: NDArray[np.int64]
    admin: NDArray[np.bool_]


type Read = tuple[int, LoggedOrder, Order | str]
"""An order read by itself: its place in the log, its entry, and the order, or what is wrong with it."""


def read(logged: Sequence[LoggedOrder], rows: Mapping[str, int]) -> tuple[Plain, list[Read]]:
    """Return the plain moves and musters of the log, and the other orders. `rows`: the factions that are in."""
    places, found = _found([entry.body for entry in logged])
    muster, faction, system, target, ships = zip(*found, strict=True) if found else ((),) * 5
    row_of = {name.encode(): row for name, row in rows.items()}
    mustering = np.array([bool(each) for each in muster], np.bool_)
    targets = [each or b"-1" for each in target]
    numbers = np.fromstring(b" ".join((*system, *targets, *ships)), np.int64, sep=" ").reshape(3, len(found))
    plain = Plain(
        place=np.array(places, np.int64),
        muster=mustering,
        faction=np.array([row_of.get(each, NOT_IN) for each in faction], np.int64),
        system=numbers[0],
        target=numbers[1],
        ships=numbers[2],
        admin=np.array([logged[place].admin for place in places], np.bool_),
    )
    # What has a target and needs none, or lacks one, or has too many ships, is for `parse` to refuse.
    plain, sound = _only(plain, ((plain.target < 0) == plain.muster) & (plain.ships <= MAX_SHIPS))
    others = sorted(set(range(len(logged))).difference(sound)) if len(sound) < len(logged) else []
    return plain, [(place, logged[place], parse(logged[place])) for place in others]


def _found(bodies: list[bytes]) -> tuple[Sequence[int], Sequence[tuple[bytes, ...]]]:
    """Return the places of the plain bodies, and what they hold: muster, faction, system, target, ships."""
    text = b"\n".join(bodies)
    found = _lines(text)
    if len(found) == len(bodies) and text.count(b"\n") < len(bodies):
        return range(len(bodies)), found
    matches = [(place, match) for place, body in enumerate(bodies) if (match := _one(body))]
    return [place for place, _ in matches], [match.groups(b"") for _, match in matches]


def _only(plain: Plain, sound: NDArray[np.bool_]) -> tuple[Plain, list[int]]:
    if not sound.all():
        plain = Plain(*(getattr(plain, name)[sound] for name in Plain.__slots__))
    return plain, plain.place.tolist()


def parse(entry: LoggedOrder) -> Order | str:
    """Return the order in an entry of the log, or what is wrong with it."""
    if entry.fault:
        return entry.fault
    try:
        return ORDER.validate_json(entry.body)
    except ValidationError as error:
        return _describe(error.errors(include_url=False, include_input=False)[0])


def _describe(error: ErrorDetails) -> str:
    """Return the field and what is wrong with it. The first part of its path is the type of the order."""
    field = printable(".".join(map(str, error["loc"][1:]))[:_MAX_NAME])
    return f"{field}: {describe_error(error)}" if field else f"the order {describe_error(error)}"
