"""Admission to the order log: which orders are accepted or rejected, only once, and within the rate limits."""

import asyncio
import gc
import weakref
from copy import replace

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from fixtures.admission import admit_group
from fixtures.processes import free_port
from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream, read_string
from sector.models import ORDER, Note
from sector.state.errors import IdempotencyConflict, NotDurable, QueueFull, RateLimited, SimAlreadyFinished, SimNotFound
from sector.state.keys import SimKeys
from sector.state.log import admission
from sector.state.log.admission import AdmissionPolicy, Admitted, Rate, Request
from sector.state.redis.client import connect
from sector.state.redis.connection import execute
from sector.state.redis.durability import Durability
from sector.state.redis.group_commit import GroupCommit
from sector.state.sims import lifecycle
from sector.world import SectorWorld

BODY = ORDER.dump_json(Note(faction="Crimson", text="hello"))
ONE = Request("me", [BODY])
GATE = AdmissionPolicy("default")
KEYED = replace(ONE, key="k", digest=b"digest of it 16b", stored_response=b"rest")


async def read_log_ids(redis: Redis) -> list[str]:
    return [entry_id for entry_id, _ in await read_stream(redis, SimKeys("default").orders)]


async def test_admitted_orders_are_in_the_log_in_order_and_are_applied(sim: Sim, redis: Redis) -> None:
    one, two = await admit_group(GATE, redis, [ONE, Request("you", [BODY, BODY], admin=True)])
    assert isinstance(one, Admitted)
    assert isinstance(two, Admitted)
    assert [*one.ids, *two.ids] == await read_log_ids(redis)
    fields = [fields for _, fields in await read_stream(redis, SimKeys("default").orders)]
    assert [(each[b"issuer"], each[b"scope"]) for each in fields] == [
        (b"me", b"player"),
        (b"you", b"admin"),
        (b"you", b"admin"),
    ]
    assert (await sim.tick()).orders == 3


async def test_nothing_is_written_for_a_sim_that_does_not_exist(redis: Redis) -> None:
    (verdict,) = await admit_group(GATE, redis, [KEYED])
    assert isinstance(verdict, SimNotFound)
    assert await redis.keys("*") == []


async def test_a_finished_sim_rejects_orders_but_replays_responses(redis: Redis) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    (before,) = await admit_group(GATE, redis, [KEYED])
    await sim.tick()
    late, repeated = await admit_group(GATE, redis, [ONE, KEYED])
    assert isinstance(late, SimAlreadyFinished)
    assert late.tick == 1
    assert isinstance(before, Admitted)
    assert repeated == replace(before, replayed=True)


