"""Spectators receive the state, then each tick that is committed. Each sim has a room."""

import asyncio

import msgpack
import pytest
from redis.asyncio import Redis
from spectator import Spectate, Spectator

from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_string
from fixtures.waiting import wait_until
from sector.models import Join
from sector.models.frame import digest, encode
from sector.state.keys import SimKeys
from sector.state.redis.client import connect
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.watch.reader import SimReader
from sector.world import SectorWorld

pytest_plugins = ("spectating",)


async def test_a_spectator_receives_the_state_then_each_delta(viz: Service, sim: Sim, spectate: Spectate) -> None:
    await sim.tick(times=3)
    spectator = await spectate(viz)
    assert await spectator.watch() is None
    message = await spectator.world()
    assert (message["sim"], message["worker"]) == ("default", "test")
    assert spectator.map is not None
    assert spectator.map.tables["systems"].rows == CONFIG.systems
    (order_id,) = await sim.order(Join(faction="Me"))
    await sim.tick(times=2)
    first = await spectator.tick()
    second = await spectator.tick()
    assert (first.tick, second.tick) == (4, 5)
    assert first.at_ms > 0
    assert first.epoch == 1
    joined = next(event for event in first.events if event.get("order") == order_id)
    assert (joined["type"], joined["faction"]) == ("faction_joined", "Me")
    assert spectator.state is not None
    assert "Me" in spectator.state.tables["factions"].labels["id"]


async def test_the_deltas_lead_to_the_state_in_redis(viz: Service, sim: Sim, redis: Redis, spectate: Spectate) -> None:
    spectator = await spectate(viz)
    await spectator.watch()
    await spectator.world()
    await sim.tick(Join(faction="Me"), times=12)
    for _ in range(12):
        await spectator.tick()
    head = await SimReader(redis, "default").head()
    assert spectator.state is not None
    assert digest(encode(spectator.state)) == head.hash


async def test_a_known_map_is_not_sent_again(viz: Service, spectate: Spectate) -> None:
    spectator = await spectate(viz)
    await spectator.watch()
    first = await spectator.world()
    await spectator.watch("default", first["map_id"])
    assert "map" not in await spectator.world()
    await spectator.watch("default", "0" * 32)
    assert "map" in await spectator.world()


@pytest.mark.parametrize("sim_id", ["../etc", "A", "x" * 64, 7, ["default"], {"a": 1}])
async def test_an_invalid_sim_id_is_refused(viz: Service, spectate: Spectate, sim_id: object) -> None:
    spectator = await spectate(viz)
    assert await spectator.watch(sim_id) == "the id of the sim is invalid"
    assert await spectator.watch("default", 7) == "the id of the map is invalid"
    assert await spectator.watch() is None


async def test_each_sim_has_a_room_of_its_own(viz: Service, sim: Sim, redis: Redis, spectate: Spectate) -> None:
    await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
    here, elsewhere = await spectate(viz), await spectate(viz)
    await here.watch()
    await here.world()
    await elsewhere.watch("other")
    assert (await elsewhere.world())["sim"] == "other"
    await sim.tick()
    assert (await here.tick()).tick == 1
    # After a switch to another sim, a spectator receives nothing of the first one.
    await here.watch("other")
    await here.world()
    await sim.tick()
    await elsewhere.watch("default")
    await elsewhere.world()
    assert elsewhere.state is not None
    assert elsewhere.state.meta["tick"] == 2
    assert [name for name, _ in here.messages._queue] == []  # type: ignore[attr-defined]  # (nothing waits)


async def test_a_missing_sim_is_reported_and_shown_once_it_is_created(
    viz: Service, redis: Redis, spectate: Spectate
) -> None:
    spectator = await spectate(viz)
    assert await spectator.watch("later") is None
    assert await spectator.next("sim_error") == "sim later does not exist yet"
    await lifecycle.create(redis, "later", SectorWorld(), CONFIG)
    assert (await spectator.world())["sim"] == "later"


async def test_an_unreadable_sim_is_reported_and_shown_once_it_is_readable(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes, spectate: Spectate, polling: str
) -> None:
    assert sim.lease.epoch == 1
    snapshot = await read_string(redis, SimKeys("default").snapshot)
    await redis.set(SimKeys("default").snapshot, b"garbage")
    viz = processes.start("viz", wait=False, REDIS_URL=redis_url, POLLING=polling)
    await asyncio.to_thread(viz.wait_for_fault, "sim", "the frame cannot be read")
    spectator = await spectate(viz)
    await spectator.watch()
    assert "the frame cannot be read" in await spectator.next("sim_error")
    await redis.set(SimKeys("default").snapshot, snapshot)
    assert (await spectator.world())["sim"] == "default"


