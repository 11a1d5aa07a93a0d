"""A sim that cannot be read: requests for its past get an error, and the viz serves the other sims."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.processes import Processes
from fixtures.sim import CONFIG, Sim
from sector.models.frame import Frame, encode
from sector.state.keys import SimKeys
from sector.state.sims import lifecycle
from sector.world import SectorWorld

BAD = SimKeys("bad")
BARE = encode(Frame("snapshot", {"tick": 0, "status": "running"}, {}))


async def _second_entry(redis: Redis) -> None:
    entry: dict[Any, Any] = {"at_ms": "1", "hash": "0" * 32, "epoch": "1", "cursor": "0-0", "events": "[]", "delta": ""}
    for entry_id in ("1-0", "1-1"):
        await redis.xadd(BAD.events, entry, entry_id)
    await redis.hset(BAD.head, "tick", "1")


SPOIL: dict[str, Callable[[Redis], Awaitable[object]]] = {
    "a head that is none": lambda redis: redis.hset(BAD.head, "tick", "x"),
    "a keyframe that is none": lambda redis: redis.hset(BAD.keyframes, "0", "garbage"),
    "a keyframe without tables": lambda redis: redis.hset(BAD.keyframes, "0", BARE),
    "a second entry of a tick": _second_entry,
}


@pytest.mark.parametrize("kind", SPOIL)
async def test_a_bad_sim_is_a_503_and_the_others_are_shown(
    processes: Processes, redis: Redis, redis_url: str, kind: str
) -> None:
    await Sim.create(redis)
    await lifecycle.create(redis, "bad", SectorWorld(), CONFIG)
    await SPOIL[kind](redis)
    viz = processes.start("viz", REDIS_URL=redis_url)
    answer = httpx.get(f"{viz.url}/sims/bad/timeline", timeout=20)
    assert answer.status_code == 503, answer.text
    assert answer.json()["message"]
    for path in ("/sims", "/sims/default/timeline", "/sims/default/state?tick=0"):
        assert httpx.get(f"{viz.url}{path}", timeout=20).status_code == 200, path
    assert httpx.get(f"{viz.url}/health/ready").status_code == 200
    assert "Traceback" not in viz.log.read_text()


async def test_a_viz_with_an_unreadable_own_sim_reports_it_and_is_ready(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    await Sim.create(redis)
    await redis.set(SimKeys("default").snapshot, "garbage")
    viz = processes.start("viz", REDIS_URL=redis_url)
    health = viz.wait_for(lambda health: "fault" in health["conditions"]["sim"], "naming the fault")
    assert health["conditions"]["sim"]["blocks"] is False
