"""Connections to Redis: the client for everyday commands, and a borrowed connection for exact round trips."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

type Reply = bytes | int | None | list["Reply"] | ResponseError
type Command = Sequence[str | bytes | int]

SCHEMES = ("redis://", "rediss://", "unix://")


def connect(url: str, *, timeout_s: float = 3.0) -> Redis:
    """Return a client for `url`; it connects when first used. Every command fails after `timeout_s`, none is repeated.

    A client that repeated a command whose answer was lost would append orders twice. Who calls decides what to repeat.
    Raises ValueError for an unknown scheme.
    """
    if not url.startswith(SCHEMES):
        raise ValueError(f"a Redis URL begins with one of {', '.join(SCHEMES)}")
    return Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
    )


class Link:
    """One connection, on which several commands and their replies take one round trip."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def exchange(self, *commands: Command) -> list[Reply]:
        """Send `commands` in one write; return their replies. An error reply stands in its place, as a ResponseError.

        Raises redis.exceptions.ConnectionError or TimeoutError where the connection breaks: the outcome is unknown then.
        """
        await self._connection.send_packed_command(self._connection.pack_commands(commands))
        return [await self._reply() for _ in commands]

    async def _reply(self) -> Reply:
        try:
            reply: Reply = await self._connection.read_response(disable_decoding=True)
        except ResponseError as error:
            return error
        return reply


@asynccontextmanager
async def borrowed(redis: Redis) -> AsyncIterator[Link]:
    """Lend a connection of the client's pool. It is closed rather than given back where the block raises: it may be amid a reply."""
    connection = await redis.connection_pool.get_connection()
    try:
        yield Link(connection)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    finally:
        await redis.connection_pool.release(connection)


def checked(replies: Sequence[Reply]) -> list[Reply]:
    """Return `replies`, or raise the first error among them."""
    for reply in replies:
        if isinstance(reply, RedisError):
            raise reply
    return list(replies)


def as_bytes(reply: Reply) -> bytes | None:
    """Return a string reply. Raises ResponseError for any other but null: there is something of another type at the key."""
    if reply is None or isinstance(reply, bytes):
        return reply
    raise reply if isinstance(reply, ResponseError) else ResponseError(f"expected a string, got {type(reply).__name__}")


def as_list(reply: Reply) -> list[Reply]:
    """Return an array reply. Raises ResponseError for any other."""
    if isinstance(reply, list):
        return reply
    raise reply if isinstance(reply, ResponseError) else ResponseError(f"expected an array, got {type(reply).__name__}")
