"""GET /events/stream: events as they happen (Server-Sent Events). Who reads too slowly is dropped, and nobody waits for them."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakSet

import orjson
from sanic import Request
from sanic.exceptions import RequestCancelled
from sanic.http.http1 import Http

from sector.api.api_sim import ApiSim
from sector.api.events import event_id, start_of, wanted_of
from sector.api.metrics import DROPPED
from sector.api.problems import ApiError
from sector.api.query_params import query
from sector.api.request_throttle import RequestThrottle, Turn
from sector.api.response_finalizer import ResponseFinalizer
from sector.api.responses import EVENT_STREAM, Response
from sector.process.fair_queue import FairQueueFull
from sector.process.tracing import Attributes, Traces
from sector.state.history import history
from sector.state.history.event_codec import Event, TickEvents
from sector.state.watch.reader import EventFilter, EventId, SimView

log = logging.getLogger(__name__)

_MOST_TICKS = 1_000
_MOST_BYTES = 4 * 2**20
_PAGE = 500
_EVENT_BYTES = 150
"""Of an event as it is sent, about."""
_RETRY_MS = 1_000
_BEAT = b": still here\n\n"
LAST_ID = "lastEventId"
"""The query parameter of polyfills of EventSource, which cannot send `Last-Event-ID`."""
_LAST = 2**30
"""After any event of a tick."""
_AFTER_TICK = 999_999_999
"""The number in the id of an event that stands after all events of its tick, as clients may send it."""

_LINE_ENDS = tuple((each.encode(), b"\\u%04x" % ord(each)) for each in "\x85\u2028\u2029")


@dataclass(slots=True, eq=False)
class StreamBacklog:
    """Ticks that a reader has not been sent yet. `end`: what is said last, and why; what was not sent then is dropped."""

    ticks: list[TickEvents] = field(default_factory=list)
    size: int = 0
    end: tuple[str, str] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, tick: TickEvents | None) -> None:
        """Take a tick."""
        if tick is None:
            self.close("reconnect", "ticks may have been missed here")
            return
        if self.end:
            return
        self.ticks.append(tick)
        self.size += _EVENT_BYTES * (len(tick.events) + 1)
        if len(self.ticks) > _MOST_TICKS or self.size > _MOST_BYTES:
            self.close("dropped", f"too slow: more than {_MOST_TICKS} ticks or {_MOST_BYTES} bytes behind")
        self.changed.set()

    def close(self, what: str, why: str) -> None:
        """Have it end."""
        self.ticks.clear()
        self.end = self.end or (what, why)
        self.changed.set()

    def take(self) -> list[TickEvents]:
        """Return what is there, and forget it."""
        taken, self.ticks, self.size = self.ticks, [], 0
        self.changed.clear()
        return taken


class EventStreams:
    """All event streams of this process."""

    def __init__(
        self,
        finalizer: ResponseFinalizer,
        throttle: RequestThrottle,
        traces: Traces,
        *,
        most: int,
        heartbeat_s: float,
        patience_s: float,
    ) -> None:
        self._finalizer = finalizer
        self._throttle = throttle
        self._traces = traces
        self._traced = WeakSet[TickEvents]()
        self._backlogs: set[StreamBacklog] = set()
        self._most = most
        self._heartbeat_s = heartbeat_s
        self._patience_s = patience_s
        self._encoded: tuple[TickEvents | None, bytes] = (None, b"")
        self.dropped = 0

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._backlogs)

    async def run(self, stop: asyncio.Event) -> None:
        """Wait for the stop, then have every stream end."""
        await stop.wait()
        for backlog in tuple(self._backlogs):
            backlog.close("reconnect", "this server shuts down")

    async def get(self, request: Request, sim: ApiSim) -> Response | None:
        """Send events after `Last-Event-ID`, `after` or from `tick` on; from now on where none of them is given."""
        asked = query(request, "after", "tick", "type", "faction", LAST_ID)
        wanted = wanted_of(asked)
        # Empty: of a client that has seen no event yet.
        last_id = request.headers.get("last-event-id") or asked.get(LAST_ID)
        if last_id:
            after: EventId | None = event_id("Last-Event-ID", last_id)
        else:
            after = start_of(asked) if "after" in asked or "tick" in asked else None
        view = await sim.view()
        if self.open >= self._most:
            raise ApiError(503, "Too many streams", f"{self._most} event streams are open, as many as may be")
        answer = Response(
            b"", content_type=EVENT_STREAM, headers=((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))
        )
        if request.method == "HEAD":
            return answer
        if after is not None:
            self._throttle.check_turns(request)
        backlog = StreamBacklog()
        self._backlogs.add(backlog)
        try:
            sending = EventStreamWriter(request, self._patience_s)
            with sim.subscribe(backlog.hear):
                await sending.begin(self._finalizer, answer, view.head.tick if after is None else None)
                turn = self._throttle.turn_of(request)
                try:
                    since = await self._send_past(sending, sim, view, after, wanted, turn)
                except FairQueueFull as error:
                    await sending.end("reconnect", f"too many reads of history: {error}")
                else:
                    await self._send_live(sending, backlog, sim.sim_id, since, wanted)
        except TimeoutError:
            self._count_dropped()
            told = {"sim": sim.sim_id}
            log.warning("a stream was cut: its reader took nothing for %g s", self._patience_s, extra=told)
            if isinstance(request.stream, Http):
                request.stream.protocol.abort()
        except RequestCancelled:
            log.debug("a stream was left by its reader", extra={"sim": sim.sim_id})
        finally:
            self._backlogs.discard(backlog)
        return None

    def _count_dropped(self) -> None:
        self.dropped += 1
        DROPPED.inc()

    async def _send_past(
        self,
        sending: "EventStreamWriter",
        sim: ApiSim,
        view: SimView,
        after: EventId | None,
        wanted: EventFilter | None,
        turn: Turn,
    ) -> EventId:
        """Send what is in the history after an event; returns the last that was looked at."""
        now = (view.head.tick, _LAST)
        if after is None:
            return now
        first = (await history.get_range(sim.redis, sim.sim_id)).first
        # The sim may be at an earlier tick than was seen of it, where Redis lost what it had not yet kept.
        if 0 < after[0] < first or after > now:
            first_tick = (first if after <= now else view.head.tick) + 1
            gap = orjson.dumps({"after": f"{after[0]}-{max(after[1], 0)}", "first_tick": first_tick})
            await sending.send(b"event: gap\ndata: " + gap + b"\n\n")
            if after > now:
                return now
        while True:
            page = await sim.reader.events(after, _PAGE, wanted, turn=turn)
            if page.events:
                await sending.send(_encoded(page.events))
            after = max(after, page.next)
            if not page.more:
                return after

    async def _send_live(
        self, sending: "EventStreamWriter", backlog: StreamBacklog, sim_id: str, after: EventId, wanted: EventFilter | None
    ) -> None:
        while True:
            for tick in backlog.take():
                if tick.tick > after[0]:
                    began_ns = time.time_ns()
                    await sending.send(sent := self._of(tick, wanted))
                    if sent and tick.traces:
                        self._trace(sim_id, tick, began_ns, len(sent))
                    if backlog.end:
                        break
            if backlog.end:
                if backlog.end[0] == "dropped":
                    self._count_dropped()
                return await sending.end(*backlog.end)
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await backlog.changed.wait()
            except TimeoutError:
                await sending.send(_BEAT)

    def _trace(self, sim_id: str, tick: TickEvents, began_ns: int, size: int) -> None:
        """Tell the traces that led to a tick that it was sent, the first time that it is."""
        if tick in self._traced:
            return
        self._traced.add(tick)
        told: Attributes = {
            "sector.sim": sim_id,
            "sector.tick": tick.tick,
            "sector.events_bytes": size,
            "sector.streams": self.open,
        }
        for parent in tick.traces:
            self._traces.record("events", parent, began_ns, time.time_ns(), told)

    def _of(self, tick: TickEvents, wanted: EventFilter | None) -> bytes:
        """Return the events of a tick as they are sent, and that it is over; those who want all are sent the same bytes."""
        if wanted is not None:
            return _encoded([event for event in tick.events if wanted(event)]) + _end_of_tick(tick.tick)
        if self._encoded[0] is not tick:
            self._encoded = (tick, _encoded(tick.events) + _end_of_tick(tick.tick))
        return self._encoded[1]


class EventStreamWriter:
    """One stream on its way."""

    def __init__(self, request: Request, patience_s: float) -> None:
        self._request = request
        self._patience_s = patience_s

    async def begin(self, finalizer: ResponseFinalizer, answer: Response, after_tick: int | None) -> None:
        """Begin. With `after_tick`, a reader whose connection breaks before its first event resumes after that tick."""
        self._response = await self._request.respond(finalizer.finalize(self._request, answer))
        position = b"" if after_tick is None else b"id: %d-%d\n" % (after_tick, _AFTER_TICK)
        await self.send(b"retry: %d\n%b\n" % (_RETRY_MS, position))

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


def _end_of_tick(tick: int) -> bytes:
    """Return the message after the events of a tick, also where it has none: a client may wait for it, and resumes after it."""
    return b'id: %d-%d\nevent: tick\ndata: {"type":"tick","tick":%d}\n\n' % (tick, _AFTER_TICK, tick)


def _encoded(events: Sequence[Event]) -> bytes:
    return _on_one_line(
        b"".join(
            b"id: %b\nevent: %b\ndata: %b\n\n"
            % (str(event["id"]).encode(), str(event["type"]).encode(), orjson.dumps(event))
            for event in events
        )
    )


def _on_one_line(messages: bytes) -> bytes:
    """Escape, in JSON, what some readers take for the end of a line: those that split a stream as `str.splitlines` does.

    JSON escapes the others of these (such as U+001C) by itself.
    """
    for raw, escaped in _LINE_ENDS:
        if raw in messages:
            messages = messages.replace(raw, escaped)
    return messages
