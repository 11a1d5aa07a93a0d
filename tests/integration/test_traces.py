"""Traces connect a request, the order log and the tick with the frame and the event stream that show it."""

import json
from collections.abc import Iterator

import httpx
import pytest
import socketio

from fixtures.collector import Collector
from fixtures.processes import Processes, Service, free_port
from fixtures.sim import LONG
from fixtures.waiting import wait_until

NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        yield collector


class World:
    """API, worker and viz that send traces to a collector."""

    def __init__(self, processes: Processes, redis_url: str, traces_url: str, a_second: str = "1000") -> None:
        def start(name: str, **settings: str) -> Service:
            settings |= {"TRACES_URL": traces_url, "MAX_TRACES_PER_SECOND": a_second}
            return processes.start(name, wait=True, module="", REDIS_URL=redis_url, **settings)

        self.worker = start("worker", TICK_DELAY="0.1", SIM_CONFIG=LONG.model_dump_json(), WORKER_ID="one")
        self.api = start("api", ACCESS_LOG="all")
        self.viz = start("viz")

    def order(self, body: object = NOTE, traceparent: str = "") -> httpx.Response:
        headers = {"traceparent": traceparent} if traceparent else {}
        return httpx.post(f"{self.api.url}/orders", json=body, headers=headers)


async def test_a_trace_spans_the_request_the_tick_and_the_frame(
    processes: Processes, redis_url: str, collector: Collector
) -> None:
    world = World(processes, redis_url, collector.url)
    async with socketio.AsyncSimpleClient(serializer="msgpack") as spectator:
        await spectator.connect(world.viz.url, socketio_path="ws", transports=["websocket"])
        await spectator.call("watch", ("default", ""))
        async with httpx.AsyncClient() as reader, reader.stream("GET", f"{world.api.url}/events/stream") as stream:
            order_id = world.order(traceparent=CALLER).json()["id"]
            async for line in stream.aiter_lines():
                if line == "event: note":
                    break
            wait_until(lambda: len(collector.spans) == 7, "all spans arrive")
    (request,), (tick,), (frame,), (events,) = (
        collector.named(name) for name in ("POST /orders", "tick", "frame", "events")
    )
    phases = [collector.named(name)[0] for name in ("read", "compute", "write")]
    assert {each.trace for each in (request, tick, frame, events, *phases)} == {TRACE}
    assert request.parent == CALLER.split("-")[2]
    assert tick.parent == frame.parent == events.parent == request.id
    assert {each.parent for each in phases} == {tick.id}
    assert [each.service for each in (request, tick, frame)] == ["sector-api", "sector-worker", "sector-viz"]
    assert request.attributes == {"sector.sim": "default", "http.response.status_code": 202}
    outcome = httpx.get(f"{world.api.url}/orders/{order_id}").json()
    assert (
        tick.attributes["sector.tick"]
        == frame.attributes["sector.tick"]
        == events.attributes["sector.tick"]
        == outcome["tick"]
    )
    assert tick.attributes["sector.worker"] == "one"
    assert frame.attributes["sector.spectators"] == events.attributes["sector.streams"] == 1
    # A commit may be visible before its worker has received the response.
    assert request.began_ns < tick.ended_ns
    assert tick.began_ns < frame.began_ns
    assert [each.began_ns for each in phases[1:]] == [each.ended_ns for each in phases[:2]]
    wait_until(lambda: '"status":202' in world.api.log.read_text(), "the line of the order")
    lines = [json.loads(line) for line in world.api.log.read_text().splitlines()]
    (ordered,) = (line for line in lines if line["event"] == "request completed" and line["status"] == 202)
    assert ordered["trace"] == TRACE


def test_a_refused_request_is_traced_with_its_error(processes: Processes, redis_url: str, collector: Collector) -> None:
    world = World(processes, redis_url, collector.url)
    world.order({"type": "fly"})
    world.order([NOTE, NOTE])
    wait_until(lambda: len(collector.spans) == 6, "two requests, one tick and its phases")
    refused, accepted = collector.named("POST /orders")
    assert refused.failed
    assert refused.attributes["http.response.status_code"] == 422
    assert not accepted.failed
    assert collector.named("tick")[0].trace == accepted.trace != refused.trace


def test_traces_are_limited_and_follow_the_sampled_flag(
    processes: Processes, redis_url: str, collector: Collector
) -> None:
    world = World(processes, redis_url, collector.url, a_second="0.01")
    assert world.order(traceparent=CALLER.removesuffix("1") + "0").status_code == 202
    for _ in range(20):
        assert world.order(traceparent=CALLER).status_code == 202
    assert world.order(traceparent="00-nonsense").status_code == 202
    wait_until(lambda: len(collector.spans) == 5, "the one that is traced was applied")
    assert len(collector.named("POST /orders")) == 1
    assert {each.trace for each in collector.spans} == {TRACE}


def test_an_unreachable_collector_delays_nothing(processes: Processes, redis_url: str) -> None:
    world = World(processes, redis_url, f"http://127.0.0.1:{free_port()}")
    for _ in range(10):
        assert world.order().status_code == 202
    for service in (world.api, world.worker, world.viz):
        assert service.end() == 0
