"""The worker process: it creates sims, ticks, waits for leases, takes over and releases."""

import asyncio
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis

from fixtures.admission import append_orders
from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, Service, free_port, tick_of
from fixtures.sim import CONFIG
from fixtures.stored_values import read_stream, read_string
from fixtures.waiting import wait_until
from sector.models import Note, Snapshot
from sector.models.orders import ORDER
from sector.state.keys import SimKeys
from sector.state.redis.client import Client, connect
from sector.state.tick.lease import worker_of
from sector.state.watch.reader import SimReader

KEYS = SimKeys("default")
# No history is trimmed, even if a test reads it late.
UNTRIMMED = CONFIG.model_copy(update={"keyframes_kept": 10_000})
SETTINGS = {"TICK_DELAY": "0.02", "LEASE_TTL_MS": "1500", "SIM_CONFIG": UNTRIMMED.model_dump_json()}


def worker(processes: Processes, redis_url: str, name: str, *, wait: bool = True, **settings: str) -> Service:
    return processes.start("worker", wait=wait, REDIS_URL=redis_url, WORKER_ID=name, **{**SETTINGS, **settings})


async def tick_reaches(redis: Client, tick: int) -> None:
    """Return once the sim is at `tick`. The test subscribes to the stream instead of polling."""
    async with asyncio.timeout(60):
        reader = SimReader(redis, "default")
        while not await redis.exists(KEYS.head):
            await asyncio.sleep(0.02)
        if (now := (await reader.head()).tick) >= tick:
            return
        async for done in reader.follow(now):
            if done.tick >= tick:
                return


async def lease_is_extended(redis: Client) -> None:
    """Return once the lease was renewed."""
    left_ms = before_ms = await redis.pttl(KEYS.lease)
    while left_ms <= before_ms:
        assert left_ms > 0, "it is held"
        await asyncio.sleep(0.01)
        before_ms, left_ms = left_ms, await redis.pttl(KEYS.lease)


