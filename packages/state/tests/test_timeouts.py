"""A pipeline fails after the socket timeout, and does not change the timeout of its connection."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from sector.state.redis.client import connect
from sector.state.redis.connection import acquire_connection

LIMIT_S = 0.3
FOR_EVER = ("BLPOP", "nothing", 0)


async def test_each_pipeline_without_a_reply_times_out(redis_url: str) -> None:
    client = connect(redis_url, timeout_s=LIMIT_S)
    async with asyncio.timeout(60):
        for _ in range(2):
            with pytest.raises(RedisTimeoutError, match="Redis did not answer within 0.3 s"):
                async with acquire_connection(client, "nothing") as connection:
                    await connection.pipeline(FOR_EVER)
    async with acquire_connection(client, "nothing") as connection:
        assert await connection.pipeline(("GET", "nothing")) == [None]
    await client.aclose()


async def test_a_connection_keeps_its_socket_timeout(redis_url: str) -> None:
    client = connect(redis_url, timeout_s=LIMIT_S)
    assert isinstance(client, Redis)
    async with acquire_connection(client, "nothing") as connection:
        await connection.pipeline(("GET", "nothing"))
    async with asyncio.timeout(60):
        with pytest.raises(RedisTimeoutError):
            await client.execute_command(*FOR_EVER)
    await client.aclose()
