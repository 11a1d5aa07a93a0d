"""Which sims a viz broadcasts, and messages for spectators that disconnected or are slow."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from engineio.async_socket import AsyncSocket
from engineio.packet import Packet
from redis.asyncio import Redis
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from fixtures.sim import CONFIG
from sector.process.tracing import Traces
from sector.state.sims import lifecycle
from sector.viz import broadcaster_registry as registry_module
from sector.viz import rooms as spectators
from sector.viz.broadcaster_registry import BroadcasterRegistry, SpectatorRequests
from sector.viz.rooms import Message, Rooms, encode_event
from sector.viz.sim_broadcaster import SimBroadcaster
from sector.world import SectorWorld


@pytest.fixture
def rooms() -> Rooms:
    return Rooms(max_spectators=10, max_backlog=2)


@pytest.fixture
async def registry(redis: Redis, rooms: Rooms) -> AsyncIterator[BroadcasterRegistry]:
    """A registry for two sims that exist and have no spectators."""
    for name in ("default", "other"):
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)
    registry = BroadcasterRegistry(redis, "default", rooms, Traces(), lambda _: None)
    yield registry
    stop = asyncio.Event()
    stop.set()
    await registry.run(stop)


async def test_sims_beyond_the_limit_are_refused(
    registry: BroadcasterRegistry, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_MAX_SIMS", 1)
    own = registry.of("default")
    assert own is not None
    assert registry.of("other") is None
    assert (
        await SpectatorRequests(registry, rooms)._watch("somebody", "other")
        == "too many sims are watched: try again later"
    )
    assert registry.of("default") is own
    assert len(registry) == 1


async def test_a_broadcaster_without_spectators_stops_and_the_own_sim_stays(
    registry: BroadcasterRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_LOOK_S", 0.001)
    assert registry.of("other") is not None
    stop = asyncio.Event()
    (other,) = (task for task in asyncio.all_tasks() if task.get_name() == "broadcast other")
    running = asyncio.create_task(registry.run(stop))
    await asyncio.wait((other,), timeout=60)
    assert other.cancelled()
    assert registry.own is not None
    assert len(registry) == 1
    stop.set()
    await running


async def test_an_unexpected_error_of_a_broadcaster_ends_the_process(
    registry: BroadcasterRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: SimBroadcaster) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(registry_module, "_LOOK_S", 0.001)
    monkeypatch.setattr(SimBroadcaster, "run", fail)
    with pytest.raises(RuntimeError, match="not foreseen"):
        await registry.run(asyncio.Event())


async def test_a_slow_session_without_a_connection_is_closed(rooms: Rooms) -> None:
    packet = encode_event("tick", b"something")
    rooms._send("gone", packet)
    socket = AsyncSocket(rooms._server.eio, "one")
    rooms._server.eio.sockets["one"] = socket
    for _ in range(2):
        rooms._send("one", packet)
    assert socket.queue.qsize() == 2
    rooms._send("one", packet)
    # Only the message that ends the writer is left in the queue.
    assert (rooms.dropped, socket.queue.get_nowait(), socket.queue.empty()) == (1, None, True)
    await asyncio.gather(*rooms._closing)
    assert socket.closed
    rooms._send("one", packet)
    assert socket.queue.empty()
    assert rooms.dropped == 1


async def test_the_connection_of_an_ended_session_is_closed_if_it_reads_nothing(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spectators, "_CLOSE_WITHIN_S", 0.001)
    accepted: asyncio.Queue[WebSocketProtocol] = asyncio.Queue()

    class Accepting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connection = WebSocketProtocol.__new__(WebSocketProtocol)
            connection.transport = transport  # type: ignore[assignment]  # it is one of a connection
            accepted.put_nowait(connection)

    server = await asyncio.get_running_loop().create_server(Accepting, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    rooms._connections["one"] = await accepted.get()
    await rooms._end("one", "ping timeout")
    async with asyncio.timeout(60):
        with suppress(ConnectionError):
            assert await reader.read() == b""
    assert rooms._connections == {}
    writer.close()
    server.close()


class SpectatorRooms(Rooms):
    """Rooms without connections, which record memberships and messages."""

    def __init__(self) -> None:
        super().__init__(max_spectators=10, max_backlog=2)
        self.rooms: dict[str, str] = {}
        self.messages: list[tuple[str, str, object]] = []

    def members(self, room: str) -> list[tuple[str, str]]:
        return [(spectator, spectator) for spectator, where in self.rooms.items() if where == room]

    async def enter(self, spectator: str, room: str) -> None:
        self.rooms[spectator] = room

    def broadcast(self, room: str, name: str, message: Message) -> None:
        self.messages.append((room, name, message))


@pytest.fixture
def rooms_of_many() -> SpectatorRooms:
    return SpectatorRooms()


@pytest.fixture
async def registry_of_many(redis: Redis, rooms_of_many: SpectatorRooms) -> AsyncIterator[BroadcasterRegistry]:
    for name in ("default", "other"):
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)
    registry = BroadcasterRegistry(redis, "default", rooms_of_many, Traces(), lambda _: None)
    stop = asyncio.Event()
    running = asyncio.create_task(registry.run(stop))
    yield registry
    stop.set()
    await running


async def test_spectators_of_missing_sims_start_no_broadcasters(
    registry_of_many: BroadcasterRegistry, rooms_of_many: SpectatorRooms
) -> None:
    requests = SpectatorRequests(registry_of_many, rooms_of_many)
    for number in range(300):
        assert await requests._watch(f"spectator-{number}", f"fake{number}") is None
    assert (len(registry_of_many), registry_of_many.missing) == (1, 300)
    assert rooms_of_many.messages[-2] == ("spectator-299", "sim_error", "sim fake299 does not exist yet")
    # The name of the event in version 0.11.
    assert rooms_of_many.messages[-1] == ("spectator-299", "fault", "sim fake299 does not exist yet")
    assert await requests._watch("somebody", "other") is None
    assert len(registry_of_many) == 2


async def test_a_spectator_that_changes_sims_leaves_no_lookups(
    registry_of_many: BroadcasterRegistry, rooms_of_many: SpectatorRooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_LOOK_FOR_MISSING_S", 0.001)
    requests = SpectatorRequests(registry_of_many, rooms_of_many)
    await asyncio.gather(*(requests._watch("one", f"fake{number}") for number in range(500)))
    async with asyncio.timeout(60):
        while registry_of_many.missing > 1:
            await asyncio.sleep(0.01)
    assert len(registry_of_many) == 1


async def test_a_broadcaster_stops_with_its_sim_and_returns_with_it(
    registry_of_many: BroadcasterRegistry, rooms_of_many: SpectatorRooms, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_LOOK_FOR_MISSING_S", 0.01)
    assert await SpectatorRequests(registry_of_many, rooms_of_many)._watch("somebody", "other") is None
    async with asyncio.timeout(60):
        while not rooms_of_many.messages:
            await asyncio.sleep(0.01)
        await lifecycle.delete(redis, "other")
        while len(registry_of_many) > 1:
            await asyncio.sleep(0.01)
        assert ("sim:other", "sim_error", "sim other does not exist yet") in rooms_of_many.messages
        rooms_of_many.messages.clear()
        await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
        while not any(name == "world" for _, name, _ in rooms_of_many.messages):
            await asyncio.sleep(0.01)
    assert (len(registry_of_many), registry_of_many.missing) == (2, 0)


async def test_broadcasters_without_spectators_make_room_for_others(
    registry_of_many: BroadcasterRegistry, rooms_of_many: SpectatorRooms, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "_MAX_SIMS", 2)
    await lifecycle.create(redis, "third", SectorWorld(), CONFIG)
    requests = SpectatorRequests(registry_of_many, rooms_of_many)
    assert await requests._watch("somebody", "other") is None
    assert await requests._watch("else", "third") == "too many sims are watched: try again later"
    # Its only spectator switches to the own sim.
    assert await requests._watch("somebody", "default") is None
    assert await requests._watch("else", "third") is None
    assert registry_of_many.own is not None


@pytest.mark.parametrize("forms", list(itertools.permutations((False, True, False, True))))
def test_a_message_has_both_encodings_whichever_is_wanted_first(forms: tuple[bool, ...]) -> None:
    packet = encode_event("tick", b"\x00\xff")
    for as_text in forms:
        message = packet.encode(b64=as_text)
        assert isinstance(message, str if as_text else bytes)
        assert Packet(encoded_packet=message).data == encode_event("tick", b"\x00\xff").encode()


def test_a_message_is_encoded_once_for_each_transport() -> None:
    packet = encode_event("tick", bytes(100))
    for as_text in (False, True):
        assert packet.encode(b64=as_text) is packet.encode(b64=as_text)
