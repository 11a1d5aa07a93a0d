"""Request limits of a client, in one process and over all replicas."""

import asyncio
import time

import httpx
import pytest
from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from fixtures.tokens import SECRET, bearer_header, create_token
from fixtures.waiting import wait_until
from sector.process.request_limits import RequestLimits, TooManyRequests, units
from sector.state.keys import SimKeys
from sector.state.log.rate_usage import SharedSpending, Spent, spend
from sector.state.redis.client import connect


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def limits(redis: Redis, clock: Clock, per_token: float = 0.0, per_address: float = 10.0) -> RequestLimits:
    return RequestLimits(
        SharedSpending(redis, "default", "requests "), per_token=per_token, per_address=per_address, clock=clock
    )


def test_a_client_may_use_ten_seconds_of_units_at_once(redis: Redis) -> None:
    clock = Clock()
    of = limits(redis, clock)
    for _ in range(101):
        of.check(None, "10.0.0.1")
        of.charge(None, "10.0.0.1", 1)
    with pytest.raises(
        TooManyRequests, match=r"address 10\.0\.0\.1 exceeds the limit of 10 requests per second"
    ) as refused:
        of.check("me", "10.0.0.1")
    assert refused.value.retry_after_s == pytest.approx(0.1)
    of.check("me", "10.0.0.2")
    clock.now_s += 0.2
    of.check(None, "10.0.0.1")


def test_a_token_has_its_own_limit_at_any_address(redis: Redis) -> None:
    of = limits(redis, Clock(), per_token=1.0, per_address=1000.0)
    for number in range(11):
        of.charge("me", f"10.0.0.{number}", 1)
    with pytest.raises(TooManyRequests, match="token me exceeds the limit of 1 requests"):
        of.check("me", "10.0.1.1")
    of.check("you", "10.0.0.1")


def test_zero_means_unlimited(redis: Redis) -> None:
    of = limits(redis, Clock(), per_address=0.0)
    of.charge("me", "10.0.0.1", 1e9)
    of.check("me", "10.0.0.1")


def test_large_requests_responses_and_work_cost_more() -> None:
    assert units(0, 0) == 1
    assert units(2**20, 0) > 50
    assert units(0, 4 * 2**20) > 50
    assert units(0, 0, 0.05) > 50


def test_a_network_of_ipv6_counts_as_one_address(redis: Redis) -> None:
    of = limits(redis, Clock())
    for number in range(101):
        of.charge(None, f"2001:db8::{number:x}", 1)
    with pytest.raises(TooManyRequests, match="2001:db8::/64 exceeds the limit of 10 requests"):
        of.check(None, "2001:db8::ffff:1")
    of.check(None, "2001:db8:0:1::1")


def test_clients_without_debt_are_evicted_first(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sector.process.request_limits._MAX_CLIENTS", 3)
    clock = Clock()
    of = limits(redis, clock)
    of.charge(None, "busy", 500)
    for number in range(50):
        of.charge(None, f"10.0.0.{number}", 1)
        clock.now_s += 0.2
    with pytest.raises(TooManyRequests):
        of.check(None, "busy")


async def test_replicas_share_the_usage_of_a_client(redis: Redis) -> None:
    one, other = limits(redis, Clock()), limits(redis, Clock())
    one.charge(None, "10.0.0.1", 150)
    one.charge(None, "10.0.0.2", 0.5)
    await one.share()
    other.charge(None, "10.0.0.1", 2)
    other.check(None, "10.0.0.1")
    await other.share()
    with pytest.raises(TooManyRequests):
        other.check(None, "10.0.0.1")
    other.check(None, "10.0.0.2")
    assert [key async for key in redis.scan_iter("*10.0.0.2*")] == [], "it is far from its limit"


async def test_a_backward_step_of_redis_clock_blocks_no_client(redis: Redis) -> None:
    seconds, _ = await redis.time()
    key = SimKeys("default").rate("requests address 10.0.0.1")
    await redis.set(key, (seconds + 3600) * 1_000_000)
    of = limits(redis, Clock())
    of.charge(None, "10.0.0.1", 2)
    await of.share()
    of.check(None, "10.0.0.1")
    until_us, pttl = int(await redis.get(key) or 0), await redis.pttl(key)
    assert until_us < (seconds + 120) * 1_000_000
    assert pttl <= 61_000


async def test_replicas_that_share_at_the_same_time_lose_nothing(redis: Redis, redis_url: str) -> None:
    clients = [connect(redis_url) for _ in range(4)]
    done = await asyncio.gather(*(spend(each, "default", [Spent("x", 10.0, 20.0)]) for each in clients))
    for each in clients:
        await each.aclose()
    counted = [each for each in done if each is not None]
    assert counted
    assert max(each[0] for each in counted) == pytest.approx(2.0 * len(counted), abs=0.5)


def test_a_client_over_its_limit_gets_429_and_others_are_served(sim: Sim, redis_url: str, processes: Processes) -> None:
    del sim
    api = processes.start("api", REDIS_URL=redis_url, AUTH_SECRET=SECRET, REQUESTS_PER_TOKEN="1")
    mine, yours = (bearer_header(create_token("Crimson", sub=sub)) for sub in ("me", "you"))
    order = {"type": "note", "faction": "Crimson", "text": "hello"}
    # The API knows the token after its first order.
    assert httpx.post(f"{api.url}/orders", json=order, headers=mine).status_code == 202
    refused = wait_until(
        lambda: next(
            (each for each in [httpx.get(f"{api.url}/events", headers=mine)] if each.status_code == 429), None
        ),
        "the token is over its limit",
    )
    assert refused.json()["title"] == "Too many requests"
    assert int(refused.headers["retry-after"]) >= 1
    assert httpx.post(f"{api.url}/orders", json=order, headers=yours).status_code == 202


def test_replicas_share_the_usage_of_an_address(sim: Sim, redis_url: str, processes: Processes) -> None:
    del sim
    one, other = (processes.start("api", REDIS_URL=redis_url, REQUESTS_PER_ADDRESS="20") for _ in range(2))

    def over_its_limit(api: Service) -> bool:
        return httpx.get(f"{api.url}/map").status_code == 429

    wait_until(lambda: over_its_limit(one), "the address is over its limit")
    # The other replica accepts 200 from its own count alone, and 20 more each second.
    answered, began_s = 0, time.monotonic()
    while not over_its_limit(other):
        answered += 1
        assert answered < 190 + 20 * (time.monotonic() - began_s), "it does not know what the client used"
        over_its_limit(one)
        time.sleep(0.02)
