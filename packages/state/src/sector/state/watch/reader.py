"""Reading a sim: its head and snapshot at one instant, and its events as they come. Nothing here writes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from sector.models.delta import apply_delta
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import Frame, decode
from sector.models.rows import table_columns, table_rows
from sector.state.errors import HistoryBroken, HistoryGone, HistoryRewound, SimNotFound
from sector.state.history.event_codec import Event, TickEvents, decode_tick
from sector.state.history.roll_forward import StateAtTick, check_follows, roll_forward
from sector.state.keys import SimKeys
from sector.state.redis.client import Client
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection, acquire_connection, execute
from sector.state.redis.replies import Reply, as_bytes, as_list, checked
from sector.state.tick.head import FIELDS, Head, TickInfo
from sector.state.tick.head_state import MAX_SNAPSHOT_AGE_TICKS, load_head_state

_TRIES = 3
_PAGE, _MAX_PAGES = 100, 20
_LARGE_BYTES = 16 * 2**10
"""Ticks from so many bytes on are decoded in a thread: a byte of them takes some 100 ns."""

type EventId = tuple[int, int]
"""Tick, and number within the tick."""
type EventFilter = Callable[[Event], bool]
type Turn = Callable[[], AbstractAsyncContextManager[object]]
"""Returns what a reader of history holds during a piece of its work, so that others can limit it."""


@dataclass(frozen=True, slots=True)
class SimView:
    """Snapshot and map of a sim at one instant. `head`: what is known of the tick that is shown."""

    sim_id: str
    head: TickInfo
    snapshot: Frame
    map: Frame

    def rows(self) -> dict[str, JsonValue]:
        """Return the whole state as a client reads it: `sector.models.Snapshot`, and what else the world keeps in tables."""
        tables = table_rows([self.map, self.snapshot])
        return self._meta() | {name: list(tables[name]) for name in sorted(tables)}

    def columns(self) -> dict[str, JsonValue]:
        """Return the same as columns: a table is a list for each field, which takes about half the room."""
        tables = table_columns([self.map, self.snapshot])
        return self._meta() | {name: {c: list(of) for c, of in tables[name].items()} for name in sorted(tables)}

    def _meta(self) -> dict[str, JsonValue]:
        head = self.head
        meta: dict[str, JsonValue] = {"sim": self.sim_id, "tick": head.tick, "at_ms": head.at_ms or None}
        return meta | {"status": head.status, "winner": self.snapshot.meta.get("winner"), "state_hash": head.hash}

    def after(self, tick: "TickEvents") -> "SimView":
        """Return the view after the tick that follows. Raises sector.models.delta.DeltaError, sector.models.frame.FrameError."""
        snapshot = apply_delta(self.snapshot, decode(tick.delta))
        status = str(snapshot.meta.get("status"))
        head = TickInfo(tick.tick, tick.cursor, tick.hash, tick.epoch, tick.at_ms, status)
        return SimView(self.sim_id, head, snapshot, self.map)


@dataclass(frozen=True, slots=True)
class _CommittedView:
    """A view that was read at the head, and the id of the commit that led to it."""

    commit: str
    view: SimView


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events, and the event after which to go on. `more`: there may be others already."""

    events: list[Event]
    next: EventId
    more: bool


