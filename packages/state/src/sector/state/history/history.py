"""Reads of a sim at earlier ticks.

A state is computed from a keyframe and the deltas after it, without the rules of the world.
"""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sector.models.deprecated_names import deprecated_names
from sector.models.frame import Frame, FrameError
from sector.state.errors import HistoryBroken, HistoryGone, SimNotFound
from sector.state.history.event_codec import TickEvents, decode_tick
from sector.state.history.roll_forward import StateAtTick, roll_forward, state_at_snapshot
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.replies import as_bytes, as_list, checked
from sector.state.tick.head import FIELDS, Head, TickInfo
from sector.state.watch.reader import SimView, Turn

_PAGE = 100


@dataclass(frozen=True, slots=True)
class HistoryRange:
    """The ticks that are stored: all from `first` to the head, and the ticks of the keyframes among them."""

    head: Head
    keyframes: tuple[int, ...]

    @property
    def first(self) -> int:
        """The first tick that is stored."""
        return self.keyframes[0]


async def get_range(redis: Client, sim_id: str) -> HistoryRange:
    """Return the range of the stored history. Raises SimNotFound or redis.exceptions.RedisError."""
    keys = SimKeys(sim_id)
    async with acquire_connection(redis, keys.head) as connection:
        fields, names = checked(await connection.pipeline(("HMGET", keys.head, *FIELDS), ("HKEYS", keys.keyframes)))
    head = Head.parse(as_list(fields))
    ticks = sorted(int(name) for each in as_list(names) if (name := as_bytes(each) or b"").isdigit())
    if head is None or not ticks:
        raise SimNotFound(sim_id)
    return HistoryRange(head, tuple(ticks))


async def at_tick(redis: Client, sim_id: str, tick: int, *, turn: Turn = nullcontext) -> StateAtTick:
    """Return the state of a sim at `tick`. Its method `snapshot` verifies the recorded state hash.

    `turn`: returns a context manager that is held during each part of the work, which has at most 100 ticks. Its errors
    are not caught. Raises SimNotFound, HistoryBroken or redis.exceptions.RedisError, and HistoryGone if the tick is not
    stored.
    """
    history_range = await get_range(redis, sim_id)
    keyframe_tick = max((each for each in history_range.keyframes if each <= tick), default=None)
    if keyframe_tick is None or tick > history_range.head.tick:
        raise HistoryGone(sim_id, tick)
    async with turn():
        state, events = await _keyframe(redis, sim_id, keyframe_tick), SimKeys(sim_id).events
    while state.tick < tick:
        async with turn():
            page = await execute(redis, "XRANGE", events, f"({state.tick}-0", f"{tick}-0", "COUNT", _PAGE)
            if not as_list(page):
                raise HistoryGone(sim_id, state.tick + 1)
            state = await asyncio.to_thread(roll_forward, state, as_list(page))
    return state


async def view_at(redis: Client, tick: int, view: SimView, *, turn: Turn = nullcontext) -> SimView:
    """Return the view of a sim at an earlier tick. `view`: any view of that sim.

    Its epoch and the time of its commit are None if they are no longer stored. Raises the errors of `at_tick`.
    """
    state = await at_tick(redis, view.sim_id, tick, turn=turn)
    await asyncio.to_thread(state.snapshot)
    entries = as_list(await execute(redis, "XRANGE", SimKeys(view.sim_id).events, f"{tick}-0", f"{tick}-0"))
    entry = decode_tick(entries[0], view.sim_id) if entries else None
    epoch, at_ms = (None, None) if entry is None else (entry.epoch, entry.at_ms)
    status = str(state.frame.meta.get("status", "running"))
    info = TickInfo(tick, state.cursor, state.hash, epoch, at_ms, status)
    return SimView(view.sim_id, info, state.frame, view.map)


async def ticks(redis: Client, sim_id: str, after: int, last: int) -> list[TickEvents]:
    """Return the stored ticks from `after` (exclusive) to `last` (inclusive).

    Raises HistoryBroken or redis.exceptions.RedisError.
    """
    # No id precedes tick 0.
    start = "-" if after < 0 else f"({after}-0"
    entries = await execute(redis, "XRANGE", SimKeys(sim_id).events, start, f"{last}-0")
    return [decode_tick(entry, sim_id) for entry in as_list(entries)]


async def keyframe(redis: Client, sim_id: str, tick: int) -> Frame:
    """Return the state at the tick of a keyframe. Raises HistoryGone, HistoryBroken or redis.exceptions.RedisError."""
    return (await _keyframe(redis, sim_id, tick)).frame


async def _keyframe(redis: Client, sim_id: str, tick: int) -> StateAtTick:
    keys = SimKeys(sim_id)
    fields = await execute(redis, "HMGET", keys.keyframes, str(tick), f"{tick}:cursor")
    snapshot, cursor = (as_bytes(value) for value in as_list(fields))
    if snapshot is None or cursor is None:
        raise HistoryGone(sim_id, tick)
    try:
        state = state_at_snapshot(snapshot, sim_id, cursor.decode(errors="replace"))
    except FrameError as error:
        raise HistoryBroken(sim_id, tick, str(error)) from error
    if state.tick != tick:
        raise HistoryBroken(sim_id, tick, f"its keyframe has tick {state.tick}")
    return state


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Kept": "HistoryRange", "kept": "get_range"})
