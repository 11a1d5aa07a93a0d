"""A connection of the pool, on which several commands and their replies take one round trip."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from sector.models.deprecated_names import deprecated_names
from sector.state.redis.client import Client, Cluster
from sector.state.redis.replies import Reply, as_bytes, as_list, checked
from sector.state.redis.round_trips import failed, took

type Command = Sequence[str | bytes | int]


class Packed(bytes):
    """A command as it goes over the wire; `name` is its first word."""

    name = "EVALSHA"


_LARGE_BYTES = 2**16


class Link:
    """One connection. Its commands go out in one write, and their replies are read in order, within `limit_s` seconds."""

    def __init__(self, connection: AbstractConnection, limit_s: float | None) -> None:
        self._connection = connection
        self._limit_s = limit_s

    async def exchange(self, *commands: Command | Packed) -> list[Reply]:
        """Send `commands` in one write; return their replies. An error reply stands in its place, as a ResponseError.

        Raises redis.exceptions.ConnectionError or TimeoutError where the connection breaks: the outcome is unknown then.
        """
        read, replies = self._connection.read_response, list[Reply]()
        began_s = perf_counter()
        try:
            async with asyncio.timeout(self._limit_s):
                await self._connection.send_packed_command(packed(commands), check_health=False)
                for _ in commands:
                    try:
                        replies.append(await read(disable_decoding=True))
                    except ResponseError as error:
                        replies.append(error)
        except TimeoutError as error:
            failed(error)
            raise RedisTimeoutError(f"no answer within {self._limit_s} s") from error
        except RedisError as error:
            failed(error)
            raise
        except OSError as error:
            failed(error)
            raise RedisConnectionError(f"the connection broke: {error}") from error
        first = commands[0]
        took(first.name if isinstance(first, Packed) else str(first[0]), perf_counter() - began_s)
        return replies


def packed(commands: Sequence[Command | Packed]) -> list[bytes]:
    """Return commands as they go over the wire. Large arguments stand by themselves: they are not copied."""
    parts: list[bytes] = []
    for command in commands:
        if isinstance(command, Packed):
            parts.append(command)
            continue
        for part in command:
            if isinstance(part, bytes) and len(part) > _LARGE_BYTES:
                parts += _packed_large(command)
                break
        else:
            parts.append(pack_command(tuple(command)))  # type: ignore[arg-type]  # its stub means a tuple of one
    return list(_joined(parts))


def _packed_large(command: Command) -> Iterator[bytes]:
    yield b"*%d\r\n" % len(command)
    for part in command:
        word = part if isinstance(part, bytes) else str(part).encode()
        yield b"$%d\r\n" % len(word)
        yield word
        yield b"\r\n"


def _joined(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the same bytes, small parts together."""
    small: list[bytes] = []
    for part in parts:
        if len(part) <= _LARGE_BYTES:
            small.append(part)
            continue
        yield b"".join(small)
        yield part
        small = []
    yield b"".join(small)


@asynccontextmanager
async def acquire_connection(redis: Client, key: str) -> AsyncIterator[Link]:
    """Lend a connection to the node that holds `key`. It is closed where the block raises: it may be amid a reply.

    What fails with the connection raises a redis.exceptions.RedisError, here and in `Link.exchange`, and no OSError: an OSError that
    reaches a caller has nothing to do with Redis.
    """
    if isinstance(redis, Cluster):
        async with redis.lend(key) as connection:
            limit_s = _unlimited(connection)
            try:
                yield Link(connection, limit_s)
            finally:
                connection.socket_timeout = limit_s
        return
    try:
        connection = await redis.connection_pool.get_connection()
    except RedisError as error:
        failed(error)
        raise
    except OSError as error:
        failed(error)
        raise RedisConnectionError(f"no connection: {error}") from error
    limit_s = _unlimited(connection)
    try:
        yield Link(connection, limit_s)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    finally:
        connection.socket_timeout = limit_s
        await redis.connection_pool.release(connection)


def _unlimited(connection: AbstractConnection) -> float | None:
    """Take the limit off a connection and return it: one for each reply costs more than reading it, and a link has one for all."""
    limit_s: float | None = connection.socket_timeout
    connection.socket_timeout = None
    return limit_s


async def call(redis: Client, *command: str | bytes | int) -> Reply:
    """Return the reply to one command, whose first argument is its key. Raises redis.exceptions.RedisError."""
    async with acquire_connection(redis, str(command[1])) as link:
        (reply,) = checked(await link.exchange(command))
    return reply


async def strings(redis: Client, keys: Sequence[str]) -> list[bytes | None]:
    """Return what lies at each of many keys: one command for all of them, or one a node of a cluster."""
    if not keys:
        return []
    if not isinstance(redis, Cluster):
        async with acquire_connection(redis, keys[0]) as link:
            (reply,) = checked(await link.exchange(("MGET", *keys)))
        return [as_bytes(value) for value in as_list(reply)]
    found: dict[str, bytes | None] = {}
    for of_node in await redis.by_node(keys):
        async with acquire_connection(redis, of_node[0]) as link:
            replies = checked(await link.exchange(*(("GET", key) for key in of_node)))
        found.update(zip(of_node, map(as_bytes, replies), strict=True))
    return [found[key] for key in keys]


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"borrowed": "acquire_connection"})