async def test_a_request_with_a_repeated_key_takes_effect_once_for_24_hours(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    first, second = await admit_group(GATE, redis, [KEYED, replace(KEYED, stored_response=b"another")])
    (third,) = await admit_group(GATE, redis, [KEYED])
    assert isinstance(first, Admitted)
    assert second == third == Admitted(first.ids, b"rest", True)
    assert await read_log_ids(redis) == first.ids
    (name,) = await redis.keys("*once*")
    assert 24 * 3600 - 10 < await redis.ttl(name) <= 24 * 3600


async def test_stored_responses_have_a_limit_that_rejects_no_request(
    sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await sim.reader.head()).applied == 0
    monkeypatch.setattr(admission, "STORED_BYTES", 20_000)
    hundred = [replace(KEYED, key=f"k{number}", stored_response=bytes(1_000)) for number in range(100)]
    verdicts = await admit_group(GATE, redis, [*hundred, replace(KEYED, issuer="you")])
    assert all(isinstance(each, Admitted) for each in verdicts)
    stored_s = [await redis.ttl(SimKeys("default").idempotency_key("me", str(each.key))) for each in hundred]
    assert stored_s == sorted(stored_s, reverse=True)
    assert stored_s[0] > 24 * 3600 - 10
    assert 590 < stored_s[-1] <= 600
    # From half of the budget on, a response is stored for half of the time.
    assert 10 * 3600 < stored_s[8] < 14 * 3600
    assert await redis.ttl(SimKeys("default").idempotency_key("you", "k")) > 24 * 3600 - 10, "of another issuer"


@pytest.mark.parametrize("orders", [1, 2, 9, 500])
async def test_stored_order_ids_take_few_bytes(sim: Sim, redis: Redis, orders: int) -> None:
    assert (await sim.reader.head()).applied == 0
    many = replace(KEYED, orders=[BODY] * orders)
    # Other orders precede and follow them in the same millisecond.
    _, first, _ = await admit_group(GATE, redis, [ONE, many, ONE])
    (repeated,) = await admit_group(GATE, redis, [many])
    assert isinstance(first, Admitted)
    assert repeated == Admitted(first.ids, b"rest", True)
    assert len(first.ids) == orders
    assert len(await read_string(redis, SimKeys("default").idempotency_key("me", "k"))) < 50


async def test_a_key_with_another_request_is_a_conflict_but_not_for_another_issuer(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    other = replace(KEYED, digest=b"another one, 16b")
    first, reused, foreign = await admit_group(GATE, redis, [KEYED, other, replace(other, issuer="you")])
    assert isinstance(first, Admitted)
    assert isinstance(reused, IdempotencyConflict)
    assert isinstance(foreign, Admitted)
    assert len(await read_log_ids(redis)) == 2


async def test_a_client_above_its_rate_is_limited_and_others_are_not(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    slow, quick = Rate("token slow", 0.5, 2), Rate("token quick", 1000, 1000)
    mine, theirs = replace(ONE, rates=(slow,)), replace(ONE, rates=(quick,))
    verdicts = await admit_group(GATE, redis, [mine, theirs, mine, mine, theirs])
    assert [type(each) for each in verdicts] == [Admitted, Admitted, Admitted, RateLimited, Admitted]
    refused = verdicts[3]
    assert isinstance(refused, RateLimited)
    assert refused.client == "token slow"
    assert 1.5 < refused.retry_after_s <= 2
    assert len(await read_log_ids(redis)) == 4
    # Redis stores the usage, so the limit holds in any other process.
    (again,) = await admit_group(GATE, redis, [mine])
    assert isinstance(again, RateLimited)


async def test_a_burst_above_the_rate_is_admitted_and_delays_later_requests(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    rate = Rate("address 10.0.0.1", 10, 5)
    many = Request("me", [BODY] * 20, rates=(rate,))
    first, second = await admit_group(GATE, redis, [many, replace(ONE, rates=(rate,))])
    assert isinstance(first, Admitted)
    assert isinstance(second, RateLimited)
    assert 1.5 < second.retry_after_s <= 1.6


async def test_a_request_must_satisfy_all_rates(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    wide, narrow = Rate("token me", 100, 100), Rate("address 10.0.0.1", 1, 1)
    _, refused, elsewhere = await admit_group(
        GATE,
        redis,
        [replace(ONE, rates=(wide, narrow)), replace(ONE, rates=(wide, narrow)), replace(ONE, rates=(wide,))],
    )
    assert isinstance(refused, RateLimited)
    assert refused.client == "address 10.0.0.1"
    assert isinstance(elsewhere, Admitted)


async def test_pending_orders_have_no_limit_while_the_applied_ones_are_unknown(redis: Redis) -> None:
    """A head with -1 does not know how many orders were applied."""
    await Sim.create(redis)
    await redis.hset(SimKeys("default").head, "applied", "-1")
    policy = AdmissionPolicy("default", max_pending=1)
    results = [(await admit_group(policy, redis, [ONE]))[0] for _ in range(3)]
    assert [type(each) for each in results] == [Admitted] * 3


async def test_orders_are_rejected_while_the_queue_is_full(sim: Sim, redis: Redis) -> None:
    gate = AdmissionPolicy("default", max_pending=3)
    verdicts = await admit_group(gate, redis, [ONE, ONE, ONE, ONE])
    assert [type(each) for each in verdicts] == [Admitted, Admitted, Admitted, QueueFull]
    behind = verdicts[3]
    assert isinstance(behind, QueueFull)
    assert (behind.pending, behind.max_pending) == (3, 3)
    await sim.tick()
    assert [type(each) for each in await admit_group(gate, redis, [ONE])] == [Admitted]


async def test_the_pending_count_is_correct_after_trimming_and_for_sims_before_0_6(sim: Sim, redis: Redis) -> None:
    await admit_group(GATE, redis, [ONE] * 4)
    await sim.tick(times=30)
    await redis.hdel(SimKeys("default").head, "applied")
    assert isinstance(
        (await admit_group(AdmissionPolicy("default", max_pending=1), redis, [Request("me", [BODY])]))[0], Admitted
    )
    await admit_group(GATE, redis, [ONE, ONE])
    await sim.tick()
    assert (await sim.reader.head()).applied == 7
    first, second = await admit_group(AdmissionPolicy("default", max_pending=1), redis, [ONE, ONE])
    assert isinstance(first, Admitted)
    assert isinstance(second, QueueFull)


async def test_an_error_of_durability_has_the_ids_of_its_request(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    gate = AdmissionPolicy("default", durability=Durability("replica", 20))
    verdicts = await admit_group(gate, redis, [ONE, replace(ONE, orders=[BODY, BODY])])
    log_ids = await read_log_ids(redis)
    assert [each.order_ids for each in verdicts if isinstance(each, NotDurable)] == [log_ids[:1], log_ids[1:]]


async def test_redis_may_lose_the_script(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    await admit_group(GATE, redis, [ONE])
    await redis.script_flush()
    await admit_group(GATE, redis, [ONE])
    assert len(await read_log_ids(redis)) == 2


async def test_concurrent_requests_share_one_round_trip(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    await admit_group(GATE, redis, [ONE])
    group = GroupCommit(redis, GATE)
    before = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    admitted = await asyncio.gather(*(group.admit(Request(f"p{number}", [BODY])) for number in range(200)))
    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == before + 1
    assert [each.ids[0] for each in admitted] == (await read_log_ids(redis))[1:]
    await group.close()


async def test_a_request_at_the_end_of_a_group_begins_the_next_group(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    async with asyncio.timeout(60):
        for _ in range(5):
            await group.admit(ONE)
    assert len(await read_log_ids(redis)) == 5


async def test_a_rejection_is_raised_only_to_its_request(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    results = await asyncio.gather(
        group.admit(KEYED),
        group.admit(replace(KEYED, digest=b"another one, 16b")),
        group.admit(ONE),
        return_exceptions=True,
    )
    assert [type(each) for each in results] == [Admitted, IdempotencyConflict, Admitted]


async def test_a_cancelled_request_does_not_cancel_others(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    gone, stays = asyncio.create_task(group.admit(ONE)), asyncio.create_task(group.admit(ONE))
    await asyncio.sleep(0)
    gone.cancel()
    assert len((await stays).ids) == 1
    await asyncio.gather(gone, return_exceptions=True)


async def test_an_error_of_redis_is_raised_to_every_waiter_before_the_group_ends() -> None:
    redis = connect(f"redis://127.0.0.1:{free_port()}")
    group = GroupCommit(redis, GATE)
    gone, stays = asyncio.create_task(group.admit(ONE)), asyncio.create_task(group.admit(ONE))
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(60):
        await group.close()
        outcomes = await asyncio.gather(gone, stays, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError, RedisConnectionError]
    await redis.aclose()


async def test_an_error_reply_is_raised_to_all_requests_of_a_group(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    await redis.delete(SimKeys("default").orders)
    await execute(redis, "SET", SimKeys("default").orders, "no stream")
    results = await asyncio.gather(*(GroupCommit(redis, GATE).admit(ONE) for _ in range(2)), return_exceptions=True)
    assert all("WRONGTYPE" in str(each) for each in results)


async def test_a_group_that_fails_does_not_affect_the_next_one(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    log = SimKeys("default").orders
    await execute(redis, "SET", log, "no stream")
    # The requests exceed one group, so a second group waits while the first one fails.
    under_way = [asyncio.create_task(group.admit(ONE)) for _ in range(501)]
    first = (await asyncio.gather(*under_way[:500], return_exceptions=True))[0]
    assert "WRONGTYPE" in str(first)
    await asyncio.gather(*under_way[500:], return_exceptions=True)
    await redis.delete(log)
    assert len(await asyncio.gather(*(group.admit(ONE) for _ in range(501)))) == len(await read_log_ids(redis)) == 501


@pytest.mark.parametrize("count", [1, 4_001])
async def test_a_group_is_split_if_it_would_block_redis(redis: Redis, count: int) -> None:
    await lifecycle.create(redis, "default", SectorWorld(), CONFIG)
    group = GroupCommit(redis, GATE)
    results = await asyncio.gather(group.admit(Request("me", [BODY] * count)), group.admit(ONE))
    assert [len(each.ids) for each in results] == [count, 1]


class Orders(list[bytes]):
    """A list that reports its deletion."""


@pytest.mark.parametrize("rates", [(), (Rate("token slow", 0.001, 1),)])
async def test_a_request_is_not_kept_in_memory_after_its_response(
    sim: Sim, redis: Redis, rates: tuple[Rate, ...]
) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    await group.admit(replace(ONE, rates=rates))
    orders = Orders([BODY])
    gone = weakref.ref(orders)
    gc.disable()
    try:
        try:
            await group.admit(replace(ONE, orders=orders, rates=rates))
        except RateLimited:
            assert rates
        del orders
        await group.close()
        assert gone() is None, "without a run of the garbage collector"
    finally:
        gc.enable()
