"""The timeline of a sim whose history is trimmed while it is read, and how many timelines are cached."""

from typing import Any

import pytest
from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from sector.state.errors import HistoryGone
from sector.state.keys import SimKeys
from sector.state.sims import lifecycle
from sector.viz import timeline
from sector.viz.timeline import TimelineCache
from sector.world import SectorWorld

KEYS = SimKeys("default")


async def load_timeline(cache: TimelineCache, sim_id: str = "default") -> Any:  # (JSON)
    """Return the timeline of a sim."""
    return await cache.load(sim_id)


def ticks_of(timeline_json: Any) -> list[int]:
    """Return the ticks for which a timeline has totals."""
    return [each["tick"] for each in timeline_json["totals"]]


async def test_a_keyframe_that_is_trimmed_meanwhile_is_omitted(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=12)
    ticks = ticks_of(await load_timeline(TimelineCache(redis)))
    assert ticks == [0, 5, *range(6, 13)]
    # The keyframe is in the list that was read before, and can no longer be read.
    await redis.hdel(KEYS.keyframes, "0:cursor")
    assert ticks_of(await load_timeline(TimelineCache(redis))) == ticks[1:]


async def test_battles_are_counted_back_to_the_oldest_stored_tick(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=27)
    before = await load_timeline(TimelineCache(redis))
    # All ticks before the keyframe of the computation are trimmed.
    await redis.xtrim(KEYS.events, minid="21-0", approximate=False)
    after = await load_timeline(TimelineCache(redis))
    assert after["totals"] == before["totals"]
    assert [tick for tick, _ in before["battles"]] == [16, 22, 25]
    assert after["battles"] == before["battles"][1:]


async def test_a_gap_before_the_head_is_an_error(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=12)
    await redis.xtrim(KEYS.events, minid="8-0", approximate=False)
    with pytest.raises(HistoryGone, match="tick 6 of sim 'default'"):
        await TimelineCache(redis).load("default")
    await redis.xtrim(KEYS.events, minid="99-0", approximate=False)
    with pytest.raises(HistoryGone, match="tick 6 of sim 'default'"):
        await TimelineCache(redis).load("default")


async def test_the_least_recently_requested_timeline_leaves_a_full_cache(
    sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "_MAX_SIMS", 2)
    await sim.tick(times=3)
    for name in ("one", "two"):
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)
    cache = TimelineCache(redis)
    first = await cache.load("default")
    for name in ("one", "default", "two"):
        await cache.load(name)
    assert list(cache._timelines) == ["default", "two"]
    await cache.load("one")
    assert list(cache._timelines) == ["two", "one"]
    assert await cache.load("default") == first
