"""Clients of Redis, by URL: one server, a Sentinel's master, or a cluster. None of them repeats a command.

A client that repeated a command whose answer was lost would append orders twice. Who calls decides what to repeat.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypedDict
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import AskError, ClusterError, RedisClusterException, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sector.state.pool import BoundedPool, BoundedSentinelPool, acquire_slot

SENTINEL, CLUSTER = "redis+sentinel", "redis+cluster"
SCHEMES = ("redis://", "rediss://", "unix://", f"{SENTINEL}://", f"{CLUSTER}://")
MAX_CONNECTIONS = 512
"""Of one client, to one server: a server accepts 10,000 by default, for all processes together."""
_OF_REDIS_PY = 8
"""Connections to a node that redis-py may have for itself, to read the map of slots."""
_PORT = {SENTINEL: 26379, CLUSTER: 6379}


class Cluster(RedisCluster):
    """A cluster client that lends connections, and reads the map of slots anew when a node was wrong, or away."""

    _outdated = False

    def __init__(self, *, max_connections: int, **options: Any) -> None:  # (as redis-py's own)
        super().__init__(max_connections=max_connections + _OF_REDIS_PY, **options)
        self._max_connections = max_connections
        self._slots: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def lend(self, key: str) -> AsyncIterator[AbstractConnection]:
        """Lend a connection to the node that holds `key`, and wait for one where all are in use.

        Raises redis.exceptions.ConnectionError where no node is known, sector.state.pool.PoolExhausted where none became free.
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
        found: dict[str, list[str]] = {}
        for key in keys:
            found.setdefault((await self._node_of(key)).name, []).append(key)
        return list(found.values())

    async def _node_of(self, key: str) -> ClusterNode:
        try:
            await self.initialize()
            if self._outdated:
                self._outdated = False
                await self.nodes_manager.initialize()
            return self.get_node_from_key(key)  # type: ignore[return-value]  # None only where replicas are asked for
        except (RedisClusterException, KeyError, OSError) as error:
            self._outdated = True
            raise RedisConnectionError(f"no node of the cluster is known to hold {key!r}: {error}") from error


type Client = Redis | Cluster


class _Options(TypedDict):
    protocol: int
    socket_timeout: float
    socket_connect_timeout: float
    max_connections: int
    retry: Retry


def connect(url: str, *, timeout_s: float = 3.0, max_connections: int = MAX_CONNECTIONS) -> Client:
    """Return a client for `url`; it connects when first used. Every command fails after `timeout_s`, none is repeated.

    It has `max_connections` to a server at most; a command waits for a free one, no longer than `timeout_s`.

    `redis+sentinel://user:password@host:26379,host:26379/service/0` asks those Sentinels for the master of `service`; what
    the Sentinels themselves want stands in `?sentinel_username=…&sentinel_password=…`. `redis+cluster://user:password@host,host`
    begins with those nodes. Raises ValueError for a URL that is none of these.
    """
    options = _Options(
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        max_connections=max_connections,
        retry=Retry(NoBackoff(), 0),
    )
    if not url.startswith(SCHEMES):
        raise ValueError(f"a Redis URL begins with one of {', '.join(SCHEMES)}")
    parts = urlsplit(url)
    if parts.scheme == SENTINEL:
        return _of_sentinel(parts, options)
    if parts.scheme == CLUSTER:
        user, password, hosts = _authority(parts)
        nodes = [ClusterNode(host, port) for host, port in hosts]
        return Cluster(startup_nodes=nodes, require_full_coverage=False, username=user, password=password, **options)
    return Redis.from_pool(BoundedPool.from_url(url, **options))


def _of_sentinel(parts: SplitResult, options: _Options) -> Redis:
    service, _, db = parts.path.strip("/").partition("/")
    if not service or not (db or "0").isdecimal():
        raise ValueError("a Sentinel URL ends with the name of the service: redis+sentinel://host:26379/mymaster")
    user, password, hosts = _authority(parts)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := asked.keys() - {"sentinel_username", "sentinel_password"}:
        raise ValueError(f"a Sentinel URL has no parameter {min(unknown)!r}")
    of_sentinels = {name.removeprefix("sentinel_"): value for name, value in asked.items()}
    sentinels = Sentinel(hosts, sentinel_kwargs={**options, **of_sentinels})
    client: Redis = sentinels.master_for(
        service,
        connection_pool_class=BoundedSentinelPool,
        username=user,
        password=password,
        db=int(db or 0),
        **options,
    )
    return client


def _authority(parts: SplitResult) -> tuple[str | None, str | None, list[tuple[str, int]]]:
    """Return user, password and addresses of `user:password@host:port,host:port`."""
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    found: list[tuple[str, int]] = []
    for each in hosts.split(","):
        host, _, port = each.rpartition(":") if each.rpartition(":")[2].isdecimal() else (each, "", "")
        if not host:
            raise ValueError(f"{each!r} is not an address: host or host:port, several with commas")
        found.append((host, int(port or _PORT[parts.scheme])))
    return unquote(user) or None, unquote(password) or None, found
