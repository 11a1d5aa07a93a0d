"""A sim as one process follows it."""

import asyncio
from contextlib import suppress
from itertools import repeat

from redis.asyncio import Redis

from fixtures.sim import Sim
from sector.state.followed import Followed
from sector.state.reader import TickEvents, View


async def test_a_follower_counts_its_listeners_and_calls_them_with_each_tick(sim: Sim, redis: Redis) -> None:
    followed = Followed(redis, "default", lambda: repeat(0.0))
    ticks: asyncio.Queue[TickEvents | None] = asyncio.Queue()
    assert followed.listeners == 0
    with followed.listening(ticks.put_nowait):
        assert followed.listeners == 1
        following = asyncio.create_task(followed.run())
        async with asyncio.timeout(60):
            assert (await followed.view()).head.tick == 0
            assert await ticks.get() is None
            await sim.tick()
            tick = await ticks.get()
        assert tick is not None
        assert tick.tick == 1
    assert followed.listeners == 0
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


async def test_a_follower_that_is_behind_waits_until_it_has_the_head(sim: Sim, redis: Redis) -> None:
    looks = asyncio.Event()

    class Watcher(Followed):
        async def view(self) -> View:
            looks.set()
            return await super().view()

    followed = Watcher(redis, "default", lambda: repeat(0.0))
    followed.known = await sim.reader.view()
    await sim.tick(times=3)
    caught_up = asyncio.create_task(followed.caught_up())
    # It looks at the view of tick 0 before there is another.
    await looks.wait()
    following = asyncio.create_task(followed.run())
    assert (await caught_up).head.tick == 3
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