async def test_a_sim_recreated_on_another_map_is_shown(
    viz: Service, sim: Sim, redis: Redis, spectate: Spectate
) -> None:
    await sim.tick(times=3)
    spectator = await spectate(viz)
    await spectator.watch()
    before = await spectator.world()
    await lifecycle.delete(redis, "default")
    assert await spectator.next("sim_error") == "sim default does not exist yet"
    await Sim.create(redis, CONFIG.model_copy(update={"seed": 4}))
    after = await spectator.world()
    assert after["map_id"] != before["map_id"]
    assert spectator.state is not None
    assert spectator.state.meta["tick"] == 0


async def test_a_change_of_the_lease_owner_is_broadcast(
    viz: Service, sim: Sim, redis: Redis, spectate: Spectate
) -> None:
    spectator = await spectate(viz)
    await spectator.watch()
    await spectator.world()
    await lease.release(redis, sim.lease)
    assert await spectator.next("worker") is None
    assert await lease.acquire(redis, "default", "another:process", 60_000)
    assert await spectator.next("worker") == "another"


async def test_two_replicas_broadcast_the_same_ticks(
    viz: Service, sim: Sim, redis_url: str, processes: Processes, spectate: Spectate, polling: str
) -> None:
    other = processes.start("viz", REDIS_URL=redis_url, POLLING=polling)
    spectators = [await spectate(viz), await spectate(other)]
    for spectator in spectators:
        await spectator.watch()
        await spectator.world()
    await sim.tick(times=3)
    for spectator in spectators:
        assert [(await spectator.tick()).tick for _ in range(3)] == [1, 2, 3]
    await asyncio.to_thread(viz.end)
    await sim.tick()
    moved = await spectate(other)
    await moved.watch()
    await moved.world()
    assert moved.state is not None
    assert moved.state.meta["tick"] == 4


async def test_an_unreachable_redis_is_reported_until_it_returns(
    processes: Processes, own_valkey: OwnValkey, spectate: Spectate, polling: str
) -> None:
    viz = processes.start("viz", wait=False, REDIS_URL=own_valkey.url, POLLING=polling)
    await asyncio.to_thread(viz.wait_until, ready=False)
    spectator = await spectate(viz)
    await spectator.watch()
    assert "Redis is unreachable: start it, or correct REDIS_URL" in await spectator.next("sim_error")
    own_valkey.start()
    await asyncio.to_thread(viz.wait_for_fault, "sim", "sim 'default' does not exist")
    redis = connect(own_valkey.url)
    sim = await Sim.create(redis)
    await spectator.world()
    own_valkey.stop()
    await asyncio.to_thread(viz.wait_until, ready=False)
    assert "Redis is unreachable: start it, or correct REDIS_URL" in await spectator.next("sim_error")
    own_valkey.start()
    await asyncio.to_thread(viz.wait_until, ready=True)
    await spectator.world()
    await sim.tick()
    assert (await spectator.tick()).tick == 1
    await redis.aclose()


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xc1",
        b"\x93\x01",
        b"\x81\xa4type\x02",
        msgpack.packb({"type": 2, "nsp": "/", "data": []}),
        msgpack.packb({"type": 2, "nsp": "/", "data": ["watch", *[{}] * 9]}),
        msgpack.packb({"type": 99, "nsp": "/"}),
    ],
)
async def test_malformed_messages_disturb_no_spectator_and_log_little(
    viz: Service, sim: Sim, spectate: Spectate, garbage: bytes
) -> None:
    watching, sending = await spectate(viz), await spectate(viz, alone=True)
    await watching.watch()
    await watching.world()
    logged = wait_until(
        lambda: text if '"condition ok","condition":"sim"' in (text := viz.log.read_text()) else "",
        "the last line of its start",
    )
    for _ in range(20):
        await sending.client.eio.send(garbage)
    await sim.tick()
    assert (await watching.tick()).tick == 1
    assert (await asyncio.to_thread(viz.health)) is not None
    assert viz.log.read_text() == logged


async def test_a_large_message_of_a_spectator_is_refused(viz: Service, spectate: Spectate) -> None:
    spectator = await spectate(viz, alone=True)
    await spectator.client.emit("watch", ("x" * 100_000, ""))
    while spectator.client.connected:
        await spectator.client.sleep(0.02)
    other: Spectator = await spectate(viz)
    assert await other.watch() is None
