"""The caches of a process are bounded: of tokens, rates, rejected clients, earlier states and sims."""

import asyncio
import time
from collections.abc import Callable

import orjson
import pytest
from redis.asyncio import Redis
from sanic import Request

from fixtures.sim import CONFIG, Sim
from fixtures.tokens import SECRET, bearer_header, create_token
from sector.api import authentication, order_rate_limit, sim_registry, snapshot
from sector.api.api_sim import ApiSim
from sector.api.authentication import ANONYMOUS, Authenticator, Bearer
from sector.api.keyring import KeyRing
from sector.api.order_rate_limit import OrderRates, RateLimitCache
from sector.api.problems import ApiError
from sector.api.request_throttle import RequestThrottle
from sector.api.sim_registry import SimRegistry
from sector.api.snapshot import get_snapshot
from sector.state.errors import RateLimited, SimNotFound
from sector.state.log import admission
from sector.state.redis.durability import Durability
from sector.state.redis.pool import BoundedPool
from sector.state.sims import lifecycle
from sector.world import SectorWorld


def test_the_token_cache_evicts_the_oldest(
    make_request: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "_MAX_TOKENS", 2)
    authenticator = Authenticator(KeyRing(SECRET, None), "sector")
    requests = [
        make_request(**bearer_header(create_token("Crimson", sub=subject))) for subject in ("one", "two", "three")
    ]
    assert [authenticator.authenticate(request).subject for request in requests] == ["one", "two", "three"]
    assert [authenticator.subject(request) for request in requests] == [None, "two", "three"]
    assert authenticator.authenticate(requests[0]).subject == "one"
    assert [authenticator.subject(request) for request in requests] == ["one", None, "three"]


def test_the_cache_of_rates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_rate_limit, "_MAX_CLIENTS", 2)
    of = OrderRates(0.0, 5.0).of
    first = of(ANONYMOUS, "10.0.0.1")
    assert of(ANONYMOUS, "10.0.0.1") is first
    for number in (2, 3):
        assert of(ANONYMOUS, f"10.0.0.{number}") == (admission.Rate(f"address 10.0.0.{number}", 5.0, 50),)
    assert of(ANONYMOUS, "10.0.0.1") == first
    assert of(ANONYMOUS, "10.0.0.1") is not first


RATE = admission.Rate("address 10.0.0.1", 1.0, 10)
ADMISSION = admission.Request("me", [b"{}"], rates=(RATE,))


def sender(subject: str) -> Bearer:
    return Bearer(subject, None, None, admin=False)


def test_a_client_over_its_rate_is_rejected_until_it_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, now_s = RateLimitCache(), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    cache.add(sender("me"), "10.0.0.1", RateLimited(RATE.client, RATE.per_second, 2.0), ADMISSION)
    cache.check(sender("you"), "10.0.0.1")
    now_s += 1.5
    with pytest.raises(RateLimited) as refused:
        cache.check(sender("me"), "10.0.0.1")
    assert refused.value.client == RATE.client
    assert refused.value.retry_after_s == pytest.approx(0.5)
    now_s += 0.5
    cache.check(sender("me"), "10.0.0.1")
    # The entry is removed, and stays removed.
    now_s -= 1.5
    cache.check(sender("me"), "10.0.0.1")