async def test_the_worker_creates_the_configured_sim_and_ticks(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    one = worker(processes, redis_url, "one")
    await tick_reaches(redis, 10)
    view = await SimReader(redis, "default").view()
    assert view.map.tables["systems"].rows == CONFIG.systems
    assert (view.head.epoch, view.head.status) == (1, "running")
    assert worker_of(await read_string(redis, KEYS.lease)) == "one"
    health = one.wait_for(lambda health: tick_of(health) >= 10, "at tick 10")
    assert (health["worker"], health["serves"], health["held"]["default"]["epoch"]) == ("one", "default", 1)


async def test_sigterm_releases_the_lease_for_the_next_worker(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    one = worker(processes, redis_url, "one", LEASE_TTL_MS="60000")
    await tick_reaches(redis, 3)
    two = worker(processes, redis_url, "two", LEASE_TTL_MS="60000")
    assert two.wait_for(lambda health: health["ready"], "ready")["held"] == {}
    assert one.end(signal.SIGTERM) == 0
    assert "lease released" in one.log.read_text()
    ended_at = (await SimReader(redis, "default").head()).tick
    await tick_reaches(redis, ended_at + 3)
    assert worker_of(await read_string(redis, KEYS.lease)) == "two"
    assert (await SimReader(redis, "default").head()).epoch == 2


async def test_the_next_worker_continues_after_the_lease_of_a_killed_one_expires(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    one = worker(processes, redis_url, "one")
    await tick_reaches(redis, 3)
    worker(processes, redis_url, "two")
    one.end(signal.SIGKILL)
    killed_at = (await SimReader(redis, "default").head()).tick
    (order_id,) = await append_orders(redis, "default", "test", [ORDER.dump_json(Note(faction="Crimson", text="x"))])
    await tick_reaches(redis, killed_at + 3)
    events = (await SimReader(redis, "default").events((0, 0), 10_000)).events
    assert [event["type"] for event in events if event.get("order") == order_id] == ["note"]
    ticks = [int(entry_id.split("-")[0]) for entry_id, _ in await read_stream(redis, KEYS.events)]
    assert ticks == list(range(ticks[0], ticks[-1] + 1))
    assert ticks[-1] >= killed_at + 3


async def test_a_paused_worker_does_not_tick_after_its_lease_expired(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    one = worker(processes, redis_url, "one")
    await tick_reaches(redis, 3)
    worker(processes, redis_url, "two")
    one.process.send_signal(signal.SIGSTOP)
    paused_at = (await SimReader(redis, "default").head()).tick
    await tick_reaches(redis, paused_at + 5)
    one.process.send_signal(signal.SIGCONT)
    one.wait_for(lambda health: health["held"] == {} and health["ready"], "waiting, and ready")
    wait_until(lambda: '"lease lost"' in (log := one.log.read_text()) and '"holder":"two"' in log, "the line")


async def test_an_unreachable_redis_is_reported_and_retried(processes: Processes, own_valkey: OwnValkey) -> None:
    one = worker(processes, own_valkey.url, "one", wait=False)
    one.wait_until(ready=False)
    own_valkey.start()
    one.wait_until(ready=True)
    one.wait_for(lambda health: tick_of(health) >= 3, "at tick 3")
    own_valkey.stop()
    one.wait_until(ready=False)
    before = one.health()
    assert before is not None
    own_valkey.start()
    one.wait_until(ready=True)
    one.wait_for(lambda health: tick_of(health) > tick_of(before.json()), "ticking again")
    redis = connect(own_valkey.url)
    (order_id,) = await append_orders(redis, "default", "test", [ORDER.dump_json(Note(faction="Crimson", text="x"))])
    await tick_reaches(redis, (await SimReader(redis, "default").head()).tick + 2)
    events = (await SimReader(redis, "default").events((0, 0), 100_000)).events
    assert [event["type"] for event in events if event.get("order") == order_id] == ["note"]
    await redis.aclose()


async def test_a_finished_sim_keeps_its_worker_ready(processes: Processes, redis: Redis, redis_url: str) -> None:
    config = CONFIG.model_copy(update={"max_ticks": 3})
    one = worker(processes, redis_url, "one", SIM_CONFIG=config.model_dump_json())
    await tick_reaches(redis, 3)
    # Longer than the lifetime of the lease, because each extension comes after a third of it.
    for _ in range(4):
        await lease_is_extended(redis)
    assert worker_of(await read_string(redis, KEYS.lease)) == "one"
    one.wait_until(ready=True)
    wait_until(lambda: one.log.read_text().count("sim finished") == 1, "the line, once")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TICK_DELAY", "-1"),
        ("TICK_DELAY", "fast"),
        ("LEASE_TTL_MS", "1"),
        ("WORKER_ID", "a:b"),
        ("SIM_ID", "{x}"),
        ("REDIS_URL", "localhost"),
        ("SIM_CONFIG", '{"systems": 0}'),
        ("SIM_CONFIG", "{"),
        ("SIM_CONFIG", '{"sistems": 5}'),
    ],
)
def test_an_invalid_setting_exits_with_2_and_one_line(processes: Processes, name: str, value: str) -> None:
    one = processes.start("worker", wait=False, **{"HEALTH_PORT": str(free_port()), name: value})
    assert one.process.wait(timeout=60) == 2
    (line,) = one.log.read_text().splitlines()
    assert line.startswith(f"wrong setting {name}={value!r}: ")
    assert "Allowed: " in line


MAP = """{"systems": [
  {"id": "S0", "name": "Alpha", "x": 0, "y": 0, "growth": 4, "supply_yield": 4, "ships": 60},
  {"id": "S1", "name": "Beta", "x": 5, "y": 0, "growth": 1, "supply_yield": 1, "ships": 9}],
  "lanes": [{"a": "S0", "b": "S1"}], "homes": ["S0"]}"""


async def test_a_sim_is_created_on_a_map_file(
    processes: Processes, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    (tmp_path / "map.json").write_text(MAP)
    path, config = str(tmp_path / "map.json"), '{"puppets": ["Crimson"]}'
    one = worker(processes, redis_url, "one", SIM_MAP=path, SIM_CONFIG=config)
    one.wait_for(lambda health: tick_of(health) > 1, "tick 1")
    snapshot = Snapshot.model_validate((await SimReader(redis, "default").view()).rows(), strict=False)
    assert [system.name for system in snapshot.systems] == ["Alpha", "Beta"]
    assert snapshot.systems[0].owner == "Crimson"
    assert snapshot.lanes[0].length == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "it cannot be read: No such file or directory"),
        ("{}", "systems: is required"),
        (MAP.replace('"homes": ["S0"]', '"homes": ["S7"]'), "homes: system S7 does not exist"),
        (MAP, "players and puppets (2) must not exceed homes (1)"),
    ],
)
def test_an_unusable_map_file_exits_with_2(processes: Processes, tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "map.json").write_text(text)
    settings = {"HEALTH_PORT": str(free_port()), "SIM_MAP": str(tmp_path / "map.json")}
    one = processes.start("worker", wait=False, **settings)
    assert one.process.wait(timeout=60) == 2
    assert reason in one.log.read_text()
