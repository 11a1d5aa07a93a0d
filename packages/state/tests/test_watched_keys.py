"""Writes of other clients between a read and its EXEC are detected and not overwritten. Commands are served one by one."""

import asyncio
import threading
from collections.abc import Awaitable, Sequence
from copy import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from stand_in import Pool, Server, SocketConnection

from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_string
from sector.models import LoggedOrder, SimConfig, Step
from sector.models.frame import FrameError
from sector.state.errors import CommitConflict, LeaseLost, SimNotFound
from sector.state.keys import SimKeys
from sector.state.redis.connection import Connection, execute
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.tick.head import Head
from sector.state.tick.lease import Lease
from sector.state.tick.outcome import FinishedSim
from sector.state.tick.transaction import Ticker, TickInput
from sector.world import Position, SectorWorld

KEYS = SimKeys("default")
QUIET = CONFIG.model_copy(update={"puppets": (), "keyframe_interval": 1000})
HEAD = Head(3, "0-0", "hash", "mine", 7, 0, "running", 0)
HELD = Lease("default", 7, "7:one:nonce", 1_000)
type Writes = dict[bytes, tuple[str | int, ...]]

STOLEN = ("SET", KEYS.lease, "8:two:nonce", "PX", 60_000)
GIVEN_BACK = ("DEL", KEYS.lease)
HEAD_WRITTEN = ("HSET", KEYS.head, "at_ms", 1)
COMMITTED = ("HSET", KEYS.head, "commit", "another")
EVENT_WRITTEN = ("XADD", KEYS.events, "99-0", "x", "y")


def held_server() -> Server:
    """Return a server with HEAD and HELD."""
    server = Server()
    server.call("HSET", KEYS.head, *HEAD.pairs())
    server.call("SET", KEYS.lease, HELD.token, "PX", HELD.ttl_ms)
    return server


async def serve_all[T](server: Server, pool: Pool, work: Awaitable[T], writes: Writes) -> T:
    """Serve `work` until it ends. Before the first command with a name in `writes`, another client writes."""
    task, pending = asyncio.ensure_future(work), dict(writes)
    while not task.done():
        await asyncio.sleep(0)
        for socket_connection in pool.all:
            if socket_connection.waits and socket_connection.inbox:
                if (write := pending.pop(socket_connection.inbox[0][0], None)) is not None:
                    server.call(*write)
                socket_connection.serve()
    return task.result()


@pytest.mark.parametrize("change", [lease.renew, lease.release])
@pytest.mark.parametrize("write", [STOLEN, GIVEN_BACK])
async def test_a_lease_that_is_lost_before_exec_is_neither_renewed_nor_released(
    change: Any, write: tuple[str | int, ...]
) -> None:
    server = held_server()
    pool = server.client()
    with pytest.raises(LeaseLost, match="the lease of sim 'default' is expired") as raised:
        await serve_all(server, pool, change(pool.redis, HELD), {b"EXEC": write})
    assert (raised.value.sim_id, raised.value.holder) == ("default", None)
    assert server.call("GET", KEYS.lease) == (b"8:two:nonce" if write is STOLEN else None)


@pytest.mark.parametrize("write", [STOLEN, ("HSET", KEYS.head, "epoch", 9)])
async def test_a_lease_is_not_acquired_if_lease_or_head_has_changed(write: tuple[str | int, ...]) -> None:
    server = held_server()
    server.call(*GIVEN_BACK)
    pool = server.client()
    assert await serve_all(server, pool, lease.acquire(pool.redis, "default", "one", 500), {b"EXEC": write}) is None
    assert server.call("GET", KEYS.lease) == (b"8:two:nonce" if write is STOLEN else None)
    assert server.call("HGET", KEYS.head, "epoch") == (b"7" if write is STOLEN else b"9")


