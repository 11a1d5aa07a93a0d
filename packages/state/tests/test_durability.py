"""The durability of acknowledged orders: Redis confirms it, or the request fails."""

import re
import time

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from fixtures.admission import append_orders
from fixtures.own_valkey import OwnValkey
from fixtures.sim import Sim
from fixtures.stored_values import read_stream
from sector.state.errors import NotDurable
from sector.state.keys import WORKERS, SimKeys
from sector.state.redis.client import connect
from sector.state.redis.durability import MEMORY, PROMISES, Durability
from sector.state.redis.replies import Reply
from sector.state.tick import membership

KEYS = SimKeys("default")
AOF, REPLICA = Durability("aof", 100), Durability("replica", 100)


async def test_without_an_append_only_file_no_order_is_confirmed_on_disk(sim: Sim, redis: Redis) -> None:
    assert sim.lease.epoch == 1
    with pytest.raises(NotDurable, match="appendonly is disabled") as caught:
        await append_orders(redis, "default", "me", [b"1", b"2"], durability=AOF)
    assert caught.value.order_ids == [entry_id for entry_id, _ in await read_stream(redis, KEYS.orders)]
    with pytest.raises(NotDurable, match="appendonly is disabled"):
        await AOF.probe(redis, "default")


async def test_without_a_replica_no_order_is_confirmed_on_one(sim: Sim, redis: Redis) -> None:
    assert sim.lease.epoch == 1
    with pytest.raises(NotDurable, match="not on a replica within 100 ms") as caught:
        await append_orders(redis, "default", "me", [b"1"], durability=REPLICA)
    assert len(caught.value.order_ids) == 1
    with pytest.raises(NotDurable, match="replica"):
        await REPLICA.probe(redis, "default")
    with pytest.raises(NotDurable, match="not on 2 replicas, but 0, within 100 ms"):
        await append_orders(redis, "default", "me", [b"1"], durability=Durability("replica", 100, replicas=2))


@pytest.mark.parametrize(
    ("durability", "reply", "reason"),
    [
        (Durability("aof", 100, replicas=2), [1, 0], ""),
        (Durability("aof", 100), [0, 1], "not written to disk within 100 ms"),
        (Durability("aof", 100), ResponseError("BAD words"), "Redis rejected a command (BAD): see the log"),
        (Durability("replica", 100), 1, ""),
        (Durability("replica", 100), 0, "not on a replica within 100 ms"),
        (Durability("replica", 100, replicas=2), 2, ""),
        (Durability("replica", 100, replicas=2), 1, "not on 2 replicas, but 1, within 100 ms"),
    ],
)
def test_a_reply_must_confirm_all_that_was_requested(durability: Durability, reply: Reply, reason: str) -> None:
    if not reason:
        durability.confirm([reply], ["1-0"])
        return
    with pytest.raises(NotDurable, match=re.escape(reason)) as raised:
        durability.confirm([reply], ["1-0"])
    assert (raised.value.durability, raised.value.order_ids, raised.value.reason) == (durability.kind, ["1-0"], reason)


async def test_a_probe_does_not_wait_as_long_as_orders(redis: Redis) -> None:
    await MEMORY.probe(redis, "default")
    began_s = time.monotonic()
    with pytest.raises(NotDurable, match="not on a replica"):
        await Durability("replica", 60_000).probe(redis, "default")
    assert time.monotonic() - began_s < 30


async def test_an_order_confirmed_on_disk_survives_a_crash(own_valkey: OwnValkey) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    await AOF.probe(redis, "default")
    await Sim.create(redis)
    ids = await append_orders(redis, "default", "me", [b"1", b"2"], durability=Durability("aof", 5000))
    own_valkey.kill()
    own_valkey.start()
    await redis.aclose()
    redis = connect(own_valkey.url)
    assert [entry_id for entry_id, _ in await read_stream(redis, KEYS.orders)] == ids
    await redis.aclose()


def test_every_kind_of_durability_has_an_explanation() -> None:
    assert set(PROMISES) == {"memory", "aof", "replica"}
    assert all(" but not " in promise for promise in PROMISES.values())


async def test_the_members_are_those_with_a_heartbeat_that_serve_the_same(redis: Redis) -> None:
    assert await membership.heartbeat(redis, "*", "one:1", 60_000) == ["one:1"]
    assert await membership.heartbeat(redis, "a,b", "two:2", 60_000) == ["two:2"]
    assert await membership.heartbeat(redis, "*", "three:3", 20_000) == ["three:3", "one:1"]
    # This heartbeat has expired: it lasted until the first millisecond of 1970.
    assert await redis.zadd(WORKERS, {"* three:3": 1}, xx=True, ch=True) == 1
    # They are sorted by expiry. Two heartbeats in the same millisecond have the same one.
    assert set(await membership.heartbeat(redis, "*", "four:4", 60_000)) == {"one:1", "four:4"}
    await membership.deregister(redis, "*", "one:1")
    assert await membership.heartbeat(redis, "*", "four:4", 60_000) == ["four:4"]
