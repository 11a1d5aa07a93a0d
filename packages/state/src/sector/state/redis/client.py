"""Clients of Redis, by URL: one server, a Sentinel's master, or a cluster. None of them repeats a command.

A client that repeated a command whose answer was lost would append orders twice. Who calls decides what to repeat.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import AskError, ClusterError, RedisClusterException, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sector.state.redis.pool import BoundedPool, BoundedSentinelPool, acquire_slot
from sector.state.redis.tls import CheckedSentinelConnection, CheckedSSLConnection
from sector.state.redis.url import RedisAddress

MAX_CONNECTIONS = 512
"""Of one client, to one server: a server accepts 10,000 by default, for all processes together."""
_OF_REDIS_PY = 8
"""Connections to a node that redis-py may have for itself, to read the map of slots."""
_CONNECTIONS = {"redis": Connection, "rediss": CheckedSSLConnection}


class Cluster(RedisCluster):
    """A cluster client that lends connections, and reads the map of slots anew when a node was wrong, or away."""

    _outdated = False

    def __init__(self, *, max_connections: int, **options: Any) -> None:  # (as redis-py's own)
        super().__init__(max_connections=max_connections + _OF_REDIS_PY, **options)
        self._max_connections = max_connections
        self._slots: dict[str, asyncio.Semaphore] = {}
        if options.get("ssl"):
            # For nodes that are found later, and for those that were given.
            self.connection_kwargs["connection_class"] = CheckedSSLConnection
            for node in self.nodes_manager.startup_nodes.values():
                node.connection_class = CheckedSSLConnection

    @asynccontextmanager
    async def lend(self, key: str) -> AsyncIterator[AbstractConnection]:
        """Lend a connection to the node that holds `key`, and wait for one where all are in use.

        Raises redis.exceptions.ConnectionError where no node is known, sector.state.redis.pool.PoolExhausted where none became free.
        """
        node = await self._node_of(key)
        slots = self._slots.setdefault(node.name, asyncio.Semaphore(self._max_connections))
        await acquire_slot(slots, self._max_connections, node.connection_kwargs.get("socket_timeout"))
        try:
            async with self._lend(node) as connection:
                yield connection
        finally:
            slots.release()

    @asynccontextmanager
    async def _lend(self, node: ClusterNode) -> AsyncIterator[AbstractConnection]:
        connection = node.acquire_connection()
        try:
            await node.disconnect_if_needed(connection)
            yield connection
        except BaseException as error:
            if isinstance(error, RedisConnectionError | RedisTimeoutError | AskError | TryAgainError | ClusterError):
                self._outdated = True
            await connection.disconnect(nowait=True)
            raise
        finally:
            node.release(connection)

    async def by_node(self, keys: Sequence[str]) -> list[list[str]]:
        """Return the keys, those of one node together."""
        keys_by_node: dict[str, list[str]] = {}
        for key in keys:
            keys_by_node.setdefault((await self._node_of(key)).name, []).append(key)
        return list(keys_by_node.values())

    async def _node_of(self, key: str) -> ClusterNode:
        try:
            await self.initialize()
            if self._outdated:
                self._outdated = False
                await self.nodes_manager.initialize()
            return self.get_node_from_key(key)  # type: ignore[return-value]  # None only where replicas are asked for
        except (RedisClusterException, KeyError, OSError) as error:
            self._outdated = True
            raise RedisConnectionError(f"no node of the cluster serves the slot of {key!r}: {error}") from error


type Client = Redis | Cluster


def connect(url: str | RedisAddress, *, timeout_s: float = 3.0, max_connections: int = MAX_CONNECTIONS) -> Client:
    """Return a client for `url`; it connects when first used. Every command fails after `timeout_s`, none is repeated.

    It has `max_connections` to a server at most; a command waits for a free one, no longer than `timeout_s`.

    `redis+sentinel://user:password@host:26379,host:26379/service/0` asks those Sentinels for the master of `service`; what
    the Sentinels themselves want stands in `?sentinel_username=…&sentinel_password=…`. `redis+cluster://user:password@host,host`
    begins with those nodes. Raises ValueError for a URL that is none of these; its text has no part of a password.
    """
    address = RedisAddress.parse(url) if isinstance(url, str) else url
    options: dict[str, Any] = {
        "protocol": 2,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "max_connections": max_connections,
        "retry": Retry(NoBackoff(), 0),
        **address.options,
    }
    if address.scheme == "redis+sentinel":
        return _connect_by_sentinel(address, options)
    options |= {"username": address.username, "password": address.password}
    if address.scheme == "redis+cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        return Cluster(startup_nodes=nodes, require_full_coverage=False, **options)
    if address.scheme == "unix":
        where: dict[str, Any] = {"connection_class": UnixDomainSocketConnection, "path": address.path}
    else:
        ((host, port),) = address.hosts
        where = {"connection_class": _CONNECTIONS[address.scheme], "host": host, "port": port}
    return Redis.from_pool(BoundedPool(**where, db=address.db, **options))


def _connect_by_sentinel(address: RedisAddress, options: dict[str, Any]) -> Redis:
    of_sentinels = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    sentinels = Sentinel(list(address.hosts), sentinel_kwargs={**options, **of_sentinels})
    if options.get("ssl"):
        for each in sentinels.sentinels:
            each.connection_pool.connection_class = CheckedSSLConnection
        options["connection_class"] = CheckedSentinelConnection
    client: Redis = sentinels.master_for(
        address.service,
        connection_pool_class=BoundedSentinelPool,
        username=address.username,
        password=address.password,
        db=address.db,
        **options,
    )
    return client
