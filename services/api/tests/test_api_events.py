"""GET /events with filters and pages, and the event stream: resumption, slow clients and limits."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.metrics import wait_for_metrics
from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from sector.models import Join, Note
from sector.state.sims import lifecycle

NOTE = Note(faction="Crimson", text="hello")


@pytest.fixture
def api_settings() -> dict[str, str]:
    return {"HEARTBEAT_S": "0.2", "STREAM_WRITE_TIMEOUT_S": "1"}


def events(api: Service, **query: str) -> list[dict[str, object]]:
    """Return all events, page by page."""
    listed: list[dict[str, object]] = []
    after, first, more = query.pop("after", "0-0"), query.pop("tick", ""), True
    while more:
        begin = {"tick": first} if first else {"after": after}
        first = ""
        answer = httpx.get(f"{api.url}/events", params=query | begin)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        listed += page["events"]
        after, more = page["next"], page["more"]
    return listed


async def test_events_are_filtered_by_type_faction_and_tick(api: Service, sim: Sim) -> None:
    await sim.tick(Join(faction="Me"))
    for n in range(9):
        await sim.tick(*([Note(faction="Me", text=f"{n}")] if n % 3 == 0 else []))
    everything = events(api, limit="1000")
    for kind in ("note", "fleet_departed", "note,fleet_arrived"):
        wanted = [event for event in everything if event["type"] in kind.split(",")]
        assert events(api, type=kind, limit="2") == wanted
        assert wanted
    mine = events(api, faction="Me", limit="2")
    assert {event["type"] for event in mine} >= {"faction_joined", "note"}
    assert all("Me" in json.dumps(event) for event in mine)
    assert [event["tick"] for event in events(api, type="note", tick="5")] == [5, 8]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("type=fly", "type"),
        ("type=", "type"),
        ("faction=a b", "faction"),
        ("tick=x", "tick"),
        ("tick=1&after=1-0", "tick"),
        ("limit=5&limit=6", "limit"),
    ],
)
@pytest.mark.parametrize("path", ["/events", "/events/stream"])
def test_a_wrong_query_is_a_422(still_api: Service, path: str, query: str, field: str) -> None:
    answer = httpx.get(f"{still_api.url}{path}?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


type Message = dict[str, str]


def messages(lines: Iterator[str]) -> Iterator[Message]:
    """Yield the messages of a stream. A heartbeat is a message without fields."""
    message: Message = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line == "":
            yield message
            message = {}
        elif name:
            message[name] = value


class Reader:
    """Reads a stream, message by message."""

    def __init__(self, api: Service, path: str = "/events/stream", **headers: str) -> None:
        self._client = httpx.Client(timeout=60)
        self._context = self._client.stream("GET", f"{api.url}{path}", headers=headers)
        self.answer = self._context.__enter__()
        assert self.answer.status_code == 200
        assert self.answer.headers["content-type"] == "text/event-stream"
        self._messages = messages(self.answer.iter_lines())
        first = next(self._messages)
        assert first.pop("retry") == "1000"
        self.position = first.pop("id", None)
        assert first == {}

    def next(self) -> Message:
        """Return the next message that is neither a heartbeat nor the end of a tick."""
        return next(message for message in self._messages if message and message.get("event") != "tick")

    def next_tick(self) -> Message:
        """Return the next message that ends a tick."""
        return next(message for message in self._messages if message.get("event") == "tick")

    def close(self) -> None:
        self._context.__exit__(None, None, None)
        self._client.close()


async def test_a_stream_has_the_events_of_the_pages(api: Service, sim: Sim) -> None:
    reader = Reader(api)
    await sim.tick(NOTE)
    first = reader.next()
    assert (first["event"], first["id"].partition("-")[0]) == ("note", "1")
    await sim.tick(NOTE, NOTE)
    messages = [first, *(reader.next() for _ in events(api)[1:])]
    assert [json.loads(message["data"]) for message in messages] == events(api)
    assert [message["id"] for message in messages] == [event["id"] for event in events(api)]
    reader.close()


async def test_a_stream_resumes_without_gap_or_repetition(api: Service, sim: Sim) -> None:
    for _ in range(5):
        await sim.tick(NOTE, NOTE)
    everything = events(api)
    for number in (0, 3, len(everything) - 1):
        event_id = str(everything[number]["id"])
        by_header, by_query = Reader(api, **{"Last-Event-ID": event_id}), Reader(
            api, f"/events/stream?after={event_id}"
        )
        rest = [str(event["id"]) for event in everything[number + 1 :]]
        for reader in (by_header, by_query):
            assert [reader.next()["id"] for _ in rest] == rest
            reader.close()
    last = Reader(api, **{"Last-Event-ID": str(everything[-1]["id"])})
    await sim.tick(NOTE)
    assert last.next()["id"].startswith("6-")
    last.close()


async def test_a_long_history_is_sent_page_by_page_without_gap_or_repetition(api: Service, sim: Sim) -> None:
    for _ in range(3):
        await sim.tick(*[NOTE] * 400)
    api.wait_for(lambda health: health.get("tick", -1) == 3, "at tick 3")
    everything = [str(event["id"]) for event in events(api, limit="1000")]
    assert len(everything) >= 1_200, "more than two pages of a stream"
    reader = Reader(api, "/events/stream?after=0-0")
    assert [reader.next()["id"] for _ in everything] == everything
    reader.close()


async def test_a_stream_of_a_removed_sim_ends_with_reconnect(api: Service, sim: Sim, redis: Redis) -> None:
    reader = Reader(api, "/events/stream?type=note")
    await sim.tick(NOTE)
    assert reader.next()["event"] == "note"
    await lifecycle.delete(redis, "default")
    assert reader.next() == {
        "event": "reconnect",
        "data": '{"reason":"ticks may be missing: connect again with Last-Event-ID"}',
    }
    reader.close()


async def test_a_stream_is_filtered(api: Service, sim: Sim) -> None:
    reader = Reader(api, "/events/stream?type=note&faction=Crimson")
    await sim.tick(times=3)
    await sim.tick(NOTE)
    assert json.loads(reader.next()["data"])["tick"] == 4
    reader.close()


async def test_a_client_behind_the_history_receives_a_gap(api: Service, sim: Sim) -> None:
    for _ in range(20):
        await sim.tick(NOTE)
    api.wait_for(lambda health: health.get("tick", -1) == 20, "at tick 20")
    reader = Reader(api, **{"Last-Event-ID": "2-0"})
    gap = reader.next()
    assert gap["event"] == "gap"
    assert json.loads(gap["data"]) == {"after": "2-0", "first_tick": 11}
    assert json.loads(reader.next()["data"])["tick"] == 11
    reader.close()


async def test_a_client_ahead_of_the_sim_receives_a_gap(api: Service, sim: Sim) -> None:
    """After a crash, Redis may lack its last second."""
    await sim.tick(times=3)
    api.wait_for(lambda health: health.get("tick", -1) == 3, "at tick 3")
    reader = Reader(api, **{"Last-Event-ID": "99-0"})
    assert json.loads(reader.next()["data"]) == {"after": "99-0", "first_tick": 4}
    await sim.tick(NOTE)
    assert reader.next()["id"].startswith("4-")
    reader.close()


async def test_a_stream_without_an_event_yet_resumes_where_it_began(api: Service, sim: Sim) -> None:
    await sim.tick(NOTE)
    await asyncio.to_thread(api.wait_for, lambda health: health.get("tick", -1) == 1, "at tick 1")
    reader = Reader(api, "/events/stream?type=note")
    position = reader.position
    assert position == "1-999999999"
    reader.close()
    await sim.tick(NOTE)
    again = Reader(api, "/events/stream?type=note", **{"Last-Event-ID": position})
    assert again.next()["id"].startswith("2-")
    assert again.position is None
    again.close()


@pytest.mark.parametrize("query", ["", "?type=note", "?faction=Azure"])
async def test_each_tick_has_a_message_with_or_without_events(api: Service, sim: Sim, query: str) -> None:
    reader = Reader(api, f"/events/stream{query}")
    for number in range(1, 5):
        await sim.tick(*[NOTE] * (number % 2))
        message = reader.next_tick()
        assert (message["data"], message["id"]) == (f'{{"type":"tick","tick":{number}}}', f"{number}-999999999")
    reader.close()
    await sim.tick(NOTE)
    again = Reader(api, f"/events/stream{query}", **{"Last-Event-ID": "4-999999999"})
    await sim.tick()
    assert json.loads(again.next_tick()["data"])["tick"] in (5, 6)
    again.close()


@pytest.mark.usefixtures("sim")
def test_a_client_that_leaves_releases_its_stream(redis_url: str, processes: Processes) -> None:
    # No heartbeat reveals it: two heartbeats take longer than the test waits.
    api = processes.start("api", REDIS_URL=redis_url, HEARTBEAT_S="50")
    url = httpx.URL(api.url)
    with ExitStack() as clients:
        for _ in range(5):
            client = clients.enter_context(socket.create_connection((url.host, url.port or 80)))
            client.sendall(b"GET /events/stream HTTP/1.1\r\nhost: a\r\n\r\n")
        wait_for_metrics(api.url, lambda metrics: metrics["sector_api_streams"] == 5, "five streams are open")
    wait_for_metrics(api.url, lambda metrics: metrics["sector_api_streams"] == 0, "the streams are closed")


_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""All characters at which `str.splitlines` ends a line."""