def test_the_rate_limit_cache_evicts_the_oldest_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_rate_limit, "_MAX_CLIENTS", 2)
    cache = RateLimitCache()
    for subject in ("one", "two", "three"):
        cache.add(sender(subject), "10.0.0.1", RateLimited(RATE.client, RATE.per_second, 60.0), ADMISSION)
    cache.check(sender("one"), "10.0.0.1")
    for subject in ("two", "three"):
        with pytest.raises(RateLimited):
            cache.check(sender(subject), "10.0.0.1")
    # A client that is rejected again becomes the newest entry.
    for subject in ("two", "four"):
        cache.add(sender(subject), "10.0.0.1", RateLimited(RATE.client, RATE.per_second, 60.0), ADMISSION)
    cache.check(sender("three"), "10.0.0.1")
    with pytest.raises(RateLimited):
        cache.check(sender("two"), "10.0.0.1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:db8:0:0::1", "[2001:db8::2]:443"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::FFFF:a00:1", "10.0.0.1:8080"),
        ("fe80::1%eth0", "FE80::2"),
    ],
)
def test_spellings_of_an_address_share_a_rate(one: str, other: str) -> None:
    of, cache = OrderRates(0.0, 5.0).of, RateLimitCache()
    assert of(ANONYMOUS, one) is of(ANONYMOUS, other)
    cache.add(ANONYMOUS, one, RateLimited(RATE.client, RATE.per_second, 60.0), ADMISSION)
    with pytest.raises(RateLimited):
        cache.check(ANONYMOUS, other)
    cache.check(ANONYMOUS, "2001:db8:9:9::1")


def test_the_cache_of_rates_evicts_the_oldest_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_rate_limit, "_MAX_CLIENTS", 3)
    of = OrderRates(0.0, 5.0).of
    rates = [of(ANONYMOUS, f"10.0.0.{number}") for number in (1, 2, 3, 4)]
    assert [of(ANONYMOUS, f"10.0.0.{number}") is rates[number - 1] for number in (2, 3, 4)] == [True] * 3


def test_the_wait_after_a_rejection_is_limited_despite_a_wrong_clock() -> None:
    cache, began_s = RateLimitCache(), time.monotonic()
    cache.add(sender("me"), "10.0.0.1", RateLimited(RATE.client, RATE.per_second, 1e9), ADMISSION)
    with pytest.raises(RateLimited) as refused:
        cache.check(sender("me"), "10.0.0.1")
    assert refused.value.retry_after_s <= began_s + (RATE.burst + admission.MAX_COST) / RATE.per_second


async def test_the_cache_of_earlier_states_evicts_the_oldest(
    live_sim: ApiSim,
    sim: Sim,
    throttle: RequestThrottle,
    make_request: Callable[..., Request],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot, "_MAX_EARLIER_VIEWS", 2)
    await sim.tick(times=4)
    assert (await live_sim.current_view()).head.tick == 4
    for tick in (0, 1, 2, 0):
        answer = await get_snapshot(throttle, make_request(f"/snapshot?tick={tick}"), live_sim)
        assert orjson.loads(answer.body or b"")["tick"] == tick
    assert list(live_sim.views_by_tick) == [2, 0]


@pytest.fixture
def registry(redis: Redis) -> SimRegistry:
    return SimRegistry(redis, "default", Durability("memory"), 1000, lambda _: None)


async def create_sims(redis: Redis, *names: str) -> None:
    for name in names:
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)


async def release_all(registry: SimRegistry) -> None:
    """Release all watched sims."""
    stop = asyncio.Event()
    stop.set()
    await registry.run(stop)
    assert len(asyncio.all_tasks()) == 1, "none is followed any more"


async def test_the_least_recently_used_sim_is_evicted_but_never_the_own(
    registry: SimRegistry, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim_registry, "_MAX_SIMS", 3)
    await create_sims(redis, "default", "one", "two", "three")
    for name in ("default", "one", "two"):
        assert (await registry.get(name)).sim_id == name
    assert (await registry.get("one")) is registry.get_loaded("one")
    assert (await registry.get("three")).sim_id == "three"
    assert [registry.get_loaded(name) is not None for name in ("default", "one", "two", "three")] == [
        True,
        True,
        False,
        True,
    ]
    assert len(registry) == 3
    await release_all(registry)


