"""The code on a Sentinel setup of three nodes and a cluster of six: sims continue after failover and slot migration."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from fixtures.admission import append_orders
from fixtures.processes import free_port
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream
from fixtures.topologies import SentinelTrio, SixNodes, running_topology
from sector.models import ORDER, Join, Note
from sector.state.errors import CommitConflict
from sector.state.history import history
from sector.state.keys import SimKeys
from sector.state.redis.client import Client, Cluster, connect
from sector.state.redis.connection import execute
from sector.state.redis.durability import Durability
from sector.state.sims import fork, lifecycle
from sector.state.tick import lease
from sector.state.watch.reader import SimReader

KEYS = SimKeys("default")
REPLICA = Durability("replica", 2000)


async def persist[T](attempt: Callable[[], Awaitable[T]]) -> T:
    """Return the result of an attempt, which is retried as a worker does it."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await attempt()
            except (RedisError, OSError, CommitConflict):
                await asyncio.sleep(0.05)


async def play(redis: Client) -> tuple[Sim, list[str]]:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"keyframes_kept": 100}))
    await sim.tick(Join(faction="Me"), times=7)
    note = ORDER.dump_json(Note(faction="Me", text="before"))
    return sim, await append_orders(redis, "default", "test", [note], durability=REPLICA)


async def assert_history_holds(sim: Sim, given: list[str]) -> None:
    """Every order was applied once, and the ticks are consecutive."""
    events = (await sim.reader.events((0, 0), 10_000)).events
    assert [event["order"] for event in events if event["type"] == "note"] == given
    ticks = [int(entry_id.partition("-")[0]) for entry_id, _ in await read_stream(sim.redis, KEYS.events)]
    assert ticks == list(range(1, len(ticks) + 1))
    head = await sim.reader.head()
    assert (await history.at_tick(sim.redis, "default", head.tick)).hash == head.hash


async def fail_amid_a_reply(redis: Cluster) -> None:
    async with redis.lend(KEYS.head) as connection:
        await connection.send_command("GET", KEYS.config)
        raise ZeroDivisionError


async def assert_a_failure_of_the_borrower_spoils_no_connection(redis: Client) -> None:
    """A connection that is released before all replies were read is closed, so the next user gets its own replies."""
    assert isinstance(redis, Cluster)
    with pytest.raises(ZeroDivisionError):
        await fail_amid_a_reply(redis)
    assert await execute(redis, "EXISTS", KEYS.head) == 1


async def test_a_sim_continues_after_a_sentinel_failover(tmp_path: Path) -> None:
    with running_topology(SentinelTrio, tmp_path) as trio:
        redis = connect(trio.url)
        sim, given = await play(redis)
        # Both replicas have the data, so either may become the master.
        note = ORDER.dump_json(Note(faction="Me", text="on both"))
        both = Durability("replica", 2000, replicas=2)
        given += await append_orders(redis, "default", "test", [note], durability=both)
        await asyncio.to_thread(trio.fail_over)
        ticked = await persist(sim.ticker.tick)
        assert ticked.head.tick >= 7
        note = ORDER.dump_json(Note(faction="Me", text="after"))
        given += await persist(lambda: append_orders(redis, "default", "test", [note]))
        await persist(sim.ticker.tick)
        await assert_history_holds(sim, given)
        await redis.aclose()


async def test_a_cluster_serves_sims_on_all_nodes_after_migration_and_failover(tmp_path: Path) -> None:
    with running_topology(SixNodes, tmp_path) as nodes:
        redis = connect(nodes.url)
        sim, given = await play(redis)
        names = [f"fork-{number}" for number in range(9)]
        for name in names:
            await fork.fork(redis, "default", 3, name)
        assert await lifecycle.list_ids(redis) == ["default", *names]
        assert await lease.holders(redis, ["default", *names]) == ["test", *[None] * 9]
        assert await lifecycle.load_heads(redis, ["default", "nowhere", names[0]]) == [
            await sim.reader.head(),
            None,
            await SimReader(redis, names[0]).head(),
        ]
        await assert_a_failure_of_the_borrower_spoils_no_connection(redis)

        await asyncio.to_thread(nodes.migrate, KEYS.head)
        await persist(sim.ticker.tick)
        note = ORDER.dump_json(Note(faction="Me", text="after"))
        given += await persist(lambda: append_orders(redis, "default", "test", [note]))
        await persist(sim.ticker.tick)
        await assert_history_holds(sim, given)

        held = await persist(lambda: lease.acquire(redis, names[0], "test", 60_000))
        assert held is not None
        # Its own master may be the one that "default" moved to. It continues in both cases.
        await asyncio.to_thread(nodes.fail_over, SimKeys(names[0]).head)
        assert (await persist(lambda: history.get_range(redis, names[0]))).head.tick == 3
        await persist(lambda: lease.renew(redis, held))
        await redis.aclose()


async def test_an_unreachable_cluster_is_a_connection_error() -> None:
    redis = connect(f"redis+cluster://127.0.0.1:{free_port()}")
    for _ in range(2):
        with pytest.raises(
            RedisConnectionError, match="no node of the cluster serves the slot of 'sim:{default}:head'"
        ):
            await execute(redis, "GET", KEYS.head)
    await redis.aclose()
