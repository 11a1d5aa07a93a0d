"""Who watches gets the world as it is, then each tick as it is committed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import socketio
from redis.asyncio import Redis

from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from sector.models import Join, Snapshot
from sector.state.connect import connect
from sector.state.reader import SimReader


class Watcher:
    """A Socket.IO client that keeps what it hears."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient(reconnection=False)
        self.heard: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        for name in ("snapshot", "tick"):
            self.client.on(name, self._hear(name))

    def _hear(self, name: str) -> Any:  # (a handler as socketio takes it)
        def heard(message: dict[str, Any]) -> None:
            self.heard.put_nowait((name, message))

        return heard

    async def next(self) -> tuple[str, dict[str, Any]]:
        return await asyncio.wait_for(self.heard.get(), 15)


@pytest.fixture
async def watch(processes: Processes) -> AsyncIterator[Any]:
    watchers: list[Watcher] = []

    async def connected(viz: Service, transport: str = "websocket") -> Watcher:
        watchers.append(watcher := Watcher())
        await watcher.client.connect(viz.url, socketio_path="ws", transports=[transport])
        return watcher

    yield connected
    # Else who polls would wait for the answer under way.
    processes.end_all()
    for watcher in watchers:
        await watcher.client.disconnect()


@pytest.fixture
def viz(sim: Sim, redis_url: str, processes: Processes) -> Service:
    assert sim.lease.epoch == 1
    return processes.start("viz", REDIS_URL=redis_url)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_who_connects_gets_the_state_then_every_tick_with_what_changed(
    viz: Service, sim: Sim, watch: Any, transport: str  # (a fixture that is a function)
) -> None:
    await sim.tick(times=3)
    watcher = await watch(viz, transport)
    name, state = await watcher.next()
    assert name == "snapshot"
    snapshot = Snapshot.model_validate(state, strict=False)
    assert len(snapshot.systems) == CONFIG.systems
    (order_id,) = await sim.order(Join(faction="Me"))
    await sim.tick(times=2)
    ticks = [message async for message in until_tick(watcher, 5)]
    assert [tick["tick"] for tick in ticks] == list(range(snapshot.tick + 1, 6))
    joined = next(tick for tick in ticks if any(event.get("order") == order_id for event in tick["events"]))
    assert [row["id"] for row in joined["changes"]["factions"]["added"]] == ["Me"]
    assert "Me" in {row.get("owner") for row in joined["changes"]["systems"]["changed"]}


async def until_tick(watcher: Watcher, last: int) -> AsyncIterator[dict[str, Any]]:
    while True:
        _, message = await watcher.next()
        yield message
        if message["tick"] >= last:
            return


async def test_the_changes_make_the_next_snapshot(viz: Service, sim: Sim, redis: Redis, watch: Any) -> None:
    """What a watcher keeps up to date by itself is what a newcomer is told."""
    watcher = await watch(viz)
    _, known = await watcher.next()
    tables = {name: {row["id"]: row for row in known[name]} for name in ("systems", "fleets", "factions")}
    await sim.tick(Join(faction="Me"), times=8)
    async for tick in until_tick(watcher, 8):
        for name, changes in tick["changes"].items():
            for row in changes.get("changed", []):
                tables[name][row["id"]] |= row
            for row_id in changes.get("removed", []):
                del tables[name][row_id]
            tables[name] |= {row["id"]: row for row in changes.get("added", [])}
    rows = (await SimReader(redis, "default").view()).rows()
    for name, kept in tables.items():
        assert list(kept.values()) == rows[name]


async def test_who_asks_to_resync_gets_the_state_again(viz: Service, sim: Sim, watch: Any) -> None:
    watcher = await watch(viz)
    await watcher.next()
    await sim.tick()
    assert (await watcher.next())[0] == "tick"
    await watcher.client.emit("resync")
    name, state = await watcher.next()
    assert (name, state["tick"]) == ("snapshot", 1)


async def test_who_has_gone_is_no_longer_counted(viz: Service, watch: Any) -> None:
    watchers = [await watch(viz) for _ in range(3)]
    viz.wait_for(lambda health: health["watching"] == 3, "watched by three")
    await watchers[0].client.disconnect()
    viz.wait_for(lambda health: health["watching"] == 2, "watched by two")


def test_the_page_is_whole_and_runs_nothing_from_elsewhere(viz: Service) -> None:
    page = httpx.get(viz.url)
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for path in ("main.js", "map.js", "style.css", "icon.svg", "vendor/socket.io.esm.min.js"):
        answer = httpx.get(f"{viz.url}/static/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "http://" not in answer.text.replace("http://www.w3.org", "") or path.startswith("vendor")


@pytest.mark.parametrize("path", ["static/../app.py", "static/%2e%2e/app.py", "static/nothing.js", "nowhere"])
def test_nothing_else_is_served(viz: Service, path: str) -> None:
    assert httpx.get(f"{viz.url}/{path}").status_code in (400, 404)


async def test_away_at_the_start_and_later_it_says_so_and_goes_on(
    processes: Processes, own_valkey: OwnValkey, watch: Any
) -> None:
    viz = processes.start("viz", wait=False, REDIS_URL=own_valkey.url)
    viz.wait_until(ready=False)
    assert httpx.get(viz.url).status_code == 200
    watcher = await watch(viz)
    own_valkey.start()
    viz.wait_for_fault("sim", "there is no sim 'default'")
    redis = connect(own_valkey.url)
    sim = await Sim.found(redis)
    assert (await watcher.next())[0] == "snapshot"
    own_valkey.stop()
    viz.wait_until(ready=False)
    own_valkey.start()
    viz.wait_until(ready=True)
    assert (await watcher.next())[0] == "snapshot"
    await sim.tick()
    assert (await watcher.next())[1]["tick"] == 1
    await redis.aclose()


def test_a_wrong_setting_ends_it_with_2_and_one_line(processes: Processes) -> None:
    viz = processes.start("viz", wait=False, PORT="seventy")
    assert viz.process.wait(timeout=15) == 2
    (line,) = viz.log.read_text().splitlines()
    assert line.startswith("wrong setting PORT='seventy': ")


def test_it_ends_in_time_though_somebody_watches(viz: Service) -> None:
    with httpx.stream("GET", f"{viz.url}/ws/?EIO=4&transport=polling") as answer:
        assert answer.status_code == 200
        assert viz.end() == 0
