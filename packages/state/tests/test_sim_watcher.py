"""A process that follows a sim."""

import asyncio
from contextlib import suppress
from itertools import repeat

import pytest
from redis.asyncio import Redis

from fixtures.sim import Sim
from sector.state.errors import FollowerEnded
from sector.state.history.event_codec import TickEvents
from sector.state.watch.reader import SimView
from sector.state.watch.sim_watcher import SimWatcher


async def test_a_follower_counts_its_listeners_and_calls_them_with_each_tick(sim: Sim, redis: Redis) -> None:
    watcher = SimWatcher(redis, "default", lambda: repeat(0.0))
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()
    assert watcher.listeners == 0
    with watcher.subscribe(ticks.put_nowait):
        assert watcher.listeners == 1
        following = asyncio.create_task(watcher.run())
        async with asyncio.timeout(60):
            assert (await watcher.view()).head.tick == 0
            assert await ticks.get() is None
            await sim.tick()
            tick = await ticks.get()
        assert tick is not None
        assert tick.tick == 1
    assert watcher.listeners == 0
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_a_follower_that_is_behind_waits_until_it_has_the_head(sim: Sim, redis: Redis) -> None:
    looks = asyncio.Event()

    class Watcher(SimWatcher):
        async def view(self) -> SimView:
            looks.set()
            return await super().view()

    watcher = Watcher(redis, "default", lambda: repeat(0.0))
    watcher.latest_view = await sim.reader.view()
    await sim.tick(times=3)
    caught_up = asyncio.create_task(watcher.current_view())
    # It reads the view of tick 0 before another one exists.
    await looks.wait()
    following = asyncio.create_task(watcher.run())
    assert (await caught_up).head.tick == 3
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_listeners_and_waiters_are_notified_when_following_ends(sim: Sim, redis: Redis) -> None:
    watcher = SimWatcher(redis, "default", lambda: repeat(0.0))
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()
    following = asyncio.create_task(watcher.run())
    async with asyncio.timeout(60):
        await watcher.view()
        with watcher.subscribe(ticks.put_nowait):
            assert watcher.in_use
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            assert await ticks.get() is None
    with pytest.raises(FollowerEnded):
        await watcher.view()
    with pytest.raises(FollowerEnded):
        watcher.subscribe(ticks.put_nowait).__enter__()
    assert sim.lease.epoch == 1


async def test_waiters_for_the_first_view_are_notified(redis: Redis, sim: Sim) -> None:
    watcher = SimWatcher(redis, "default", lambda: repeat(0.0))
    waiting = [asyncio.create_task(watcher.view()) for _ in range(3)]
    await asyncio.sleep(0)
    assert watcher.in_use
    following = asyncio.create_task(watcher.run())
    # It has started and is still reading.
    await asyncio.sleep(0)
    following.cancel()
    async with asyncio.timeout(60):
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [FollowerEnded] * 3
    assert watcher._waiters == 0
    assert sim.lease.epoch == 1


async def test_a_follower_with_an_unexpected_error_notifies_its_listeners(sim: Sim, redis: Redis) -> None:
    watcher = SimWatcher(redis, "default", lambda: repeat(0.0))
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()

    async def fail() -> SimView:
        raise LookupError("not foreseen")

    watcher.reader.view = fail  # type: ignore[method-assign]
    with watcher.subscribe(ticks.put_nowait), pytest.raises(LookupError):
        await watcher.run()
    assert ticks.get_nowait() is None
    assert watcher.ended
    assert sim.lease.epoch == 1
