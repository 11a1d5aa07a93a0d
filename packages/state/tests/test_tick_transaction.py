"""The tick transaction: committed completely or not at all, only by the owner of the lease, and each order once."""

from copy import replace

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from fixtures.faulty_proxy import FaultyProxy
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_hash, read_stream, read_string
from sector.models import Join, Note
from sector.models.frame import digest
from sector.state.errors import CommitConflict, LeaseLost
from sector.state.history import history
from sector.state.keys import SimKeys
from sector.state.redis.client import Client, connect
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import Connection
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.tick.head import Head
from sector.state.tick.transaction import Ticker, TickInput
from sector.world import Position, SectorWorld

KEYS = SimKeys("default")


async def applied_orders(sim: Sim) -> list[object]:
    return [event["order"] for event in (await sim.reader.events((0, -1), 10_000)).events if event.get("order")]


async def test_head_snapshot_events_and_lease_change_together(sim: Sim, redis: Redis) -> None:
    await redis.pexpire(KEYS.lease, 5_000)
    (order_id,) = await sim.order(Join(faction="Me"))
    tick = await sim.tick()
    assert (tick.head.tick, tick.head.cursor, tick.orders) == (1, order_id, 1)
    assert await sim.reader.head() == tick.head
    assert digest(await read_string(redis, KEYS.snapshot)) == tick.head.hash
    ((entry_id, fields),) = await read_stream(redis, KEYS.events)
    assert (entry_id, fields[b"hash"]) == ("1-0", tick.head.hash.encode())
    assert await redis.pttl(KEYS.lease) > 50_000


async def test_orders_are_applied_once_and_in_log_order(sim: Sim) -> None:
    given = await sim.order(Join(faction="Me"), *(Note(faction="Me", text=f"{n}") for n in range(20)))
    await sim.tick()
    given += await sim.order(*(Note(faction="Me", text=f"{n}") for n in range(5)))
    await sim.tick(times=3)
    assert await applied_orders(sim) == given


async def test_a_worker_with_an_expired_lease_cannot_commit(sim: Sim, redis: Redis) -> None:
    await sim.tick()
    await redis.delete(KEYS.lease)
    with pytest.raises(LeaseLost, match="is expired"):
        await sim.tick()
    assert (await sim.reader.head()).tick == 1


async def test_a_worker_that_was_paused_cannot_overwrite_its_successor(sim: Sim, redis: Redis) -> None:
    """While the old worker computes, its lease expires, and another worker acquires it and ticks. EXEC replies null."""
    config, map_blob = await lifecycle.load_manifest(redis, "default")
    held: list[lease.Lease] = []

    class Overtaken(Ticker[Position]):
        async def _commit(self, connection: Connection, head: Head, changes: list[Command]) -> None:
            await redis.delete(KEYS.lease)
            successor_lease = await lease.acquire(redis, "default", "successor", 60_000)
            assert successor_lease is not None
            held.append(successor_lease)
            await Ticker(redis, SectorWorld(), config, map_blob, successor_lease).tick()
            await super()._commit(connection, head, changes)

    overtaken = Overtaken(redis, SectorWorld(), config, map_blob, sim.lease)
    with pytest.raises(CommitConflict):
        await overtaken.tick()
    head = await sim.reader.head()
    assert (head.tick, head.epoch) == (1, 2)
    with pytest.raises(LeaseLost, match="owned by worker successor"):
        await overtaken.tick()


async def test_a_worker_that_is_overtaken_while_it_reads_reads_again(sim: Sim, redis: Redis) -> None:
    """The snapshot has a later tick than the head. That is not damaged history."""
    founding = await lifecycle.load_manifest(redis, "default")

    class Overtaken(Ticker[Position]):
        async def _read(self, connection: Connection) -> TickInput:
            read = await super()._read(connection)
            if read.head.tick == 0 and read.state is not None:
                await Ticker(redis, SectorWorld(), *founding, sim.lease).tick()
                return replace(read, state=replace(read.state, snapshot=await read_string(redis, KEYS.snapshot)))
            return read

    overtaken = Overtaken(redis, SectorWorld(), *founding, sim.lease)
    with pytest.raises(CommitConflict, match="tick 1 of sim"):
        await overtaken.tick()
    assert (await overtaken.tick()).head.tick == 2


