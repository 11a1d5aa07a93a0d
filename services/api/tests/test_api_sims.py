"""Sims: list, details, creation and forks, and the paths of each sim."""

import asyncio

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from fixtures.tokens import SECRET, bearer_header, create_token
from sector.models import Join, Snapshot
from sector.state.sims import lifecycle, requests
from sector.state.tick.transaction import Ticker
from sector.world import SectorWorld

NEW = {"id": "mine", "config": {"systems": 30, "seed": 9, "puppets": ["Crimson"]}}


def sim_of(api: Service, sim_id: str) -> dict[str, object]:
    sim_details: dict[str, object] = httpx.get(f"{api.url}/sims/{sim_id}").json()
    return sim_details


async def test_sims_are_listed_page_by_page(api: Service, redis: Redis) -> None:
    for number in range(5):
        await lifecycle.create(redis, f"s{number}", SectorWorld(), CONFIG)
    everything = httpx.get(f"{api.url}/sims").json()
    assert [each["id"] for each in everything["sims"]] == ["default", "s0", "s1", "s2", "s3", "s4"]
    assert not everything["more"]
    assert everything["sims"][0]["status"] == "running"
    page = httpx.get(f"{api.url}/sims", params={"after": "s0", "limit": 2}).json()
    assert ([each["id"] for each in page["sims"]], page["more"]) == (["s1", "s2"], True)


async def test_a_sim_has_its_config_and_history_range(api: Service, sim: Sim) -> None:
    await sim.tick(times=12)
    details = sim_of(api, "default")
    assert (details["status"], details["tick"], details["first_tick"], details["keyframes"]) == (
        "running",
        12,
        0,
        [0, 5, 10],
    )
    config = details["config"]
    assert isinstance(config, dict)
    assert (config["systems"], config["seed"]) == (CONFIG.systems, CONFIG.seed)


async def test_each_sim_has_its_tick_length(api: Service, sim: Sim, redis: Redis) -> None:
    await sim.tick()
    assert sim_of(api, "default")["tick_length_ms"] is None  # (of a worker before 0.8, or of a test)
    timed = Ticker(
        redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), sim.lease, tick_length_ms=250
    )
    await timed.tick()
    assert sim_of(api, "default")["tick_length_ms"] == 250
    await lifecycle.create(redis, "other", SectorWorld(), CONFIG)
    listed = httpx.get(f"{api.url}/sims").json()["sims"]
    assert [(each["id"], each["tick_length_ms"]) for each in listed] == [("default", 250), ("other", None)]


async def test_each_sim_has_the_api_below_its_path(api: Service, redis: Redis) -> None:
    await lifecycle.create(redis, "other", SectorWorld(), CONFIG.model_copy(update={"seed": 8}))
    own = Snapshot.model_validate_json(httpx.get(f"{api.url}/sims/default/snapshot").content)
    other = Snapshot.model_validate_json(httpx.get(f"{api.url}/sims/other/snapshot").content)
    assert (own.sim, other.sim) == ("default", "other")
    assert own.systems != other.systems
    note = {"type": "note", "faction": "Crimson", "text": "hello"}
    order_id = httpx.post(f"{api.url}/sims/other/orders", json=note).json()["id"]
    assert httpx.get(f"{api.url}/sims/other/orders/{order_id}").json()["status"] == "pending"
    assert httpx.get(f"{api.url}/orders/{order_id}").status_code == 404
    for path in ("map", "events"):
        assert httpx.get(f"{api.url}/sims/other/{path}").status_code == 200


@pytest.mark.parametrize(
    "sim_id", ["nowhere", "..%2f", "..%2f..%2fetc", "a%00b", "UPPER", "x" * 200, "a b", "%ff", "{default}"]
)
@pytest.mark.parametrize("path", ["", "/snapshot", "/events", "/events/stream", "/orders/1-0"])
def test_an_unknown_or_invalid_sim_id_is_a_404(still_api: Service, sim_id: str, path: str) -> None:
    answer = httpx.get(f"{still_api.url}/sims/{sim_id}{path}")
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_concurrent_requests_for_an_unknown_sim_are_404(still_api: Service) -> None:
    async with httpx.AsyncClient() as client:
        requests = (client.get(f"{still_api.url}/sims/nowhere/snapshot") for _ in range(20))
        assert {answer.status_code for answer in await asyncio.gather(*requests)} == {404}


