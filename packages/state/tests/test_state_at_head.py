"""The state at head: the last snapshot that was written, and the deltas after it."""

from array import array
from copy import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_string
from sector.models import Join, Note, Step
from sector.models.frame import Column, Frame, decode, encode
from sector.state.errors import HistoryBroken, HistoryGone
from sector.state.keys import SimKeys
from sector.state.sims import fork, lifecycle
from sector.state.tick.head_state import MAX_SNAPSHOT_AGE_TICKS, SnapshotBacklog
from sector.state.tick.transaction import Ticker
from sector.state.watch.reader import SimReader
from sector.world import Position, SectorWorld

KEYS = SimKeys("default")
QUIET = CONFIG.model_copy(update={"puppets": (), "keyframe_interval": 1000})


async def snapshot_tick(redis: Redis) -> int:
    tick = decode(await read_string(redis, KEYS.snapshot)).meta["tick"]
    assert isinstance(tick, int)
    return tick


async def successor(sim: Sim) -> Ticker[Position]:
    return Ticker(sim.redis, SectorWorld(), *await lifecycle.load_manifest(sim.redis, "default"), sim.lease)


def step(snapshot: int, delta: int, *, finished: bool = False) -> Step[None]:
    return Step(None, bytes(snapshot), bytes(delta), b"", finished)


def ticks_until_written(snapshot: int, delta: int) -> int:
    lag, ticks = SnapshotBacklog(), 1
    while (after := lag.after(step(snapshot, delta))) is not None:
        lag, ticks = after, ticks + 1
    return ticks


def test_a_snapshot_is_written_when_the_deltas_outweigh_it() -> None:
    """The deltas are at most four times as large as the snapshot, and their number is limited."""
    assert ticks_until_written(1000, 4001) == 1
    assert ticks_until_written(1000, 400) == 11
    assert ticks_until_written(1000, 1) == MAX_SNAPSHOT_AGE_TICKS + 1
    assert SnapshotBacklog().after(step(1000, 1, finished=True)) is None
    assert SnapshotBacklog(3, 7).after(Step(None, bytes(1000), bytes(10), bytes(20), False)) == SnapshotBacklog(4, 37)


async def test_a_quiet_tick_writes_only_its_changes(redis: Redis) -> None:
    """The first tick of a ticker writes a snapshot, and so does every n-th tick after it."""
    sim = await Sim.create(redis, QUIET)
    await sim.tick(Join(faction="Me"))
    assert await snapshot_tick(redis) == 1
    snapshot_ticks = set()
    for _ in range(3 * MAX_SNAPSHOT_AGE_TICKS):
        await sim.tick()
        snapshot_ticks.add(await snapshot_tick(redis))
    assert len(snapshot_ticks) < MAX_SNAPSHOT_AGE_TICKS
    assert (await sim.reader.head()).tick - max(snapshot_ticks) <= MAX_SNAPSHOT_AGE_TICKS


