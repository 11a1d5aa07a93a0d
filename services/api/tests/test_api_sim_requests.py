"""Requests for sims may be retried: they are executed once, and have the same location behind a proxy."""

import asyncio
from urllib.parse import urljoin

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from fixtures.tokens import SECRET, bearer_header, create_token
from sector.state.sims import lifecycle, requests
from sector.world import SectorWorld

NEW = {"id": "mine", "config": {"systems": 30, "seed": 9, "puppets": ["Crimson"]}}
FORK = {"id": "mine"}


def post(api: Service, path: str, body: object, key: str = "k1", **headers: str) -> httpx.Response:
    return httpx.post(f"{api.url}{path}", json=body, headers={"Idempotency-Key": key, **headers})


REQUESTS = [("/sims", NEW), ("/fork", FORK), ("/fork?tick=0", FORK), ("/sims/default/fork", FORK)]


@pytest.mark.parametrize(("path", "body"), REQUESTS)
async def test_a_retry_gets_the_same_response_after_the_sim_was_created(
    api: Service, redis: Redis, path: str, body: object
) -> None:
    first, second = post(api, path, body), post(api, path, body)
    await requests.reconcile(redis, "mine", SectorWorld())
    assert (await lifecycle.load_heads(redis, ["mine"]))[0] is not None
    third = post(api, path, body)
    assert [answer.status_code for answer in (first, second, third)] == [202, 202, 202]
    assert first.content == second.content == third.content
    assert first.headers["location"] == second.headers["location"] == third.headers["location"]
    replayed = ["idempotency-replayed" in answer.headers for answer in (first, second, third)]
    assert replayed == [False, True, True]


@pytest.mark.parametrize(("path", "body"), REQUESTS)
async def test_concurrent_requests_with_one_key_are_executed_once(api: Service, path: str, body: object) -> None:
    async with httpx.AsyncClient() as client:
        key = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(*(client.post(f"{api.url}{path}", json=body, headers=key) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


@pytest.mark.parametrize(("path", "body"), REQUESTS)
async def test_one_of_concurrent_requests_with_one_key_creates_its_sim(
    api: Service, redis: Redis, path: str, body: dict[str, object]
) -> None:
    async with httpx.AsyncClient() as client:
        key = {"Idempotency-Key": "k1"}
        bodies = [body | {"id": f"s{number}"} for number in range(20)]
        answers = await asyncio.gather(*(client.post(f"{api.url}{path}", json=each, headers=key) for each in bodies))
    (created,) = (number for number, answer in enumerate(answers) if answer.status_code == 202)
    assert {answer.status_code for answer in answers} == {202, 422}
    assert await lifecycle.list_ids(redis) == sorted([f"s{created}", "default"])
    again = [post(api, path, each) for each in bodies]
    assert [answer.status_code for answer in again] == [202 if number == created else 422 for number in range(20)]
    assert again[created].content == answers[created].content


async def test_a_fork_may_be_retried_while_the_sim_ticks(api: Service, sim: Sim) -> None:
    assert post(api, "/fork", FORK).status_code == 202
    await sim.tick(times=3)
    api.wait_for(lambda health: health.get("tick", -1) == 3, "at tick 3")
    assert post(api, "/fork", FORK).status_code == 202


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sims", NEW | {"id": "yours"}),
        ("/sims", NEW | {"config": {}}),
        ("/fork", FORK),
        ("/fork?tick=0", {"id": "yours"}),
    ],
)
def test_a_key_of_another_request_is_a_422(api: Service, path: str, body: object) -> None:
    assert post(api, "/sims", NEW).status_code == 202
    other = post(api, path, body)
    assert (other.status_code, other.json()["title"]) == (422, "Idempotency key reused")
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"


def test_requests_differ_by_key_and_by_issuer(sim: Sim, redis_url: str, processes: Processes) -> None:
    del sim
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)
    mine, theirs = (bearer_header(create_token(scope="admin", sub=name)) for name in ("me", "you"))
    assert post(api, "/sims", NEW, **mine).status_code == 202
    assert post(api, "/sims", NEW, "k2", **mine).json()["title"] == "The sim exists"
    assert post(api, "/sims", NEW, **theirs).json()["title"] == "The sim exists"
    assert httpx.post(f"{api.url}/sims", json=NEW, headers=mine).json()["title"] == "The sim exists"
    assert post(api, "/sims", NEW, **mine).status_code == 202


def test_keys_of_orders_and_of_sims_are_separate(api: Service) -> None:
    assert post(api, "/orders", {"type": "note", "faction": "Crimson", "text": "hello"}).status_code == 202
    assert post(api, "/sims", NEW).status_code == 202


async def test_a_sim_of_another_request_stays_a_409(api: Service, redis: Redis) -> None:
    assert httpx.post(f"{api.url}/sims", json=NEW).status_code == 202
    assert [post(api, "/sims", NEW).status_code for _ in range(2)] == [409, 409]
    await requests.reconcile(redis, "mine", SectorWorld())
    assert post(api, "/sims", NEW).status_code == 409


@pytest.mark.parametrize("key", [b"a b", b"\xc3\xbc", b"x" * 256])
@pytest.mark.parametrize("path", ["/sims", "/fork"])
def test_an_invalid_key_is_a_422(still_api: Service, path: str, key: bytes) -> None:
    body = NEW if path == "/sims" else FORK
    answer = httpx.post(f"{still_api.url}{path}", json=body, headers={b"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_the_location_leads_to_the_sim_behind_any_proxy(api: Service) -> None:
    paths = ("/sims", "/sims/", "/fork", "/fork?tick=0", "/sims/default/fork", "/sims/default/fork/")
    for number, path in enumerate(paths):
        body = {"id": f"s{number}"}
        location = httpx.post(f"{api.url}{path}", json=body).headers["location"]
        for root in ("https://play.example.org", "https://play.example.org/api", "https://play.example.org/a/b"):
            assert urljoin(f"{root}{path}", location) == f"{root}/sims/s{number}"


async def test_a_whole_float_is_an_integer_in_a_sim(api: Service, redis: Redis) -> None:
    body = b'{"id": "mine", "config": {"systems": 30.0, "seed": 9e0, "homes": 2.0e0}}'
    assert httpx.post(f"{api.url}/sims", content=body).status_code == 202
    await requests.reconcile(redis, "mine", SectorWorld())
    config, _ = await lifecycle.load_manifest(redis, "mine")
    assert (config.systems, config.seed, config.homes) == (30, 9, 2)
    half = httpx.post(f"{api.url}/sims", content=b'{"id": "half", "config": {"systems": 30.5}}')
    assert (half.status_code, half.json()["errors"][0]["field"]) == (422, "config.systems")


@pytest.mark.parametrize("ships", ["1.0", "1e0", "10E-1", "1.000"])
async def test_a_whole_float_is_an_integer_in_an_order(api: Service, ships: str) -> None:
    order = (
        b'{"type": "move_fleet", "faction": "Crimson", "system": "S0", "target": "S1", "ships": %b}' % ships.encode()
    )
    assert httpx.post(f"{api.url}/orders", content=order).status_code == 202
    (result,) = httpx.post(f"{api.url}/orders", content=b"[%b]" % order).json()["results"]
    assert "id" in result