async def test_a_requested_sim_exists_after_a_worker_created_it(api: Service, redis: Redis) -> None:
    answer = httpx.post(f"{api.url}/sims", json=NEW)
    assert (answer.status_code, answer.headers["location"]) == (202, "sims/mine")
    assert sim_of(api, "mine") == {"id": "mine", "status": "founding"}
    assert {"id": "mine", "status": "founding"} in httpx.get(f"{api.url}/sims").json()["sims"]
    assert httpx.get(f"{api.url}/sims/mine/snapshot").status_code == 404
    assert httpx.post(f"{api.url}/sims", json=NEW).json()["title"] == "The sim exists"
    await requests.reconcile(redis, "mine", SectorWorld())
    assert sim_of(api, "mine")["status"] == "running"
    assert len(httpx.get(f"{api.url}/sims/mine/map").json()["systems"]) == 30


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "id"),
        ([], "(body)"),
        ({"id": "Not This"}, "id"),
        ({"id": "mine", "config": {"systems": 1}}, "config.systems"),
        ({"id": "mine", "config": {"systems": 10**9}}, "config.systems"),
        ({"id": "mine", "config": {"colour": "red"}}, "config.colour"),
        ({"id": "mine", "config": {"homes": 900}}, "config"),
        ({"id": "mine", "colour": "red"}, "colour"),
    ],
)
async def test_an_invalid_sim_is_a_422_that_names_the_field(still_api: Service, body: object, field: str) -> None:
    answer = httpx.post(f"{still_api.url}/sims", json=body)
    assert (answer.status_code, answer.json()["title"]) == (422, "Invalid sim")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert [each["id"] for each in httpx.get(f"{still_api.url}/sims").json()["sims"]] == ["default"]


@pytest.mark.parametrize(("tick", "status"), [("9", 422), ("x", 422), ("-1", 422)])
def test_a_fork_of_a_trimmed_tick_is_a_422(still_api: Service, tick: str, status: int) -> None:
    answer = httpx.post(f"{still_api.url}/fork", params={"tick": tick}, json={"id": "what-if"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, "tick")


def test_only_an_admin_creates_and_forks_sims(sim: Sim, redis_url: str, processes: Processes) -> None:
    del sim
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)
    for path, body in (("/sims", NEW), ("/fork", {"id": "what-if"})):
        assert httpx.post(f"{api.url}{path}", json=body).status_code == 401
        refused = httpx.post(f"{api.url}{path}", json=body, headers=bearer_header(create_token("Crimson")))
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (403, "scope")
        foreign = httpx.post(
            f"{api.url}{path}", json=body, headers=bearer_header(create_token(scope="admin", sim="default"))
        )
        assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (403, "sim")
        assert (
            httpx.post(f"{api.url}{path}", json=body, headers=bearer_header(create_token(scope="admin"))).status_code
            == 202
        )


async def test_a_burst_for_unknown_sims_does_not_end_a_stream(api: Service, sim: Sim, redis: Redis) -> None:
    limits, timeout = httpx.Limits(max_connections=100), httpx.Timeout(60, pool=None)
    async with (
        httpx.AsyncClient(base_url=api.url, limits=limits, timeout=timeout) as client,
        client.stream("GET", "/events/stream") as stream,
    ):
        lines = stream.aiter_lines()
        # Requests wait here for a connection: HTTPX checks all waiting requests whenever a connection is free.
        connections = asyncio.Semaphore(99)

        async def get(path: str) -> httpx.Response:
            async with connections:
                return await client.get(path)

        answers = await asyncio.gather(
            *(get(f"/sims/zz{number}/map") for number in range(600)),
            *(get("/sims/one-name/events/stream") for _ in range(100)),
        )
        assert {answer.status_code for answer in answers} == {404}
        await sim.tick(Join(faction="Me"), times=2)
        async with asyncio.timeout(60):
            while "faction_joined" not in await anext(lines):
                pass
    mine = [each for each in await redis.client_list() if each["user"] == "api"]
    assert len(mine) < 20