async def test_a_text_cannot_forge_a_message_by_unicode_line_ends(api: Service, sim: Sim) -> None:
    texts = [f"a{end}event: battle{end}data: {{}}{end}{end}id: 9-9{end}" for end in _LINE_ENDS]
    live = Reader(api, "/events/stream?type=note")
    await sim.tick(*(Note(faction="Crimson", text=text) for text in texts))
    api.wait_for(lambda health: health.get("tick", -1) == 1, "at tick 1")
    for reader in (live, Reader(api, "/events/stream?after=0-0&type=note")):
        for text in texts:
            message = reader.next()
            assert set(message) == {"id", "event", "data"}
            assert (message["event"], json.loads(message["data"])["text"]) == ("note", text)
        reader.close()


async def test_the_last_event_id_may_be_in_the_query(api: Service, sim: Sim) -> None:
    for _ in range(3):
        await sim.tick(NOTE)
    api.wait_for(lambda health: health.get("tick", -1) == 3, "at tick 3")
    for path, headers in (
        ("/events/stream?type=note&lastEventId=2-0", {}),
        ("/events/stream?type=note&after=0-0&lastEventId=2-0", {}),
        ("/events/stream?type=note&lastEventId=1-0", {"Last-Event-ID": "2-0"}),
        ("/events/stream?type=note&lastEventId=2-0", {"Last-Event-ID": ""}),
    ):
        reader = Reader(api, path, **headers)
        assert reader.next()["id"].startswith("3-"), path
        reader.close()


