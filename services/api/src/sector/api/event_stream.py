"""GET /events/stream: events as they happen, as Server-Sent Events. Slow clients are disconnected, and delay no other client."""

import asyncio
import logging
import time
from weakref import WeakSet

from sanic import Request
from sanic.exceptions import RequestCancelled
from sanic.http.http1 import Http

from sector.api.api_sim import ApiSim
from sector.api.events import parse_event_id, parse_filter, parse_start
from sector.api.metrics import DROPPED
from sector.api.problems import ApiError
from sector.api.query_params import parse_query
from sector.api.request_throttle import RequestThrottle, Turn
from sector.api.response_finalizer import ResponseFinalizer
from sector.api.responses import EVENT_STREAM, Headers, Response
from sector.api.sse import HEARTBEAT, EventStreamWriter, encode_events, encode_gap, encode_tick_end
from sector.api.stream_backlog import StreamBacklog
from sector.process.fair_queue import FairQueueFull
from sector.process.tracing import Attributes, Traces
from sector.state.history import history
from sector.state.history.event_codec import TickEvents
from sector.state.watch.reader import EventFilter, EventId, SimView

log = logging.getLogger(__name__)

LAST_EVENT_ID_PARAMETER = "lastEventId"
"""The query parameter of polyfills of EventSource, which cannot send `Last-Event-ID`."""
_PAGE = 500
_TICK_END = 2**30
"""Larger than the number of any event of a tick."""
_HEADERS: Headers = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))