class SimReader:
    """Reads one sim. It keeps the last view: while the head stands still, only the head is read."""

    def __init__(self, redis: Client, sim_id: str) -> None:
        self._redis = redis
        self._keys = SimKeys(sim_id)
        self._latest: _CommittedView | None = None

    async def head(self) -> Head:
        """Return the head. Raises SimNotFound, redis.exceptions.RedisError."""
        return self._parse(await execute(self._redis, "HMGET", self._keys.head, *FIELDS))

    async def view(self) -> SimView:
        """Return the newest view.

        Raises SimNotFound, HistoryGone, HistoryBroken, sector.models.frame.FrameError, redis.exceptions.RedisError.
        """
        head, latest = await self.head(), self._latest
        if latest is None or latest.commit != head.commit:
            async with acquire_connection(self._redis, self._keys.head) as connection:
                latest = (latest and await self._refresh(connection, latest.view)) or await self._reload(connection)
            self._latest = latest
        return latest.view

    async def _refresh(self, connection: Connection, view: SimView) -> _CommittedView | None:
        """Return the view after what happened since `view`; None where that is too much, or does not follow from it."""
        stream = ("XRANGE", self._keys.events, f"{view.head.tick}-0", "+", "COUNT", MAX_SNAPSHOT_AGE_TICKS + 1)
        head, (entries,) = await self._read_atomically(connection, stream)
        last_entry, *ticks = as_list(entries) or [None]
        try:
            if last_entry is None or decode_tick(last_entry, view.sim_id).hash != view.head.hash:
                return None
            state = roll_forward(
                StateAtTick(view.sim_id, view.head.tick, view.head.cursor, view.head.hash, view.snapshot), ticks
            )
        except (HistoryGone, HistoryBroken):
            return None
        if state.hash != head.hash:
            return None
        return _CommittedView(head.commit, SimView(view.sim_id, head.info(), state.frame, view.map))

    async def _reload(self, connection: Connection, tries: int = _TRIES) -> _CommittedView:
        head, (snapshot, map_blob) = await self._read_atomically(
            connection, ("GET", self._keys.snapshot), ("GET", self._keys.map)
        )
        stored_head = await load_head_state(connection, self._keys, head, snapshot)
        try:
            snapshot_frame, map_frame = stored_head.materialize().frame, decode(as_bytes(map_blob) or b"")
        except HistoryGone:
            # It went on so far meanwhile that what came after that snapshot is trimmed.
            if tries == 1:
                raise
            return await self._reload(connection, tries - 1)
        return _CommittedView(head.commit, SimView(self._keys.sim_id, head.info(), snapshot_frame, map_frame))

    async def _read_atomically(self, connection: Connection, *commands: Command) -> tuple[Head, list[Reply]]:
        """Return the head, and the replies to `commands` at the same instant."""
        *_, done = checked(
            await connection.pipeline(("MULTI",), ("HMGET", self._keys.head, *FIELDS), *commands, ("EXEC",))
        )
        fields, *replies = checked(as_list(done))
        return self._parse(fields), replies

    def _parse(self, fields: Reply) -> Head:
        head = Head.parse(as_list(fields))
        if head is None:
            raise SimNotFound(self._keys.sim_id)
        return head

    async def events(
        self, after: EventId, limit: int, wanted: EventFilter | None = None, *, turn: Turn = nullcontext
    ) -> EventBatch:
        """Return up to `limit` events after event `after`, oldest first, of those that are wanted.

        It looks through so many ticks at most that it is soon done, whatever is wanted. `turn`: held during each piece of the work, a
        hundred ticks at most; what it raises is raised. Raises HistoryBroken, sector.models.frame.FrameError,
        redis.exceptions.RedisError.
        """
        search = _Search(after, limit, wanted)
        start = f"{after[0]}-0"
        for _ in range(_MAX_PAGES):
            async with turn():
                reply = await execute(self._redis, "XRANGE", self._keys.events, start, "+", "COUNT", _PAGE)
                ticks = [decode_tick(entry, self._keys.sim_id) for entry in as_list(reply)]
                if sum(len(tick.events_frame) for tick in ticks) < _LARGE_BYTES:
                    full = search.look_through(ticks)
                else:
                    full = await asyncio.to_thread(search.look_through, ticks)
            if full:
                return EventBatch(search.events, search.last, True)
            if len(ticks) < _PAGE:
                return EventBatch(search.events, search.last, False)
            start = f"({ticks[-1].tick}-0"
        return EventBatch(search.events, search.last, True)

    async def follow(self, after_tick: int, *, block_ms: int = 1000) -> AsyncIterator[TickEvents]:
        """Yield what each tick after `after_tick` left, waiting for it, until cancelled.

        Raises HistoryRewound, HistoryGone where a tick is missing, HistoryBroken, SimNotFound, redis.exceptions.RedisError.
        """
        last = after_tick
        command = ("XREAD", "COUNT", 100, "BLOCK", block_ms, "STREAMS", self._keys.events)
        while True:
            async with acquire_connection(self._redis, self._keys.head) as connection:
                (reply,) = checked(await connection.pipeline((*command, f"{last}-0")))
            if reply is None:
                if (head_tick := (await self.head()).tick) < last:
                    raise HistoryRewound(self._keys.sim_id, last, head_tick)
                continue
            (stream,) = as_list(reply)
            for entry in as_list(as_list(stream)[1]):
                tick = decode_tick(entry, self._keys.sim_id)
                check_follows(self._keys.sim_id, tick.tick, last + 1)
                last = tick.tick
                yield tick


class _Search:
    """A search for events after event `last`, of those that are wanted."""

    def __init__(self, after: EventId, limit: int, wanted: EventFilter | None) -> None:
        self._after = after
        self._limit = limit
        self._wanted = wanted
        self.events: list[Event] = []
        self.last = after

    def look_through(self, ticks: Sequence[TickEvents]) -> bool:
        """Look through ticks. Return whether there are more matching events than the limit."""
        for tick in ticks:
            first = self._after[1] + 1 if tick.tick == self._after[0] else 0
            for number, event in enumerate(tick.events_from(first), first):
                if self._wanted is not None and not self._wanted(event):
                    continue
                if len(self.events) == self._limit:
                    return True
                self.events.append(event)
                self.last = (tick.tick, number)
            self.last = max(self.last, (tick.tick, 0))
        return False


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__, {"View": "SimView", "Page": "EventBatch", "Wanted": "EventFilter", "tick_events": "decode_tick"}
    )
