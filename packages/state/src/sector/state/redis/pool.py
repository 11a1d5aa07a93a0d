"""Bounded connection pools.

If all connections are in use, a command waits for one. Connections that are idle for long are closed.
"""

import asyncio
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError

IDLE_S = 10.0
_TRIM_EVERY_S = 1.0


class PoolExhausted(RedisConnectionError):
    """No connection became free in time: all `max_connections` were in use for `waited_s` seconds."""

    def __init__(self, max_connections: int, waited_s: float | None) -> None:
        super().__init__(f"all {max_connections} connections to Redis are in use")
        self.max_connections = max_connections
        self.waited_s = waited_s


async def acquire_slot(slots: asyncio.Semaphore, max_connections: int, wait_s: float | None) -> None:
    """Acquire one of `max_connections` slots. Raises PoolExhausted after `wait_s` seconds."""
    if not slots.locked():
        # The usual case needs no timer.
        await slots.acquire()
        return
    try:
        async with asyncio.timeout(wait_s):
            await slots.acquire()
    except TimeoutError as error:
        raise PoolExhausted(max_connections, wait_s) from error


class BoundedPool(ConnectionPool):
    """A pool of at most `max_connections`. A command waits for a connection up to `socket_timeout` seconds."""

    def __init__(self, **options: Any) -> None:  # (as each of redis-py's own pools)
        super().__init__(**options)
        self._slots = asyncio.Semaphore(self.max_connections)
        self._idle_since: dict[AbstractConnection, float] = {}
        self._trim_at_s = 0.0

    @property
    def open_connections(self) -> int:
        """The number of connections, in use or idle."""
        return len(self._available_connections) + len(self._in_use_connections)

    async def get_connection(
        self, command_name: str | None = None, *_keys: object, **_options: object
    ) -> AbstractConnection:
        """Return a connection that is ready for use.

        Raises PoolExhausted, redis.exceptions.ConnectionError or TimeoutError.
        """
        await acquire_slot(self._slots, self.max_connections, self.connection_kwargs.get("socket_timeout"))
        try:
            connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        except BaseException:
            self._slots.release()
            raise
        self._idle_since.pop(connection, None)
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Return a connection to the pool."""
        in_use = connection in self._in_use_connections
        try:
            await super().release(connection)
        finally:
            if in_use:
                self._slots.release()
        now_s = asyncio.get_running_loop().time()
        self._idle_since[connection] = now_s
        if now_s >= self._trim_at_s:
            self._trim_at_s = now_s + _TRIM_EVERY_S
            await self._trim(now_s)

    async def _trim(self, now_s: float) -> None:
        """Close the connections that were not used recently. The pool reuses the last released connection first."""
        while (idle := self._available_connections) and self._idle_since.get(idle[0], now_s) <= now_s - IDLE_S:
            connection = idle.pop(0)
            self._idle_since.pop(connection, None)
            await connection.disconnect(nowait=True)


class BoundedSentinelPool(BoundedPool, SentinelConnectionPool):
    """A bounded pool of connections to the master that the Sentinels name."""

    def __init__(self, service_name: str, sentinel_manager: object, **options: Any) -> None:  # (as Sentinel calls it)
        super().__init__(service_name=service_name, sentinel_manager=sentinel_manager, **options)