async def test_a_released_connection_watches_no_key() -> None:
    """Otherwise a transaction of its next user would fail."""
    server = held_server()
    pool = server.client()
    assert await serve_all(server, pool, lease.acquire(pool.redis, "default", "two", 500), {}) is None
    (socket_connection,) = pool.all
    server.call(*GIVEN_BACK)
    connection = Connection(socket_connection)  # type: ignore[arg-type]  # a stand-in
    assert (await serve_all(server, pool, connection.pipeline(("MULTI",), ("GET", KEYS.lease), ("EXEC",)), {}))[-1] == [
        None
    ]


async def renewed_amid_a_tick(writes: Writes) -> tuple[Server, Pool, Ticker[Position], Connection]:
    """Watch as a tick does, renew the lease while `writes` happen, and return the objects under test."""
    server = held_server()
    pool = server.client()
    socket_connection: SocketConnection = await pool.get_connection()
    connection = Connection(socket_connection)  # type: ignore[arg-type]  # a stand-in
    ticker = Ticker(pool.redis, SectorWorld(), SimConfig(), b"", HELD)
    await serve_all(server, pool, connection.pipeline(ticker._watch()), {})
    server.pass_time(HELD.ttl_ms - 1)
    await serve_all(server, pool, ticker._renew(connection, HEAD), writes)
    return server, pool, ticker, connection


@pytest.mark.parametrize("later", [None, STOLEN, GIVEN_BACK, HEAD_WRITTEN, EVENT_WRITTEN])
async def test_a_renewal_during_a_tick_lasts_and_later_writes_are_detected(
    later: tuple[str | int, ...] | None,
) -> None:
    server, pool, ticker, connection = await renewed_amid_a_tick({})
    server.pass_time(HELD.ttl_ms - 1)
    assert server.call("GET", KEYS.lease) == HELD.token.encode()
    if later is None:
        await serve_all(server, pool, ticker._check_nobody_wrote(connection, HEAD), {})
        return
    server.call(*later)
    with pytest.raises(CommitConflict, match="tick 4 of sim 'default' was not committed"):
        await serve_all(server, pool, ticker._check_nobody_wrote(connection, HEAD), {})


@pytest.mark.parametrize("before", [b"EXEC", b"WATCH"])
async def test_a_lease_of_another_worker_is_not_renewed_during_a_tick(before: bytes) -> None:
    with pytest.raises(LeaseLost, match="the lease of sim 'default' is owned by worker two"):
        await renewed_amid_a_tick({before: STOLEN})


@pytest.mark.parametrize(
    ("before", "write"),
    [(b"EXEC", HEAD_WRITTEN), (b"EXEC", EVENT_WRITTEN), (b"EXEC", COMMITTED), (b"WATCH", COMMITTED)],
)
async def test_a_renewal_during_a_tick_detects_writes_of_others(before: bytes, write: tuple[str | int, ...]) -> None:
    with pytest.raises(CommitConflict, match="tick 4 of sim 'default' was not committed") as raised:
        await renewed_amid_a_tick({before: write})
    assert (raised.value.sim_id, raised.value.tick) == ("default", 4)


@pytest.mark.parametrize("write", [GIVEN_BACK, HEAD_WRITTEN, EVENT_WRITTEN])
async def test_a_tick_is_not_committed_if_a_watched_key_has_changed(redis: Redis, write: tuple[str | int, ...]) -> None:
    """Each key is tested alone. A commit writes all three, but expiry and an operator may change only one."""

    class OvertakenTicker(Ticker[Position]):
        async def _commit(self, *args: Any, **kwargs: Any) -> None:  # (as the one that it calls)
            await execute(redis, *write)
            await super()._commit(*args, **kwargs)

    sim = await Sim.create(redis, QUIET)
    ticker = OvertakenTicker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), sim.lease)
    with pytest.raises(CommitConflict, match="tick 1 of sim 'default' was not committed"):
        await ticker.tick()
    assert (await sim.reader.head()).tick == 0


async def test_a_worker_that_is_overtaken_while_it_reads_ticks_reads_again(redis: Redis) -> None:
    """A tick seems to be missing then, but the history has no gap."""
    sim = await Sim.create(redis, QUIET)
    await sim.tick(times=3)
    founding = await lifecycle.load_manifest(redis, "default")

    class OvertakenTicker(Ticker[Position]):
        async def _read(self, connection: Connection) -> TickInput:
            read = await super()._read(connection)
            assert read.state is not None
            await sim.tick()
            return replace(read, state=replace(read.state, entries=[]))

    with pytest.raises(CommitConflict, match="tick 4 of sim 'default'"):
        await OvertakenTicker(redis, SectorWorld(), *founding, sim.lease).tick()