async def test_an_idle_sim_is_removed_unless_it_has_subscribers(
    registry: SimRegistry, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_done, again = asyncio.Event(), asyncio.Event()

    async def wait(stop: asyncio.Event, _: float) -> bool:
        look_done.set()
        await again.wait()
        again.clear()
        return stop.is_set()

    async def look() -> None:
        look_done.clear()
        again.set()
        await look_done.wait()

    monkeypatch.setattr(sim_registry, "wait_for_stop", wait)
    now_s = time.monotonic()
    await create_sims(redis, "default", "idle", "watched")
    for name in ("default", "idle"):
        await registry.get(name)
    stop = asyncio.Event()
    running = asyncio.create_task(registry.run(stop))
    with (await registry.get("watched")).subscribe(lambda _: None):
        await look_done.wait()
        await look()
        assert len(registry) == 3, "none is idle yet"
        monkeypatch.setattr(sim_registry, "time", StillClock(now_s + 3600))
        await look()
        assert (registry.own is not None, len(registry)) == (True, 2)
        assert registry.get_loaded("idle") is None
    await look()
    assert len(registry) == 1
    stop.set()
    again.set()
    await running


class StillClock:
    """A clock that does not advance."""

    def __init__(self, now_s: float) -> None:
        self._now_s = now_s

    def monotonic(self) -> float:
        return self._now_s


async def test_an_unknown_sim_is_not_watched(registry: SimRegistry, redis: Redis) -> None:
    errors = await asyncio.gather(*(registry.get("nowhere") for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in errors] == [SimNotFound] * 3
    assert len(registry) == 0
    await release_all(registry)


async def test_a_sim_with_listeners_or_waiters_is_never_dropped_for_another(
    registry: SimRegistry, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim_registry, "_MAX_SIMS", 3)
    await create_sims(redis, "default", "one", "two", "three")
    ticks: list[object] = []
    await registry.get("default")
    with (await registry.get("one")).subscribe(ticks.append):
        waited_for = await registry.get("two")
        reading = asyncio.create_task(waited_for._wait())
        await asyncio.sleep(0)
        with pytest.raises(ApiError) as problem:
            await registry.get("three")
        assert (problem.value.status, problem.value.title) == (503, "Too many sims")
        assert problem.value.headers == {"Retry-After": "5"}
        with pytest.raises(SimNotFound):
            await registry.get("four")
        assert registry.get_loaded("one") is not None
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert (await registry.get("three")).sim_id == "three"
        assert registry.get_loaded("two") is None
        assert registry.own is not None
    assert None not in ticks
    await release_all(registry)
    assert ticks == []


async def test_a_burst_for_missing_sims_watches_none_of_them(registry: SimRegistry, redis: Redis) -> None:
    await create_sims(redis, "default")
    ticks: list[object] = []
    with (await registry.get("default")).subscribe(ticks.append):
        results = await asyncio.gather(
            *(registry.get(f"zz{number}") for number in range(3_000)), return_exceptions=True
        )
        assert [type(each) for each in results] == [SimNotFound] * 3_000
        assert len(registry) == 1
        pool = redis.connection_pool
        assert isinstance(pool, BoundedPool)
        assert pool.open_connections <= 5
        await release_all(registry)
    assert ticks == [None], "the end of the follower is the only thing that was heard"


async def test_a_failed_watcher_is_replaced_by_the_next_request(
    registry: SimRegistry, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    await create_sims(redis, "default", "one")
    failing = await registry.get("one")

    async def fail() -> None:
        raise LookupError("not foreseen")

    failing.reader.view = fail  # type: ignore[method-assign,assignment]
    ended = asyncio.Event()
    with failing.subscribe(lambda tick: ended.set() if tick is None else None):
        await lifecycle.delete(redis, "one")
        async with asyncio.timeout(60):
            await ended.wait()
            while registry.get_loaded("one") is not None or len(registry) > 0:
                await asyncio.sleep(0)
    await create_sims(redis, "one")
    assert (await registry.get("one")) is not failing
    assert [vars(record)["sim"] for record in caplog.records if record.msg == "sim watcher failed"] == ["one"]
    await release_all(registry)