async def test_workers_and_readers_load_the_same_state_at_head(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    tick = await sim.tick(Join(faction="Me"))
    lagged = 0
    for number in range(20):
        tick = await sim.tick(Note(faction="Me", text=f"{number}"))
        lagged += await snapshot_tick(redis) < tick.head.tick
        new_view = await SimReader(redis, "default").view()
        assert new_view.rows() == (await sim.reader.view()).rows()
        assert new_view.head == tick.head.info()
    assert lagged > 3
    next_head = (await (await successor(sim)).tick()).head
    assert next_head.tick == tick.head.tick + 1
    assert await snapshot_tick(redis) == next_head.tick
    # The previous ticker continues from the stored state, and its result follows the rules.
    assert (await sim.tick()).head.tick == next_head.tick + 1


async def test_keyframes_and_the_last_tick_write_the_snapshot(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET.model_copy(update={"keyframe_interval": 3, "max_ticks": 5}))
    at = [0]
    for _ in range(5):
        await sim.tick()
        at.append(await snapshot_tick(redis))
    assert at == [0, 1, 1, 3, 3, 5]


async def test_a_view_advances_by_deltas_and_otherwise_reloads(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    await sim.tick(Join(faction="Me"))
    view = await sim.reader.view()
    await sim.tick(times=3)
    next_head = await sim.reader.view()
    assert next_head.map is view.map
    await sim.tick(times=2 * MAX_SNAPSHOT_AGE_TICKS)
    new_view = await sim.reader.view()
    assert new_view.map is not view.map
    assert new_view.rows()["tick"] == 4 + 2 * MAX_SNAPSHOT_AGE_TICKS


async def test_a_view_does_not_continue_in_another_history(redis: Redis) -> None:
    """The sim was recreated with the same size and another map, and its tick is later than that of the view."""
    sim = await Sim.create(redis, QUIET)
    await sim.tick(times=2)
    await sim.reader.view()
    await redis.flushall()
    other = await Sim.create(redis, QUIET.model_copy(update={"seed": 99}))
    await other.tick(times=4)
    assert (await sim.reader.view()).rows() == (await other.reader.view()).rows()


async def test_a_view_that_misses_a_tick_reloads_the_snapshot(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    await sim.tick()
    await sim.reader.view()
    await sim.tick(times=2)
    await redis.xdel(KEYS.events, "2-0")
    with pytest.raises(HistoryGone, match="tick 2"):
        await sim.reader.view()
    await sim.tick(times=MAX_SNAPSHOT_AGE_TICKS)
    assert await snapshot_tick(redis) > 2
    assert (await sim.reader.view()).head.tick == 3 + MAX_SNAPSHOT_AGE_TICKS


async def test_a_replaced_snapshot_is_detected(redis: Redis) -> None:
    """It is complete and has the right tick. The resulting state is compared with the hash in the head."""
    sim = await Sim.create(redis, QUIET)
    await sim.tick(times=3)
    frame = decode(await read_string(redis, KEYS.snapshot))
    systems = frame.tables["systems"]
    columns = {**systems.columns, "ships": Column(memoryview(array("q", [7] * systems.rows)))}
    tables = {**frame.tables, "systems": replace(systems, columns=columns)}
    await redis.set(KEYS.snapshot, encode(Frame(frame.kind, frame.meta, tables)))
    assert await snapshot_tick(redis) == 1
    for attempt in (SimReader(redis, "default").view(), (await successor(sim)).tick()):
        with pytest.raises(HistoryBroken, match="was recorded"):
            await attempt


async def test_a_commit_after_an_unknown_outcome_writes_the_snapshot(redis: Redis) -> None:
    class CutOff(Ticker[Position]):
        cut = False

        async def _commit(self, *args: Any, **options: Any) -> None:  # (as the one that it calls)
            await super()._commit(*args, **options)
            if self.cut:
                raise RedisConnectionError("after EXEC")

    sim = await Sim.create(redis, QUIET)
    ticker = CutOff(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), sim.lease)
    for _ in range(3):
        await ticker.tick()
    assert await snapshot_tick(redis) == 1
    ticker.cut = True
    with pytest.raises(RedisConnectionError):
        await ticker.tick()
    ticker.cut = False
    assert (await ticker.tick()).head.tick == 5
    assert await snapshot_tick(redis) == 5


async def test_a_missing_tick_or_another_state_is_an_error(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    await sim.tick(times=3)
    assert await snapshot_tick(redis) == 1
    await redis.xdel(KEYS.events, "2-0")
    for attempt in (SimReader(redis, "default").view(), (await successor(sim)).tick()):
        with pytest.raises(HistoryGone, match="tick 2 of sim 'default'"):
            await attempt
    # The solution in docs/guides/troubleshoot.md: a fork from before the gap is complete and continues.
    assert (await fork.fork(redis, "default", 1, "other")).tick == 1
    assert (await SimReader(redis, "other").view()).head.tick == 1
    await redis.hset(KEYS.head, mapping={"tick": 1, "hash": "0" * 32, "commit": "other"})
    for attempt in (SimReader(redis, "default").view(), (await successor(sim)).tick()):
        with pytest.raises(HistoryBroken, match="history of sim 'default' .* at tick 1: .* the head has 0000"):
            await attempt


async def test_a_missing_last_tick_is_an_error(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    await sim.tick(times=3)
    await redis.xdel(KEYS.events, "3-0")
    for attempt in (SimReader(redis, "default").view(), (await successor(sim)).tick()):
        with pytest.raises(HistoryGone, match="tick 3 of sim 'default'") as raised:
            await attempt
        assert (raised.value.sim_id, raised.value.tick) == ("default", 3)
