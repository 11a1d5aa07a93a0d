"""An event stream sends each tick once and the same bytes to all clients. It ends if the client disconnects or stalls."""

from collections.abc import Callable
from copy import replace

import pytest
from redis.asyncio import Redis
from sanic import Request
from sanic.exceptions import RequestCancelled

from fixtures.sim import Sim
from sector.api.api_sim import ApiSim
from sector.api.event_stream import EventStreams
from sector.api.request_throttle import RequestThrottle
from sector.api.response_finalizer import ResponseFinalizer
from sector.api.responses import Response
from sector.api.sse import EventStreamWriter
from sector.api.stream_backlog import StreamBacklog
from sector.models import Note
from sector.process.tracing import Attributes, Traces
from sector.state.history import history
from sector.state.history.event_codec import TickEvents

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class SpanNames:
    """A tracer that records its spans. It also stands for each of them."""

    traceparent = PARENT

    def __init__(self) -> None:
        self.names: list[str] = []

    def begin(self, name: str, parent: str, began_ns: int | None, attributes: Attributes) -> "SpanNames":
        self.names.append(name)
        return self

    def end(self, attributes: Attributes, ended_ns: int | None, error: str = "") -> None:
        """Record nothing else."""

    def close(self) -> None:
        """There is nothing to close."""


class Recorder(EventStreamWriter):
    """Records what is sent, and ends its stream after some chunks."""

    def __init__(self, request: Request, backlog: StreamBacklog, chunks: int) -> None:
        super().__init__(request, 60.0)
        self.chunks: list[bytes] = []
        self.reasons: list[tuple[str, str]] = []
        self._backlog = backlog
        self._expected = chunks

    async def send(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        if len(self.chunks) == self._expected:
            self._backlog.close("reconnect", "enough")

    async def end(self, what: str, why: str) -> None:
        self.reasons.append((what, why))


@pytest.fixture
def spans() -> SpanNames:
    return SpanNames()


@pytest.fixture
def streams(finalizer: ResponseFinalizer, throttle: RequestThrottle, spans: SpanNames) -> EventStreams:
    return EventStreams(finalizer, throttle, Traces(spans), max_streams=10, heartbeat_s=60.0, write_timeout_s=60.0)


async def traced_ticks(sim: Sim, redis: Redis, *, times: int) -> list[TickEvents]:
    """Return ticks with one traced order each."""
    for number in range(times):
        await sim.tick(Note(faction="Crimson", text=f"{number}"))
    return [replace(tick, traces=(PARENT,)) for tick in await history.ticks(redis, "default", 0, times)]


async def test_streams_without_a_filter_share_the_encoded_tick(
    streams: EventStreams, spans: SpanNames, sim: Sim, redis: Redis, make_request: Callable[..., Request]
) -> None:
    ticks = await traced_ticks(sim, redis, times=1)
    recorders = []
    for _ in range(2):
        backlog = StreamBacklog()
        backlog.push(ticks[0])
        recorders.append(Recorder(make_request(), backlog, 1))
        await streams._send_live(recorders[-1], backlog, "default", (0, 0), None)
    (first,), (second,) = (recorder.chunks for recorder in recorders)
    assert b"event: note\n" in first
    assert second is first
    assert spans.names == ["events"]
    assert [recorder.reasons for recorder in recorders] == [[("reconnect", "enough")]] * 2


async def test_a_tick_that_was_sent_from_the_history_is_not_sent_again(
    streams: EventStreams, sim: Sim, redis: Redis, make_request: Callable[..., Request]
) -> None:
    backlog = StreamBacklog()
    for tick in await traced_ticks(sim, redis, times=2):
        backlog.push(tick)
    recorder = Recorder(make_request(), backlog, 1)
    await streams._send_live(recorder, backlog, "default", (1, 2**30), None)
    (chunk,) = recorder.chunks
    assert b"id: 2-" in chunk
    assert b"id: 1-" not in chunk


@pytest.mark.parametrize(("error", "dropped"), [(TimeoutError(), 1), (RequestCancelled(), 0)])
async def test_a_stream_of_a_disconnected_or_stalled_client_is_closed(
    streams: EventStreams,
    finalizer: ResponseFinalizer,
    live_sim: ApiSim,
    make_request: Callable[..., Request],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    dropped: int,
) -> None:
    async def begin(_: EventStreamWriter, used: ResponseFinalizer, answer: Response, after_tick: int | None) -> None:
        assert after_tick == (await live_sim.view()).head.tick
        assert (used, answer.status, streams.open, live_sim.listeners) == (finalizer, 200, 1, 1)
        raise error

    monkeypatch.setattr(EventStreamWriter, "begin", begin)
    assert await streams.get(make_request("/events/stream"), live_sim) is None
    assert (streams.open, streams.dropped, live_sim.listeners) == (0, dropped, 0)


def test_a_closed_backlog_stores_no_ticks() -> None:
    backlog = StreamBacklog()
    backlog.push(None)
    assert backlog.end == ("reconnect", "ticks may be missing: connect again with Last-Event-ID")
    backlog.close("dropped", "too late")
    assert backlog.end[0] == "reconnect"
    assert backlog.changed.is_set()
    assert backlog.pop_all() == []
