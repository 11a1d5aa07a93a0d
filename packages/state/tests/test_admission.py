"""Who gets into the order log, who does not and why; once, and never faster than allowed."""

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


async def test_what_is_admitted_is_in_the_log_in_order_and_is_applied(sim: Sim, redis: Redis) -> None:
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


async def test_to_a_sim_that_is_not_there_nothing_is_written(redis: Redis) -> None:
    (verdict,) = await admit_group(GATE, redis, [KEYED])
    assert isinstance(verdict, SimNotFound)
    assert await redis.keys("*") == []


async def test_a_finished_sim_takes_none_but_repeats_what_it_said(redis: Redis) -> None:
    sim = await Sim.create(redis, CONFIG.model_copy(update={"max_ticks": 1}))
    (before,) = await admit_group(GATE, redis, [KEYED])
    await sim.tick()
    late, repeated = await admit_group(GATE, redis, [ONE, KEYED])
    assert isinstance(late, SimAlreadyFinished)
    assert late.tick == 1
    assert isinstance(before, Admitted)
    assert repeated == replace(before, replayed=True)


async def test_the_same_key_is_carried_out_once_for_24_hours(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    first, second = await admit_group(GATE, redis, [KEYED, replace(KEYED, stored_response=b"another")])
    (third,) = await admit_group(GATE, redis, [KEYED])
    assert isinstance(first, Admitted)
    assert second == third == Admitted(first.ids, b"rest", True)
    assert await read_log_ids(redis) == first.ids
    (name,) = await redis.keys("*once*")
    assert 24 * 3600 - 10 < await redis.ttl(name) <= 24 * 3600


async def test_what_an_issuer_stores_has_a_limit_and_no_request_is_refused_for_it(
    sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await sim.reader.head()).applied == 0
    monkeypatch.setattr(admission, "STORED_BYTES", 20_000)
    hundred = [replace(KEYED, key=f"k{number}", stored_response=bytes(1_000)) for number in range(100)]
    verdicts = await admit_group(GATE, redis, [*hundred, replace(KEYED, issuer="you")])
    assert all(isinstance(each, Admitted) for each in verdicts)
    stored_s = [await redis.ttl(SimKeys("default").idempotency_key("me", each.key)) for each in hundred]
    assert stored_s == sorted(stored_s, reverse=True)
    assert stored_s[0] > 24 * 3600 - 10
    assert 590 < stored_s[-1] <= 600
    # At the budget's half an answer is stored for half of the time.
    assert 10 * 3600 < stored_s[8] < 14 * 3600
    assert await redis.ttl(SimKeys("default").idempotency_key("you", "k")) > 24 * 3600 - 10, "of another issuer"


@pytest.mark.parametrize("orders", [1, 2, 9, 500])
async def test_ids_are_stored_in_few_bytes_however_many_they_are(sim: Sim, redis: Redis, orders: int) -> None:
    assert (await sim.reader.head()).applied == 0
    many = replace(KEYED, orders=[BODY] * orders)
    # Others before and after them, in the same millisecond.
    _, first, _ = await admit_group(GATE, redis, [ONE, many, ONE])
    (repeated,) = await admit_group(GATE, redis, [many])
    assert isinstance(first, Admitted)
    assert repeated == Admitted(first.ids, b"rest", True)
    assert len(first.ids) == orders
    assert len(await read_string(redis, SimKeys("default").idempotency_key("me", "k"))) < 50


async def test_the_same_key_with_another_request_is_refused_and_of_another_issuer_is_another(
    sim: Sim, redis: Redis
) -> None:
    assert (await sim.reader.head()).applied == 0
    other = replace(KEYED, digest=b"another one, 16b")
    first, reused, foreign = await admit_group(GATE, redis, [KEYED, other, replace(other, issuer="you")])
    assert isinstance(first, Admitted)
    assert isinstance(reused, IdempotencyConflict)
    assert isinstance(foreign, Admitted)
    assert len(await read_log_ids(redis)) == 2


async def test_who_orders_too_fast_waits_and_the_others_do_not(sim: Sim, redis: Redis) -> None:
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
    # It is kept in Redis: any other process is told the same.
    (again,) = await admit_group(GATE, redis, [mine])
    assert isinstance(again, RateLimited)


async def test_more_at_once_than_allowed_are_let_in_when_nothing_is_owed_and_paid_for_afterwards(
    sim: Sim, redis: Redis
) -> None:
    assert (await sim.reader.head()).applied == 0
    rate = Rate("address 10.0.0.1", 10, 5)
    many = Request("me", [BODY] * 20, rates=(rate,))
    first, second = await admit_group(GATE, redis, [many, replace(ONE, rates=(rate,))])
    assert isinstance(first, Admitted)
    assert isinstance(second, RateLimited)
    assert 1.5 < second.retry_after_s <= 1.6


async def test_all_rates_of_a_request_hold(sim: Sim, redis: Redis) -> None:
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


async def test_orders_are_refused_while_too_many_wait_for_the_worker(sim: Sim, redis: Redis) -> None:
    gate = AdmissionPolicy("default", max_pending=3)
    verdicts = await admit_group(gate, redis, [ONE, ONE, ONE, ONE])
    assert [type(each) for each in verdicts] == [Admitted, Admitted, Admitted, QueueFull]
    behind = verdicts[3]
    assert isinstance(behind, QueueFull)
    assert (behind.pending, behind.max_pending) == (3, 3)
    await sim.tick()
    assert [type(each) for each in await admit_group(gate, redis, [ONE])] == [Admitted]


async def test_how_many_wait_is_known_after_trimming_and_of_sims_of_before_0_6(sim: Sim, redis: Redis) -> None:
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


async def test_what_is_not_durable_is_said_to_each_with_its_own_ids(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    gate = AdmissionPolicy("default", durability=Durability("replica", 20))
    verdicts = await admit_group(gate, redis, [ONE, replace(ONE, orders=[BODY, BODY])])
    log_ids = await read_log_ids(redis)
    assert [each.order_ids for each in verdicts if isinstance(each, NotDurable)] == [log_ids[:1], log_ids[1:]]


async def test_redis_may_forget_the_script(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    await admit_group(GATE, redis, [ONE])
    await redis.script_flush()
    await admit_group(GATE, redis, [ONE])
    assert len(await read_log_ids(redis)) == 2


async def test_requests_in_flight_together_share_one_round_trip(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    await admit_group(GATE, redis, [ONE])
    group = GroupCommit(redis, GATE)
    before = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    admitted = await asyncio.gather(*(group.admit(Request(f"p{number}", [BODY])) for number in range(200)))
    assert (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"] == before + 1
    assert [each.ids[0] for each in admitted] == (await read_log_ids(redis))[1:]
    await group.close()


async def test_who_comes_just_when_a_group_is_over_begins_the_next(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    async with asyncio.timeout(60):
        for _ in range(5):
            await group.admit(ONE)
    assert len(await read_log_ids(redis)) == 5


async def test_a_refusal_is_raised_to_whom_it_concerns(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    results = await asyncio.gather(
        group.admit(KEYED),
        group.admit(replace(KEYED, digest=b"another one, 16b")),
        group.admit(ONE),
        return_exceptions=True,
    )
    assert [type(each) for each in results] == [Admitted, IdempotencyConflict, Admitted]


async def test_a_waiter_that_goes_away_takes_nobody_along(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    gone, stays = asyncio.create_task(group.admit(ONE)), asyncio.create_task(group.admit(ONE))
    await asyncio.sleep(0)
    gone.cancel()
    assert len((await stays).ids) == 1
    await asyncio.gather(gone, return_exceptions=True)


async def test_a_failure_of_redis_is_raised_to_every_waiter_that_is_left_before_the_group_closes() -> None:
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


async def test_what_redis_says_to_a_group_is_raised_to_all_of_it(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    await redis.delete(SimKeys("default").orders)
    await execute(redis, "SET", SimKeys("default").orders, "no stream")
    results = await asyncio.gather(*(GroupCommit(redis, GATE).admit(ONE) for _ in range(2)), return_exceptions=True)
    assert all("WRONGTYPE" in str(each) for each in results)


async def test_a_group_that_fails_takes_none_of_those_that_follow_it_along(sim: Sim, redis: Redis) -> None:
    assert (await sim.reader.head()).applied == 0
    group = GroupCommit(redis, GATE)
    log = SimKeys("default").orders
    await execute(redis, "SET", log, "no stream")
    # More than one group holds: the second stands by while the first fails.
    under_way = [asyncio.create_task(group.admit(ONE)) for _ in range(501)]
    first = (await asyncio.gather(*under_way[:500], return_exceptions=True))[0]
    assert "WRONGTYPE" in str(first)
    await asyncio.gather(*under_way[500:], return_exceptions=True)
    await redis.delete(log)
    assert len(await asyncio.gather(*(group.admit(ONE) for _ in range(501)))) == len(await read_log_ids(redis)) == 501


@pytest.mark.parametrize("count", [1, 4_001])
async def test_a_group_is_cut_where_it_would_keep_redis_long(redis: Redis, count: int) -> None:
    await lifecycle.create(redis, "default", SectorWorld(), CONFIG)
    group = GroupCommit(redis, GATE)
    results = await asyncio.gather(group.admit(Request("me", [BODY] * count)), group.admit(ONE))
    assert [len(each.ids) for each in results] == [count, 1]


class Orders(list[bytes]):
    """A list that says when it is gone."""


@pytest.mark.parametrize("rates", [(), (Rate("token slow", 0.001, 1),)])
async def test_what_was_asked_for_is_not_held_after_the_answer(sim: Sim, redis: Redis, rates: tuple[Rate, ...]) -> None:
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
