"""The timeline of a sim: the totals of each faction at each keyframe and each recent tick, and the number of battles in each tick.

Timelines are cached. A second request for a sim reads only the ticks since the first one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import JsonValue

from sector.models.delta import apply_delta
from sector.models.deprecated_names import deprecated_names
from sector.models.faction_totals import FactionTotals
from sector.models.frame import Frame, decode
from sector.state.errors import HistoryGone
from sector.state.history import history
from sector.state.history.event_codec import TickEvents
from sector.state.history.history import HistoryRange
from sector.state.redis.client import Client

_MAX_SIMS = 64
_PAGE = 100
_RECENT_TICKS = 300
_MAX_BATTLE_BYTES = 64 * 2**20
"""The size of the ticks that are searched for battles, newest first, when a timeline is loaded for the first time."""


@dataclass(slots=True)
class _Timeline:
    """The totals by tick, and the number of battles by tick. `reached`: the tick up to which both are complete, and its state."""

    totals: dict[int, FactionTotals] = field(default_factory=dict)
    battles: dict[int, int] = field(default_factory=dict)
    reached: tuple[int, Frame] | None = None

    def continues(self, history_range: HistoryRange) -> bool:
        """Return whether the ticks that it lacks are in the history."""
        return self.reached is not None and history_range.first <= self.reached[0] <= history_range.head.tick


class TimelineCache:
    """The timelines of the sims that were requested most recently."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._timelines: dict[str, _Timeline] = {}
        self._lock = asyncio.Lock()

    async def load(self, sim_id: str) -> dict[str, JsonValue]:
        """Return the first and last tick of the history, totals by ascending tick, and the number of battles of each tick that had any.

        Raises SimNotFound, HistoryGone, HistoryBroken, sector.models.frame.FrameError, redis.exceptions.RedisError.
        """
        async with self._lock:
            history_range = await history.get_range(self._redis, sim_id)
            timeline = self._timelines.pop(sim_id, None)
            if timeline is None or not timeline.continues(history_range):
                timeline = await self._bootstrap(sim_id, history_range)
            await self._catch_up(timeline, sim_id, history_range)
            self._timelines[sim_id] = timeline
            if len(self._timelines) > _MAX_SIMS:
                del self._timelines[next(iter(self._timelines))]
        return _to_json(sim_id, history_range, timeline)

    async def _bootstrap(self, sim_id: str, history_range: HistoryRange) -> _Timeline:
        """Build the timeline up to the last keyframe but one: the totals of each keyframe, and the battles before."""
        timeline = _Timeline()
        for tick in history_range.keyframes:
            try:
                frame = await history.keyframe(self._redis, sim_id, tick)
            except HistoryGone:
                continue  # trimmed in the meantime
            timeline.totals[tick] = await asyncio.to_thread(FactionTotals.from_frame, frame, tick)
            if tick in history_range.keyframes[-2:-1] or timeline.reached is None:
                timeline.reached = tick, frame
        if timeline.reached is None:
            return timeline
        last, room = timeline.reached[0], _MAX_BATTLE_BYTES
        while last > history_range.first and room > 0:
            page = await history.ticks(self._redis, sim_id, max(last - _PAGE, history_range.first), last)
            if not page:
                break
            await asyncio.to_thread(_count_battles, timeline, page)
            room -= sum(len(tick.events_frame) + len(tick.delta) for tick in page)
            last = page[0].tick - 1
        return timeline

    async def _catch_up(self, timeline: _Timeline, sim_id: str, history_range: HistoryRange) -> None:
        """Add the ticks up to the head."""
        last = history_range.head.tick
        while timeline.reached is not None and timeline.reached[0] < last:
            tick, state = timeline.reached
            page = await history.ticks(self._redis, sim_id, tick, min(tick + _PAGE, last))
            if not page or page[0].tick != tick + 1:
                raise HistoryGone(sim_id, tick + 1)
            await asyncio.to_thread(_advance, timeline, state, page)
        oldest = last - _RECENT_TICKS
        keyframes = set(history_range.keyframes)
        timeline.totals = {tick: each for tick, each in timeline.totals.items() if tick > oldest or tick in keyframes}
        timeline.battles = {tick: count for tick, count in timeline.battles.items() if tick >= history_range.first}


def _advance(timeline: _Timeline, state: Frame, page: Sequence[TickEvents]) -> None:
    _count_battles(timeline, page)
    for entry in page:
        state = apply_delta(state, decode(entry.delta))
        timeline.reached = entry.tick, state
        timeline.totals[entry.tick] = FactionTotals.from_frame(state, entry.tick)


def _count_battles(timeline: _Timeline, page: Sequence[TickEvents]) -> None:
    for tick in page:
        battles = decode(tick.events_frame).tables.get("battle") if tick.events_frame.startswith(b"SECF") else None
        if battles is not None:
            timeline.battles[tick.tick] = battles.rows


def _to_json(sim_id: str, history_range: HistoryRange, timeline: _Timeline) -> dict[str, JsonValue]:
    factions = timeline.totals[max(timeline.totals)].factions if timeline.totals else ()
    return {
        "sim": sim_id,
        "status": history_range.head.status,
        "first": history_range.first,
        "tick": history_range.head.tick,
        "factions": list(factions),
        "totals": [each.to_json() for _, each in sorted(timeline.totals.items())],
        "battles": [[tick, count] for tick, count in sorted(timeline.battles.items())],
    }


if not TYPE_CHECKING:
    _TOTALS = "sector.models.faction_totals.FactionTotals"
    __getattr__ = deprecated_names(__name__, {"Totals": _TOTALS, "totals_of": f"{_TOTALS}.from_frame"})
