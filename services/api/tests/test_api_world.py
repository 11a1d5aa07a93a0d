"""Orders, events and snapshots of a whole world."""

import asyncio

import httpx
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream
from sector.models import Snapshot
from sector.state.keys import SimKeys


def snapshot(api: Service, tick: int) -> Snapshot:
    """Return the snapshot once the API has received this tick."""
    api.wait_for(lambda health: health.get("tick", -1) >= tick, f"at tick {tick}")
    return Snapshot.model_validate_json(httpx.get(f"{api.url}/snapshot").content)


def events(api: Service, **query: str) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = httpx.get(f"{api.url}/events", params=query).json()["events"]
    return listed


async def test_an_order_is_in_the_log_before_its_acknowledgement(api: Service, sim: Sim, redis: Redis) -> None:
    answer = httpx.post(f"{api.url}/orders", json={"type": "join", "faction": "Me"})
    assert answer.status_code == 202
    order_id = answer.json()["id"]
    assert [entry_id for entry_id, _ in await read_stream(redis, SimKeys("default").orders)] == [order_id]
    assert snapshot(api, 0).tick == 0
    await sim.tick()
    assert [event["type"] for event in events(api) if event.get("order") == order_id] == ["faction_joined"]
    after = snapshot(api, 1)
    assert after.tick == 1
    assert [system.owner for system in after.systems].count("Me") == 1


async def test_the_valid_orders_of_a_list_are_accepted(api: Service, sim: Sim) -> None:
    bodies: list[object] = [
        {"type": "note", "faction": "Crimson", "text": "one"},
        {"type": "note", "faction": "Crimson"},
        7,
        {"type": "note", "faction": "Crimson", "text": "two"},
    ]
    answer = httpx.post(f"{api.url}/orders", json=bodies)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [202, 422, 422, 202]
    assert results[1]["problem"]["errors"] == [{"field": "text", "message": "is required"}]
    await sim.tick()
    notes = [event for event in events(api) if event["type"] == "note"]
    assert [(note["order"], note["text"]) for note in notes] == [(results[0]["id"], "one"), (results[3]["id"], "two")]


async def test_a_broken_rule_is_an_event_with_its_reason(api: Service, sim: Sim) -> None:
    lane = snapshot(api, 0).lanes[0]
    move = {"type": "move_fleet", "faction": "Crimson", "system": lane.a, "target": lane.b, "ships": 10**12}
    order_id = httpx.post(f"{api.url}/orders", json=move).json()["id"]
    await sim.tick()
    (rejected,) = (event for event in events(api) if event["type"] == "order_rejected")
    assert rejected["order"] == order_id
    assert rejected["reason"] in ("not_owner", "not_enough_ships")


async def test_a_snapshot_that_did_not_change_is_a_304(api: Service, sim: Sim) -> None:
    first = httpx.get(f"{api.url}/snapshot")
    tag = {"If-None-Match": first.headers["etag"]}
    unchanged = httpx.get(f"{api.url}/snapshot", headers=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == first.headers["etag"]
    await sim.tick()
    snapshot(api, 1)
    changed = httpx.get(f"{api.url}/snapshot", headers=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_the_map_is_constant(api: Service, sim: Sim) -> None:
    first = httpx.get(f"{api.url}/map")
    assert len(first.json()["systems"]) == CONFIG.systems
    assert "owner" not in first.json()["systems"][0]
    await sim.tick(times=3)
    snapshot(api, 3)
    tag = {"If-None-Match": first.headers["etag"]}
    assert httpx.get(f"{api.url}/map", headers=tag).status_code == 304


async def test_events_are_read_page_by_page_without_gap_or_repetition(api: Service, sim: Sim) -> None:
    await sim.tick(times=40)
    api.wait_for(lambda health: health.get("tick", -1) == 40, "at tick 40")
    everything = events(api, limit="1000")
    assert len(everything) > 10
    paged, after = [], "0-0"
    while True:
        page = httpx.get(f"{api.url}/events", params={"after": after, "limit": "3"}).json()
        if not page["events"]:
            break
        paged += page["events"]
        after = page["next"]
    assert paged == everything
    assert page["next"] == after


async def test_orders_of_concurrent_clients_are_all_accepted(api: Service, sim: Sim) -> None:
    async with httpx.AsyncClient(base_url=api.url) as client:
        notes = [{"type": "note", "faction": "Crimson", "text": f"{n}"} for n in range(200)]
        answers = await asyncio.gather(*(client.post("/orders", json=note) for note in notes))
    ids = {answer.json()["id"]: note["text"] for answer, note in zip(answers, notes, strict=True)}
    assert len(ids) == 200
    await sim.tick()
    texts = {event["order"]: event["text"] for event in events(api, limit="1000") if event["type"] == "note"}
    assert texts == ids


async def test_a_finished_sim_rejects_orders(redis: Redis, redis_url: str, processes: Processes) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    await sim.tick()
    api = processes.start("api", REDIS_URL=redis_url)
    answer = httpx.post(f"{api.url}/orders", json={"type": "note", "faction": "Crimson", "text": "late"})
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "sim default finished at tick 1 and accepts no orders",
    )
    assert await read_stream(redis, SimKeys("default").orders) == []


async def test_a_sim_with_a_missing_part_is_unreadable(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes
) -> None:
    """The snapshot is that of the first tick, and the later history has a gap. Earlier subscribers are not affected."""
    await sim.tick(times=3)
    await redis.xdel(SimKeys("default").events, "2-0")
    api = processes.start("api", wait=False, REDIS_URL=redis_url)
    api.wait_for_fault("sim", "tick 2 of sim 'default'")
    answer = httpx.get(f"{api.url}/snapshot")
    assert answer.status_code == 503
    assert answer.json()["title"] == "The sim cannot be read"
    assert "tick 2 of sim 'default'" in answer.json()["detail"]