class EventStreams:
    """All event streams of this process."""

    def __init__(
        self,
        finalizer: ResponseFinalizer,
        throttle: RequestThrottle,
        traces: Traces,
        *,
        max_streams: int,
        heartbeat_s: float,
        write_timeout_s: float,
    ) -> None:
        self._finalizer = finalizer
        self._throttle = throttle
        self._traces = traces
        self._traced_ticks = WeakSet[TickEvents]()
        self._backlogs: set[StreamBacklog] = set()
        self._max_streams = max_streams
        self._heartbeat_s = heartbeat_s
        self._write_timeout_s = write_timeout_s
        self._encoded_tick: tuple[TickEvents | None, bytes] = (None, b"")
        self.dropped = 0

    @property
    def open(self) -> int:
        """Number of open streams."""
        return len(self._backlogs)

    async def run(self, stop: asyncio.Event) -> None:
        """Wait for `stop`, then end every stream."""
        await stop.wait()
        for backlog in tuple(self._backlogs):
            backlog.close("reconnect", "this server is shutting down: connect again")

    async def get(self, request: Request, sim: ApiSim) -> Response | None:
        """Send events after `Last-Event-ID` or `after`, or from `tick` on. Without these, send those that happen from now on."""
        parameters = parse_query(request, "after", "tick", "type", "faction", LAST_EVENT_ID_PARAMETER)
        event_filter = parse_filter(parameters)
        # It is empty if the client has received no event yet.
        last_event_id = request.headers.get("last-event-id") or parameters.get(LAST_EVENT_ID_PARAMETER)
        if last_event_id:
            after: EventId | None = parse_event_id("Last-Event-ID", last_event_id)
        else:
            after = parse_start(parameters) if "after" in parameters or "tick" in parameters else None
        view = await sim.view()
        if self.open >= self._max_streams:
            detail = f"the limit of {self._max_streams} event streams is reached: try again later"
            raise ApiError(503, "Too many streams", detail)
        response = Response(b"", content_type=EVENT_STREAM, headers=_HEADERS)
        if request.method == "HEAD":
            return response
        if after is not None:
            self._throttle.check_turns(request)
        await self._stream(request, response, sim, view, after, event_filter)
        return None

    async def _stream(
        self,
        request: Request,
        response: Response,
        sim: ApiSim,
        view: SimView,
        after: EventId | None,
        event_filter: EventFilter | None,
    ) -> None:
        backlog = StreamBacklog()
        self._backlogs.add(backlog)
        try:
            writer = EventStreamWriter(request, self._write_timeout_s)
            with sim.subscribe(backlog.push):
                await writer.begin(self._finalizer, response, view.head.tick if after is None else None)
                turn = self._throttle.turn_of(request)
                try:
                    last = await self._send_history(writer, sim, view, after, event_filter, turn)
                except FairQueueFull as error:
                    await writer.end("reconnect", f"too many reads of history: {error}")
                else:
                    await self._send_live(writer, backlog, sim.sim_id, last, event_filter)
        except TimeoutError:
            self._count_dropped()
            fields = {"sim": sim.sim_id, "timeout_s": self._write_timeout_s}
            log.warning("slow stream client disconnected", extra=fields)
            if isinstance(request.stream, Http):
                request.stream.protocol.abort()
        except RequestCancelled:
            log.debug("stream closed by client", extra={"sim": sim.sim_id})
        finally:
            self._backlogs.discard(backlog)

    def _count_dropped(self) -> None:
        self.dropped += 1
        DROPPED.inc()

    async def _send_history(
        self,
        writer: EventStreamWriter,
        sim: ApiSim,
        view: SimView,
        after: EventId | None,
        event_filter: EventFilter | None,
        turn: Turn,
    ) -> EventId:
        """Send the events in the history after one of them. Returns the id of the last event that was read."""
        newest = (view.head.tick, _TICK_END)
        if after is None:
            return newest
        first = (await history.get_range(sim.redis, sim.sim_id)).first
        # The sim can be at an earlier tick than the client's, if Redis lost ticks that were not on disk yet.
        if 0 < after[0] < first or after > newest:
            await writer.send(encode_gap(after, (first if after <= newest else view.head.tick) + 1))
            if after > newest:
                return newest
        start = after
        while True:
            page = await sim.reader.events(after, _PAGE, event_filter, turn=turn)
            if page.events:
                await writer.send(encode_events(page.events))
            after = max(after, page.next)
            if not page.more:
                # The last tick of the history is complete, also if the filter passes none of its events.
                if after > start:
                    await writer.send(encode_tick_end(after[0]))
                return after

    async def _send_live(
        self,
        writer: EventStreamWriter,
        backlog: StreamBacklog,
        sim_id: str,
        after: EventId,
        event_filter: EventFilter | None,
    ) -> None:
        while True:
            for tick in backlog.pop_all():
                if tick.tick > after[0]:
                    began_ns = time.time_ns()
                    await writer.send(chunk := self._encode_tick(tick, event_filter))
                    if chunk and tick.traces:
                        self._trace(sim_id, tick, began_ns, len(chunk))
                    if backlog.end:
                        break
            if backlog.end:
                if backlog.end[0] == "dropped":
                    self._count_dropped()
                return await writer.end(*backlog.end)
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await backlog.changed.wait()
            except TimeoutError:
                await writer.send(HEARTBEAT)

    def _trace(self, sim_id: str, tick: TickEvents, began_ns: int, size: int) -> None:
        """Record the first send of a tick in the traces of its orders."""
        if tick in self._traced_ticks:
            return
        self._traced_ticks.add(tick)
        attributes: Attributes = {
            "sector.sim": sim_id,
            "sector.tick": tick.tick,
            "sector.events_bytes": size,
            "sector.streams": self.open,
        }
        for parent in tick.traces:
            self._traces.record("events", parent, began_ns, time.time_ns(), attributes)

    def _encode_tick(self, tick: TickEvents, event_filter: EventFilter | None) -> bytes:
        """Return the messages of a tick. Streams without a filter share the same bytes."""
        if event_filter is not None:
            events = [event for event in tick.events if event_filter(event)]
            return encode_events(events) + encode_tick_end(tick.tick)
        if self._encoded_tick[0] is not tick:
            self._encoded_tick = (tick, encode_events(tick.events) + encode_tick_end(tick.tick))
        return self._encoded_tick[1]
