"""A connection that is lent gives up in time, and has its own limit again when it is back."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from sector.state.redis.client import connect
from sector.state.redis.connection import acquire_connection

LIMIT_S = 0.3
FOR_EVER = ("BLPOP", "nothing", 0)


async def test_an_exchange_that_is_not_answered_is_given_up_each_time(redis_url: str) -> None:
    client = connect(redis_url, timeout_s=LIMIT_S)
    async with asyncio.timeout(60):
        for _ in range(2):
            with pytest.raises(RedisTimeoutError, match="no answer within 0.3 s"):
                async with acquire_connection(client, "nothing") as link:
                    await link.exchange(FOR_EVER)
    async with acquire_connection(client, "nothing") as link:
        assert await link.exchange(("GET", "nothing")) == [None]
    await client.aclose()


async def test_a_connection_that_was_lent_has_its_own_limit_again(redis_url: str) -> None:
    client = connect(redis_url, timeout_s=LIMIT_S)
    assert isinstance(client, Redis)
    async with acquire_connection(client, "nothing") as link:
        await link.exchange(("GET", "nothing"))
    async with asyncio.timeout(60):
        with pytest.raises(RedisTimeoutError):
            await client.execute_command(*FOR_EVER)
    await client.aclose()
