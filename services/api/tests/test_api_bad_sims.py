"""An unreadable sim is a 503 for its requests. The API serves all other sims, and stays ready."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from fixtures import archives
from fixtures.archives import replace_meta, replace_record
from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from sector.models.archive import Keyframe
from sector.models.frame import Frame, encode
from sector.state.keys import SimKeys
from sector.state.sims import lifecycle
from sector.state.sims.importer import import_sim
from sector.world import SectorWorld

BAD = SimKeys("bad")
FAR = 2**53 - 20
NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


async def _far_head(redis: Redis) -> None:
    """Entries far after the snapshot: a reader of the gap would get the same page forever."""
    entry: dict[Any, Any] = {"at_ms": "1", "hash": "0" * 32, "epoch": "1", "cursor": "0-0", "events": "[]", "delta": ""}
    for number in range(9):
        await redis.xadd(BAD.events, entry, f"{FAR + number}-0")
    await redis.hset(BAD.head, mapping={"tick": FAR + 8, "hash": "0" * 32, "commit": "other"})


async def _no_tables(redis: Redis) -> None:
    """Import a state without tables: another world may have none."""
    records = archives.record_world(0)
    keyframe = records[1]
    assert isinstance(keyframe, Keyframe)
    await lifecycle.delete(redis, "bad")
    bare = encode(Frame("snapshot", {"tick": 0, "status": "running"}, {}))
    await import_sim(
        redis,
        "bad",
        iter(replace_record(replace_record(records, 0, map=encode(Frame("map", {}, {}))), 1, snapshot=bare)),
    )


async def _other_type(redis: Redis) -> None:
    await redis.delete(BAD.snapshot)
    await redis.rpush(BAD.snapshot, "something")


SPOIL: dict[str, Callable[[Redis], Awaitable[object]]] = {
    "a head far beyond its snapshot": _far_head,
    "a head that is none": lambda redis: redis.hset(BAD.head, "tick", "x"),
    "a snapshot that is none": lambda redis: redis.set(BAD.snapshot, b"garbage"),
    "a snapshot of another type": _other_type,
    "a map that is none": lambda redis: redis.set(BAD.map, b"garbage"),
}


async def spoil_sim(redis: Redis, kind: str) -> None:
    await Sim.create(redis)
    await lifecycle.create(redis, "bad", SectorWorld(), CONFIG)
    await SPOIL[kind](redis)


def get(api: Service, path: str) -> httpx.Response:
    return httpx.get(f"{api.url}{path}", timeout=20)


@pytest.mark.parametrize("kind", SPOIL)
async def test_a_bad_sim_is_a_503_and_the_others_are_served(
    processes: Processes, redis: Redis, redis_url: str, kind: str
) -> None:
    await spoil_sim(redis, kind)
    api = processes.start("api", REDIS_URL=redis_url)
    began_s = time.monotonic()
    for path in ("/sims/bad/snapshot", "/sims/bad/snapshot?format=columns", "/sims/bad/map"):
        assert get(api, path).status_code == 503, path
    posted = httpx.post(f"{api.url}/sims/bad/orders", json=NOTE, timeout=20)
    assert posted.status_code == 503
    assert time.monotonic() - began_s < 20
    for path in ("/snapshot", "/sims/default/map", "/events", "/sims"):
        assert get(api, path).status_code == 200, path
    assert {"bad", "default"} == {sim["id"] for sim in get(api, "/sims").json()["sims"]}
    assert get(api, "/health/ready").status_code == 200


@pytest.mark.parametrize("kind", SPOIL)
async def test_an_unreadable_own_sim_is_in_health_and_others_are_served(
    processes: Processes, redis: Redis, redis_url: str, kind: str
) -> None:
    await spoil_sim(redis, kind)
    api = processes.start("api", REDIS_URL=redis_url, SIM_ID="bad")
    health = api.wait_for(lambda health: "fault" in health["conditions"]["sim"], "naming the fault")
    assert health["conditions"]["sim"]["blocks"] is False
    assert health["conditions"]["redis"]["ok"]
    assert get(api, "/snapshot").status_code == 503
    assert get(api, "/sims/default/snapshot").status_code == 200


async def test_a_sim_without_tables_is_served(processes: Processes, redis: Redis, redis_url: str) -> None:
    await Sim.create(redis)
    await lifecycle.create(redis, "bad", SectorWorld(), CONFIG)
    await _no_tables(redis)
    api = processes.start("api", REDIS_URL=redis_url)
    assert get(api, "/sims/bad/snapshot").json()["tick"] == 0
    posted = httpx.post(f"{api.url}/sims/bad/orders", json=NOTE, timeout=20)
    assert posted.status_code == 422, posted.text


async def test_a_winner_with_special_characters_is_valid_json(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    await Sim.create(redis)
    records = archives.record_world(0)
    keyframe = records[1]
    assert isinstance(keyframe, Keyframe)
    lying = replace_record(records, 1, snapshot=replace_meta(keyframe.snapshot, winner="\x1b[2J\n"))
    await import_sim(redis, "bad", iter(lying))
    api = processes.start("api", REDIS_URL=redis_url)
    assert get(api, "/sims/bad/snapshot").json()["winner"] == "\x1b[2J\n"
