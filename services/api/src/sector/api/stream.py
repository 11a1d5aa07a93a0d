"""GET /events/stream: events as they happen (Server-Sent Events). Who reads too slowly is dropped, and nobody waits for them."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from sanic import Request
from sanic.exceptions import RequestCancelled
from sanic.http.http1 import Http

from sector.api.answers import EVENT_STREAM, Answer
from sector.api.events import event_id, start_of, wanted_of
from sector.api.followed import Followed
from sector.api.guard import Guard
from sector.api.problems import Problem
from sector.api.query import query
from sector.state import history
from sector.state.reader import Event, EventId, TickEvents, Wanted

log = logging.getLogger(__name__)

_MOST_TICKS = 1_000
_MOST_BYTES = 4 * 2**20
_PAGE = 500
_RETRY_MS = 1_000
_BEAT = b": still here\n\n"


@dataclass(slots=True)
class Backlog:
    """Ticks that a reader has not been sent yet. `end`: why nothing follows; what was not sent then is dropped."""

    ticks: list[TickEvents] = field(default_factory=list)
    size: int = 0
    end: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, tick: TickEvents | None) -> None:
        """Take a tick."""
        if tick is None:
            self.close("the sim was left or began anew: begin with its snapshot")
            return
        if self.end or not tick.events:
            return
        self.ticks.append(tick)
        self.size += 150 * len(tick.events)
        if len(self.ticks) > _MOST_TICKS or self.size > _MOST_BYTES:
            self.close(f"too slow: more than {_MOST_TICKS} ticks or {_MOST_BYTES} bytes behind")
        self.changed.set()

    def close(self, why: str) -> None:
        """Have it end."""
        self.ticks.clear()
        self.end = self.end or why
        self.changed.set()

    def take(self) -> list[TickEvents]:
        """Return what is there, and forget it."""
        taken, self.ticks, self.size = self.ticks, [], 0
        self.changed.clear()
        return taken


class Streams:
    """All event streams of this process."""

    def __init__(
        self, guard: Guard, stopping: asyncio.Event, *, most: int, heartbeat_s: float, patience_s: float
    ) -> None:
        self._guard = guard
        self._stopping = stopping
        self._most = most
        self._heartbeat_s = heartbeat_s
        self._patience_s = patience_s
        self._encoded: tuple[TickEvents | None, bytes] = (None, b"")
        self.open = 0
        self.dropped = 0

    async def get(self, request: Request, sim: Followed) -> None:
        """Send events after `Last-Event-ID`, `after` or from `tick` on; from now on where none of them is given."""
        asked = query(request, "after", "tick", "type", "faction")
        wanted = wanted_of(asked)
        last_id = request.headers.get("last-event-id")
        if last_id is not None:
            after: EventId | None = event_id("Last-Event-ID", last_id)
        else:
            after = start_of(asked) if "after" in asked or "tick" in asked else None
        view = await sim.view()
        if self.open >= self._most:
            raise Problem(503, "Too many streams", f"{self._most} event streams are open, as many as may be")
        self.open += 1
        backlog = Backlog()
        try:
            with sim.listening(backlog.hear):
                answer = Answer(
                    b"", kind=EVENT_STREAM, more=((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))
                )
                sending = _Sending(request, self._patience_s)
                await sending.begin(self._guard, answer)
                since = after if after is not None else (view.head.tick, 2**30)
                since = await self._send_past(sending, sim, since, wanted)
                await self._send_live(sending, sim, backlog, since, wanted)
        except TimeoutError:
            self.dropped += 1
            log.warning(
                "a stream of sim %s to %s was dropped: it did not read",
                sim.sim_id,
                request.conn_info.client_ip if request.conn_info else "somebody",
            )
            if isinstance(request.stream, Http):
                request.stream.protocol.abort()
        except RequestCancelled:
            log.debug("a stream of sim %s was left by its reader", sim.sim_id)
        finally:
            self.open -= 1

    async def _send_past(self, sending: "_Sending", sim: Followed, after: EventId, wanted: Wanted | None) -> EventId:
        """Send what is in the history after an event; returns the last that was looked at."""
        if after[0] < (kept := await history.kept(sim.redis, sim.sim_id)).first:
            gap = orjson.dumps({"after": f"{after[0]}-{max(after[1], 0)}", "first_tick": kept.first + 1})
            if after[0] > 0:
                await sending.send(b"event: gap\ndata: " + gap + b"\n\n")
        while True:
            page = await sim.reader.events(after, _PAGE, wanted)
            if page.events:
                await sending.send(_encoded(page.events))
            after = max(after, page.next)
            if not page.more:
                return after

    async def _send_live(
        self, sending: "_Sending", sim: Followed, backlog: Backlog, after: EventId, wanted: Wanted | None
    ) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while True:
                for tick in backlog.take():
                    if tick.tick > after[0]:
                        await sending.send(self._of(tick, wanted))
                        if backlog.end:
                            break
                if backlog.end:
                    self.dropped += backlog.end.startswith("too slow")
                    return await sending.end("dropped", backlog.end)
                changed = asyncio.create_task(backlog.changed.wait())
                try:
                    done, _ = await asyncio.wait(
                        (changed, stopping), timeout=self._heartbeat_s, return_when=asyncio.FIRST_COMPLETED
                    )
                finally:
                    changed.cancel()
                if stopping in done:
                    return await sending.end("reconnect", "this server shuts down")
                if not done:
                    await sending.send(_BEAT)
        finally:
            stopping.cancel()

    def _of(self, tick: TickEvents, wanted: Wanted | None) -> bytes:
        """Return the events of a tick as they are sent; those who want all are sent the same bytes."""
        if wanted is not None:
            return _encoded([event for event in tick.events if wanted(event)])
        if self._encoded[0] is not tick:
            self._encoded = (tick, _encoded(tick.events))
        return self._encoded[1]


class _Sending:
    """One stream on its way."""

    def __init__(self, request: Request, patience_s: float) -> None:
        self._request = request
        self._patience_s = patience_s

    async def begin(self, guard: Guard, answer: Answer) -> None:
        self._response = await self._request.respond(guard.finish(self._request, answer))
        await self.send(b"retry: %d\n\n" % _RETRY_MS)

    async def send(self, chunk: bytes) -> None:
        """Send; raises TimeoutError where the reader takes nothing for long."""
        if not chunk:
            return
        async with asyncio.timeout(self._patience_s):
            await self._response.send(chunk)

    async def end(self, what: str, why: str) -> None:
        """Say why nothing follows, and end."""
        await self.send(f"event: {what}\ndata: ".encode() + orjson.dumps({"reason": why}) + b"\n\n")
        await self._response.eof()


def _encoded(events: Sequence[Event]) -> bytes:
    return b"".join(
        b"id: %b\nevent: %b\ndata: %b\n\n"
        % (str(event["id"]).encode(), str(event["type"]).encode(), orjson.dumps(event))
        for event in events
    )