async def ticker_behind(proxy: FaultyProxy, held: lease.Lease) -> tuple[Client, Ticker[Position]]:
    client = connect(proxy.url)
    return client, Ticker(client, SectorWorld(), *await lifecycle.load_manifest(client, "default"), held)


async def test_a_lost_reply_to_exec_is_resolved_by_the_commit_id(sim: Sim, redis_url: str) -> None:
    """The commit exists, and its order is not applied again."""
    await sim.tick()
    async with FaultyProxy(redis_url) as proxy:
        client, ticker = await ticker_behind(proxy, sim.lease)
        (order_id,) = await sim.order(Join(faction="Me"))
        proxy.cut_after(b"EXEC")
        with pytest.raises(RedisConnectionError):
            await ticker.tick()
        assert (await sim.reader.head()).tick == 2
        assert (await ticker.tick()).head.tick == 3
        await client.aclose()
    assert await applied_orders(sim) == [order_id]


async def test_a_connection_that_breaks_before_exec_leaves_no_changes(sim: Sim, redis_url: str) -> None:
    async with FaultyProxy(redis_url) as proxy:
        client, ticker = await ticker_behind(proxy, sim.lease)
        (order_id,) = await sim.order(Join(faction="Me"))
        proxy.cut_before(b"EXEC")
        with pytest.raises(RedisConnectionError):
            await ticker.tick()
        assert (await sim.reader.head()).tick == 0
        assert (await ticker.tick()).head.tick == 1
        await client.aclose()
    assert await applied_orders(sim) == [order_id]


async def test_a_new_ticker_continues_from_the_stored_bytes(sim: Sim, redis: Redis) -> None:
    before = await sim.tick(Join(faction="Me"), times=7)
    config, map_blob = await lifecycle.load_manifest(redis, "default")
    successor = Ticker(redis, SectorWorld(), config, map_blob, sim.lease)
    tick = await successor.tick()
    assert tick.head.tick == 8
    assert (await history.at_tick(redis, "default", 8)).frame.meta["parent"] == before.head.hash


async def test_all_commits_have_different_ids(sim: Sim, redis: Redis) -> None:
    """Readers use the id to detect a commit of any worker."""
    founding = await lifecycle.load_manifest(redis, "default")
    tickers = [sim.ticker, *(Ticker(redis, SectorWorld(), *founding, sim.lease) for _ in range(2))]
    commits = [(await ticker.tick()).head.commit for _ in range(3) for ticker in tickers]
    assert len(set(commits)) == len(commits)


async def test_history_is_trimmed_to_the_oldest_retained_keyframe(sim: Sim, redis: Redis) -> None:
    """There is a keyframe every 5 ticks, and 3 are retained: after 23 ticks those of 10, 15 and 20."""
    for _ in range(23):
        await sim.tick(Join(faction="Me"))
    fields = await read_hash(redis, KEYS.keyframes)
    assert sorted(int(name) for name in fields if b":" not in name) == [10, 15, 20]
    assert sorted(fields) == sorted(
        f"{tick}{part}".encode() for tick in (10, 15, 20) for part in ("", ":bytes", ":cursor")
    )
    assert (await read_stream(redis, KEYS.events))[0][0] == "11-0"
    assert (await read_stream(redis, KEYS.orders))[0][0] == fields[b"10:cursor"].decode()


async def test_a_finished_sim_does_not_tick(redis: Redis) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 3}))
    tick = await sim.tick(times=3)
    assert tick.finished
    again = await sim.ticker.tick()
    assert (again.finished, again.head.tick) == (True, 3)
