"""Leases."""

import pytest
from redis.asyncio import Redis

from fixtures.stored_values import read_string
from sector.state.errors import LeaseLost
from sector.state.keys import SimKeys
from sector.state.tick import lease

KEYS = SimKeys("default")


async def test_only_one_worker_acquires_the_lease(redis: Redis) -> None:
    first = await lease.acquire(redis, "default", "one", 60_000)
    assert first is not None
    assert await lease.acquire(redis, "default", "two", 60_000) is None
    assert lease.worker_of(await read_string(redis, KEYS.lease)) == "one"
    assert 0 < await redis.pttl(KEYS.lease) <= 60_000


async def test_the_epoch_increases_with_each_acquisition(redis: Redis) -> None:
    epochs = []
    for _ in range(3):
        held = await lease.acquire(redis, "default", "one", 60_000)
        assert held is not None
        epochs.append(held.epoch)
        await redis.delete(KEYS.lease)  # as if it had expired
    assert epochs == [1, 2, 3]


async def test_a_released_lease_is_free_at_once(redis: Redis) -> None:
    first = await lease.acquire(redis, "default", "one", 60_000)
    assert first is not None
    await lease.release(redis, first)
    assert await lease.acquire(redis, "default", "two", 60_000) is not None


async def test_a_worker_that_lost_the_lease_can_neither_renew_nor_release_it(redis: Redis) -> None:
    first = await lease.acquire(redis, "default", "one", 60_000)
    assert first is not None
    await redis.delete(KEYS.lease)
    second = await lease.acquire(redis, "default", "two", 60_000)
    assert second is not None
    for attempt in (lease.renew, lease.release):
        with pytest.raises(LeaseLost, match="the lease of sim 'default' is owned by worker two"):
            await attempt(redis, first)
    assert await read_string(redis, KEYS.lease) == second.token.encode()


async def test_a_renewed_lease_lasts_its_full_time(redis: Redis) -> None:
    held = await lease.acquire(redis, "default", "one", 60_000)
    assert held is not None
    await redis.pexpire(KEYS.lease, 1_000)
    await lease.renew(redis, held)
    assert await redis.pttl(KEYS.lease) > 50_000


async def test_the_owners_of_many_leases_are_read_in_one_round_trip(redis: Redis) -> None:
    for sim_id, holder in (("a", "one"), ("b", "two:7")):
        assert await lease.acquire(redis, sim_id, holder, 60_000) is not None
    await redis.set(SimKeys("c").lease, "written by hand")
    assert await lease.holders(redis, ["a", "b", "c", "d"]) == ["one", "two:7", "unknown", None]


@pytest.mark.parametrize(
    ("token", "holder", "worker"),
    [
        (b"3:one:nonce", "one", "one"),
        (b"3:one:17:nonce", "one:17", "one"),
        (b"3:\xff:nonce", "\N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}"),
        (b"3:nonce", None, None),
        (b"nonce", None, None),
        (None, None, None),
    ],
)
def test_a_token_contains_its_owner_and_worker(token: bytes | None, holder: str | None, worker: str | None) -> None:
    assert lease.holder_of(token) == holder
    assert lease.worker_of(token) == worker
