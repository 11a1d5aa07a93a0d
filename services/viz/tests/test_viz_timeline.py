"""The course of a sim whose history is trimmed while it is read, and how many of them are remembered."""

from typing import Any

import pytest
from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from sector.state.errors import HistoryGone
from sector.state.keys import SimKeys
from sector.state.sims import lifecycle
from sector.viz import courses
from sector.viz.courses import Courses
from sector.world import SectorWorld

KEYS = SimKeys("default")


async def course_of(courses: Courses, sim_id: str = "default") -> Any:  # (JSON)
    """Return the course of a sim."""
    return await courses.of(sim_id)


def ticks_of(course: Any) -> list[int]:
    """Return the ticks of which a course has totals."""
    return [each["tick"] for each in course["totals"]]


async def test_a_keyframe_that_is_trimmed_meanwhile_is_left_out(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=12)
    whole = ticks_of(await course_of(Courses(redis)))
    assert whole == [0, 5, *range(6, 13)]
    # It is still in the list that was read before, and cannot be read any more.
    await redis.hdel(KEYS.keyframes, "0:cursor")
    assert ticks_of(await course_of(Courses(redis))) == whole[1:]


async def test_battles_are_counted_as_far_back_as_the_ticks_are_there(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=27)
    before = await course_of(Courses(redis))
    # All of its ticks go that lie before the keyframe from which it is worked out.
    await redis.xtrim(KEYS.events, minid="21-0", approximate=False)
    after = await course_of(Courses(redis))
    assert after["totals"] == before["totals"]
    assert [tick for tick, _ in before["battles"]] == [16, 22, 25]
    assert after["battles"] == before["battles"][1:]


async def test_a_gap_before_the_head_is_an_error_and_not_a_course_with_a_hole(sim: Sim, redis: Redis) -> None:
    await sim.tick(times=12)
    await redis.xtrim(KEYS.events, minid="8-0", approximate=False)
    with pytest.raises(HistoryGone, match="tick 6 of sim 'default'"):
        await Courses(redis).of("default")
    await redis.xtrim(KEYS.events, minid="99-0", approximate=False)
    with pytest.raises(HistoryGone, match="tick 6 of sim 'default'"):
        await Courses(redis).of("default")


async def test_of_too_many_sims_the_one_asked_for_longest_ago_is_forgotten_and_worked_out_again(
    sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courses, "_SIMS", 2)
    await sim.tick(times=3)
    for name in ("one", "two"):
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)
    remembered = Courses(redis)
    first = await remembered.of("default")
    for name in ("one", "default", "two"):
        await remembered.of(name)
    assert list(remembered._courses) == ["default", "two"]
    await remembered.of("one")
    assert list(remembered._courses) == ["two", "one"]
    assert await remembered.of("default") == first
