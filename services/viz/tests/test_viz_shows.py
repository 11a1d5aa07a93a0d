"""Which sims a viz shows, in this process: as many as it may, as long as somebody watches; and messages to who is gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from engineio.async_socket import AsyncSocket
from redis.asyncio import Redis

from fixtures.sim import CONFIG
from sector.process.tracing import Traces
from sector.state import sims
from sector.viz import shows as showing
from sector.viz.rooms import Rooms, encoded
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
        await sims.found(redis, name, SectorWorld(), CONFIG)
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
    assert (rooms.dropped, socket.queue.qsize()) == (1, 0)
    await asyncio.gather(*rooms._closing)
    assert socket.closed
    rooms._send("one", packet)
    assert socket.queue.empty()
    assert rooms.dropped == 1