@pytest.mark.parametrize(
    ("path", "headers"),
    [("?lastEventId=", {}), ("", {"Last-Event-ID": ""}), ("?lastEventId=", {"Last-Event-ID": ""})],
)
async def test_an_empty_last_event_id_is_ignored(api: Service, sim: Sim, path: str, headers: dict[str, str]) -> None:
    await sim.tick(NOTE)
    api.wait_for(lambda health: health.get("tick", -1) == 1, "at tick 1")
    reader = Reader(api, f"/events/stream{path}", **headers)
    assert reader.position == "1-999999999"
    reader.close()


def test_a_head_request_for_a_stream_ends(still_api: Service) -> None:
    answer = httpx.head(f"{still_api.url}/events/stream")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    still_api.wait_for(lambda health: health["streams"] == 0, "without a stream")


def test_a_stream_without_events_sends_heartbeats(api: Service) -> None:
    with httpx.stream("GET", f"{api.url}/events/stream", timeout=60) as answer:
        lines = answer.iter_lines()
        assert [next(lines), next(lines)] == ["retry: 1000", "id: 0-999999999"]
        assert [next(lines) for _ in range(5)][1::2] == [": still here", ": still here"]


def test_streams_end_with_reconnect_on_shutdown(api: Service) -> None:
    reader = Reader(api)
    api.process.terminate()
    message = reader.next()
    assert (message["event"], json.loads(message["data"])) == (
        "reconnect",
        {"reason": "this server is shutting down: connect again"},
    )
    assert api.process.wait(timeout=60) == 0
    reader.close()


def test_a_stream_above_the_limit_is_a_503(sim: Sim, redis_url: str, processes: Processes) -> None:
    del sim
    api = processes.start("api", REDIS_URL=redis_url, MAX_STREAMS="1")
    first = Reader(api)
    assert httpx.get(f"{api.url}/events/stream").json()["title"] == "Too many streams"
    first.close()


async def test_a_slow_client_receives_dropped(sim: Sim, redis_url: str, processes: Processes) -> None:
    api = processes.start("api", REDIS_URL=redis_url, STREAM_WRITE_TIMEOUT_S="30")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(20)
    slow.connect(("127.0.0.1", api.port))
    slow.sendall(b"GET /events/stream HTTP/1.1\r\nhost: a\r\n\r\n")
    api.wait_for(lambda health: health["streams"] == 1, "streaming")
    for _ in range(60):
        await sim.tick(*[Note(faction="Crimson", text="x" * 280)] * 1_000)
    api.wait_for(lambda health: health.get("tick", -1) == 60, "at tick 60")
    received = b""
    while b"event: dropped" not in received and (chunk := slow.recv(2**20)):
        received = received[-200:] + chunk
    assert b'{"reason":"the client is more than 1000 ticks or 4194304 bytes behind: read faster"}' in received
    api.wait_for(lambda health: (health["streams"], health["streams_dropped"]) == (0, 1), "rid of it")
    slow.close()


async def test_a_client_that_reads_nothing_is_disconnected(api: Service, sim: Sim) -> None:
    """A client that never reads is dropped once the buffers of two sockets are full. A late read has the reason."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", api.port))
    slow.sendall(b"GET /events/stream HTTP/1.1\r\nhost: a\r\n\r\n")
    api.wait_for(lambda health: health["streams"] == 1, "streaming")
    quick = Reader(api, "/events/stream?type=note")
    long = [Note(faction="Crimson", text="x" * 280)] * 1_000
    tick = 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (api.health() or quick.answer).json()["streams_dropped"] == 0:
        await sim.tick(*long)
        tick += 1
        assert json.loads([quick.next() for _ in long][-1]["data"])["tick"] == tick
    response = api.health()
    assert response is not None
    assert response.json()["streams_dropped"] == 1
    await sim.tick(NOTE)
    assert json.loads(quick.next()["data"])["tick"] == tick + 1
    quick.close()
    slow.close()
