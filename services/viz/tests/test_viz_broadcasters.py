"""Which sims a viz shows, in this process: as many as it may, as long as somebody watches; and messages to who is gone."""

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
from sector.viz import rooms as spectators
from sector.viz import shows as showing
from sector.viz.rooms import Message, Rooms, encoded
from sector.viz.show import Show
from sector.viz.shows import Shows, Watching
from sector.world import SectorWorld


@pytest.fixture
def rooms() -> Rooms:
    return Rooms(most=10, most_behind=2)


@pytest.fixture
async def shows(redis: Redis, rooms: Rooms) -> AsyncIterator[Shows]:
    """Shows of two sims that are there, which nobody watches."""
    for name in ("default", "other"):
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)
    shows = Shows(redis, "default", rooms, Traces(), lambda _: None)
    yield shows
    stop = asyncio.Event()
    stop.set()
    await shows.run(stop)


async def test_only_so_many_sims_are_shown_and_who_asks_for_another_is_refused(
    shows: Shows, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_MOST", 1)
    own = shows.of("default")
    assert own is not None
    assert shows.of("other") is None
    assert await Watching(shows, rooms)._watch("somebody", "other") == "too many sims are watched here"
    assert shows.of("default") is own
    assert len(shows) == 1


async def test_a_sim_that_nobody_watches_is_shown_no_more_and_the_own_stays(
    shows: Shows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_LOOK_S", 0.001)
    assert shows.of("other") is not None
    stop = asyncio.Event()
    (other,) = (task for task in asyncio.all_tasks() if task.get_name() == "showing other")
    running = asyncio.create_task(shows.run(stop))
    await asyncio.wait((other,), timeout=60)
    assert other.cancelled()
    assert shows.own is not None
    assert len(shows) == 1
    stop.set()
    await running


async def test_a_show_that_fails_for_a_reason_that_nothing_foresees_ends_all(
    shows: Shows, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Show) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(showing, "_LOOK_S", 0.001)
    monkeypatch.setattr(Show, "run", fail)
    with pytest.raises(RuntimeError, match="not foreseen"):
        await shows.run(asyncio.Event())


async def test_who_is_gone_is_sent_nothing_and_who_is_behind_without_a_connection_is_closed(rooms: Rooms) -> None:
    packet = encoded("tick", b"something")
    rooms._send("gone", packet)
    socket = AsyncSocket(rooms._server.eio, "one")
    rooms._server.eio.sockets["one"] = socket
    for _ in range(2):
        rooms._send("one", packet)
    assert socket.queue.qsize() == 2
    rooms._send("one", packet)
    # What ends its writer is all that is left to send.
    assert (rooms.dropped, socket.queue.get_nowait(), socket.queue.empty()) == (1, None, True)
    await asyncio.gather(*rooms._closing)
    assert socket.closed
    rooms._send("one", packet)
    assert socket.queue.empty()
    assert rooms.dropped == 1


async def test_the_connection_of_a_session_that_ended_is_closed_though_its_reader_takes_nothing(
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
    """Rooms without connections: who is in which, and what was told."""

    def __init__(self) -> None:
        super().__init__(most=10, most_behind=2)
        self.rooms: dict[str, str] = {}
        self.told: list[tuple[str, str, object]] = []

    def members(self, room: str) -> list[tuple[str, str]]:
        return [(spectator, spectator) for spectator, where in self.rooms.items() if where == room]

    async def enter(self, spectator: str, room: str) -> None:
        self.rooms[spectator] = room

    def tell(self, room: str, name: str, message: Message) -> None:
        self.told.append((room, name, message))


@pytest.fixture
def rooms_of_many() -> SpectatorRooms:
    return SpectatorRooms()


@pytest.fixture
async def shows_of_many(redis: Redis, rooms_of_many: SpectatorRooms) -> AsyncIterator[Shows]:
    for name in ("default", "other"):
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)
    shows = Shows(redis, "default", rooms_of_many, Traces(), lambda _: None)
    stop = asyncio.Event()
    running = asyncio.create_task(shows.run(stop))
    yield shows
    stop.set()
    await running


async def test_spectators_of_sims_that_do_not_exist_begin_no_shows_and_keep_nobody_out(
    shows_of_many: Shows, rooms_of_many: SpectatorRooms
) -> None:
    watching = Watching(shows_of_many, rooms_of_many)
    for number in range(300):
        assert await watching._watch(f"spectator-{number}", f"fake{number}") is None
    assert (len(shows_of_many), shows_of_many.missing) == (1, 300)
    assert rooms_of_many.told[-1] == ("spectator-299", "fault", "there is no sim fake299 yet")
    assert await watching._watch("somebody", "other") is None
    assert len(shows_of_many) == 2


async def test_one_that_watches_many_sims_one_after_another_leaves_nothing(
    shows_of_many: Shows, rooms_of_many: SpectatorRooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_LOOK_FOR_MISSING_S", 0.001)
    watching = Watching(shows_of_many, rooms_of_many)
    await asyncio.gather(*(watching._watch("one", f"fake{number}") for number in range(500)))
    async with asyncio.timeout(60):
        while shows_of_many.missing > 1:
            await asyncio.sleep(0.01)
    assert len(shows_of_many) == 1


async def test_the_show_of_a_sim_that_is_removed_goes_at_once_and_comes_back_with_it(
    shows_of_many: Shows, rooms_of_many: SpectatorRooms, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_LOOK_FOR_MISSING_S", 0.01)
    assert await Watching(shows_of_many, rooms_of_many)._watch("somebody", "other") is None
    async with asyncio.timeout(60):
        while not rooms_of_many.told:
            await asyncio.sleep(0.01)
        await lifecycle.delete(redis, "other")
        while len(shows_of_many) > 1:
            await asyncio.sleep(0.01)
        assert ("sim:other", "fault", "there is no sim other yet") in rooms_of_many.told
        rooms_of_many.told.clear()
        await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
        while not any(name == "world" for _, name, _ in rooms_of_many.told):
            await asyncio.sleep(0.01)
    assert (len(shows_of_many), shows_of_many.missing) == (2, 0)


async def test_where_there_are_too_many_shows_those_that_nobody_watches_end_at_once(
    shows_of_many: Shows, rooms_of_many: SpectatorRooms, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_MOST", 2)
    await lifecycle.create(redis, "third", SectorWorld(), CONFIG)
    watching = Watching(shows_of_many, rooms_of_many)
    assert await watching._watch("somebody", "other") is None
    assert await watching._watch("else", "third") == "too many sims are watched here"
    # The only one that watched it goes over to the own sim.
    assert await watching._watch("somebody", "default") is None
    assert await watching._watch("else", "third") is None
    assert shows_of_many.own is not None


@pytest.mark.parametrize("forms", list(itertools.permutations((False, True, False, True))))
def test_a_message_has_both_encodings_whichever_is_wanted_first(forms: tuple[bool, ...]) -> None:
    packet = encoded("tick", b"\x00\xff")
    for as_text in forms:
        message = packet.encode(b64=as_text)
        assert isinstance(message, str if as_text else bytes)
        assert Packet(encoded_packet=message).data == encoded("tick", b"\x00\xff").encode()


def test_a_message_is_encoded_once_for_each_transport() -> None:
    packet = encoded("tick", bytes(100))
    for as_text in (False, True):
        assert packet.encode(b64=as_text) is packet.encode(b64=as_text)
