"""Redis clients by URL: for a single server, the master of a Sentinel, or a cluster.

A client never retries a command. If the reply to an append is lost, a retry would append the orders twice. The caller
decides what to retry.
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
"""The maximum of connections of one client to one server.

By default a server accepts 10,000 from all processes together.
"""
_OF_REDIS_PY = 8
"""The connections to a node that redis-py may use itself to read the slot map."""
_CONNECTIONS = {"redis": Connection, "rediss": CheckedSSLConnection}


class Cluster(RedisCluster):
    """A cluster client that lends connections.

    It reloads the slot map after a node was unreachable or did not have a slot.
    """

    _outdated = False

    def __init__(self, *, max_connections: int, **options: Any) -> None:  # (as redis-py's own)
        super().__init__(max_connections=max_connections + _OF_REDIS_PY, **options)
        self._max_connections = max_connections
        self._slots: dict[str, asyncio.Semaphore] = {}
        if options.get("ssl"):
            # For nodes that are discovered later, and for the configured ones.
            self.connection_kwargs["connection_class"] = CheckedSSLConnection
            for node in self.nodes_manager.startup_nodes.values():
                node.connection_class = CheckedSSLConnection

    @asynccontextmanager
    async def lend(self, key: str) -> AsyncIterator[AbstractConnection]:
        """Lend a connection to the node that has `key`, as a context manager. It waits if all connections are in use.

        Raises redis.exceptions.ConnectionError if no node is known, and sector.state.redis.pool.PoolExhausted if no
        connection becomes free.
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
        """Return the keys in groups by node."""
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
            return self.get_node_from_key(key)  # type: ignore[return-value]  # None only if replicas are requested
        except (RedisClusterException, KeyError, OSError) as error:
            self._outdated = True
            raise RedisConnectionError(f"no node of the cluster serves the slot of {key!r}: {error}") from error


type Client = Redis | Cluster


def connect(url: str | RedisAddress, *, timeout_s: float = 3.0, max_connections: int = MAX_CONNECTIONS) -> Client:
    """Return a client for a Redis URL. It connects on first use and never retries a command.

    - `redis://user:password@host:6379/0` connects to a server, and `rediss://` with TLS.
    - `redis+sentinel://user:password@host:26379,host:26379/service/0` connects to the master of `service` that the Sentinels
      name. The parameters `?sentinel_username=…&sentinel_password=…` are for the Sentinels themselves.
    - `redis+cluster://user:password@host,host` connects to a cluster through these nodes.

    Args:
        url: The URL, or an address that was parsed before.
        timeout_s: The timeout of each command, in seconds.
        max_connections: The maximum of connections to one server. If all are in use, a command waits for one, up to
            `timeout_s`.

    Raises:
        ValueError: The URL is invalid. The text does not contain the password.
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
        address.service or "",
        connection_pool_class=BoundedSentinelPool,
        username=address.username,
        password=address.password,
        db=address.db,
        **options,
    )
    return client
