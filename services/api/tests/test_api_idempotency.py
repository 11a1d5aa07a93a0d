"""Idempotency keys: a request that is retried is executed once."""

import asyncio
import socket
from typing import Any

import httpx
import orjson
import pytest
from redis.asyncio import Redis

from fixtures.orders import NOTE, post_order
from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream, read_string
from fixtures.tokens import SECRET, bearer_header, create_token
from sector.state.keys import SimKeys


async def count(redis: Redis) -> int:
    return len(await read_stream(redis, SimKeys("default").orders))


async def test_a_repeated_key_gets_the_response_of_one_execution(api: Service, redis: Redis) -> None:
    first, second = post_order(api, NOTE, "k1"), post_order(api, NOTE, "k1")
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert await count(redis) == 1


async def test_concurrent_requests_with_one_key_are_executed_once(api: Service, redis: Redis) -> None:
    async with httpx.AsyncClient() as client:
        key = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(*(client.post(f"{api.url}/orders", json=NOTE, headers=key) for _ in range(20)))
    assert len({answer.content for answer in answers}) == 1
    assert await count(redis) == 1


async def test_another_replica_replays_the_response(
    api: Service, redis: Redis, redis_url: str, processes: Processes
) -> None:
    other = processes.start("api", REDIS_URL=redis_url)
    assert post_order(api, NOTE, "k1").content == post_order(other, NOTE, "k1").content
    assert await count(redis) == 1


def without_text(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "problem"}


async def test_the_stored_results_of_a_list_are_small(api: Service, redis: Redis) -> None:
    long_ids = {f"{'k' * 300}{number}": 1 for number in range(30)}
    orders = [NOTE, *[NOTE | long_ids] * 80, *[NOTE] * 500, *[7] * 419]
    first = post_order(api, orders, "k1")
    assert len(first.content) < 300_000
    (key,) = [key async for key in redis.scan_iter("sim:{default}:once:*")]
    assert len(await read_string(redis, key)) < 2_100
    second = post_order(api, orders, "k1")
    assert second.content == first.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await count(redis) == 501


async def test_the_stored_response_of_an_order_has_a_constant_size(api: Service, redis: Redis) -> None:
    post_order(api, NOTE | {"text": "x" * 280}, "k1")
    (key,) = [key async for key in redis.scan_iter("sim:{default}:once:*")]
    assert len(await read_string(redis, key)) < 60


async def test_responses_stored_by_an_earlier_version_are_replayed(api: Service, redis: Redis) -> None:
    orders = [NOTE, 7]
    post_order(api, orders, "k1")
    (key,) = [key async for key in redis.scan_iter("sim:{default}:once:*")]
    digest = (await read_string(redis, key))[:16]
    await redis.set(key, digest + b'5-0\n[null,{"status":422,"problem":{"title":"as it was"}}]')
    assert post_order(api, orders, "k1").json()["results"] == [
        {"status": 202, "id": "5-0"},
        {"status": 422, "problem": {"title": "as it was"}},
    ]


async def test_a_replayed_list_has_the_results_of_the_first_request(api: Service, sim: Sim, redis: Redis) -> None:
    """At the second request the faction exists, and its order would be accepted."""
    orders = [NOTE, NOTE | {"faction": "Me"}, {"type": "join", "faction": "Me"}]
    first = post_order(api, orders, "k1")
    assert [result["status"] for result in first.json()["results"]] == [202, 422, 202]
    await sim.tick()
    api.wait_for(lambda health: health.get("tick", -1) == 1, "at tick 1")
    second = post_order(api, orders, "k1")
    assert [without_text(result) for result in second.json()["results"]] == [
        without_text(result) for result in first.json()["results"]
    ]
    assert "at the first request" in second.json()["results"][1]["problem"]["detail"]
    assert await count(redis) == 2


async def test_a_retry_is_replayed_after_the_sim_has_finished(
    redis: Redis, redis_url: str, processes: Processes
) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    api = processes.start("api", REDIS_URL=redis_url)
    first = post_order(api, NOTE, "k1")
    await sim.tick()
    assert post_order(api, NOTE, "k2").status_code == 409
    assert post_order(api, NOTE, "k1").content == first.content


def test_a_key_with_another_body_is_a_422(api: Service) -> None:
    assert post_order(api, NOTE, "k1").status_code == 202
    answer = post_order(api, NOTE | {"text": "another"}, "k1")
    assert (answer.status_code, answer.json()["title"]) == (422, "Idempotency key reused")
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_keys_of_different_bearers_are_different(
    sim: Sim, redis: Redis, redis_url: str, processes: Processes
) -> None:
    del sim
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET)
    for subject in ("me", "you"):
        assert post_order(api, NOTE, "k1", **bearer_header(create_token("*", sub=subject))).status_code == 202
    assert await count(redis) == 2


@pytest.mark.parametrize("key", ["x" * 256, "a b"])
def test_an_invalid_key_is_a_422(api: Service, key: str) -> None:
    answer = post_order(api, NOTE, key)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_a_rejected_request_may_be_retried_with_its_key(api: Service, sim: Sim, redis: Redis) -> None:
    mine = NOTE | {"faction": "Me"}
    assert post_order(api, mine, "k1").status_code == 422
    assert httpx.post(f"{api.url}/orders", json={"type": "join", "faction": "Me"}).status_code == 202
    await sim.tick()
    assert post_order(api, mine, "k1").status_code == 202
    assert await count(redis) == 2


async def test_whitespace_around_a_key_is_not_part_of_it(api: Service, redis: Redis) -> None:
    answers = []
    for key in (b"k1", b" k1 ", b"\tk1\t ", b"k1"):
        head = (
            b"POST /orders HTTP/1.1\r\nhost: a\r\nconnection: close\r\nidempotency-key:%b\r\ncontent-length: %d\r\n\r\n"
        )
        body = orjson.dumps(NOTE)
        with socket.create_connection(("127.0.0.1", api.port), timeout=60) as client:
            client.sendall(head % (key, len(body)) + body)
            answers.append(client.recv(4096).partition(b"\r\n\r\n")[2])
    assert len(set(answers)) == 1
    assert await count(redis) == 1


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\n",
        b"x",
        b"\xff\n",
        b"1-1*99999999\n",
        b"1-1*0\n",
        b"1-x\n",
        b"1-1\n\x01\x00",
        b"1-1\n[",
        b"1-1\n\xff" * 9,
    ],
)
async def test_a_damaged_stored_response_is_a_422_for_its_key_only(api: Service, redis: Redis, junk: bytes) -> None:
    at, orders = SimKeys("default").idempotency_key("anonymous", "k1"), [NOTE, {"type": "fly"}]
    assert post_order(api, orders, "k1").status_code == 207
    stored = await read_string(redis, at)
    await redis.set(at, stored[:16] + junk)
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(
            *(
                client.post(f"{api.url}/orders", json=orders, headers={"Idempotency-Key": key})
                for key in ("k1", "k2", "k3")
            )
        )
    assert [answer.status_code for answer in answers] == [422, 207, 207]
    assert answers[0].json()["title"] == "Idempotency key damaged"
    await redis.set(at, junk[:15])
    assert post_order(api, orders, "k1").status_code == 207, "as if there were none"
    assert "Traceback" not in api.log.read_text()
