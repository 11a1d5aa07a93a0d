"""The course of a sim: what each faction had, at each keyframe and at each of the latest ticks, and where there were battles.

What was worked out once is kept: of a sim that is asked for again, only the ticks since then are looked at.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from sector.models.delta import apply_delta
from sector.models.frame import Frame, FrameError, Table, decode
from sector.state.errors import HistoryGone
from sector.state.history import history
from sector.state.history.event_codec import TickEvents
from sector.state.history.history import HistoryRange
from sector.state.redis.client import Client

_SIMS = 64
_PAGE = 100
_LATELY = 300
_MOST_BYTES = 64 * 2**20
"""Of ticks that are looked through, newest first, for battles."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What each faction had at a tick, in the order in which they entered. Ships under way count."""

    tick: int
    factions: tuple[str, ...]
    systems: list[int]
    ships: list[int]
    supply: list[int]


@dataclass(slots=True)
class _Course:
    """`battles`: how many there were, by tick, where there were any. `now`: the state at tick `seen`, up to which all is worked out."""

    totals: dict[int, Totals] = field(default_factory=dict)
    battles: dict[int, int] = field(default_factory=dict)
    seen: int = -1
    now: Frame | None = None


class Courses:
    """Those of the sims that were asked for lately."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._courses: dict[str, _Course] = {}
        self._one_at_a_time = asyncio.Lock()

    async def of(self, sim_id: str) -> dict[str, JsonValue]:
        """Return first and last tick kept, totals by ascending tick, and the number of battles of each tick that had any.

        Raises SimNotFound, HistoryGone, HistoryBroken, sector.models.frame.FrameError, redis.exceptions.RedisError.
        """
        async with self._one_at_a_time:
            kept = await history.get_range(self._redis, sim_id)
            course = self._courses.pop(sim_id, None)
            if course is None or not kept.first <= course.seen <= kept.head.tick:
                course = await self._begun(sim_id, kept)
            await self._go_on(course, sim_id, kept)
            self._courses[sim_id] = course
            if len(self._courses) > _SIMS:
                del self._courses[next(iter(self._courses))]
        return _told(sim_id, kept, course)

    async def _begun(self, sim_id: str, kept: HistoryRange) -> _Course:
        """Return the course up to the last keyframe but one: the totals of each, and the battles before."""
        course = _Course()
        for tick in kept.keyframes:
            try:
                frame = await history.keyframe(self._redis, sim_id, tick)
            except HistoryGone:
                continue  # trimmed meanwhile
            course.totals[tick] = await asyncio.to_thread(totals_of, frame, tick)
            if tick in kept.keyframes[-2:-1] or course.now is None:
                course.now, course.seen = frame, tick
        last, room = course.seen, _MOST_BYTES
        while last > kept.first and room > 0:
            page = await history.ticks(self._redis, sim_id, max(last - _PAGE, kept.first), last)
            if not page:
                break
            await asyncio.to_thread(_count, course, page)
            room -= sum(len(tick.events_frame) + len(tick.delta) for tick in page)
            last = page[0].tick - 1
        return course

    async def _go_on(self, course: _Course, sim_id: str, kept: HistoryRange) -> None:
        """Go on to the head, tick by tick."""
        while course.seen < kept.head.tick and course.now is not None:
            page = await history.ticks(self._redis, sim_id, course.seen, min(course.seen + _PAGE, kept.head.tick))
            if not page or page[0].tick != course.seen + 1:
                raise HistoryGone(sim_id, course.seen + 1)
            await asyncio.to_thread(_advance, course, course.now, page)
        lately = kept.head.tick - _LATELY
        keyframes = set(kept.keyframes)
        course.totals = {tick: each for tick, each in course.totals.items() if tick > lately or tick in keyframes}
        course.battles = {tick: count for tick, count in course.battles.items() if tick >= kept.first}


def _advance(course: _Course, now: Frame, page: Sequence[TickEvents]) -> None:
    _count(course, page)
    for tick in page:
        now = course.now = apply_delta(now, decode(tick.delta))
        course.seen = tick.tick
        course.totals[tick.tick] = totals_of(now, tick.tick)


def _count(course: _Course, page: Sequence[TickEvents]) -> None:
    for tick in page:
        battles = decode(tick.events_frame).tables.get("battle") if tick.events_frame.startswith(b"SECF") else None
        if battles is not None:
            course.battles[tick.tick] = battles.rows


def totals_of(snapshot: Frame, tick: int) -> Totals:
    """Return what each faction has in a snapshot. Raises FrameError where it is not one of Sector's."""
    try:
        return _totals_of(snapshot, tick)
    except (LookupError, TypeError, ValueError) as error:
        raise FrameError(f"a snapshot of tick {tick} without factions, systems and fleets") from error


def _totals_of(snapshot: Frame, tick: int) -> Totals:
    systems, fleets, factions = (snapshot.tables[name] for name in ("systems", "fleets", "factions"))
    count = factions.rows

    def summed(owner: NDArray[np.signedinteger], ships: NDArray[np.signedinteger] | None = None) -> NDArray[np.int64]:
        owned = owner >= 0
        weights = None if ships is None else ships[owned]
        return np.bincount(owner[owned].astype(np.int64), weights, count).astype(np.int64)

    def column(table: Table, name: str) -> NDArray[np.signedinteger]:
        return np.asarray(table.columns[name].values)

    owner, garrison = column(systems, "owner"), column(systems, "ships")
    sender, sent = column(fleets, "owner"), column(fleets, "ships")
    return Totals(
        tick,
        factions.labels["id"],
        summed(owner).tolist(),
        (summed(owner, garrison) + summed(sender, sent)).tolist(),
        list(factions.columns["supply"].values),
    )


def _told(sim_id: str, kept: HistoryRange, course: _Course) -> dict[str, JsonValue]:
    factions = course.totals[max(course.totals)].factions if course.totals else ()
    totals: list[JsonValue] = [
        {"tick": each.tick, "systems": [*each.systems], "ships": [*each.ships], "supply": [*each.supply]}
        for _, each in sorted(course.totals.items())
    ]
    return {
        "sim": sim_id,
        "status": kept.head.status,
        "first": kept.first,
        "tick": kept.head.tick,
        "factions": list(factions),
        "totals": totals,
        "battles": [[tick, count] for tick, count in sorted(course.battles.items())],
    }
