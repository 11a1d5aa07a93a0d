"""Requests for sims with an idempotency key: at most one creates a sim, for any interruption between two steps."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from rivals import run_before_command

from fixtures.sim import CONFIG, Sim
from fixtures.users import as_user
from sector.state.errors import IdempotencyConflict, SimExists, TooManySims
from sector.state.keys import SIMS, SimKeys
from sector.state.redis.client import connect
from sector.state.redis.command_encoding import Command, EncodedCommand
from sector.state.redis.connection import Connection
from sector.state.redis.replies import Reply
from sector.state.sims import lifecycle, requests
from sector.state.sims.requests import ForkOf, SimRequest, is_repeated
from sector.state.sims.reservation import IdempotencyKey, check_key, confirm, release, reserve
from sector.world import SectorWorld

CREATE, FORK = SimRequest(config=CONFIG), SimRequest(fork_of=ForkOf(sim="default", tick=0))
KINDS = {"create": CREATE, "fork": FORK}
A, B = (IdempotencyKey("me", "k1", name * 16) for name in (b"a", b"b"))
"""Two requests with one key."""


@pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
def any_request(request: pytest.FixtureRequest) -> SimRequest:
    sim_request: SimRequest = request.param
    return sim_request


async def lasting_keys(redis: Redis) -> set[bytes]:
    """Return the keys that persist. The API cannot delete keys, but lets them expire."""
    keys = [bytes(key) async for key in redis.scan_iter("sim:*")]
    ends_ms = {key: await redis.pttl(key) for key in keys}
    return {key for key, end_ms in ends_ms.items() if end_ms == -1 or end_ms > 1}


STEPS = {"before it is reserved": "EVAL", "before the sim is stored": "WATCH", "before the sim is listed": "SADD"}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
async def test_of_two_requests_with_one_key_one_creates_its_sim(
    redis: Redis, sim: Sim, any_request: SimRequest, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sim.lease.epoch == 1
    outcomes: list[str] = []

    async def ask(sim_id: str, once: IdempotencyKey) -> None:
        try:
            await requests.request_sim(redis, sim_id, any_request, once)
        except IdempotencyConflict:
            outcomes.append(f"{sim_id} refused")
        else:
            outcomes.append(f"{sim_id} created")

    run_before_command(monkeypatch, step, lambda: ask("b", B))
    await ask("a", A)
    # The first reservation decides.
    (first, once), (second, other) = (("b", B), ("a", A)) if step == "EVAL" else (("a", A), ("b", B))
    assert sorted(outcomes) == sorted([f"{first} created", f"{second} refused"])
    assert await lifecycle.list_ids(redis) == sorted([first, "default"])
    assert await is_repeated(redis, first, once)
    with pytest.raises(IdempotencyConflict):
        await is_repeated(redis, second, other)
    assert not [key for key in await lasting_keys(redis) if f"{{{second}}}".encode() in key], "it stores nothing"


async def test_of_many_concurrent_requests_one_creates_its_sim(
    redis_url: str, redis: Redis, sim: Sim, any_request: SimRequest
) -> None:
    assert sim.lease.epoch == 1
    clients = [connect(as_user(redis_url, "api")) for _ in range(2)]
    keys = [IdempotencyKey("me", "k1", b"%016d" % number) for number in range(20)]
    calls = [
        requests.request_sim(clients[number % 2], f"s{number}", any_request, once)
        for number, once in enumerate(keys)
        for _ in range(2)  # each was sent twice
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [each for each in results if each is None] == [None]
    assert {type(each) for each in results if each is not None} <= {IdempotencyConflict, SimExists}
    assert len(await lifecycle.list_ids(redis)) == 2
    for client in clients:
        await client.aclose()


async def test_a_rejected_request_releases_the_key(
    redis: Redis, any_request: SimRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_before_command(monkeypatch, "MULTI", lambda: requests.request_sim(redis, "a", CREATE))
    with pytest.raises(SimExists):
        await requests.request_sim(redis, "a", any_request, A)
    await redis.delete(SimKeys("a").request)
    assert await lasting_keys(redis) == set()
    await requests.request_sim(redis, "b", any_request, B)
    assert await is_repeated(redis, "b", B)


async def test_a_request_that_is_rejected_at_once_reserves_nothing(redis: Redis, any_request: SimRequest) -> None:
    with pytest.raises(TooManySims):
        await requests.request_sim(redis, "a", any_request, A, max_sims=0)
    await requests.request_sim(redis, "mine", CREATE)
    with pytest.raises(SimExists):
        await requests.request_sim(redis, "mine", any_request, A)
    assert await lasting_keys(redis) == {SimKeys("mine").request.encode()}


async def test_a_rejected_request_does_not_release_the_key_of_an_equal_one(redis: Redis) -> None:
    await reserve(redis, A)
    await reserve(redis, A)
    await release(redis, A)
    with pytest.raises(IdempotencyConflict):
        await reserve(redis, B)
    await confirm(redis, A)
    await release(redis, A)
    with pytest.raises(IdempotencyConflict):
        await reserve(redis, B)
    await reserve(redis, A)
    await check_key(redis, A)
    assert await redis.get(A.used) == A.digest, "as earlier versions store it"


async def test_issuers_do_not_share_keys(redis: Redis) -> None:
    await reserve(redis, A)
    await reserve(redis, IdempotencyKey("you", "k1", B.digest))
    await reserve(redis, IdempotencyKey("me", "k2", B.digest))


async def test_a_key_that_an_earlier_version_stored_is_in_use(redis: Redis) -> None:
    await redis.set(A.used, A.digest)
    await reserve(redis, A)
    with pytest.raises(IdempotencyConflict):
        await reserve(redis, B)


CRASHES = {"after the reservation": "MULTI", "after the sim is stored": "SADD", "after the sim is listed": "EVAL"}


@pytest.mark.parametrize("step", CRASHES.values(), ids=CRASHES)
async def test_after_a_crash_between_two_steps_the_retry_finishes_the_request(
    redis: Redis, sim: Sim, any_request: SimRequest, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sim.lease.epoch == 1
    crash_before(monkeypatch, step, skip=1 if step == "EVAL" else 0)
    with pytest.raises(RedisConnectionError):
        await requests.request_sim(redis, "a", any_request, A)
    monkeypatch.undo()
    with pytest.raises(IdempotencyConflict):
        await requests.request_sim(redis, "b", any_request, B)
    if not await is_repeated(redis, "a", A):
        await requests.request_sim(redis, "a", any_request, A)
    assert await is_repeated(redis, "a", A)
    assert await lifecycle.list_ids(redis) == ["a", "default"]
    assert await redis.get(A.used) == A.digest
    assert await requests.reconcile(redis, "a", SectorWorld()) is not None


def crash_before(monkeypatch: pytest.MonkeyPatch, name: str, skip: int) -> None:
    """Fail the commands of which the first has this name, except the first `skip` of them."""
    pipeline: Callable[..., Awaitable[list[Reply]]] = Connection.pipeline
    left = skip

    async def fail(connection: Connection, *commands: Command | EncodedCommand) -> list[Reply]:
        nonlocal left
        if commands[0][0] == name:
            if left == 0:
                raise RedisConnectionError
            left -= 1
        return await pipeline(connection, *commands)

    monkeypatch.setattr(Connection, "pipeline", fail)


async def test_a_retry_lists_a_sim_without_a_key_that_was_stored_but_not_listed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_before(monkeypatch, "SADD", skip=0)
    with pytest.raises(RedisConnectionError):
        await requests.request_sim(redis, "a", CREATE)
    monkeypatch.undo()
    assert await lifecycle.list_ids(redis) == []
    with pytest.raises(SimExists):
        await requests.request_sim(redis, "a", CREATE)
    assert await lifecycle.list_ids(redis) == ["a"]


async def test_a_failed_or_deleted_sim_is_not_listed_again(redis: Redis, sim: Sim) -> None:
    assert sim.lease.epoch == 1
    await requests.request_sim(redis, "a", SimRequest(fork_of=ForkOf(sim="default", tick=9)), A)
    assert "tick 9" in str(await requests.reconcile(redis, "a", SectorWorld()))
    assert await is_repeated(redis, "a", A)
    assert await redis.smembers(SIMS) == {b"default"}
    await requests.request_sim(redis, "b", CREATE, IdempotencyKey("me", "k2", B.digest))
    await requests.reconcile(redis, "b", SectorWorld())
    await lifecycle.delete(redis, "b")
    assert await is_repeated(redis, "b", IdempotencyKey("me", "k2", B.digest))
    assert await redis.smembers(SIMS) == {b"default"}