async def test_a_sim_that_does_not_exist_cannot_tick(sim: Sim, redis: Redis) -> None:
    await redis.delete(KEYS.head)
    with pytest.raises(SimNotFound, match="sim 'default' does not exist"):
        await sim.tick()


async def test_a_lost_lease_is_an_error_with_sim_and_owner(sim: Sim, redis: Redis) -> None:
    await execute(redis, *STOLEN)
    with pytest.raises(LeaseLost, match="the lease of sim 'default' is owned by worker two") as raised:
        await sim.tick()
    assert (raised.value.sim_id, raised.value.holder) == ("default", "two")


async def test_an_invalid_map_is_not_an_error_of_the_rules(sim: Sim, redis: Redis) -> None:
    config, _ = await lifecycle.load_manifest(redis, "default")
    with pytest.raises(FrameError):
        await Ticker(redis, SectorWorld(), config, b"nonsense", sim.lease).tick()


async def test_a_head_without_a_count_of_orders_has_applied_none(sim: Sim, redis: Redis) -> None:
    """Heads of versions before 0.6 have no such field."""
    await redis.hdel(KEYS.head, "applied")
    assert (await sim.tick()).head.applied == 0


async def test_a_finished_sim_retains_its_lease(redis: Redis) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    await sim.tick()
    await redis.pexpire(KEYS.lease, 5_000)
    assert await sim.ticker.tick() == FinishedSim(await sim.reader.head())
    assert await redis.pttl(KEYS.lease) > 50_000


class WaitingWorld(SectorWorld):
    """A world that computes in its thread until the test ends it."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.release = threading.Event()
        self.ended = False

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        self.began.set()
        assert self.release.wait(60)
        self.ended = True
        return super().advance(state, orders)


async def test_a_tick_that_loses_its_lease_waits_for_its_thread(sim: Sim, redis: Redis) -> None:
    """Two threads must not compute one sim."""
    lost = asyncio.Event()

    class RenewingTicker(Ticker[Position]):
        async def _renew(self, connection: Connection, head: Head) -> None:
            try:
                await super()._renew(connection, head)
            except LeaseLost:
                lost.set()
                raise

    world = WaitingWorld()
    # The lease must not be lost before the test steals it: the first renewal is after a third of 1.5 s.
    short = Lease("default", sim.lease.epoch, sim.lease.token, 1_500)
    ticker = RenewingTicker(redis, world, *await lifecycle.load_manifest(redis, "default"), short)
    ticking = asyncio.create_task(ticker.tick())
    assert await asyncio.to_thread(world.began.wait, 60)
    await execute(redis, *STOLEN)
    await asyncio.wait_for(lost.wait(), 60)
    assert not (await asyncio.wait((ticking,), timeout=0.05))[0]
    world.release.set()
    with pytest.raises(LeaseLost, match="owned by worker two"):
        await ticking
    assert world.ended


async def test_a_failed_command_of_a_commit_raises(sim: Sim, redis: Redis) -> None:
    """The event stream has a later tick, so the state is not as expected, and an operator must check it."""
    await execute(redis, *EVENT_WRITTEN)
    with pytest.raises(ResponseError, match="equal or smaller"):
        await sim.tick()


async def test_dead_letters_do_not_overwrite_a_key_of_another_type(sim: Sim, redis: Redis) -> None:
    """Redis runs the remaining commands of a transaction even if one fails, so the ticker checks the type before."""
    await redis.sadd(KEYS.dead_letters, "something")
    await execute(redis, "XADD", KEYS.orders, "*", "hello", "world")
    before = await read_string(redis, KEYS.snapshot)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await sim.tick()
    assert (await sim.reader.head()).tick == 0
    assert await read_string(redis, KEYS.snapshot) == before
